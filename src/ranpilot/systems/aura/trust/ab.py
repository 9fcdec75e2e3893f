"""Trust from whole episodes with and without advice: which are better? Needs no copies of the network.

Every episode of a network runs wholly with advice (each suggestion is taken) or wholly without. The alignment
controller's score of the episode, averaged over the agents, is a noisy sample of that arm's worth:

    n_k ← λ n_k + [arm k],   μ_k mean and σ² pooled variance of the scores, both with the same weights
    trust = P(μ_with > μ_without) = Φ((μ_with − μ_without) / √(σ² (1 / n_with + 1 / n_without)))

Thompson sampling takes an arm as often as it may be the better one, so the next episode has advice with probability
`trust`, during training at most 1 − `quiet_share`: the quiet episodes are episodes without advice, and not drawn twice.
In test episodes sampling goes on. λ forgets, so that an adviser that turns is found out: evidence of an arm fades
while it is not tried, until it is tried again.

One arm for all agents of a network, not one for each: hand-offs of one station end at the other, so an agent's score
depends on both, and arms drawn apart would blur what they are compared by. One score an episode, since a score over
the controller's window of five would give a fifth of the samples. Ours.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from ranpilot.envs.controller import FloatArray, IntArray
from ranpilot.systems.aura.config import AuraConfig
from ranpilot.systems.aura.trust._protocol import StepTrust, TrustShape

__all__ = ["PART", "AbTrust"]

WITHOUT, WITH = 0, 1
PRIOR_WEIGHT = 1.0
"""Episodes that the prior of the variance counts for."""


class AbTrust(StepTrust):
    """Mean score with and without advice of each network, and the probability that advice pays."""

    needs_score: ClassVar[bool] = True

    def __init__(self, config: AuraConfig, shape: TrustShape) -> None:
        self._config = config
        num_networks, self._num_agents = shape[:2]
        self._weight = np.zeros((num_networks, 2))
        self._mean = np.zeros((num_networks, 2))
        self._squares = np.zeros(num_networks)
        self._arm = np.zeros(num_networks)

    def open_episode(self, draw: FloatArray, quiet_share: FloatArray) -> NDArray[np.bool_]:
        """Draw the arm of each network's episode."""
        with_advice = np.asarray(draw >= np.maximum(quiet_share, 1 - self._trust()))
        self._arm[...] = np.where(with_advice, WITH, WITHOUT)
        return with_advice

    def level(self, advice: IntArray, context: IntArray) -> NDArray[np.float64]:
        """Probability that episodes with advice are better, whatever the advice and the situation."""
        return np.repeat(self._trust()[:, None], self._num_agents, axis=1)

    def follow_probability(self, advice: IntArray, context: IntArray) -> NDArray[np.float64]:
        """1: an episode with advice follows all of it."""
        return np.ones(advice.shape)

    def end_episode(self, networks: IntArray, score: FloatArray) -> None:
        """Enter the episode's score in its arm."""
        arm = self._arm[networks].astype(np.int64)
        value = score.mean(axis=1)
        self._weight[networks] *= self._config.ab_decay
        self._squares[networks] *= self._config.ab_decay
        self._weight[networks, arm] += 1
        gap = value - self._mean[networks, arm]
        self._mean[networks, arm] += gap / self._weight[networks, arm]
        self._squares[networks] += gap * (value - self._mean[networks, arm])

    def shrink(self, factor: float) -> None:
        """Both arms count as if they had been tried less often."""
        self._weight *= factor
        self._squares *= factor

    def arrays(self) -> dict[str, NDArray[np.float64]]:
        """Weights, means, squares around them, and the arm of the running episode."""
        return {"weight": self._weight, "mean": self._mean, "squares": self._squares, "arm": self._arm}

    def _trust(self) -> NDArray[np.float64]:
        """P(μ_with > μ_without) [B]; a half where an arm was never tried."""
        total = self._weight.sum(axis=1)
        prior = PRIOR_WEIGHT * self._config.ab_score_sd**2
        variance = (prior + self._squares) / (PRIOR_WEIGHT + np.maximum(total - 2, 0.0))
        precision = np.prod(self._weight, axis=1) / np.maximum(total, 1e-300)
        gap = self._mean[:, WITH] - self._mean[:, WITHOUT]
        probability: NDArray[np.float64] = ndtr(gap * np.sqrt(precision / variance))
        return probability


PART = AbTrust
