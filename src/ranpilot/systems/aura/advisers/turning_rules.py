"""`turning-rules`: the rules until half of the training is over, then the inverted rules, in test episodes too.

Whoever has learned to trust it must notice.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import Observation, TaskSpec, WhatIf
from ranpilot.errors import ConfigError
from ranpilot.heuristics.inverted_rules import InvertedRules
from ranpilot.heuristics.rules import Rules

__all__ = ["PART", "TurningRules"]


class TurningRules(Rules):
    """Rules that turn into their opposite with episode `train_episodes` / 2."""

    name = "rules, inverted from half-way on"

    def __init__(self, train_episodes: int = 500) -> None:
        self.turns_at = (train_episodes + 1) // 2

    def reset(self, task: TaskSpec, num_networks: int, seed: int, what_if: WhatIf | None) -> None:
        """Get both ready."""
        super().reset(task, num_networks, seed, what_if)
        self._inverted = InvertedRules()
        self._inverted.reset(task, num_networks, seed, what_if)

    def act(self, obs: Observation) -> NDArray[np.int64]:
        """One option for each agent, [B, A]."""
        has_turned = np.asarray(obs.episode) >= self.turns_at
        if not has_turned.any():
            return super().act(obs)
        return np.where(has_turned[:, None], self._inverted.act(obs), super().act(obs))


def make_turning_rules(*, argument: str | None, train_episodes: int, first_network: int) -> TurningRules:
    """The rules that turn. Raises ConfigError for an argument: when they turn follows from the training."""
    if argument is not None:
        raise ConfigError("adviser", f"turning-rules:{argument}", "'turning-rules', which takes nothing after a colon")
    return TurningRules(train_episodes)


PART = make_turning_rules
