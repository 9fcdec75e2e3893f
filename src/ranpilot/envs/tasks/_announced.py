"""What happens while something is announced, counted by kind: what an agent that reads could have done better.

A step counts as announced from the announcement to the end of its event, whatever the kind and in which cell it is.
Events do not depend on what agents do, so the same steps count for every controller of the same networks.
"""

from __future__ import annotations

import numpy as np

from ranpilot.envs.controller import FloatArray, IntArray
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.views import EventView

__all__ = ["announced_counters", "count_announced"]


def announced_counters(scenario: Scenario) -> tuple[str, ...]:
    """Names of the counters, none for a scenario without events."""
    if scenario.events is None:
        return ()
    kinds = (kind.name.replace("-", "_") for kind in scenario.events.kinds)
    return ("announced_steps", "dropped_announced", *(f"dropped_during_{kind}" for kind in kinds))


def count_announced(
    names: tuple[str, ...], events: EventView, slots: tuple[int, int], drops: IntArray
) -> dict[str, FloatArray]:
    """The counters [B, C] of a step that ran from slot to slot, in which that many calls [B, C] were dropped.

    names: as `announced_counters` gave them. `announced_steps` stands in the first column: a sum counts a step once.
    """
    if not names:
        return {}
    begin, end = slots
    is_known = (events.announced_slot < end) & (events.stop_slot > begin)  # [B, E]
    announced = np.zeros(drops.shape)
    announced[:, 0] = np.any(is_known, axis=1)
    during = [np.any(is_known, axis=1), *(np.any(is_known & (events.kind == k), axis=1) for k in range(len(names) - 2))]
    dropped = {name: np.where(is_on[:, None], drops, 0.0) for name, is_on in zip(names[1:], during, strict=True)}
    return {names[0]: announced, **dropped}
