"""Joules of cells, from counted slots: the power model of TR 38.864 §5.1 in closed form.

A slot with transmission draws P = P3 + (P4 - P3) (A + (1 - A) s_f s_p), one without what its power state draws, and
each sleep its transition's energy E on top. P3 is micro sleep (the static part), P4 the transmission on every PRB at
the greatest power, A the load-independent share, s_f the share of PRBs in use and s_p the power on a PRB relative to
the greatest. Counters hold the slots of each state and the sum of s_f s_p as whole numbers, so joules are exact over
any span. An empty slot of a cell that is awake draws P3, and P3 + A (P4 - P3) where it may not sleep by itself.
Source: TR 38.864 V18.1.0 §5.1 and Tables 5.1-3 to 5.1-5, relative to deep sleep. Watts are ours: the power of a cell
at full load stands for P4 (`description/energy.py`). A cell that an event has switched off draws nothing.
Differs from source: all chains are active (s_a = 1), the power amplifier's efficiency is constant (eta = 1), and the
uplink (P5) and what is always sent are left out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranpilot.twin import state as s
from ranpilot.twin.scenario import Scenario

__all__ = ["JOULES_PER_KWH", "CellPower", "cell_joules", "make_cell_power"]

FloatArray = NDArray[np.float64]

JOULES_PER_KWH = 3.6e6


class CellPower(NamedTuple):
    """What the cells of a scenario draw."""

    empty_j: FloatArray
    """[C, NUM_POWER_STATES] a slot without transmission, in each state"""
    sending_j: FloatArray
    """[C] a slot with transmission, without what grows with the radiated power"""
    radiated_j: FloatArray
    """[C] added by one unit of the counter CELL_RADIATED"""
    light_sleep_j: FloatArray
    """[C] added by each light sleep"""
    deep_sleep_j: FloatArray
    """[C] added by each deep sleep"""


def make_cell_power(scenario: Scenario) -> CellPower:
    """The powers of a scenario's cells."""
    energy, relative = scenario.energy, scenario.energy.relative_power
    active_w = np.array([energy.active_w(cell.power_range_dbm[1]) for cell in scenario.cells])
    unit_w = active_w / relative.active_dl
    added = relative.active_dl - relative.micro_sleep
    sending = relative.micro_sleep + energy.load_independent_share * added
    states = np.zeros(s.NUM_POWER_STATES)
    states[s.AWAKE] = sending if energy.automatic_sleep == "none" else relative.micro_sleep
    states[s.MICRO_SLEEP], states[s.DEEP_SLEEP] = relative.micro_sleep, relative.deep_sleep
    states[s.LIGHT_SLEEP] = states[s.DOZING] = relative.light_sleep
    unit_j = unit_w * scenario.slot_s
    full = scenario.carrier.num_prbs * s.FULL_SHARE
    return CellPower(
        empty_j=unit_j[:, None] * states,
        sending_j=unit_j * sending,
        radiated_j=unit_j * ((1.0 - energy.load_independent_share) * added / full),
        light_sleep_j=unit_w * (energy.transition("light_sleep").energy * 1e-3),
        deep_sleep_j=unit_w * (energy.transition("deep_sleep").energy * 1e-3),
    )


def cell_joules(count: NDArray[np.int64] | FloatArray, power: CellPower) -> FloatArray:
    """Joules [B, C] of what the cells' counters [B, C, NUM_CELL_COUNTERS] hold."""
    empty = count[..., s.CELL_EMPTY_SLOTS : s.CELL_EMPTY_SLOTS + s.NUM_POWER_STATES]
    joules: FloatArray = (
        (empty * power.empty_j).sum(axis=-1)
        + count[..., s.CELL_SENDING_SLOTS] * power.sending_j
        + count[..., s.CELL_RADIATED] * power.radiated_j
        + count[..., s.CELL_LIGHT_SLEEPS] * power.light_sleep_j
        + count[..., s.CELL_DEEP_SLEEPS] * power.deep_sleep_j
    )
    return joules
