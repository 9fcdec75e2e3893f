"""Round robin over groups: they go to the candidates in turn, going on in the next slot where this one stopped."""

from __future__ import annotations

from ranpilot.kernels import inner_kernel
from ranpilot.twin import state as s
from ranpilot.twin.mac.scratch import Scratch
from ranpilot.twin.parameters import Parameters

__all__ = ["allot_round_robin"]


@inner_kernel
def allot_round_robin(net: s.Network, parameters: Parameters, scratch: Scratch, cell: int) -> None:
    """Give the free groups of `cell` to its candidates; a user takes a group only where it reports a CQI above 0."""
    num_candidates = scratch.num_candidates[cell]
    candidates = scratch.candidate[cell]
    group_bits, group_prbs, cqi = parameters.link.group_bits, parameters.grid.group_prbs, net.reports.cqi
    turn = 0
    while turn < num_candidates and candidates[turn] < net.cells.next_ue[cell]:
        turn += 1
    for group in range(len(group_prbs)):
        if (scratch.active[cell] >> group) & 1:
            continue
        for step in range(num_candidates):
            index = (turn + step) % num_candidates
            ue = candidates[index]
            if scratch.wanted_bits[ue] <= 0.0 or cqi[ue, group] == 0:
                continue
            scratch.granted[ue] |= 1 << group
            scratch.wanted_bits[ue] -= group_bits[cqi[ue, group]] * group_prbs[group]
            turn = index + 1
            net.cells.next_ue[cell] = ue + 1
            break
