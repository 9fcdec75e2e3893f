"""How well a stretch of steps went for every agent, as one number: the alignment controller's score.

    score = 0.3 efficiency + 0.2 fairness + 0.2 adaptability + 0.3 long-term, clipped to [−1, 1]
    efficiency   = 1 − 2 · dropped_i / requests_i − 0.1 · mean power (0 … 1)
    fairness     = 1 − 2 · mean over the others of |dropped_i / requests_i − dropped_j / requests_j|
    adaptability = 2 · mean share of served users − 1
    long-term    = 1 − 2 · Σ dropped / Σ requests over all agents

Source: AURA (Nourzad, Zong, Krishnamachari 2025). Differs from source: the four parts are measured, not judged by a
language model; one agent alone is perfectly fair.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import FloatArray, IntArray, Outcome, TaskSpec

__all__ = ["COUNTERS", "ScoreWindow", "alignment_score", "uncounted"]

COUNTERS = ("requests", "dropped", "served", "power")
"""What a task must count for the score: requests and drops in number, served and power as shares of a step."""

WEIGHTS = (0.3, 0.2, 0.2, 0.3)
POWER_WEIGHT = 0.1


def uncounted(task: TaskSpec) -> str | None:
    """The first of the counters that the task does not have, None where it has all."""
    return next((name for name in COUNTERS if name not in task.counters), None)


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


class ScoreWindow:
    """What happened in each network since its window began."""

    def __init__(self, shape: tuple[int, int]) -> None:
        """shape: networks B, agents A."""
        self._sums = np.zeros((len(COUNTERS), *shape))
        self._steps = np.zeros(shape[0], dtype=np.int64)

    def record(self, outcome: Outcome) -> None:
        """Enter one step."""
        for row, name in enumerate(COUNTERS):
            self._sums[row] += outcome.counts[name]
        self._steps += 1

    def take(self, networks: IntArray) -> NDArray[np.float64]:
        """Score [N, A] of these networks' windows, which begin anew."""
        steps = np.maximum(self._steps[networks], 1)[:, None]
        requests, dropped, served, power = self._sums[:, networks]
        score = alignment_score(requests, dropped, served / steps, power / steps)
        self._sums[:, networks] = 0.0
        self._steps[networks] = 0
        return score

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The live state, by name."""
        return {"sums": self._sums, "steps": self._steps}
