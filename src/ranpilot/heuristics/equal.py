"""Every slice that is there gets the same share of its cell."""

from __future__ import annotations

import numpy as np

from ranpilot.envs.controller import FloatArray, Observation
from ranpilot.heuristics._shares import Shares, in_proportion

__all__ = ["PART", "Equal"]


class Equal(Shares):
    """Equal shares, whatever is seen."""

    def shares(self, obs: Observation) -> FloatArray:
        """Of its cell for every slice, [B, A, S]."""
        return in_proportion(np.ones(obs.slice_mask.shape), obs.slice_mask)


PART = Equal
