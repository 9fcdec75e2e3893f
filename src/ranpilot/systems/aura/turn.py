"""One step of every agent, as the parts of AURA hand it to each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Turn"]


@dataclass(frozen=True)
class Turn:
    """What every agent of every network saw, wanted, was advised and did in one step."""

    states: NDArray[np.int64]
    """[B, A] rows of the Q-tables."""
    context: NDArray[np.int64]
    """[B, A] the situation that trust tells apart."""
    own: NDArray[np.int64]
    """[B, A] the agents' own greedy options."""
    advice: NDArray[np.int64]
    """[B, A] what the adviser suggests, -1 where it suggests nothing."""
    advised: NDArray[np.bool_]
    """[B, A] whether the agent may take advice now: there is some, and the episode is not a quiet one."""
    explored: NDArray[np.bool_]
    """[B, A] whether the option was drawn at random, to learn."""
    followed: NDArray[np.bool_]
    """[B, A] whether the advice was executed although the agent's own choice was another."""
    executed: NDArray[np.int64]
    """[B, A]"""
    trust: NDArray[np.float64]
    """[B, A] trust in this advice before the step, NaN where nobody advises."""
    episode: NDArray[np.int64]
    """[B]"""
    slot: NDArray[np.int64]
    """[B]"""
