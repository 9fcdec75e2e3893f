"""Nobody ever does anything: every agent takes the task's neutral action."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import Observation, TaskSpec, WhatIf
from ranpilot.errors import ConfigError
from ranpilot.heuristics._fixed import Fixed

__all__ = ["PART", "Maintain"]


class Maintain(Fixed):
    """The neutral action, always."""

    def reset(self, task: TaskSpec, num_networks: int, seed: int, what_if: WhatIf | None) -> None:
        """Remember the task. Raises ConfigError where actions are numbers: none of them changes nothing."""
        super().reset(task, num_networks, seed, what_if)
        if not task.actions:
            raise ConfigError(f"actions of task {task.name!r}", task.actions, "options, of which one is neutral")

    def act(self, obs: Observation) -> NDArray[np.int64]:
        """The neutral option everywhere, [B, A]."""
        return self.everywhere(self.task.actions[self.task.neutral_action], obs)


PART = Maintain
