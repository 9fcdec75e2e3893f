"""Random options and numbers by counter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import IntArray
from ranpilot.kernels import kernel
from ranpilot.twin.rng import STREAM_POLICY, draw_uniform

__all__ = ["draw_numbers", "draw_options"]

ENTITY = 1 << 20
"""Entities from here on, so that a learner with the same seed never shares a counter."""


@kernel
def draw_options(seed: int, call: int, num_options: int, options: IntArray) -> None:
    """Fill `options` [B, A] with uniform indices below `num_options`."""
    for network in range(options.shape[0]):
        for agent in range(options.shape[1]):
            uniform = draw_uniform(seed, network, ENTITY + agent, call, STREAM_POLICY)
            options[network, agent] = int(uniform * num_options)


@kernel
def draw_numbers(seed: int, call: int, numbers: NDArray[np.float64]) -> None:
    """Fill `numbers` [B, A, M] uniformly within [-1, 1)."""
    for network in range(numbers.shape[0]):
        for agent in range(numbers.shape[1]):
            for place in range(numbers.shape[2]):
                entity = ENTITY + agent * numbers.shape[2] + place
                numbers[network, agent, place] = 2.0 * draw_uniform(seed, network, entity, call, STREAM_POLICY) - 1.0
