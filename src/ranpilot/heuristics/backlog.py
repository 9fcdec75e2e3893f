"""Shares in proportion to the blocks that each slice needs: for what waits and for as much as arrived last.

Unlike `load-proportional` it sees queues, and that the bits of a slice at the edge of a cell take more blocks.
"""

from __future__ import annotations

from ranpilot.envs.controller import FloatArray, Observation
from ranpilot.heuristics._shares import Shares, in_proportion

__all__ = ["PART", "Backlog"]


class Backlog(Shares):
    """Who needs more blocks gets more."""

    def shares(self, obs: Observation) -> FloatArray:
        """Of its cell for every slice, [B, A, S]."""
        return in_proportion(self.need(obs), obs.slice_mask)


PART = Backlog
