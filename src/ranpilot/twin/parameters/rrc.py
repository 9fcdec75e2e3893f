"""Measurements, handover and radio link failure as kernels see them."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranpilot.twin.parameters.grid import TICK_S
from ranpilot.twin.scenario import Scenario

__all__ = ["EVENT_A3", "EVENT_A5", "NO_REPORTING", "RrcRules", "filter_weight", "make_rrc"]

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]
Int32Array = NDArray[np.int32]

# What makes a user report.
NO_REPORTING = 0
EVENT_A3 = 1
EVENT_A5 = 2

EVENTS = {"none": NO_REPORTING, "a3": EVENT_A3, "a5": EVENT_A5}

FILTER_PERIOD_S = 0.2
"""The sample period for which filter coefficients are meant: an intra-frequency L1 measurement period (TS 38.133)."""


class RrcRules(NamedTuple):
    """Measurements, handover, radio link failure."""

    l3_weight: float
    """of a new SINR in its L3 filter"""
    measures_rsrp: int
    rsrp_weight: float
    """of a new RSRP in its L3 filter"""
    event: int
    offset_db: float
    serving_below_dbm: float
    neighbour_above_dbm: float
    hysteresis_db: float
    trigger_ticks: int
    """time to trigger"""
    report_slots: int
    individual_offset_db: FloatArray
    """[C] at the reset"""
    preparation_slots: int
    forced_preparation_slots: int
    interruption_slots: int
    t304_slots: int
    """-1 where the access to the target always succeeds at once"""
    short_stay_slots: int
    qout_db: float
    qin_db: float
    n310: int
    t310_slots: int
    n311: int
    failed_leave: int
    t311_slots: int
    search_slots: int
    reestablishment_slots: int
    suitable_mw: float
    """least received power of a PRB"""
    suitable_sinr_db: float


def filter_weight(coefficient: int) -> float:
    """Weight of a new sample in the L3 filter with that coefficient, at one sample an RRC period.

    a = 1 / 2^(k/4) is meant for one sample in 200 ms; at another rate the filter keeps its time constant,
    (1 - a')^(200 ms / 10 ms) = 1 - a. Source: TS 38.331 §5.5.3.2.
    """
    return 1.0 - math.pow(1.0 - math.pow(2.0, -coefficient / 4.0), TICK_S / FILTER_PERIOD_S)


def make_rrc(scenario: Scenario) -> RrcRules:
    """The rules of a scenario's measurements and handovers, in slots and RRC periods."""
    rrc, handover, failure = scenario.rrc, scenario.rrc.handover, scenario.rrc.link_failure
    offsets = np.array(handover.cell_individual_offset_db or [0.0] * scenario.num_cells)
    least_dbm, least_sinr_db = failure.suitable_rsrp_dbm, failure.suitable_sinr_db
    return RrcRules(
        l3_weight=-math.expm1(-TICK_S / (rrc.l3_time_constant_ms * 1e-3)),
        measures_rsrp=int(rrc.measure_rsrp),
        rsrp_weight=filter_weight(rrc.rsrp_filter_coefficient),
        event=EVENTS[handover.event],
        offset_db=handover.offset_db,
        serving_below_dbm=handover.serving_below_dbm,
        neighbour_above_dbm=handover.neighbour_above_dbm,
        hysteresis_db=handover.hysteresis_db,
        trigger_ticks=_ticks(handover.time_to_trigger_ms),
        report_slots=_whole_ticks(scenario, handover.report_interval_ms),
        individual_offset_db=offsets,
        preparation_slots=_whole_ticks(scenario, handover.preparation_ms),
        forced_preparation_slots=_whole_ticks(scenario, handover.forced_preparation_ms),
        interruption_slots=round(handover.interruption_ms * 1e-3 / scenario.slot_s),
        t304_slots=-1 if handover.t304_ms is None else _whole_ticks(scenario, handover.t304_ms),
        short_stay_slots=round(handover.short_stay_ms * 1e-3 / scenario.slot_s),
        qout_db=failure.qout_db,
        qin_db=failure.qin_db,
        n310=failure.n310,
        t310_slots=_whole_ticks(scenario, failure.t310_ms),
        n311=failure.n311,
        failed_leave=int(failure.then == "leave"),
        t311_slots=_whole_ticks(scenario, failure.t311_ms),
        search_slots=_whole_ticks(scenario, failure.cell_search_ms),
        reestablishment_slots=round(failure.reestablishment_ms * 1e-3 / scenario.slot_s),
        # RSRP is the power of a resource element, a twelfth of the PRB's.
        suitable_mw=0.0 if least_dbm is None else 12.0 * 10.0 ** (least_dbm / 10.0),
        suitable_sinr_db=-math.inf if least_sinr_db is None else least_sinr_db,
    )


def _ticks(time_ms: float) -> int:
    """RRC periods that cover a time."""
    return math.ceil(time_ms * 1e-3 / TICK_S - 1e-9)


def _whole_ticks(scenario: Scenario, time_ms: float) -> int:
    """Slots of the RRC periods that cover a time."""
    return _ticks(time_ms) * round(TICK_S / scenario.slot_s)
