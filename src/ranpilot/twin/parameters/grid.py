"""Time and frequency as kernels see them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranpilot.twin.scenario import Scenario

__all__ = ["RE_PER_PRB", "TICK_S", "Grid", "make_grid"]

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]
Int32Array = NDArray[np.int32]

TICK_S = 0.01
"""Period of mobility, measurements and RRC."""

RE_PER_PRB = 144
"""Resource elements for data in a PRB and slot: 14 symbols less 2 for overhead."""


class Grid(NamedTuple):
    """Time and frequency."""

    group_prbs: Int32Array
    """[R] PRBs of each group"""
    num_prbs: int
    tick_slots: int
    slot_s: float


def make_grid(scenario: Scenario) -> Grid:
    """The grid of a scenario's carrier."""
    carrier = scenario.carrier
    first = np.arange(carrier.num_groups) * carrier.prbs_per_group
    group_prbs = np.minimum(carrier.prbs_per_group, carrier.num_prbs - first).astype(np.int32)
    return Grid(group_prbs, carrier.num_prbs, round(TICK_S / scenario.slot_s), scenario.slot_s)
