"""What most schedulers share: each group goes to the user with the greatest rate x weight who still needs it.

The rate is what the user's report promises on that group, so that the choice is frequency-selective; among equals the
first place has it. The weights are a scheduler's own (`Scratch.ue_real[:, WEIGHT]`); a user with weight 0 gets nothing.
"""

from __future__ import annotations

from ranpilot.kernels import woven_kernel
from ranpilot.twin import state as s
from ranpilot.twin.mac.scratch import ACTIVE, GRANTED, NUM_CANDIDATES, WANTED_BITS, WEIGHT, Scratch
from ranpilot.twin.parameters import GROUP_BITS, Parameters

__all__ = ["allot_greatest_metric"]


@woven_kernel
def allot_greatest_metric(net: s.Network, parameters: Parameters, scratch: Scratch, cell: int) -> None:
    """Give the free groups of `cell` to its candidates by their weights."""
    num_candidates = scratch.cell[cell, NUM_CANDIDATES]
    candidates = scratch.candidate[cell]
    group_bits, group_prbs, cqi = parameters.link.cqi[GROUP_BITS], parameters.grid.group_prbs, net.cqi
    wanting = 0
    for index in range(num_candidates):
        if scratch.ue_real[candidates[index], WEIGHT] > 0.0:
            wanting += 1
    for group in range(len(group_prbs)):
        if wanting == 0:
            break
        if (scratch.cell[cell, ACTIVE] >> group) & 1:
            continue
        best = -1
        best_metric = 0.0
        for index in range(num_candidates):
            ue = candidates[index]
            metric = group_bits[cqi[ue, group]] * scratch.ue_real[ue, WEIGHT]
            if metric > best_metric:
                best_metric = metric
                best = ue
        if best < 0:
            continue
        scratch.ue[best, GRANTED] |= 1 << group
        scratch.ue_real[best, WANTED_BITS] -= group_bits[cqi[best, group]] * group_prbs[group]
        if scratch.ue_real[best, WANTED_BITS] <= 0.0:
            # A user who has enough loses every later comparison.
            scratch.ue_real[best, WEIGHT] = 0.0
            wanting -= 1
