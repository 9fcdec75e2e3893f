"""Phase 3 of a slot: every cell gives its groups to users, from the reports that it has.

Retransmissions come first, on the groups of their first transmission. A scheduler gives groups itself, or it gives
users a weight and `greatest_metric` the groups. A new one is one file with such a function, a number in
`parameters/link.py` and one line in `_allot`. With slices, `slicing` says who may take how much, and each slice has a
scheduler of its own.
"""

from __future__ import annotations

from ranpilot.kernels import inner_kernel, woven_kernel
from ranpilot.twin import slice_columns as seats
from ranpilot.twin import state as s
from ranpilot.twin.mac.edf import allot_earliest_deadline
from ranpilot.twin.mac.greatest_metric import allot_greatest_metric
from ranpilot.twin.mac.m_lwdf import weigh_m_lwdf
from ranpilot.twin.mac.max_cqi import weigh_max_cqi
from ranpilot.twin.mac.power_state import count_power, rouse_cell
from ranpilot.twin.mac.proportional_fair import weigh_proportional_fair
from ranpilot.twin.mac.queue import count_in_slice
from ranpilot.twin.mac.retransmission import due_process
from ranpilot.twin.mac.round_robin import allot_round_robin
from ranpilot.twin.mac.scratch import (
    ACTIVE,
    BLOCK_GROUPS,
    BLOCK_PROCESS,
    BLOCK_UE,
    BLOCKS,
    GRANTED,
    NUM_CANDIDATES,
    OFFER,
    RETRANSMITTER,
    RETRANSMITTERS,
    WANTED_BITS,
    WANTED_MARGIN,
    Scratch,
)
from ranpilot.twin.mac.slicing import begin_offers, close_offer, end_offers, make_offers, open_offer
from ranpilot.twin.parameters import M_LWDF, MAX_CQI, PROPORTIONAL_FAIR, ROUND_ROBIN, Parameters

__all__ = ["list_candidates", "schedule"]


@woven_kernel
def list_candidates(net: s.Network, parameters: Parameters, scratch: Scratch, slot: int) -> None:
    """Find who has something to send and may be served, and who waits for a retransmission."""
    for cell in range(len(scratch.cell)):
        scratch.cell[cell, NUM_CANDIDATES] = 0
        scratch.cell[cell, ACTIVE] = 0
    scratch.total[RETRANSMITTERS] = 0
    is_sliced = parameters.slices.is_on == 1
    most_waiting = net.process.shape[1]
    for ue in range(len(scratch.ue)):
        cell = net.ue[ue, s.SERVING_CELL]
        if cell < 0:
            continue
        if is_sliced:
            count_in_slice(net, cell, net.ue[ue, s.SLICE], seats.SLICE_CONNECTED_SUM, 1)
        backlog_bits = net.ue[ue, s.BACKLOG_BITS]
        waiting = net.ue[ue, s.WAITING]
        if backlog_bits == 0 and waiting == 0:
            continue
        net.ue_count[ue, s.UE_BUSY_SLOTS] += 1
        net.cell_count[cell, s.CELL_BUSY_SLOTS] += 1
        if is_sliced:
            count_in_slice(net, cell, net.ue[ue, s.SLICE], seats.SLICE_BUSY_SLOTS, 1)
        scratch.ue[ue, GRANTED] = 0
        if slot < net.ue[ue, s.INTERRUPTED_UNTIL]:
            continue
        if slot < net.cell[cell, s.SERVED_FROM]:
            rouse_cell(net, parameters, cell, slot)
            continue
        if waiting > 0:
            scratch.ue[scratch.total[RETRANSMITTERS], RETRANSMITTER] = ue
            scratch.total[RETRANSMITTERS] += 1
        if backlog_bits > 0 and waiting < most_waiting:
            scratch.candidate[cell, scratch.cell[cell, NUM_CANDIDATES]] = ue
            scratch.cell[cell, NUM_CANDIDATES] += 1
            scratch.ue_real[ue, WANTED_BITS] = backlog_bits * WANTED_MARGIN


@woven_kernel
def schedule(net: s.Network, parameters: Parameters, scratch: Scratch, slot: int) -> None:
    """List the blocks of this slot and the groups that each cell transmits on."""
    scratch.total[BLOCKS] = 0
    for index in range(scratch.total[RETRANSMITTERS]):
        _grant_retransmission(net, scratch, scratch.ue[index, RETRANSMITTER], slot)
    for cell in range(len(scratch.cell)):
        if scratch.cell[cell, NUM_CANDIDATES] > 0:
            _serve_cell(net, parameters, scratch, cell, slot)
            _list_new_blocks(scratch, cell)
        _count_prbs(net, parameters, scratch, cell, slot)


