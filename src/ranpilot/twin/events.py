"""Events of a scenario: what may happen to a cell, how often, for how long, and how early it is known.

Time from `first_s` to `last_s` is cut into windows of `every_s`. In each window one event is announced with probability
`share`, at a uniform moment of the window, in a uniformly drawn cell; its kind is drawn by weight, it starts `lead_s`
after the announcement and lasts `duration_s`, both uniform. Of a kind with an `announced_share` below 1 some come
without a word. Events of one cell may overlap: factors then multiply, and the tighter limit holds.
"""

from __future__ import annotations

import math
import re
from typing import Annotated, Self

from pydantic import Field, model_validator

from ranpilot.errors import ConfigError
from ranpilot.twin.bounds import Part, Seconds, bounded

__all__ = ["EventKind", "Events"]

MAX_WINDOWS = 10_000
"""Rows of the table of events that every network holds."""


class EventKind(Part):
    """What happens to one cell while an event of this kind is in force; by default nothing."""

    name: str
    weight: Annotated[float, bounded(0.0, 1000.0, "1")] = 1.0
    """How often this kind is drawn, relative to the others."""
    announced_share: Annotated[float, bounded(0.0, 1.0, "1")] = 1.0
    """Probability that such an event is announced; otherwise nobody is told of it."""
    arrival_factor: Annotated[float, bounded(0.0, 100.0, "1")] = 1.0
    """Multiplies the rate at which users arrive."""
    departure_factor: Annotated[float, bounded(0.0, 100.0, "1")] = 1.0
    """Multiplies the probability that a user leaves by itself."""
    places_share: Annotated[float, bounded(0.0, 1.0, "1")] = 1.0
    """Share of the cell's places that admit users; those beyond it stay. 0 = closed to new users and to handovers."""
    power_cut_db: Annotated[float, bounded(0.0, 60.0, "dB")] | None = None
    """The cell radiates at most its least power less this, whatever controls set; None = no limit."""

    @model_validator(mode="after")
    def _name_is_short(self) -> Self:
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,39}", self.name):
            raise ConfigError("name", self.name, "up to 40 small letters, digits and hyphens that begin with a letter")
        return self

    @property
    def changes_users(self) -> bool:
        """Whether it changes how users come and go."""
        return self.arrival_factor != 1.0 or self.departure_factor != 1.0

    @property
    def changes_anything(self) -> bool:
        """Whether an event of this kind does more than being talked about."""
        return self.changes_users or self.places_share != 1.0 or self.power_cut_db is not None


class Events(Part):
    """When events come and of which kinds."""

    every_s: Annotated[float, bounded(0.1, 86_400.0, "s")]
    """Length of a window; at most one event is announced in each."""
    share: Annotated[float, bounded(0.0, 1.0, "1")]
    """Probability that a window has an event."""
    lead_s: tuple[Seconds, Seconds] = (1.0, 3.0)
    """Least and greatest time from the announcement to the start."""
    duration_s: tuple[Seconds, Seconds] = (1.5, 3.0)
    """Least and greatest time from start to end."""
    first_s: Seconds = 0.0
    """Begin of the first window, since the reset."""
    last_s: Seconds = 60.0
    """No window begins later."""
    kinds: Annotated[tuple[EventKind, ...], Field(min_length=1, max_length=32)]

    @model_validator(mode="after")
    def _times_in_order(self) -> Self:
        for name, (low, high) in (("lead_s", self.lead_s), ("duration_s", self.duration_s)):
            if low > high:
                raise ConfigError(name, [low, high], "a least and a greatest time, in that order")
        if self.duration_s[0] < 0.01:
            raise ConfigError("duration_s", list(self.duration_s), "at least 0.01 s")
        if self.last_s <= self.first_s:
            raise ConfigError("last_s", self.last_s, f"after first_s ({self.first_s:g})")
        if self.num_windows > MAX_WINDOWS:
            least = (self.last_s - self.first_s) / MAX_WINDOWS
            raise ConfigError("every_s", self.every_s, f"at least {least:g} from first_s to last_s")
        return self

    @model_validator(mode="after")
    def _kinds_differ(self) -> Self:
        names = [kind.name for kind in self.kinds]
        for name in names:
            if names.count(name) > 1:
                raise ConfigError("kinds.name", name, "different for every kind")
        if not sum(kind.weight for kind in self.kinds) > 0.0:
            raise ConfigError("kinds.weight", [kind.weight for kind in self.kinds], "above 0 for at least one kind")
        return self

    @property
    def num_windows(self) -> int:
        """E, the events that a network can have at most."""
        return math.ceil((self.last_s - self.first_s) / self.every_s - 1e-9)

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
