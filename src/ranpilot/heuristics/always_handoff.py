"""Every agent hands deteriorating calls over in every step, whether or not the neighbour has room.

Must stand in every comparison: at normal load it beats agents that learned for 500 episodes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import Observation, TaskSpec, WhatIf
from ranpilot.heuristics._fixed import Fixed, option

__all__ = ["PART", "AlwaysHandoff"]


class AlwaysHandoff(Fixed):
    """The hand-off action, always."""

    def reset(self, task: TaskSpec, num_networks: int, seed: int, what_if: WhatIf | None) -> None:
        """Remember the task. Raises ConfigError where it has no such action."""
        super().reset(task, num_networks, seed, what_if)
        option(task, "move")

    def act(self, obs: Observation) -> NDArray[np.int64]:
        """`move` everywhere, [B, A]."""
        return self.everywhere("move", obs)


PART = AlwaysHandoff
