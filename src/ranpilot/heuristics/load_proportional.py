"""Shares in proportion to the bits that arrived for each slice in the last step; equal where none arrived."""

from __future__ import annotations

from ranpilot.envs.controller import FloatArray, Observation
from ranpilot.heuristics._shares import Shares, in_proportion

__all__ = ["PART", "LoadProportional"]


class LoadProportional(Shares):
    """Who offers more gets more, however many blocks that takes."""

    def shares(self, obs: Observation) -> FloatArray:
        """Of its cell for every slice, [B, A, S]."""
        return in_proportion(self.see(obs, "RP.OfferedVolumeDl.SNSSAI"), obs.slice_mask)


PART = LoadProportional
