"""Proportional fair: the metric of a user on a group is weight x rate / mean rate.

Source: Kelly, Maulloo, Tan 1998; the frequency-selective form with one mean rate a user (updated once a slot). A weight
multiplies the share of the resources that a user gets in the long run.
"""

from __future__ import annotations

from ranpilot.kernels import woven_kernel
from ranpilot.twin import state as s
from ranpilot.twin.mac.scratch import NUM_CANDIDATES, WEIGHT, Scratch

__all__ = ["LEAST_MEAN_RATE", "weigh_proportional_fair"]

LEAST_MEAN_RATE = 1.0
"""Bits a slot; keeps the weight of a user finite who has never been served."""


@woven_kernel
def weigh_proportional_fair(net: s.Network, scratch: Scratch, cell: int) -> None:
    """Give the candidates of `cell` their weights."""
    for index in range(scratch.cell[cell, NUM_CANDIDATES]):
        ue = scratch.candidate[cell, index]
        mean_rate = net.ue_real[ue, s.MEAN_RATE] + LEAST_MEAN_RATE
        scratch.ue_real[ue, WEIGHT] = net.ue_real[ue, s.SCHEDULING_WEIGHT] / mean_rate
