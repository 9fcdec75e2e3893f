"""Proportional fair over groups: each group goes to the user with the greatest rate / mean rate that still needs it.

Source: Kelly, Maulloo, Tan 1998; the frequency-selective form with one mean rate a user (updated once a slot).
"""

from __future__ import annotations

from ranpilot.kernels import woven_kernel
from ranpilot.twin import state as s
from ranpilot.twin.mac.scratch import ACTIVE, GRANTED, NUM_CANDIDATES, WANTED_BITS, WEIGHT, Scratch
from ranpilot.twin.parameters import GROUP_BITS, Parameters

__all__ = ["allot_proportional_fair"]

LEAST_MEAN_RATE = 1.0
"""Bits a slot; keeps the weight of a user finite who has never been served."""


@woven_kernel
def allot_proportional_fair(net: s.Network, parameters: Parameters, scratch: Scratch, cell: int) -> None:
    """Give the free groups of `cell` to its candidates."""
    num_candidates = scratch.cell[cell, NUM_CANDIDATES]
    candidates = scratch.candidate[cell]
    group_bits, group_prbs, cqi = parameters.link.cqi[GROUP_BITS], parameters.grid.group_prbs, net.cqi
    wanting = num_candidates
    for index in range(num_candidates):
        ue = candidates[index]
        scratch.ue_real[ue, WEIGHT] = 1.0 / (net.ue_real[ue, s.MEAN_RATE] + LEAST_MEAN_RATE)
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
