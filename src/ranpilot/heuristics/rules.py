"""The sensible rules of a person who sees words: hand over where coverage suffers and the neighbour has room.

Own coverage good: lower the power. Not good: hand over if the nearest neighbour is not full, else raise the power if
coverage is poor, else keep. An agent without a neighbour never hands over.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import Observation
from ranpilot.heuristics._fixed import ByLevels, option

__all__ = ["PART", "Rules"]


class Rules(ByLevels):
    """Rules on coverage and the neighbour's capacity."""

    def act(self, obs: Observation) -> NDArray[np.int64]:
        """One option for each agent, [B, A]."""
        is_good, is_poor, is_neighbour_full = self.read(obs)
        chosen = np.where(is_poor, option(self.task, "up"), option(self.task, "keep"))
        chosen = np.where(is_neighbour_full, chosen, option(self.task, "move"))
        return np.where(is_good, option(self.task, "down"), chosen)


PART = Rules
