"""Kinds of events: what happens to one cell while an event of the kind is in force. Some are ready-made, by name.

Where a list of kinds is written, a name alone stands for a ready-made kind (`outage`), and `like` begins from one
(`{name: storm, like: outage, announced_share: 0.5}`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import model_validator

from ranpilot.errors import ConfigError, nearest
from ranpilot.twin.bounds import Part, bounded

__all__ = ["READY_MADE", "EventKind"]

READY_MADE: Mapping[str, Mapping[str, Any]] = {
    "surge": {"traffic_factor": 3.0},
    "maintenance": {"places_share": 0.0},
    "outage": {"off_air": True, "announced_share": 0.0},
    "planned-outage": {"off_air": True},
    "degraded-backhaul": {"backhaul_mbps": 10.0, "backhaul_delay_ms": 20.0},
    "stale-kpm": {"report": "stale", "announced_share": 0.0},
    "missing-kpm": {"report": "missing", "announced_share": 0.0},
}
"""What each ready-made kind changes."""

MOST_TRAFFIC = 10.0


class EventKind(Part):
    """What happens to one cell while an event of this kind is in force; by default nothing."""

    name: str
    weight: Annotated[float, bounded(0.0, 1000.0, "1")] = 1.0
    """How often this kind is drawn, relative to the others."""
    announced_share: Annotated[float, bounded(0.0, 1.0, "1")] = 1.0
    """Probability that such an event, where it is drawn, is announced; otherwise nobody is told of it."""
    arrival_factor: Annotated[float, bounded(0.0, 100.0, "1")] = 1.0
    """Multiplies the rate at which users arrive."""
    departure_factor: Annotated[float, bounded(0.0, 100.0, "1")] = 1.0
    """Multiplies the probability that a user leaves by itself."""
    traffic_factor: Annotated[float, bounded(0.0, MOST_TRAFFIC, "1")] = 1.0
    """Multiplies the packets that are offered to the users of the cell."""
    places_share: Annotated[float, bounded(0.0, 1.0, "1")] = 1.0
    """Share of the cell's places that admit users; those beyond it stay. 0 = closed to new users and to handovers."""
    power_cut_db: Annotated[float, bounded(0.0, 60.0, "dB")] | None = None
    """The cell radiates at most its least power less this, whatever controls set; None = no limit."""
    off_air: bool = False
    """The cell transmits nothing and is not heard, whatever controls set; its users lose their links and search."""
    backhaul_mbps: Annotated[float, bounded(0.001, 100_000.0, "Mbit/s")] | None = None
    """Rate at which packets reach the cell, first in, first out; None = no limit."""
    backhaul_delay_ms: Annotated[float, bounded(0.0, 10_000.0, "ms")] = 0.0
    """Time that every packet spends on its way to the cell, beside what it waits for others."""
    backhaul_buffer_mbit: Annotated[float, bounded(0.001, 1e6, "Mbit")] | None = None
    """Bits that may be on their way to the cell at most; None = what the queues of its users have room for."""
    report: Literal["stale", "missing"] | None = None
    """What the cell's reports are to controllers: the last one from before the event, or none; None = as they are."""

    @model_validator(mode="before")
    @classmethod
    def _begin_from_ready_made(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"name": value, **_ready_made("name", value)}
        if isinstance(value, Mapping) and "like" in value:
            own = {key: item for key, item in value.items() if key != "like"}
            return {**_ready_made("like", value["like"]), **own}
        return value

    @model_validator(mode="after")
    def _name_is_short(self) -> EventKind:
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,39}", self.name):
            raise ConfigError("name", self.name, "up to 40 small letters, digits and hyphens that begin with a letter")
        return self

    @model_validator(mode="after")
    def _buffer_has_a_queue(self) -> EventKind:
        if self.backhaul_buffer_mbit is not None and not self.limits_backhaul:
            allowed = "given with backhaul_mbps or backhaul_delay_ms"
            raise ConfigError("backhaul_buffer_mbit", self.backhaul_buffer_mbit, allowed)
        return self

    @property
    def changes_users(self) -> bool:
        """Whether it changes how users come and go."""
        return self.arrival_factor != 1.0 or self.departure_factor != 1.0

    @property
    def limits_backhaul(self) -> bool:
        """Whether packets reach the cell late or not at all."""
        return self.backhaul_delay_ms > 0.0 or self.backhaul_mbps is not None

    @property
    def changes_anything(self) -> bool:
        """Whether an event of this kind does more than being talked about."""
        limits_cell = self.places_share != 1.0 or self.power_cut_db is not None or self.off_air
        return (
            limits_cell
            or self.report is not None
            or self.changes_users
            or self.traffic_factor != 1.0
            or self.limits_backhaul
        )


def _ready_made(field: str, name: Any) -> Mapping[str, Any]:
    if isinstance(name, str) and name in READY_MADE:
        return READY_MADE[name]
    guess = nearest(name, tuple(READY_MADE)) if isinstance(name, str) else None
    hint = f"; did you mean {guess!r}" if guess else ""
    raise ConfigError(field, name, f"the name of a ready-made kind ({', '.join(READY_MADE)}{hint})")
