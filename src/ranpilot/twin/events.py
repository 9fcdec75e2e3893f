"""Events of a scenario: at given times, and at random with how often, for how long, and how early they are known.

At random: time from `first_s` to `last_s` is cut into windows of `every_s`. In each window one event is announced with
probability `share`, at a uniform moment of the window, in a uniformly drawn cell; its kind is drawn by weight, it
starts `lead_s` after the announcement and lasts `duration_s`, both uniform. Of a kind with an `announced_share` below 1
some come without a word. At given times: what `schedule` lists, in every network and episode. Events of one cell may
overlap: factors then multiply, and the tighter limit holds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from ranpilot.errors import ConfigError, nearest
from ranpilot.twin.bounds import Part, Seconds, bounded
from ranpilot.twin.event_kinds import READY_MADE, EventKind

__all__ = ["EventKind", "Events", "ScheduledEvent"]

MAX_EVENTS = 10_000
"""Rows of the table of events that every network holds."""

PERIOD_S = 0.01
"""Events begin and end with the period of RRC."""


class ScheduledEvent(Part):
    """An event at a given time, since the reset."""

    kind: str
    cell: str
    """Name of the cell."""
    start_s: Seconds
    duration_s: Annotated[float, bounded(PERIOD_S, 86_400.0, "s")]
    announced_s: Seconds | None = None
    """When it is told, also after it started; None = never."""

    @model_validator(mode="after")
    def _whole_periods(self) -> Self:
        for name in ("start_s", "duration_s", "announced_s"):
            value_s = getattr(self, name)
            if value_s is not None and abs(value_s / PERIOD_S - round(value_s / PERIOD_S)) > 1e-6:
                raise ConfigError(name, value_s, f"a multiple of {PERIOD_S:g} s")
        stop_s = self.start_s + self.duration_s
        if self.announced_s is not None and self.announced_s >= stop_s:
            raise ConfigError("announced_s", self.announced_s, f"before the event is over ({stop_s:g} s)")
        return self


class Events(Part):
    """When events come and of which kinds."""

    every_s: Annotated[float, bounded(0.1, 86_400.0, "s")] | None = None
    """Length of a window; at most one event is announced in each. None = nothing comes at random."""
    share: Annotated[float, bounded(0.0, 1.0, "1")] | None = None
    """Probability that a window has an event."""
    lead_s: tuple[Seconds, Seconds] = (1.0, 3.0)
    """Least and greatest time from the announcement to the start."""
    duration_s: tuple[Seconds, Seconds] = (1.5, 3.0)
    """Least and greatest time from start to end."""
    first_s: Seconds = 0.0
    """Begin of the first window, since the reset."""
    last_s: Seconds = 60.0
    """No window begins later."""
    kinds: Annotated[tuple[EventKind, ...], Field(max_length=32)] = ()
    """What can happen; ready-made kinds that only the schedule names need not be listed."""
    schedule: Annotated[tuple[ScheduledEvent, ...], Field(max_length=MAX_EVENTS)] = ()
    """What happens at given times."""

    @model_validator(mode="before")
    @classmethod
    def _add_what_the_schedule_names(cls, values: Any) -> Any:
        """Ready-made kinds that are scheduled and not listed, which are never drawn at random."""
        if not isinstance(values, Mapping):
            return values
        kinds, schedule = values.get("kinds", ()), values.get("schedule", ())
        if not isinstance(kinds, Sequence) or isinstance(kinds, str) or not isinstance(schedule, Sequence):
            return values
        listed = {name for kind in kinds if isinstance(name := _of(kind, "name"), str)}
        named = dict.fromkeys(name for event in schedule if isinstance(name := _of(event, "kind"), str))
        added = [{"name": n, **READY_MADE[n], "weight": 0.0} for n in named if n in READY_MADE and n not in listed]
        return {**values, "kinds": [*kinds, *added]} if added else values

    @model_validator(mode="after")
    def _something_comes(self) -> Self:
        if (self.every_s is None) != (self.share is None):
            missing, other = ("share", "every_s") if self.share is None else ("every_s", "share")
            raise ConfigError(missing, None, f"given with {other}")
        if self.every_s is None and not self.schedule:
            raise ConfigError("every_s", None, "given where nothing is scheduled")
        if not self.kinds:
            raise ConfigError("kinds", [], "a list of at least 1")
        return self

    @model_validator(mode="after")
    def _times_in_order(self) -> Self:
        for name, (low, high) in (("lead_s", self.lead_s), ("duration_s", self.duration_s)):
            if low > high:
                raise ConfigError(name, [low, high], "a least and a greatest time, in that order")
        if self.duration_s[0] < PERIOD_S:
            raise ConfigError("duration_s", list(self.duration_s), "at least 0.01 s")
        if self.last_s <= self.first_s:
            raise ConfigError("last_s", self.last_s, f"after first_s ({self.first_s:g})")
        room = MAX_EVENTS - len(self.schedule)
        if self.num_windows > room:
            least = (self.last_s - self.first_s) / max(room, 1)
            raise ConfigError("every_s", self.every_s, f"at least {least:g} from first_s to last_s")
        return self

    @model_validator(mode="after")
    def _kinds_differ(self) -> Self:
        names = [kind.name for kind in self.kinds]
        for name in names:
            if names.count(name) > 1:
                raise ConfigError("kinds.name", name, "different for every kind")
        if self.every_s is not None and not sum(kind.weight for kind in self.kinds) > 0.0:
            raise ConfigError("kinds.weight", [kind.weight for kind in self.kinds], "above 0 for at least one kind")
        for index, event in enumerate(self.schedule):
            if event.kind not in names:
                known = tuple(dict.fromkeys((*names, *READY_MADE)))
                raise ConfigError(f"schedule.{index}.kind", event.kind, _one_of(event.kind, known))
        return self

    @property
    def num_windows(self) -> int:
        """Windows in which an event can come at random."""
        return math.ceil((self.last_s - self.first_s) / self.every_s - 1e-9) if self.every_s is not None else 0

    @property
    def num_events(self) -> int:
        """E, the events that a network can have at most: first one a window, then those of the schedule."""
        return self.num_windows + len(self.schedule)

    def check_cells(self, names: tuple[str, ...]) -> None:
        """Raise ConfigError for a scheduled event of a cell that is none of those."""
        for index, event in enumerate(self.schedule):
            if event.cell not in names:
                raise ConfigError(f"events.schedule.{index}.cell", event.cell, _one_of(event.cell, names))

    def check_power(self, least_dbm: float, lowest_dbm: float) -> None:
        """Raise ConfigError for a cut that takes the weakest site, of `least_dbm`, below what can be measured."""
        for kind in self.kinds:
            if kind.power_cut_db is not None and kind.power_cut_db > least_dbm - lowest_dbm:
                allowed = f"at most {least_dbm - lowest_dbm:g}, so that no site radiates below {lowest_dbm:g} dBm"
                raise ConfigError("events.kinds.power_cut_db", kind.power_cut_db, allowed)

    def check_population(self, arrives: bool) -> None:
        """Raise ConfigError for a kind that changes arrivals or departures where nobody arrives or leaves."""
        for kind in self.kinds:
            if kind.changes_users and not arrives:
                field = "arrival_factor" if kind.arrival_factor != 1.0 else "departure_factor"
                raise ConfigError(f"events.kinds.{field}", getattr(kind, field), "1 for a static population")


def _of(item: Any, key: str) -> Any:
    """What a kind or an event has under `key`, as it is written or as a record; a name stands for itself."""
    if isinstance(item, str):
        return item
    return item.get(key) if isinstance(item, Mapping) else getattr(item, key, None)


def _one_of(wrong: str, known: tuple[str, ...]) -> str:
    guess = nearest(wrong, known)
    listed = ", ".join(known[:8]) + (f", and {len(known) - 8} more" if len(known) > 8 else "")
    return f"one of {listed}" + (f"; did you mean {guess!r}" if guess else "")
