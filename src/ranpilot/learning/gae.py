"""Generalised advantage estimation, with endings and time limits kept apart.

    δ_t = r_t + γ (1 − terminated_t) V(s'_t) − V(s_t)
    A_t = δ_t + γ λ (1 − done_t) A_{t+1},   done = terminated or truncated

s'_t is the true successor, also where an episode was cut by time: its value counts there, and no advantage leaks from
the episode that follows.
Source: Schulman et al., "High-dimensional continuous control using generalized advantage estimation", ICLR 2016.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["advantages", "explained_variance"]

Float32 = NDArray[np.float32]


def advantages(
    reward: Float32,
    value: Float32,
    next_value: Float32,
    terminated: NDArray[np.bool_],
    done: NDArray[np.bool_],
    *,
    gamma: float,
    trace: float,
) -> Float32:
    """A_t, [T, B, A].

    reward, value: [T, B, A]; next_value: [T, B, A] of the true successors; terminated, done: [T, B]; trace: λ.
    """
    surprise = reward + gamma * np.where(terminated[:, :, None], 0.0, next_value) - value
    carried = gamma * trace * ~done[:, :, None]
    result = np.zeros_like(reward)
    later = np.zeros_like(reward[0])
    for step in range(len(reward) - 1, -1, -1):
        later = surprise[step] + carried[step] * later
        result[step] = later
    return result


def explained_variance(value: Float32, target: Float32) -> float:
    """1 − Var(target − value) / Var(target): 1 for a critic that knows all, 0 for a constant, NaN for equal targets."""
    spread = float(np.var(target))
    return float("nan") if spread == 0.0 else 1.0 - float(np.var(target - value)) / spread
