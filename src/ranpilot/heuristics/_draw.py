"""Random options by counter."""

from __future__ import annotations

from ranpilot.envs.controller import IntArray
from ranpilot.kernels import kernel
from ranpilot.twin.rng import STREAM_POLICY, draw_uniform

__all__ = ["draw_options"]

ENTITY = 1 << 20
"""Entities from here on, so that a learner with the same seed never shares a counter."""


@kernel
def draw_options(seed: int, call: int, num_options: int, options: IntArray) -> None:
    """Fill `options` [B, A] with uniform indices below `num_options`."""
    for network in range(options.shape[0]):
        for agent in range(options.shape[1]):
            uniform = draw_uniform(seed, network, ENTITY + agent, call, STREAM_POLICY)
            options[network, agent] = int(uniform * num_options)
