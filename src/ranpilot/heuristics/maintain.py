"""Nobody ever does anything: every agent takes the task's neutral action."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import Observation
from ranpilot.heuristics._fixed import Fixed

__all__ = ["PART", "Maintain"]


class Maintain(Fixed):
    """The neutral action, always."""

    def act(self, obs: Observation) -> NDArray[np.int64]:
        """The neutral option everywhere, [B, A]."""
        return self.everywhere(self.task.actions[self.task.neutral_action], obs)


PART = Maintain
