"""Proportional fair over groups: each group goes to the user with the greatest rate / mean rate that still needs it.

Source: Kelly, Maulloo, Tan 1998; the frequency-selective form with one mean rate a user (updated once a slot).
"""

from __future__ import annotations

from ranpilot.kernels import inner_kernel
from ranpilot.twin import state as s
from ranpilot.twin.mac.scratch import Scratch
from ranpilot.twin.parameters import Parameters

__all__ = ["allot_proportional_fair"]

LEAST_MEAN_RATE = 1.0
"""Bits a slot; keeps the weight of a user finite who has never been served."""


@inner_kernel
def allot_proportional_fair(net: s.Network, parameters: Parameters, scratch: Scratch, cell: int) -> None:
    """Give the free groups of `cell` to its candidates."""
    num_candidates = scratch.num_candidates[cell]
    candidates = scratch.candidate[cell]
    group_bits, group_prbs, cqi = parameters.link.group_bits, parameters.grid.group_prbs, net.reports.cqi
    wanting = num_candidates
    for index in range(num_candidates):
        ue = candidates[index]
        scratch.weight[ue] = 1.0 / (net.reports.mean_rate[ue] + LEAST_MEAN_RATE)
    for group in range(len(group_prbs)):
        if wanting == 0:
            break
        if (scratch.active[cell] >> group) & 1:
            continue
        best = -1
        best_metric = 0.0
        for index in range(num_candidates):
            ue = candidates[index]
            metric = group_bits[cqi[ue, group]] * scratch.weight[ue]
            if metric > best_metric:
                best_metric = metric
                best = ue
        if best < 0:
            continue
        scratch.granted[best] |= 1 << group
        scratch.wanted_bits[best] -= group_bits[cqi[best, group]] * group_prbs[group]
        if scratch.wanted_bits[best] <= 0.0:
            # A user who has enough loses every later comparison.
            scratch.weight[best] = 0.0
            wanting -= 1
