"""What an episode of `power-handover` begins with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import IntArray
from ranpilot.kernels import kernel
from ranpilot.twin.rng import STREAM_TASK_POWER, draw_uniform, fold_seed

__all__ = ["draw_powers"]


def draw_powers(
    grids: Sequence[Sequence[float]], seed: int, split: int, network_ids: IntArray, episode: int
) -> NDArray[np.float64]:
    """[B, C] powers, each drawn uniformly from its cell's grid.

    split: networks with different ones share no draw, whatever their seed.
    """
    counts = np.array([len(grid) for grid in grids], dtype=np.int64)
    place = np.empty((len(network_ids), len(grids)), dtype=np.int64)
    _draw_places(seed, split, np.asarray(network_ids, dtype=np.int64), episode, counts, place)
    powers = np.empty(place.shape)
    for cell, grid in enumerate(grids):
        powers[:, cell] = np.asarray(grid)[place[:, cell]]
    return powers


@kernel
def _draw_places(seed: int, split: int, network_ids: IntArray, episode: int, counts: IntArray, place: IntArray) -> None:
    """Fill place [B, C] with indices below counts [C]."""
    split_seed = fold_seed(seed, split, 0, 0, STREAM_TASK_POWER)
    for row in range(len(network_ids)):
        for cell in range(len(counts)):
            uniform = draw_uniform(split_seed, network_ids[row], cell, episode, STREAM_TASK_POWER)
            place[row, cell] = int(uniform * counts[cell])
