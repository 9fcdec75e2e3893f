"""Trust from what-ifs: would the advice have done better than the agent's own choice?

On a share of the disagreements two copies of the running network are rolled for a few steps, one begins with the
advice and one with the agent's own greedy option; the other agents do in both what they are about to do, and all
follow their own greedy policies afterwards. Both copies share the same fresh random numbers, never the true future.
Who wins in discounted team reward counts in a Beta distribution for (agent, advice, situation):

    wins ← decay · wins + [advice better],   losses ← decay · losses + [own better];   equal: nothing changes

and the advice is taken where a sample of Beta(1 + wins, 1 + losses) exceeds one half. The sample itself is never
needed: it exceeds one half with probability I_{1/2}(1 + losses, 1 + wins), the regularised incomplete beta function, so
one uniform number below that is the same event. Ours (the paper's rule is `score.py`).
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

from ranpilot.envs.controller import FloatArray, IntArray, WhatIf
from ranpilot.errors import ConfigError
from ranpilot.systems.aura.comparison import TIE, OwnPolicy, compare_on_copies
from ranpilot.systems.aura.config import AuraConfig
from ranpilot.systems.aura.trust._protocol import StepTrust, TrustShape
from ranpilot.systems.aura.turn import Turn

__all__ = ["PART", "CounterfactualTrust"]


class CounterfactualTrust(StepTrust):
    """A Beta distribution for each agent, advice and situation, over the sign of the team's difference."""

    needs_what_if: ClassVar[bool] = True

    def __init__(self, config: AuraConfig, shape: TrustShape) -> None:
        self._config = config
        num_networks, num_agents, num_options, num_contexts = shape
        cells = (num_networks, num_agents, num_options, num_contexts)
        self._wins, self._losses = np.zeros(cells), np.zeros(cells)
        self._follow = np.full(cells, 0.5)
        self._network = np.arange(num_networks)[:, None]
        self._agent = np.arange(num_agents)[None, :]

    def level(self, advice: IntArray, context: IntArray) -> NDArray[np.float64]:
        """Mean of the Beta distribution."""
        cell = (self._network, self._agent, advice, context)
        wins, losses = self._wins[cell], self._losses[cell]
        mean: NDArray[np.float64] = (1 + wins) / (2 + wins + losses)
        return mean

    def follow_probability(self, advice: IntArray, context: IntArray) -> NDArray[np.float64]:
        """Probability that a sample exceeds one half."""
        probability: NDArray[np.float64] = self._follow[self._network, self._agent, advice, context]
        return probability

    def ask(self, turn: Turn, draw: FloatArray, what_if: WhatIf | None, own_policy: OwnPolicy) -> None:
        """Try advice against own choice on copies of the networks, for a share of the disagreements."""
        asked = turn.advised & (turn.advice != turn.own) & (draw < self._config.ask_share)
        networks, agents = np.nonzero(asked)
        if len(networks) == 0:
            return
        if what_if is None:
            raise ConfigError("aura.trust", "counterfactual", "'ab' or 'score' where the network cannot be copied")
        gain = compare_on_copies(turn, (networks, agents), what_if, own_policy, self._config.draws, self._config)
        self.count(networks, agents, turn, gain.mean(axis=1))

    def count(self, networks: IntArray, agents: IntArray, turn: Turn, gain: FloatArray) -> None:
        """Enter the team's gain [N] of advice over own choice for agent agents[n] of network networks[n]."""
        decided = np.abs(gain) > TIE
        networks, agents, gain = networks[decided], agents[decided], gain[decided]
        cell = (networks, agents, turn.advice[networks, agents], turn.context[networks, agents])
        self._wins[cell] = self._config.decay * self._wins[cell] + (gain > 0)
        self._losses[cell] = self._config.decay * self._losses[cell] + (gain < 0)
        self._follow[cell] = betainc(1 + self._losses[cell], 1 + self._wins[cell], 0.5)

    def shrink(self, factor: float) -> None:
        """All counts count less."""
        self._wins *= factor
        self._losses *= factor
        self._follow[...] = betainc(1 + self._losses, 1 + self._wins, 0.5)

    def arrays(self) -> dict[str, NDArray[np.float64]]:
        """Wins, losses, and the probability that follows from them."""
        return {"wins": self._wins, "losses": self._losses, "follow": self._follow}


PART = CounterfactualTrust
