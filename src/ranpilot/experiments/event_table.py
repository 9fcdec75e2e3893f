"""The events of an inspected network, with what their cells are told and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ranpilot.twin.inspect import Inspection
    from ranpilot.twin.scenario import Scenario

__all__ = ["event_table"]


def event_table(scenario: Scenario, found: Inspection) -> list[list[str]]:
    """Header, and one line an event of the network that the map shows: kind, cell, when, and the announcement.

    No text where the scenario has kinds of events without wordings, which the twin runs and no task.
    """
    from ranpilot.envs.announcements import kinds
    from ranpilot.envs.tasks._notices import Notices
    from ranpilot.twin.state import NEVER

    lines = [["event", "cell", "announced, s", "in force, s", "announcement to the cell"]]
    events = found.events
    if scenario.events is None:
        return lines
    is_told = {kind.name for kind in scenario.events.kinds} <= set(kinds())
    notices = Notices(scenario, ((),) * scenario.num_cells) if is_told else None
    for event in (events.kind[0] >= 0).nonzero()[0].tolist():
        announced, start, stop = (
            f"{column[0, event] * scenario.slot_s:.2f}"
            for column in (events.announced_slot, events.start_slot, events.stop_slot)
        )
        kind, cell = scenario.events.kinds[events.kind[0, event]].name, found.cell_names[events.cell[0, event]]
        is_announced = events.announced_slot[0, event] < NEVER
        text = notices.text(events, 0, 0, event) if notices and is_announced else "–"
        lines.append([kind, cell, announced if is_announced else "never", f"{start} to {stop}", text])
    return lines
