"""Measurements, handover and radio link failure."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ranpilot.errors import ConfigError
from ranpilot.twin.bounds import Part, bounded

__all__ = ["Handover", "LinkFailure", "Rrc"]

OffsetDb = Annotated[float, bounded(-24.0, 24.0, "dB")]

RsrpDbm = Annotated[float, bounded(-156.0, -31.0, "dBm")]


class Handover(Part):
    """When users are handed over by themselves, and how long a handover takes, forced ones included.

    Times are whole RRC periods of 10 ms, rounded up; only the interruption is counted in slots.
    Source: TS 38.331 §5.5.4.4 (A3), §5.5.4.6 (A5), §6.3.2 (ReportConfigNR), §5.3.5.8.3 (T304).
    """

    event: Literal["none", "a3", "a5"] = "none"
    """none: only controllers hand over."""
    offset_db: Annotated[float, bounded(-15.0, 15.0, "dB")] = 2.0
    """a3-Offset."""
    serving_below_dbm: RsrpDbm = -106.0
    """a5-Threshold1."""
    neighbour_above_dbm: RsrpDbm = -102.0
    """a5-Threshold2."""
    hysteresis_db: Annotated[float, bounded(0.0, 15.0, "dB")] = 1.0
    time_to_trigger_ms: Annotated[float, bounded(0.0, 5120.0, "ms")] = 160.0
    report_interval_ms: Annotated[float, bounded(10.0, 1_800_000.0, "ms")] = 240.0
    """From one report of a cell that stays triggered to the next: when a refused handover is asked for again."""
    cell_individual_offset_db: tuple[OffsetDb, ...] = ()
    """Of each cell, in the order of cells, as `CELL_INDIVIDUAL_OFFSET_DB` sets it; empty = 0 dB each."""
    preparation_ms: Annotated[float, bounded(0.0, 5000.0, "ms")] = 50.0
    """From the report to the command; the source serves meanwhile."""
    forced_preparation_ms: Annotated[float, bounded(0.0, 5000.0, "ms")] = 0.0
    """The same for handovers that a control forces."""
    interruption_ms: Annotated[float, bounded(0.0, 5000.0, "ms")] = 50.0
    """From the command until the target serves, where the first random access succeeds."""
    t304_ms: Annotated[float, bounded(10.0, 10_000.0, "ms")] | None = 500.0
    """The access to the target must succeed this long after the command; None = it always does, at once."""
    short_stay_ms: Annotated[float, bounded(0.0, 60_000.0, "ms")] = 1000.0
    """A handover back within this time is a ping-pong, and a failure within it is the last handover's."""

    @model_validator(mode="after")
    def _access_before_t304(self) -> Self:
        if self.t304_ms is not None and self.t304_ms < self.interruption_ms:
            raise ConfigError("t304_ms", self.t304_ms, f"at least interruption_ms ({self.interruption_ms:g}), or null")
        return self


class LinkFailure(Part):
    """How a failing link is found, and what becomes of its user.

    Source: TS 38.331 §5.3.10 (N310, T310, N311), §5.3.7 (re-establishment, T311); TS 38.133 §8.1 (Qout, Qin).
    """

    qout_db: Annotated[float, bounded(-30.0, 20.0, "dB")] = -8.0
    """Below this the serving cell's filtered SINR is out of sync."""
    qin_db: Annotated[float, bounded(-30.0, 20.0, "dB")] = -6.0
    """From this on it is in sync."""
    n310: Annotated[int, bounded(1, 20, "1")] = 1
    t310_ms: Annotated[float, bounded(0.0, 60_000.0, "ms")] = 1000.0
    n311: Annotated[int, bounded(1, 10, "1")] = 1
    then: Literal["reestablish", "leave"] = "reestablish"
    """leave: a user whose link failed is gone (arriving users only)."""
    t311_ms: Annotated[float, bounded(0.0, 60_000.0, "ms")] = 3000.0
    """A user that found no cell in this time is gone, or starts anew with an empty queue where nobody leaves."""
    cell_search_ms: Annotated[float, bounded(0.0, 10_000.0, "ms")] = 200.0
    """From the failure until the search gives a cell, where one is suitable."""
    reestablishment_ms: Annotated[float, bounded(0.0, 10_000.0, "ms")] = 100.0
    """From the choice of the cell until it serves."""
    suitable_rsrp_dbm: RsrpDbm | None = -120.0
    """Least RSRP, fading apart, of a suitable cell; None = any."""
    suitable_sinr_db: Annotated[float, bounded(-30.0, 20.0, "dB")] | None = -6.0
    """Least filtered SINR of a suitable cell; None = any."""

    @model_validator(mode="after")
    def _out_below_in(self) -> Self:
        if self.qin_db < self.qout_db:
            raise ConfigError("qin_db", self.qin_db, f"at least qout_db ({self.qout_db:g})")
        if self.t311_ms < self.cell_search_ms:
            raise ConfigError("t311_ms", self.t311_ms, f"at least cell_search_ms ({self.cell_search_ms:g})")
        return self


class Rrc(Part):
    """Measurements, handover and radio link failure."""

    l3_time_constant_ms: Annotated[float, bounded(10.0, 10_000.0, "ms")] = 200.0
    """Of the filter of SINR."""
    measure_rsrp: bool = True
    """Off: no RSRP, and therefore no A3 and A5."""
    rsrp_filter_coefficient: Annotated[int, Field(ge=0, le=19)] = 4
    """k of TS 38.331 §5.5.3.2; 0 = unfiltered."""
    handover: Handover = Handover()
    link_failure: LinkFailure = LinkFailure()

    @model_validator(mode="after")
    def _events_need_rsrp(self) -> Self:
        if self.handover.event != "none" and not self.measure_rsrp:
            raise ConfigError("measure_rsrp", self.measure_rsrp, f"true for event {self.handover.event}")
        return self
