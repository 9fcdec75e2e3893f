"""What cells draw and how they sleep, as kernels see it."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranpilot.twin import state
from ranpilot.twin.scenario import Scenario
from ranpilot.units import dbm_to_mw

__all__ = ["EnergyRules", "make_energy"]


class EnergyRules(NamedTuple):
    """How cells sleep, and what their power is held against."""

    wake_slots: NDArray[np.int32]
    """[4] from each level of sleep until awake, before it is rounded up to RRC periods"""
    doze_after_slots: int
    """without transmission, then a cell goes into light sleep by itself; NEVER = it does not"""
    full_prb_mw: NDArray[np.float64]
    """[C] of a PRB at the cell's greatest power"""


def make_energy(scenario: Scenario) -> EnergyRules:
    """The rules of a scenario's cells."""
    energy, slot_ms = scenario.energy, scenario.slot_s * 1e3
    wake_ms = [0.0, *(energy.transition(sleep).time_ms for sleep in ("micro_sleep", "light_sleep", "deep_sleep"))]
    greatest_dbm = np.array([cell.power_range_dbm[1] for cell in scenario.cells])
    return EnergyRules(
        wake_slots=np.array([_slots(time_ms, slot_ms) for time_ms in wake_ms], dtype=np.int32),
        doze_after_slots=_slots(energy.doze_after_ms, slot_ms) if energy.automatic_sleep == "light" else state.NEVER,
        full_prb_mw=np.asarray(dbm_to_mw(greatest_dbm) / scenario.carrier.num_prbs, dtype=np.float64),
    )


def _slots(time_ms: float, slot_ms: float) -> int:
    """Slots that a time takes, rounded up."""
    return math.ceil(time_ms / slot_ms - 1e-9)