@woven_kernel
def _serve_cell(net: s.Network, parameters: Parameters, scratch: Scratch, cell: int, slot: int) -> None:
    """Let the scheduler give out the groups: all at once, or slice by slice until nobody wants or may have more."""
    is_sliced = parameters.slices.is_on == 1
    seat, turn = 0, len(net.slice)
    if is_sliced:
        begin_offers(net, parameters, scratch, cell, slot)
    while True:
        if is_sliced:
            if turn == len(net.slice):
                if not make_offers(net, parameters, scratch, slot):
                    break
                turn = 0
            seat = (slot + turn) % len(net.slice)
            turn += 1
            if scratch.slice[seat, OFFER] == 0 or not open_offer(net, parameters, scratch, cell, seat):
                continue
        _allot(net, parameters, scratch, cell, seat, slot)
        if not is_sliced:
            break
        close_offer(scratch, cell, seat)
    if is_sliced:
        end_offers(scratch, cell)


@woven_kernel
def _allot(net: s.Network, parameters: Parameters, scratch: Scratch, cell: int, seat: int, slot: int) -> None:
    """Give the free groups to the candidates, by the scheduler of the slice `seat` that they are all of."""
    scheduler = net.cell_slice[cell, seat, seats.SCHEDULER]
    if scheduler == ROUND_ROBIN:
        allot_round_robin(net, parameters, scratch, cell, seat)
        return
    if scheduler == PROPORTIONAL_FAIR:
        weigh_proportional_fair(net, scratch, cell)
    elif scheduler == MAX_CQI:
        weigh_max_cqi(net, scratch, cell)
    elif scheduler == M_LWDF:
        weigh_m_lwdf(net, parameters, scratch, cell, slot)
    else:
        allot_earliest_deadline(net, parameters, scratch, cell, slot)
    allot_greatest_metric(net, parameters, scratch, cell)


@woven_kernel
def _grant_retransmission(net: s.Network, scratch: Scratch, ue: int, slot: int) -> None:
    process = due_process(net, ue, slot)
    if process < 0:
        return
    cell = net.ue[ue, s.SERVING_CELL]
    groups = net.process[ue, process, s.GROUPS]
    if groups & scratch.cell[cell, ACTIVE]:
        return
    scratch.cell[cell, ACTIVE] |= groups
    # One block a user and slot: who repeats gets no new block.
    scratch.ue_real[ue, WANTED_BITS] = 0.0
    _drop_candidate(scratch, cell, ue)
    _add_block(scratch, ue, groups, process)


@woven_kernel
def _drop_candidate(scratch: Scratch, cell: int, ue: int) -> None:
    kept = 0
    for index in range(scratch.cell[cell, NUM_CANDIDATES]):
        other = scratch.candidate[cell, index]
        if other != ue:
            scratch.candidate[cell, kept] = other
            kept += 1
    scratch.cell[cell, NUM_CANDIDATES] = kept


@woven_kernel
def _list_new_blocks(scratch: Scratch, cell: int) -> None:
    for index in range(scratch.cell[cell, NUM_CANDIDATES]):
        ue = scratch.candidate[cell, index]
        if scratch.ue[ue, GRANTED] != 0:
            scratch.cell[cell, ACTIVE] |= scratch.ue[ue, GRANTED]
            _add_block(scratch, ue, scratch.ue[ue, GRANTED], -1)


@inner_kernel
def _add_block(scratch: Scratch, ue: int, groups: int, process: int) -> None:
    block = scratch.total[BLOCKS]
    scratch.block[block, BLOCK_UE] = ue
    scratch.block[block, BLOCK_GROUPS] = groups
    scratch.block[block, BLOCK_PROCESS] = process
    scratch.total[BLOCKS] = block + 1


@woven_kernel
def _count_prbs(net: s.Network, parameters: Parameters, scratch: Scratch, cell: int, slot: int) -> None:
    """Count what is in use and let the running mean of the cell's activity follow."""
    weight = parameters.link.activity_weight
    used = 0
    for group in range(len(parameters.grid.group_prbs)):
        is_active = (scratch.cell[cell, ACTIVE] >> group) & 1
        used += is_active * parameters.grid.group_prbs[group]
        net.activity[cell, group] += weight * (is_active - net.activity[cell, group])
    net.cell_count[cell, s.CELL_PRBS] += used
    count_power(net, parameters, cell, used, slot)
    net.cell_count[cell, s.CELL_CONNECTED_SUM] += net.cell[cell, s.CONNECTED_UES]
