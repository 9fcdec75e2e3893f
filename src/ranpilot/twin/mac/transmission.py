"""Phases 4 to 6 of a slot: blocks are sent, decoded or not, and their packets settled.

MCS: the mean of the SINRs that the reported CQIs stand for, over the granted groups, less the outer loop's offset, which
steps up on a failed and down on a decoded first transmission so that their share is the target. The groups of a block
count alike in the effective SINR, also where the carrier's last group is narrower.
"""

from __future__ import annotations

import math

from ranpilot.kernels import inner_kernel
from ranpilot.twin import state as s
from ranpilot.twin.mac.queue import deliver_packets, drain_queue, lose_packets, settle_oldest
from ranpilot.twin.mac.retransmission import free_process, free_process_index
from ranpilot.twin.mac.scratch import BLOCKS, Scratch
from ranpilot.twin.mac.sinr import fill_sinr
from ranpilot.twin.parameters import Parameters
from ranpilot.twin.phy.bler import transport_block_error
from ranpilot.twin.phy.effective_sinr import effective_sinr_db
from ranpilot.twin.phy.link_adaptation import index_from_sinr_db
from ranpilot.twin.rng import STREAM_BLER, draw_uniform

__all__ = ["send_blocks", "update_mean_rates"]

MOST_OFFSET_DB = 10.0
"""Bound of the outer loop's offset, either way."""


@inner_kernel
def send_blocks(net: s.Network, parameters: Parameters, scratch: Scratch, slot: int) -> None:
    """Send every block of the slot."""
    for block in range(scratch.count[BLOCKS]):
        ue = scratch.block_ue[block]
        process = scratch.block_process[block]
        if process < 0:
            _send_new(net, parameters, scratch, ue, scratch.block_groups[block], slot)
        else:
            _send_again(net, parameters, scratch, ue, process, slot)


@inner_kernel
def update_mean_rates(net: s.Network, parameters: Parameters, scratch: Scratch) -> None:
    """Let proportional fair's mean rate follow what was acknowledged in this slot."""
    weight = parameters.link.fairness_weight
    for ue in range(len(scratch.acknowledged)):
        net.reports.mean_rate[ue] += weight * (scratch.acknowledged[ue] - net.reports.mean_rate[ue])
        scratch.acknowledged[ue] = 0.0


@inner_kernel
def _choose_mcs(net: s.Network, parameters: Parameters, ue: int, groups: int) -> int:
    if parameters.link.fixed_mcs >= 0:
        return parameters.link.fixed_mcs
    total_db = 0.0
    count = 0
    for group in range(net.reports.cqi.shape[1]):
        if (groups >> group) & 1:
            total_db += parameters.link.cqi_sinr_db[net.reports.cqi[ue, group]]
            count += 1
    return index_from_sinr_db(parameters.phy.mcs_threshold_db, total_db / count - net.reports.offset_db[ue])


@inner_kernel
def _count_group_prbs(parameters: Parameters, groups: int) -> int:
    prbs = 0
    for group in range(len(parameters.grid.group_prbs)):
        if (groups >> group) & 1:
            prbs += parameters.grid.group_prbs[group]
    return prbs


