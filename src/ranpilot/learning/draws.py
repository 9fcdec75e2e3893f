"""Random numbers of learners: each a function of (seed, network id, agent, step, stream), in arrays over a batch.

Network b of a batch has the id `first_network + b`, so that it draws the same numbers alone and in any batch.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import IntArray
from ranpilot.kernels import kernel
from ranpilot.twin.rng import STREAM_POLICY, draw_uniform, draw_uniform4

__all__ = ["draw_per_agent", "draw_per_network"]

BLOCK_ENTITY = 1 << 12
"""Entities between two blocks of four numbers of one agent: room for 4096 agents and four million numbers of each."""


def draw_per_agent(
    seed: int, first_network: int, step: int, shape: tuple[int, int], *, count: int = 4, stream: int = STREAM_POLICY
) -> NDArray[np.float64]:
    """`count` uniform numbers in (0, 1) for each agent of each network, [B, A, count], of this step."""
    numbers = np.empty((*shape, count))
    _fill_per_agent(seed, first_network, step, stream, numbers)
    return numbers


def draw_per_network(seed: int, first_network: int, episode: IntArray, stream: int) -> NDArray[np.float64]:
    """One uniform number in (0, 1) for each network, [B], of its episode."""
    numbers = np.empty(len(episode))
    _fill_per_network(seed, first_network, np.ascontiguousarray(episode, dtype=np.int64), stream, numbers)
    return numbers


@kernel
def _fill_per_agent(seed: int, first_network: int, step: int, stream: int, numbers: NDArray[np.float64]) -> None:
    """Uniform numbers for each network and agent, [B, A, M]."""
    for network in range(numbers.shape[0]):
        for agent in range(numbers.shape[1]):
            for start in range(0, numbers.shape[2], 4):
                entity = agent + start // 4 * BLOCK_ENTITY
                drawn = draw_uniform4(seed, first_network + network, entity, step, stream)
                for k in range(min(4, numbers.shape[2] - start)):
                    numbers[network, agent, start + k] = drawn[k]


@kernel
def _fill_per_network(
    seed: int, first_network: int, episode: NDArray[np.int64], stream: int, numbers: NDArray[np.float64]
) -> None:
    """One uniform number for each network, [B], of its episode."""
    for network in range(numbers.shape[0]):
        numbers[network] = draw_uniform(seed, first_network + network, 0, episode[network], stream)
