"""Scheduling, link adaptation and retransmission."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ranpilot.errors import ConfigError
from ranpilot.twin.bounds import Part, bounded

__all__ = ["Link", "Scheduler"]

Scheduler = Literal["round-robin", "proportional-fair"]


class Link(Part):
    """Scheduling and link adaptation."""

    scheduler: Scheduler = "proportional-fair"
    fairness_time_ms: Annotated[float, bounded(1.0, 10_000.0, "ms")] = 100.0
    cqi_period_slots: Annotated[int, bounded(2, 320, "slot")] = 10
    cqi_delay_slots: Annotated[int, bounded(0, 40, "slot")] = 4
    """Slots from measuring to using a report; less than the period."""
    target_bler: Annotated[float, Field(ge=0.001, le=0.5)] = 0.1
    fixed_mcs: Annotated[int, bounded(0, 28, "index")] | None = None
    """MCS of every block; None = adapted to the reports."""
    harq_round_trip_slots: Annotated[int, bounded(1, 64, "slot")] = 8
    harq_max_transmissions: Annotated[int, bounded(1, 8, "transmission")] = 4

    @model_validator(mode="after")
    def _delay_below_period(self) -> Self:
        if self.cqi_delay_slots >= self.cqi_period_slots:
            limit = self.cqi_period_slots
            raise ConfigError("cqi_delay_slots", self.cqi_delay_slots, f"below cqi_period_slots ({limit})")
        return self
