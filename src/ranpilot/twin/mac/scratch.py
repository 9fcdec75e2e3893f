"""Working arrays of one network inside a call of `advance`; nothing in them outlives a slot."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranpilot.kernels import inner_kernel

__all__ = ["BLOCKS", "RETRANSMITTERS", "Scratch", "allocate_scratch", "scratch_view"]

BLOCKS = 0
"""Index in `Scratch.count`: blocks that are sent in this slot."""
RETRANSMITTERS = 1
"""Index in `Scratch.count`: users with blocks that wait."""


class Scratch(NamedTuple):
    """Working arrays."""

    count: NDArray[np.int64]
    """[2]"""
    candidate: NDArray[np.int64]
    """[C, U] users with something to send"""
    num_candidates: NDArray[np.int64]
    """[C]"""
    retransmitter: NDArray[np.int64]
    """[U]"""
    weight: NDArray[np.float64]
    """[U] what a scheduler multiplies the rate by"""
    wanted_bits: NDArray[np.float64]
    """[U] backlog that no group has been given for"""
    granted: NDArray[np.int64]
    """[U] bit mask of groups"""
    active: NDArray[np.int64]
    """[C] bit mask of groups that the cell transmits on"""
    block_ue: NDArray[np.int64]
    """[C * R]"""
    block_groups: NDArray[np.int64]
    """[C * R] bit mask"""
    block_process: NDArray[np.int64]
    """[C * R] -1 for a new block"""
    sinr: NDArray[np.float64]
    """[R] linear"""
    interference_mw: NDArray[np.float64]
    """[R]"""
    acknowledged: NDArray[np.float64]
    """[U] bits in this slot"""


def allocate_scratch(num: int, num_cells: int, num_ues: int, num_groups: int) -> Scratch:
    """Working arrays for `num` networks, with the leading axis B."""
    cells, ues, blocks = (num, num_cells), (num, num_ues), (num, num_cells * num_groups)
    return Scratch(
        np.zeros((num, 2), np.int64),
        np.zeros((num, num_cells, num_ues), np.int64),
        np.zeros(cells, np.int64),
        np.zeros(ues, np.int64),
        np.zeros(ues, np.float64),
        np.zeros(ues, np.float64),
        np.zeros(ues, np.int64),
        np.zeros(cells, np.int64),
        np.zeros(blocks, np.int64),
        np.zeros(blocks, np.int64),
        np.zeros(blocks, np.int64),
        np.zeros((num, num_groups), np.float64),
        np.zeros((num, num_groups), np.float64),
        np.zeros(ues, np.float64),
    )


@inner_kernel
def scratch_view(batch: Scratch, b: int) -> Scratch:
    """The working arrays of network `b`."""
    return Scratch(
        batch.count[b],
        batch.candidate[b],
        batch.num_candidates[b],
        batch.retransmitter[b],
        batch.weight[b],
        batch.wanted_bits[b],
        batch.granted[b],
        batch.active[b],
        batch.block_ue[b],
        batch.block_groups[b],
        batch.block_process[b],
        batch.sinr[b],
        batch.interference_mw[b],
        batch.acknowledged[b],
    )
