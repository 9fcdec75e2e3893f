"""The alignment controller: scores every agent's last episodes and gives the score as a delayed reward.

    score = 0.3 efficiency + 0.2 fairness + 0.2 adaptability + 0.3 long-term, clipped to [−1, 1]
    efficiency   = 1 − 2 · dropped_i / requests_i − 0.1 · mean power (0 … 1)
    fairness     = 1 − 2 · mean over the others of |dropped_i / requests_i − dropped_j / requests_j|
    adaptability = 2 · mean share of served users − 1
    long-term    = 1 − 2 · Σ dropped / Σ requests over all agents

Rules for giving the score R to the pairs (s, a) of the window:
    uniform   Q(s, a) ← Q(s, a) + α_d · R for every visit: Algorithm 1 as printed (α_d = 0.1)
    centred   Q(s, a) ← Q(s, a) + α_d · 5 (R − R̄) once for every distinct pair, R̄ the running mean before R (ours)
    none      no score and no credit: there is no alignment controller then
Source: AURA (Nourzad, Zong, Krishnamachari 2025). Differs from source: the four parts are measured, not judged by a
language model; one agent alone is perfectly fair.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import BoolArray, FloatArray, IntArray, Outcome, TaskSpec
from ranpilot.errors import ConfigError
from ranpilot.systems.aura.config import AuraConfig

__all__ = ["COUNTERS", "AlignmentController", "alignment_score"]

COUNTERS = ("requests", "dropped", "served", "power")
"""What a task must count for the score: requests and drops in number, served and power as shares of a step."""

WEIGHTS = (0.3, 0.2, 0.2, 0.3)
POWER_WEIGHT = 0.1


def alignment_score(
    requests: FloatArray, dropped: FloatArray, served: FloatArray, power: FloatArray
) -> NDArray[np.float64]:
    """Score [B, A] in [−1, 1] of a window; requests, dropped: counts [B, A]; served, power: mean shares [B, A]."""
    rate = dropped / np.maximum(requests, 1)
    num_agents = rate.shape[1]
    gaps = np.abs(rate[:, :, None] - rate[:, None, :]).sum(axis=2) / max(1, num_agents - 1)
    total_rate = dropped.sum(axis=1) / np.maximum(requests.sum(axis=1), 1)
    efficiency = 1 - 2 * rate - POWER_WEIGHT * power
    fairness = 1 - 2 * gaps
    adaptability = 2 * served - 1
    long_term = (1 - 2 * total_rate)[:, None]
    # Added up term by term: a matrix product would round differently in another batch.
    score = np.zeros(rate.shape)
    for weight, part in zip(WEIGHTS, (efficiency, fairness, adaptability, long_term), strict=True):
        score += weight * part
    return np.clip(score, -1.0, 1.0)


class AlignmentController:
    """Counts of the running window, and the delayed reward at its end."""

    def __init__(self, config: AuraConfig, task: TaskSpec, table_shape: tuple[int, ...]) -> None:
        missing = [name for name in COUNTERS if name not in task.counters]
        if missing:
            raise ConfigError("aura.credit", config.credit, f"'none' for a task that does not count {missing[0]!r}")
        self._config = config
        batch = table_shape[:2]
        self._visits = np.zeros(table_shape, dtype=np.int32)
        self._sums = np.zeros((len(COUNTERS), *batch))
        self._steps = np.zeros(batch[0], dtype=np.int64)
        self._episodes = np.zeros(batch[0], dtype=np.int64)
        self._mean_score = np.full(batch, np.nan)
        self._network = np.arange(batch[0])[:, None]
        self._agent = np.arange(batch[1])[None, :]

    def record(self, states: IntArray, executed: IntArray, outcome: Outcome) -> None:
        """Enter one step, [B, A]."""
        self._visits[self._network, self._agent, states, executed] += 1
        for row, name in enumerate(COUNTERS):
            self._sums[row] += outcome.counts[name]
        self._steps += 1

    def close_episodes(self, done: BoolArray, values: NDArray[np.float64]) -> None:
        """Count the ended episodes [B]; where a window is full, score it and change the Q-values [B, A, S, K]."""
        self._episodes += done
        full = np.flatnonzero(done & (self._episodes >= self._config.credit_every))
        if len(full) == 0:
            return
        steps = np.maximum(self._steps[full], 1)[:, None]
        requests, dropped, served, power = self._sums[:, full]
        score = alignment_score(requests, dropped, served / steps, power / steps)
        values[full] += self._credit(full, score)
        mean = np.where(np.isnan(self._mean_score[full]), score, self._mean_score[full])
        self._mean_score[full] = mean + self._config.credit_mean_rate * (score - mean)
        self._visits[full] = 0
        self._sums[:, full] = 0.0
        self._steps[full] = 0
        self._episodes[full] = 0

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The live state, by name."""
        return {
            "visits": self._visits,
            "sums": self._sums,
            "steps": self._steps,
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
