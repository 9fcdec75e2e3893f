"""Every joint action is tried on copies of the running network, and the best is executed.

Each of the K^A joint actions is rolled six steps, all agents following the `kpm-rules` after the first, on two fresh
draws of the future; the mean discounted team reward decides. It sees the full state but never the true future, and is
a yardstick, not a bound: its horizon is short and its sample finite.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import Observation, TaskSpec, WhatIf
from ranpilot.errors import ConfigError
from ranpilot.heuristics._fixed import Fixed
from ranpilot.heuristics.kpm_rules import KpmRules

__all__ = ["PART", "LookaheadOracle"]

HORIZON_STEPS = 6
DRAWS = 2
DISCOUNT = 0.95
MOST_JOINT_ACTIONS = 256


class LookaheadOracle(Fixed):
    """The joint action with the best roll-out."""

    def reset(self, task: TaskSpec, num_networks: int, seed: int, what_if: WhatIf | None) -> None:
        """List the joint actions. Raises ConfigError without a `what_if`, or where there are too many to try."""
        super().reset(task, num_networks, seed, what_if)
        if what_if is None:
            raise ConfigError("what_if", None, "one, since lookahead-oracle tries actions on copies of the network")
        if task.num_actions**task.num_agents > MOST_JOINT_ACTIONS:
            allowed = f"so few that there are at most {MOST_JOINT_ACTIONS} joint actions"
            raise ConfigError("agents of lookahead-oracle", task.num_agents, allowed)
        self._rolls = what_if
        self._joint = np.array(list(product(range(task.num_actions), repeat=task.num_agents)))  # [n, A]
        self._afterwards = KpmRules()
        self._afterwards.reset(task, num_networks, seed, None)

    def act(self, obs: Observation) -> NDArray[np.int64]:
        """The best joint action of each network, [B, A]."""
        actions = np.broadcast_to(self._joint.T, (len(obs.local), *self._joint.T.shape))
        returns = self._rolls.roll(actions, HORIZON_STEPS, DRAWS, then=self._afterwards.act, discount=DISCOUNT)
        chosen: NDArray[np.int64] = self._joint[returns.mean(axis=2).argmax(axis=1)]
        return chosen


PART = LookaheadOracle
