"""Max-min fair shares: small demands are met, the great ones get the same; what is left is shared out equally.

Source: water-filling, Bertsekas and Gallager, Data Networks, 2nd edition, §6.5.2.
"""

from __future__ import annotations

import numpy as np

from ranpilot.envs.controller import FloatArray, Observation
from ranpilot.heuristics._shares import Shares, fill

__all__ = ["PART", "MaxMin"]


class MaxMin(Shares):
    """No slice gets more before one with less is content."""

    def shares(self, obs: Observation) -> FloatArray:
        """Of its cell for every slice, [B, A, S]."""
        return fill(self.need(obs), np.ones(obs.slice_mask.shape), obs.slice_mask)


PART = MaxMin
