"""Shares in proportion to need times hurry: the blocks that a slice needs, more of them the later its packets are.

Hurry is the delay of the last step over what is allowed, within a quarter and four. Allowed is what was promised, where
the task shows promises; otherwise, or where a slice was promised no delay, the mean delay of the cell's slices. Packets
that were dropped waited too long, so a slice that drops has the greatest hurry in proportion to what it drops.
"""

from __future__ import annotations

import numpy as np

from ranpilot.envs.controller import FloatArray, Observation
from ranpilot.heuristics._shares import Shares, in_proportion

__all__ = ["PART", "Deadline"]

LEAST_HURRY, MOST_HURRY = 0.25, 4.0


class Deadline(Shares):
    """Who is late gets more of what it needs."""

    def shares(self, obs: Observation) -> FloatArray:
        """Of its cell for every slice, [B, A, S]."""
        return in_proportion(self.need(obs) * self.hurry(obs), obs.slice_mask)

    def hurry(self, obs: Observation) -> FloatArray:
        """How late every slice is, [B, A, S], 1 where it is as late as it may be."""
        delay_ms = self.see(obs, "DRB.RlcSduDelayDl.SNSSAI") * 0.1
        has_delay = obs.slice_mask & (delay_ms > 0.0)
        total = np.where(has_delay, delay_ms, 0.0).sum(axis=-1, keepdims=True)
        allowed_ms = np.broadcast_to(total / np.maximum(has_delay.sum(axis=-1, keepdims=True), 1), delay_ms.shape)
        if self.shows("delay"):
            promised_ms = self.see(obs, "delay")
            allowed_ms = np.where(np.isnan(promised_ms), allowed_ms, promised_ms)
        # A cell in which nothing was delivered has no delays to compare.
        late = np.where(allowed_ms > 0.0, delay_ms / np.where(allowed_ms > 0.0, allowed_ms, 1.0), 1.0)
        dropped = self.see(obs, "DRB.RlcPacketDropRateDl.SNSSAI") / 1e6
        result: FloatArray = np.clip(late * (1.0 - dropped) + MOST_HURRY * dropped, LEAST_HURRY, MOST_HURRY)
        return result


PART = Deadline
