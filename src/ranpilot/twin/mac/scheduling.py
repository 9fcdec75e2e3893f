"""Phase 3 of a slot: every cell gives its groups to users, from the reports that it has.

Retransmissions come first, on the groups of their first transmission. A new scheduler is one file with a function of
the same shape, a number in `parameters.py` and one line in `_allot`.
"""

from __future__ import annotations

from ranpilot.kernels import inner_kernel
from ranpilot.twin import state as s
from ranpilot.twin.mac.proportional_fair import allot_proportional_fair
from ranpilot.twin.mac.retransmission import due_process
from ranpilot.twin.mac.round_robin import allot_round_robin
from ranpilot.twin.mac.scratch import BLOCKS, RETRANSMITTERS, Scratch
from ranpilot.twin.parameters import PROPORTIONAL_FAIR, Parameters

__all__ = ["list_candidates", "schedule"]

WANTED_MARGIN = 1.05
"""Groups are given for 5 % more than the backlog, since the block may get a lower MCS than the reports promise."""


@inner_kernel
def list_candidates(net: s.Network, scratch: Scratch, slot: int) -> None:
    """Find who has something to send and may be served, and who waits for a retransmission."""
    for cell in range(len(scratch.num_candidates)):
        scratch.num_candidates[cell] = 0
        scratch.active[cell] = 0
    scratch.count[RETRANSMITTERS] = 0
    most_waiting = net.processes.block_bits.shape[1]
    for ue in range(len(scratch.granted)):
        cell = net.users.serving_cell[ue]
        if cell < 0:
            continue
        backlog_bits = net.queues.backlog_bits[ue]
        waiting = net.processes.waiting[ue]
        if backlog_bits == 0 and waiting == 0:
            continue
        net.counters.ue[ue, s.UE_BUSY_SLOTS] += 1
        net.counters.cell[cell, s.CELL_BUSY_SLOTS] += 1
        scratch.granted[ue] = 0
        if slot < net.users.interrupted_until[ue]:
            continue
        if waiting > 0:
            scratch.retransmitter[scratch.count[RETRANSMITTERS]] = ue
            scratch.count[RETRANSMITTERS] += 1
        if backlog_bits > 0 and waiting < most_waiting:
            scratch.candidate[cell, scratch.num_candidates[cell]] = ue
            scratch.num_candidates[cell] += 1
            scratch.wanted_bits[ue] = backlog_bits * WANTED_MARGIN


@inner_kernel
def schedule(net: s.Network, parameters: Parameters, scratch: Scratch, slot: int) -> None:
    """List the blocks of this slot and the groups that each cell transmits on."""
    scratch.count[BLOCKS] = 0
    for index in range(scratch.count[RETRANSMITTERS]):
        _grant_retransmission(net, scratch, scratch.retransmitter[index], slot)
    for cell in range(len(scratch.active)):
        if scratch.num_candidates[cell] > 0:
            _allot(net, parameters, scratch, cell)
            _list_new_blocks(scratch, cell)
        _count_prbs(net, parameters, scratch, cell)


@inner_kernel
def _allot(net: s.Network, parameters: Parameters, scratch: Scratch, cell: int) -> None:
    if parameters.link.scheduler == PROPORTIONAL_FAIR:
        allot_proportional_fair(net, parameters, scratch, cell)
    else:
        allot_round_robin(net, parameters, scratch, cell)


@inner_kernel
def _grant_retransmission(net: s.Network, scratch: Scratch, ue: int, slot: int) -> None:
    process = due_process(net.processes, ue, slot)
    if process < 0:
        return
    cell = net.users.serving_cell[ue]
    groups = net.processes.groups[ue, process]
    if groups & scratch.active[cell]:
        return
    scratch.active[cell] |= groups
    # One block a user and slot: who repeats gets no new block.
    scratch.wanted_bits[ue] = 0.0
    _drop_candidate(scratch, cell, ue)
    _add_block(scratch, ue, groups, process)


@inner_kernel
def _drop_candidate(scratch: Scratch, cell: int, ue: int) -> None:
    kept = 0
    for index in range(scratch.num_candidates[cell]):
        other = scratch.candidate[cell, index]
        if other != ue:
            scratch.candidate[cell, kept] = other
            kept += 1
    scratch.num_candidates[cell] = kept


@inner_kernel
def _list_new_blocks(scratch: Scratch, cell: int) -> None:
    for index in range(scratch.num_candidates[cell]):
        ue = scratch.candidate[cell, index]
        if scratch.granted[ue] != 0:
            scratch.active[cell] |= scratch.granted[ue]
            _add_block(scratch, ue, scratch.granted[ue], -1)


@inner_kernel
def _add_block(scratch: Scratch, ue: int, groups: int, process: int) -> None:
    block = scratch.count[BLOCKS]
    scratch.block_ue[block] = ue
    scratch.block_groups[block] = groups
    scratch.block_process[block] = process
    scratch.count[BLOCKS] = block + 1


@inner_kernel
def _count_prbs(net: s.Network, parameters: Parameters, scratch: Scratch, cell: int) -> None:
    """Count what is in use and let the running mean of the cell's activity follow."""
    weight = parameters.link.activity_weight
    used = 0
    for group in range(len(parameters.grid.group_prbs)):
        is_active = (scratch.active[cell] >> group) & 1
        used += is_active * parameters.grid.group_prbs[group]
        net.cells.activity[cell, group] += weight * (is_active - net.cells.activity[cell, group])
    net.counters.cell[cell, s.CELL_PRBS] += used
    net.counters.cell[cell, s.CELL_CONNECTED_SUM] += net.cells.connected_ues[cell]
