"""Working arrays of one network inside a call of `advance`; nothing in them outlives a slot."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranpilot.kernels import inner_kernel

__all__ = ["Scratch", "allocate_scratch", "scratch_view"]

# Entries of Scratch.total.
BLOCKS = 0
"""Blocks that are sent in this slot."""
RETRANSMITTERS = 1
"""Users with blocks that wait."""

# Columns of Scratch.cell.
NUM_CANDIDATES = 0
ACTIVE = 1
"""Bit mask of groups that the cell transmits on."""

# Columns of Scratch.ue.
RETRANSMITTER = 0
"""A list of users, as long as count[RETRANSMITTERS]."""
GRANTED = 1
"""Bit mask of groups."""
HEAD = 2
"""First packet that no group has been given for, in EDF."""
NUM_UE_COLUMNS = 3

# Columns of Scratch.ue_real.
WEIGHT = 0
"""What a scheduler multiplies the rate by."""
WANTED_BITS = 1
"""Backlog that no group has been given for."""
ACKNOWLEDGED = 2
"""Bits in this slot."""
HEAD_BITS = 3
"""Bits of `HEAD` that no group has been given for, in EDF."""
NUM_UE_REALS = 4

# Columns of Scratch.slice, all in groups but the last.
QUOTA = 0
"""Minimum of this slot."""
CAP = 1
"""Maximum of this slot."""
RESERVE = 2
"""Dedicated part of the minimum."""
USED = 3
"""Taken so far."""
LENT = 4
"""Of those, beyond the quota."""
OFFER = 5
"""That it may take in this round."""
WANTING = 6
"""Members that could take more."""
IS_STUCK = 7
"""1 where none of those can use a free group."""
NUM_SLICE_COLUMNS = 8

WANTED_MARGIN = 1.05
"""Groups are given for 5 % more than the backlog, since the block may get a lower MCS than the reports promise."""

# Columns of Scratch.block.
BLOCK_UE = 0
BLOCK_GROUPS = 1
"""Bit mask."""
BLOCK_PROCESS = 2
"""-1 for a new block."""


# Entries of Scratch.listed before the candidates.
NUM_WHO = 0
"""Candidates of the cell."""
IN_USE = 1
"""Bit mask of groups that retransmissions or earlier offers have taken."""
IS_LENDING = 2
"""1 in rounds beyond the minima."""
OPEN = 3
"""Bit mask of the groups of the open offer."""
NUM_LISTED = 4


class Scratch(NamedTuple):
    """Working arrays."""

    total: NDArray[np.int64]
    """[B, 2]"""
    candidate: NDArray[np.int64]
    """[B, C, U] users with something to send, NUM_CANDIDATES of each cell"""
    cell: NDArray[np.int64]
    """[B, C, 2]"""
    ue: NDArray[np.int64]
    """[B, U, NUM_UE_COLUMNS]"""
    ue_real: NDArray[np.float64]
    """[B, U, NUM_UE_REALS]"""
    block: NDArray[np.int64]
    """[B, C * R, 3] blocks of the slot"""
    sinr: NDArray[np.float64]
    """[B, R] linear"""
    interference_mw: NDArray[np.float64]
    """[B, R]"""
    slice: NDArray[np.int64]
    """[B, S, NUM_SLICE_COLUMNS]"""
    listed: NDArray[np.int64]
    """[B, NUM_LISTED + U] while slices are served: the four above, then the candidates of the cell"""
    group_value: NDArray[np.float64]
    """[B, R] what a group is worth to a slice"""


def allocate_scratch(num: int, num_cells: int, num_ues: int, num_groups: int, num_seats: int) -> Scratch:
    """Working arrays for `num` networks, with the leading axis B."""
    return Scratch(
        np.zeros((num, 2), np.int64),
        np.zeros((num, num_cells, num_ues), np.int64),
        np.zeros((num, num_cells, 2), np.int64),
        np.zeros((num, num_ues, NUM_UE_COLUMNS), np.int64),
        np.zeros((num, num_ues, NUM_UE_REALS)),
        np.zeros((num, num_cells * num_groups, 3), np.int64),
        np.zeros((num, num_groups)),
        np.zeros((num, num_groups)),
        np.zeros((num, num_seats, NUM_SLICE_COLUMNS), np.int64),
        np.zeros((num, num_ues + NUM_LISTED), np.int64),
        np.zeros((num, num_groups)),
    )


@inner_kernel
def scratch_view(batch: Scratch, b: int) -> Scratch:
    """The working arrays of network `b`."""
    return Scratch(
        batch.total[b],
        batch.candidate[b],
        batch.cell[b],
        batch.ue[b],
        batch.ue_real[b],
        batch.block[b],
        batch.sinr[b],
        batch.interference_mw[b],
        batch.slice[b],
        batch.listed[b],
        batch.group_value[b],
    )