@inner_kernel
def _send_new(net: s.Network, parameters: Parameters, scratch: Scratch, ue: int, groups: int, slot: int) -> None:
    cell = net.users.serving_cell[ue]
    mcs = _choose_mcs(net, parameters, ue, groups)
    prbs = _count_group_prbs(parameters, groups)
    block_bits = parameters.phy.tbs_bits[mcs, prbs]
    payload_bits, first_packet, num_packets = drain_queue(net.queues, ue, block_bits)
    count = fill_sinr(net, parameters.air, scratch, ue, groups, slot)
    sinr_db = effective_sinr_db(scratch.sinr, 0, count, parameters.phy.eesm_beta[mcs])
    is_decoded = _draw_decoded(net, parameters, ue, mcs, prbs, sinr_db, slot)
    net.counters.ue[ue, s.UE_PRBS] += prbs
    net.counters.cell[cell, s.CELL_BLOCKS] += 1
    net.counters.cell[cell, s.CELL_FIRST_BLOCKS] += 1
    if is_decoded:
        _move_offset(net.reports, ue, -parameters.link.step_down_db)
        settle_oldest(net, ue)
        _acknowledge(net, parameters, scratch, ue, payload_bits, slot)
        deliver_packets(net, parameters.link.delay_bin, ue, first_packet, num_packets, slot)
        return
    _move_offset(net.reports, ue, parameters.link.step_up_db)
    net.counters.cell[cell, s.CELL_BLOCK_ERRORS] += 1
    net.counters.cell[cell, s.CELL_FIRST_ERRORS] += 1
    if parameters.link.max_transmissions == 1:
        net.counters.cell[cell, s.CELL_RESIDUAL_ERRORS] += 1
        lose_packets(net, ue, payload_bits, num_packets)
        settle_oldest(net, ue)
        return
    processes = net.processes
    process = free_process_index(processes, ue)
    processes.waiting[ue] += 1
    processes.block_bits[ue, process] = block_bits
    processes.payload_bits[ue, process] = payload_bits
    processes.groups[ue, process] = groups
    processes.mcs[ue, process] = mcs
    processes.due_slot[ue, process] = slot + parameters.link.round_trip_slots
    processes.transmissions[ue, process] = 1
    processes.sinr[ue, process] = math.pow(10.0, 0.1 * sinr_db)
    processes.first_packet[ue, process] = first_packet
    processes.num_packets[ue, process] = num_packets


@inner_kernel
def _send_again(net: s.Network, parameters: Parameters, scratch: Scratch, ue: int, process: int, slot: int) -> None:
    processes = net.processes
    cell = net.users.serving_cell[ue]
    groups = processes.groups[ue, process]
    mcs = processes.mcs[ue, process]
    prbs = _count_group_prbs(parameters, groups)
    count = fill_sinr(net, parameters.air, scratch, ue, groups, slot)
    fresh_db = effective_sinr_db(scratch.sinr, 0, count, parameters.phy.eesm_beta[mcs])
    processes.sinr[ue, process] += math.pow(10.0, 0.1 * fresh_db)
    processes.transmissions[ue, process] += 1
    sinr_db = 10.0 * math.log10(processes.sinr[ue, process])
    is_decoded = _draw_decoded(net, parameters, ue, mcs, prbs, sinr_db, slot)
    payload_bits = processes.payload_bits[ue, process]
    num_packets = processes.num_packets[ue, process]
    net.counters.ue[ue, s.UE_PRBS] += prbs
    net.counters.cell[cell, s.CELL_BLOCKS] += 1
    if is_decoded:
        _acknowledge(net, parameters, scratch, ue, payload_bits, slot)
        first_packet = processes.first_packet[ue, process]
        deliver_packets(net, parameters.link.delay_bin, ue, first_packet, num_packets, slot)
        free_process(net, ue, process)
        return
    net.counters.cell[cell, s.CELL_BLOCK_ERRORS] += 1
    if processes.transmissions[ue, process] < parameters.link.max_transmissions:
        processes.due_slot[ue, process] = slot + parameters.link.round_trip_slots
        return
    net.counters.cell[cell, s.CELL_RESIDUAL_ERRORS] += 1
    lose_packets(net, ue, payload_bits, num_packets)
    free_process(net, ue, process)


@inner_kernel
def _draw_decoded(
    net: s.Network, parameters: Parameters, ue: int, mcs: int, prbs: int, sinr_db: float, slot: int
) -> bool:
    phy = parameters.phy
    error_rate = transport_block_error(
        phy.probit,
        mcs,
        phy.size_class[mcs, prbs],
        phy.size_weight[mcs, prbs],
        phy.num_code_blocks[mcs, prbs],
        sinr_db,
    )
    uniform = draw_uniform(net.identity.seed[0], net.identity.network[0], ue, slot, STREAM_BLER)
    return uniform >= error_rate


@inner_kernel
def _acknowledge(
    net: s.Network, parameters: Parameters, scratch: Scratch, ue: int, payload_bits: int, slot: int
) -> None:
    scratch.acknowledged[ue] += payload_bits
    net.counters.ue[ue, s.UE_BITS_OUT] += payload_bits
    net.counters.cell[net.users.serving_cell[ue], s.CELL_BITS_OUT] += payload_bits


@inner_kernel
def _move_offset(reports: s.Reports, ue: int, step_db: float) -> None:
    reports.offset_db[ue] = min(max(reports.offset_db[ue] + step_db, -MOST_OFFSET_DB), MOST_OFFSET_DB)
