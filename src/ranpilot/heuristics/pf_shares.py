"""Proportionally fair shares over slices: they maximise the sum, over members with data, of the logarithm of the rate.

With n members that share what their slice gets, and no use for more than the slice's demand d, the sum of n log(x / n)
under sum of x = 1 and x <= d is greatest where x = min(d, level n): water-filling with the members as weights. How many
bits a block carries drops out.
Source: Kelly, Maulloo, Tan 1998 (proportional fairness).
"""

from __future__ import annotations

from ranpilot.envs.controller import FloatArray, Observation
from ranpilot.heuristics._shares import Shares, fill

__all__ = ["PART", "PfShares"]


class PfShares(Shares):
    """Every member with data counts the same, whoever its tenant is."""

    def shares(self, obs: Observation) -> FloatArray:
        """Of its cell for every slice, [B, A, S]."""
        return fill(self.need(obs), self.see(obs, "DRB.MeanActiveUeDl.SNSSAI"), obs.slice_mask)


PART = PfShares
