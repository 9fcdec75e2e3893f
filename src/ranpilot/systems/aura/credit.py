"""The alignment controller: scores every agent's last episodes and gives the score as a delayed reward.

Rules for giving the score R to the pairs (s, a) of the window:
    uniform   Q(s, a) ← Q(s, a) + α_d · R for every visit: Algorithm 1 as printed (α_d = 0.1)
    centred   Q(s, a) ← Q(s, a) + α_d · 5 (R − R̄) once for every distinct pair, R̄ the running mean before R (ours)
    none      no score and no credit: there is no alignment controller then
The score is that of `alignment_score.py`. Source: AURA (Nourzad, Zong, Krishnamachari 2025).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import BoolArray, FloatArray, IntArray, Outcome, TaskSpec
from ranpilot.errors import ConfigError
from ranpilot.systems.aura.alignment_score import ScoreWindow, uncounted
from ranpilot.systems.aura.config import AuraConfig

__all__ = ["AlignmentController"]


class AlignmentController:
    """Counts of the running window, and the delayed reward at its end."""

    def __init__(self, config: AuraConfig, task: TaskSpec, table_shape: tuple[int, ...]) -> None:
        missing = uncounted(task)
        if missing is not None:
            raise ConfigError("aura.credit", config.credit, f"'none' for a task that does not count {missing!r}")
        self._config = config
        batch = table_shape[0], table_shape[1]
        self._visits = np.zeros(table_shape, dtype=np.int32)
        self._window = ScoreWindow(batch)
        self._episodes = np.zeros(batch[0], dtype=np.int64)
        self._mean_score = np.full(batch, np.nan)
        self._network = np.arange(batch[0])[:, None]
        self._agent = np.arange(batch[1])[None, :]

    def record(self, states: IntArray, executed: IntArray, outcome: Outcome) -> None:
        """Enter one step, [B, A]."""
        self._visits[self._network, self._agent, states, executed] += 1
        self._window.record(outcome)

    def close_episodes(self, done: BoolArray, values: NDArray[np.float64]) -> None:
        """Count the ended episodes [B]; where a window is full, score it and change the Q-values [B, A, S, K]."""
        self._episodes += done
        full = np.flatnonzero(done & (self._episodes >= self._config.credit_every))
        if len(full) == 0:
            return
        score = self._window.take(full)
        values[full] += self._credit(full, score)
        mean = np.where(np.isnan(self._mean_score[full]), score, self._mean_score[full])
        self._mean_score[full] = mean + self._config.credit_mean_rate * (score - mean)
        self._visits[full] = 0
        self._episodes[full] = 0

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The live state, by name."""
        return {
            "visits": self._visits,
            **self._window.arrays(),
            "episodes": self._episodes,
            "mean_score": self._mean_score,
        }

    def _credit(self, networks: IntArray, score: FloatArray) -> NDArray[np.float64]:
        """What to add to the Q-values of these networks, [N, A, S, K]."""
        visits = self._visits[networks]
        rate = self._config.credit_alpha
        if self._config.credit == "uniform":
            return np.asarray(rate * score[:, :, None, None] * visits, dtype=np.float64)
        mean = np.where(np.isnan(self._mean_score[networks]), score, self._mean_score[networks])
        bonus = rate * self._config.credit_gain * (score - mean)
        return np.asarray(bonus[:, :, None, None] * (visits > 0), dtype=np.float64)
