"""An adviser that is wrong on purpose: hand over when the neighbour is full, lower the power otherwise.

Trust must learn to ignore it. An agent without a neighbour only lowers its power.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import Observation
from ranpilot.heuristics._fixed import NO_NEIGHBOUR, ByLevels, option

__all__ = ["PART", "InvertedRules"]


class InvertedRules(ByLevels):
    """The opposite of what `rules` would say about hand-overs and power."""

    def act(self, obs: Observation) -> NDArray[np.int64]:
        """One option for each agent, [B, A]."""
        _, _, is_neighbour_full = self.read(obs)
        has_full_neighbour = is_neighbour_full & (self._neighbour != NO_NEIGHBOUR)
        return np.where(has_full_neighbour, option(self.task, "move"), option(self.task, "down"))


PART = InvertedRules
