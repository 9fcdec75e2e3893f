"""Trust from the agents' own values: did steps with advice, or with the own choice, beat what the table expected?

Where advice and own choice differ and nobody explores, the executed one of the two wins if its TD advantage
r + γ max Q(s', ·) − max Q(s, ·) is positive, else it loses. For each (agent, advice, situation) × {own, advice}:

    wins ← decay · wins + [positive],   losses ← decay · losses + [not positive]

Thompson sampling follows the advice where a sample of its Beta(1 + wins, 1 + losses) exceeds one of the own choice's.
That probability is taken by moments, Φ((m_1 − m_2) / √(v_1 + v_2)), within 0.02 of the exact one. Ours, an ablation:
the errors of a stale table are no measure of advice, and the two are never compared in the same situation.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from ranpilot.envs.controller import FloatArray, IntArray
from ranpilot.systems.aura.config import AuraConfig
from ranpilot.systems.aura.trust._protocol import Advantage, StepTrust, TrustShape
from ranpilot.systems.aura.turn import Turn

__all__ = ["PART", "BetaTrust"]

OWN, ADVICE = 0, 1


class BetaTrust(StepTrust):
    """Two Beta distributions for each agent, advice and situation."""

    def __init__(self, config: AuraConfig, shape: TrustShape) -> None:
        self._config = config
        num_networks, num_agents, num_options, num_contexts = shape
        cells = (num_networks, num_agents, num_options, num_contexts, 2)
        self._wins, self._losses = np.zeros(cells), np.zeros(cells)
        self._network = np.arange(num_networks)[:, None]
        self._agent = np.arange(num_agents)[None, :]

    def level(self, advice: IntArray, context: IntArray) -> NDArray[np.float64]:
        """Probability that the advice's sample is the greater one."""
        cell = (self._network, self._agent, advice, context)
        wins, losses = 1 + self._wins[cell], 1 + self._losses[cell]
        total = wins + losses
        mean = wins / total
        variance = mean * (1 - mean) / (total + 1)
        gap, spread = mean[..., ADVICE] - mean[..., OWN], np.sqrt(variance.sum(axis=-1))
        probability: NDArray[np.float64] = ndtr(gap / spread)
        return probability

    def follow_probability(self, advice: IntArray, context: IntArray) -> NDArray[np.float64]:
        """The same."""
        return self.level(advice, context)

    def learn(self, turn: Turn, reward: FloatArray, advantage: Advantage) -> None:
        """Count the executed one of advice and own choice where they differ."""
        networks, agents = np.nonzero((turn.advice >= 0) & (turn.advice != turn.own) & ~turn.explored)
        if len(networks) == 0:
            return
        at = (networks, agents)
        is_positive = advantage()[at] > 0
        arm = np.where(turn.followed[at], ADVICE, OWN)
        cell = (networks, agents, turn.advice[at], turn.context[at], arm)
        self._wins[cell] = self._config.decay * self._wins[cell] + is_positive
        self._losses[cell] = self._config.decay * self._losses[cell] + ~is_positive

    def shrink(self, factor: float) -> None:
        """All counts count less."""
        self._wins *= factor
        self._losses *= factor

    def arrays(self) -> dict[str, NDArray[np.float64]]:
        """Wins and losses."""
        return {"wins": self._wins, "losses": self._losses}


PART = BetaTrust
