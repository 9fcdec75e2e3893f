"""Bins of the delay histogram: every slot its own up to 32 slots, from there 16 to an octave.

A quantile read as the upper edge of its bin is exact up to 32 slots and above that at most 1/17 (5.9 %) too large;
the last bin, which ends at 65 536 slots, holds everything beyond.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["DELAY_BINS", "LONGEST_DELAY_SLOTS", "delay_edges_slots"]

EXACT_SLOTS = 32
BINS_PER_OCTAVE = 16
OCTAVES = 11
DELAY_BINS = EXACT_SLOTS + BINS_PER_OCTAVE * OCTAVES
LONGEST_DELAY_SLOTS = EXACT_SLOTS << OCTAVES


def delay_edges_slots() -> NDArray[np.float64]:
    """Upper edges in slots, [DELAY_BINS]; a delay of exactly an edge is in that bin."""
    octave = EXACT_SLOTS * (1.0 + np.arange(1, BINS_PER_OCTAVE + 1) / BINS_PER_OCTAVE)
    return np.concatenate([np.arange(1.0, EXACT_SLOTS + 1), *(octave * 2.0**power for power in range(OCTAVES))])
