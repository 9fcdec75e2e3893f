"""Measurements, radio link failure and handover as kernels see them."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranpilot.twin.parameters.grid import TICK_S
from ranpilot.twin.scenario import Scenario

__all__ = ["RrcRules", "make_rrc"]

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]
Int32Array = NDArray[np.int32]


class RrcRules(NamedTuple):
    """Measurements, radio link failure, handover."""

    l3_weight: float
    """of a new measurement in the L3 filter"""
    failure_sinr_db: float
    failure_ticks: int
    interruption_slots: int


def make_rrc(scenario: Scenario) -> RrcRules:
    """The rules of a scenario's measurements and handovers, in RRC periods."""
    rrc = scenario.rrc
    return RrcRules(
        l3_weight=-math.expm1(-TICK_S / (rrc.l3_time_constant_ms * 1e-3)),
        failure_sinr_db=rrc.failure_sinr_db,
        failure_ticks=max(1, round(rrc.failure_time_ms * 1e-3 / TICK_S)),
        interruption_slots=round(rrc.handover_interruption_ms * 1e-3 / scenario.slot_s),
    )
