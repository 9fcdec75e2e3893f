"""Is trust what it says? In test episodes a few disagreements are settled on copies, and compared with the trust.

A probe asks whether the advice beats the own choice: mean gain of four futures, five steps, own greedy policies
afterwards. It counts in the tenth of [0, 1] in which the trust in the advice lay; equal returns are left out. Which
disagreements are asked is drawn from a random stream of its own, the futures are not those that trust itself asks for
in the same step, and what comes of it teaches nobody.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import WhatIf
from ranpilot.learning.draws import draw_per_agent
from ranpilot.systems.aura.comparison import TIE, OwnPolicy, compare_on_copies
from ranpilot.systems.aura.config import AuraConfig
from ranpilot.systems.aura.turn import Turn
from ranpilot.twin.rng import STREAM_PROBE

__all__ = ["BINS", "CalibrationProbe"]

BINS = 10
COUNT, TRUST, WINS = range(3)


class CalibrationProbe:
    """Counts, sums of trust and wins in equal bins of trust, since the last reading."""

    def __init__(self, config: AuraConfig) -> None:
        self._config = config
        self._sums = np.zeros((3, BINS))

    def look(self, turn: Turn, seed: int, step: int, what_if: WhatIf, own_policy: OwnPolicy) -> None:
        """Settle a share of this step's disagreements in networks whose training is over."""
        config = self._config
        in_test = turn.episode >= config.train_episodes
        if config.probe_share == 0 or not in_test.any():
            return
        draw = draw_per_agent(seed, config.first_network, step, turn.own.shape, count=1, stream=STREAM_PROBE)[:, :, 0]
        asked = in_test[:, None] & (turn.advice >= 0) & (turn.advice != turn.own) & (draw < config.probe_share)
        networks, agents = np.nonzero(asked)
        if len(networks) == 0:
            return
        draws = config.draws + config.probe_draws
        gains = compare_on_copies(turn, (networks, agents), what_if, own_policy, draws, config)
        self.enter(turn.trust[networks, agents], gains[:, config.draws :].mean(axis=1))

    def enter(self, trust: NDArray[np.float64], gain: NDArray[np.float64]) -> None:
        """Enter what the advice gained [N] where it was trusted so far [N]; ties are left out."""
        trust, gain = trust[np.abs(gain) > TIE], gain[np.abs(gain) > TIE]
        place = np.minimum((trust * BINS).astype(np.int64), BINS - 1)
        for row, value in ((COUNT, np.ones(len(trust))), (TRUST, trust), (WINS, gain > 0)):
            self._sums[row] += np.bincount(place, weights=value, minlength=BINS)

    def take(self) -> NDArray[np.float64]:
        """Count, sum of trust and wins in each bin, [3, 10], since the last call; begin anew."""
        taken = self._sums.copy()
        self._sums[...] = 0.0
        return taken

    def arrays(self) -> dict[str, NDArray[np.float64]]:
        """The live state, by name."""
        return {"sums": self._sums}
