"""Round robin over groups: they go to the candidates in turn, going on in the next slot where this one stopped.

Weighted turns (as in deficit round robin; Shreedhar, Varghese 1995): where the weights of a cell's candidates differ,
a user whose turn it is saves up its weight over the greatest of those who could take the group, and takes it when it
has saved up a whole one. With weights 3 and 1 the second takes every third turn that the first takes.
"""

from __future__ import annotations

from ranpilot.kernels import woven_kernel
from ranpilot.twin import slice_columns as seats
from ranpilot.twin import state as s
from ranpilot.twin.mac.scratch import ACTIVE, GRANTED, NUM_CANDIDATES, WANTED_BITS, WEIGHT, Scratch
from ranpilot.twin.parameters import GROUP_BITS, Parameters

__all__ = ["allot_round_robin"]

WHOLE_TURN = 1.0 - 1e-9
"""Ten times a tenth is a turn, whatever rounding leaves."""


@woven_kernel
def allot_round_robin(net: s.Network, parameters: Parameters, scratch: Scratch, cell: int, seat: int) -> None:
    """Give the free groups of `cell` to its candidates, all of one slice, where they report a CQI above 0."""
    num_candidates = scratch.cell[cell, NUM_CANDIDATES]
    candidates = scratch.candidate[cell]
    group_bits, group_prbs, cqi = parameters.link.cqi[GROUP_BITS], parameters.grid.group_prbs, net.cqi
    turn = 0
    while turn < num_candidates and candidates[turn] < net.cell_slice[cell, seat, seats.NEXT_UE]:
        turn += 1
    is_weighted = False
    for index in range(num_candidates):
        ue = candidates[index]
        scratch.ue_real[ue, WEIGHT] = net.ue_real[ue, s.SCHEDULING_WEIGHT]
        is_weighted = is_weighted or scratch.ue_real[ue, WEIGHT] != scratch.ue_real[candidates[0], WEIGHT]
    greatest = scratch.ue_real[candidates[0], WEIGHT]
    for group in range(len(group_prbs)):
        if (scratch.cell[cell, ACTIVE] >> group) & 1:
            continue
        if is_weighted:
            greatest = 0.0
            for index in range(num_candidates):
                ue = candidates[index]
                if cqi[ue, group] > 0:
                    greatest = max(greatest, scratch.ue_real[ue, WEIGHT])
        for step in range(num_candidates):
            index = (turn + step) % num_candidates
            ue = candidates[index]
            if scratch.ue_real[ue, WEIGHT] == 0.0 or cqi[ue, group] == 0:
                continue
            if is_weighted:
                net.ue_real[ue, s.TURN_CREDIT] += scratch.ue_real[ue, WEIGHT] / greatest
                if net.ue_real[ue, s.TURN_CREDIT] < WHOLE_TURN:
                    continue
                net.ue_real[ue, s.TURN_CREDIT] -= 1.0
            scratch.ue[ue, GRANTED] |= 1 << group
            scratch.ue_real[ue, WANTED_BITS] -= group_bits[cqi[ue, group]] * group_prbs[group]
            if scratch.ue_real[ue, WANTED_BITS] <= 0.0:
                # Who has enough takes no more turns.
                scratch.ue_real[ue, WEIGHT] = 0.0
            turn = index + 1
            net.cell_slice[cell, seat, seats.NEXT_UE] = ue + 1
            break
