"""Round robin over groups: they go to the candidates in turn, going on in the next slot where this one stopped."""

from __future__ import annotations

from ranpilot.kernels import woven_kernel
from ranpilot.twin import state as s
from ranpilot.twin.mac.scratch import ACTIVE, GRANTED, NUM_CANDIDATES, WANTED_BITS, Scratch
from ranpilot.twin.parameters import GROUP_BITS, Parameters

__all__ = ["allot_round_robin"]


@woven_kernel
def allot_round_robin(net: s.Network, parameters: Parameters, scratch: Scratch, cell: int) -> None:
    """Give the free groups of `cell` to its candidates; a user takes a group only where it reports a CQI above 0."""
    num_candidates = scratch.cell[cell, NUM_CANDIDATES]
    candidates = scratch.candidate[cell]
    group_bits, group_prbs, cqi = parameters.link.cqi[GROUP_BITS], parameters.grid.group_prbs, net.cqi
    turn = 0
    while turn < num_candidates and candidates[turn] < net.cell[cell, s.NEXT_UE]:
        turn += 1
    for group in range(len(group_prbs)):
        if (scratch.cell[cell, ACTIVE] >> group) & 1:
            continue
        for step in range(num_candidates):
            index = (turn + step) % num_candidates
            ue = candidates[index]
            if scratch.ue_real[ue, WANTED_BITS] <= 0.0 or cqi[ue, group] == 0:
                continue
            scratch.ue[ue, GRANTED] |= 1 << group
            scratch.ue_real[ue, WANTED_BITS] -= group_bits[cqi[ue, group]] * group_prbs[group]
            turn = index + 1
            net.cell[cell, s.NEXT_UE] = ue + 1
            break
