"""Scheduling, link adaptation and retransmission."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ranpilot.errors import ConfigError
from ranpilot.twin.bounds import Part, bounded

__all__ = ["Link", "Scheduler", "TargetBler"]

Scheduler = Literal["round-robin", "proportional-fair", "max-cqi", "m-lwdf", "edf"]
TargetBler = Annotated[float, Field(ge=1e-5, le=0.5)]
"""Share of first transmissions that may fail."""

HIGHEST_MCS = {1: 28, 2: 27, 3: 28}


class Link(Part):
    """Scheduling and link adaptation."""

    scheduler: Scheduler = "proportional-fair"
    fairness_time_ms: Annotated[float, bounded(1.0, 10_000.0, "ms")] = 100.0
    """Time constant of the mean rate in proportional fair, M-LWDF and, for users without a deadline, EDF."""
    mcs_table: Literal[1, 2, 3] = 1
    """Of TS 38.214 §5.1.3.1: 64QAM, 256QAM, 64QAM with low spectral efficiency."""
    cqi_table: Literal[1, 2, 3] = 1
    """Of TS 38.214 §5.2.2.1; a CQI of table 3 promises an error rate of 1e-5, of the others 0.1."""
    cqi_period_slots: Annotated[int, bounded(2, 320, "slot")] = 10
    cqi_delay_slots: Annotated[int, bounded(0, 40, "slot")] = 4
    """Slots from measuring to using a report; less than the period."""
    target_bler: TargetBler = 0.1
    """Where a kind of traffic does not set its own."""
    initial_offset_db: Annotated[float, bounded(-10.0, 10.0, "dB")] = 0.0
    """Where the outer loop begins, at a connection and after a handover; above 0 is cautious."""
    max_offset_db: Annotated[float, bounded(0.0, 40.0, "dB")] = 20.0
    """Bound of the outer loop's offset, either way; 0 = no outer loop."""
    fixed_mcs: Annotated[int, bounded(0, 28, "index")] | None = None
    """MCS of every block; None = adapted to the reports."""
    harq_processes: Annotated[int, bounded(1, 32, "process")] = 8
    """Blocks of a user that can wait for their retransmission at once (`nrofHARQ-ProcessesForPDSCH`)."""
    harq_round_trip_slots: Annotated[int, bounded(1, 32, "slot")] = 8
    """Slots from a transmission to the next of the same block; at most as many as processes."""
    harq_max_transmissions: Annotated[int, bounded(1, 8, "transmission")] = 4

    @model_validator(mode="after")
    def _numbers_fit_together(self) -> Self:
        if self.cqi_delay_slots >= self.cqi_period_slots:
            limit = self.cqi_period_slots
            raise ConfigError("cqi_delay_slots", self.cqi_delay_slots, f"below cqi_period_slots ({limit})")
        if self.harq_round_trip_slots > self.harq_processes:
            limit = self.harq_processes
            raise ConfigError("harq_round_trip_slots", self.harq_round_trip_slots, f"at most harq_processes ({limit})")
        highest = HIGHEST_MCS[self.mcs_table]
        if self.fixed_mcs is not None and self.fixed_mcs > highest:
            raise ConfigError("fixed_mcs", self.fixed_mcs, f"at most {highest} with mcs_table {self.mcs_table}")
        if abs(self.initial_offset_db) > self.max_offset_db:
            limit_db = self.max_offset_db
            raise ConfigError("initial_offset_db", self.initial_offset_db, f"within max_offset_db ({limit_db:g})")
        return self
