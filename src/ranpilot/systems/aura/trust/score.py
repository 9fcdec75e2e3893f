"""Trust as the paper has it: a score that rises when following paid off.

    τ ← clip(τ + 0.05 · sign(r − r̄), 0.05, 0.95)   after a step in which the advice was followed

and differing advice is followed with probability τ. r̄ is a running mean of the agent's own rewards. Source: AURA
(Nourzad, Zong, Krishnamachari 2025), Algorithm 1, which names the inputs of the update; the formula is ours. Known to
fail: r̄ follows the policy that the advice itself produces, and most steps are a little better than the mean, so that
bad advisers are trusted too. Kept as the paper's row.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import FloatArray, IntArray
from ranpilot.systems.aura.config import AuraConfig
from ranpilot.systems.aura.trust._protocol import Advantage, StepTrust, TrustShape
from ranpilot.systems.aura.turn import Turn

__all__ = ["PART", "ScoreTrust"]


class ScoreTrust(StepTrust):
    """One score for each agent, moved by the sign of reward minus mean reward."""

    def __init__(self, config: AuraConfig, shape: TrustShape) -> None:
        self._config = config
        self._score = np.full(shape[:2], config.trust_start)
        self._mean_reward = np.full(shape[:2], np.nan)

    def level(self, advice: IntArray, context: IntArray) -> NDArray[np.float64]:
        """The score, whatever the advice and the situation."""
        return self._score.copy()

    def follow_probability(self, advice: IntArray, context: IntArray) -> NDArray[np.float64]:
        """The score itself."""
        return self._score

    def learn(self, turn: Turn, reward: FloatArray, advantage: Advantage) -> None:
        """Move the scores of the agents that followed, then the mean rewards."""
        mean = np.where(np.isnan(self._mean_reward), reward, self._mean_reward)
        step = self._config.trust_step * np.sign(reward - mean) * turn.followed
        np.clip(self._score + step, self._config.trust_low, self._config.trust_high, out=self._score)
        self._mean_reward[...] = mean + self._config.baseline_rate * (reward - mean)

    def shrink(self, factor: float) -> None:
        """Move the scores back towards where they began."""
        self._score[...] = self._config.trust_start + factor * (self._score - self._config.trust_start)

    def arrays(self) -> dict[str, NDArray[np.float64]]:
        """Scores and mean rewards."""
        return {"score": self._score, "mean_reward": self._mean_reward}


PART = ScoreTrust
