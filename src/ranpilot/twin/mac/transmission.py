"""Phases 4 to 6 of a slot: blocks are sent, decoded or not, and their packets settled.

MCS: the mean of the SINRs that the reported CQIs stand for, over the granted groups, less the outer loop's offset,
which steps up on a failed and down on a decoded first transmission so that their share is the target of the user's
kind of traffic. The groups of a block count alike in the effective SINR, also where the carrier's last group is
narrower. Source of the outer loop: Sampath, Kumar, Holtzman 1997; Pedersen et al. 2007.
"""

from __future__ import annotations

import math

from ranpilot.kernels import inner_kernel, woven_kernel
from ranpilot.twin import slice_columns as seats
from ranpilot.twin import state as s
from ranpilot.twin.mac.queue import count_in_slice, deliver_packets, drain_queue, lose_packets, settle_oldest
from ranpilot.twin.mac.retransmission import free_process, free_process_index
from ranpilot.twin.mac.scratch import ACKNOWLEDGED, BLOCK_GROUPS, BLOCK_PROCESS, BLOCK_UE, BLOCKS, Scratch
from ranpilot.twin.mac.sinr import fill_sinr
from ranpilot.twin.parameters import (
    CQI_SINR_DB,
    NUM_CODE_BLOCKS,
    SIZE_CLASS,
    STEP_DOWN_DB,
    STEP_UP_DB,
    TRANSPORT_BITS,
    Parameters,
)
from ranpilot.twin.phy.bler import transport_block_error
from ranpilot.twin.phy.effective_sinr import effective_sinr_db
from ranpilot.twin.phy.link_adaptation import index_from_sinr_db
from ranpilot.twin.rng import STREAM_BLER, draw_uniform

__all__ = ["send_blocks", "update_mean_rates"]


@woven_kernel
def send_blocks(net: s.Network, parameters: Parameters, scratch: Scratch, slot: int) -> None:
    """Send every block of the slot."""
    for block in range(scratch.total[BLOCKS]):
        ue = scratch.block[block, BLOCK_UE]
        process = scratch.block[block, BLOCK_PROCESS]
        if process < 0:
            _send_new(net, parameters, scratch, ue, scratch.block[block, BLOCK_GROUPS], slot)
        else:
            _send_again(net, parameters, scratch, ue, process, slot)


@woven_kernel
def update_mean_rates(net: s.Network, parameters: Parameters, scratch: Scratch) -> None:
    """Let proportional fair's mean rate follow what was acknowledged in this slot."""
    weight = parameters.link.fairness_weight
    for ue in range(len(scratch.ue)):
        net.ue_real[ue, s.MEAN_RATE] += weight * (scratch.ue_real[ue, ACKNOWLEDGED] - net.ue_real[ue, s.MEAN_RATE])
        scratch.ue_real[ue, ACKNOWLEDGED] = 0.0


@woven_kernel
def _choose_mcs(net: s.Network, parameters: Parameters, ue: int, groups: int) -> int:
    if parameters.link.fixed_mcs >= 0:
        return parameters.link.fixed_mcs
    total_db = 0.0
    count = 0
    for group in range(net.cqi.shape[1]):
        if (groups >> group) & 1:
            total_db += parameters.link.cqi[CQI_SINR_DB][net.cqi[ue, group]]
            count += 1
    return index_from_sinr_db(parameters.phy.mcs_threshold_db, total_db / count - net.ue_real[ue, s.OFFSET_DB])


@inner_kernel
def _count_group_prbs(parameters: Parameters, groups: int) -> int:
    prbs = 0
    for group in range(len(parameters.grid.group_prbs)):
        if (groups >> group) & 1:
            prbs += parameters.grid.group_prbs[group]
    return prbs


@woven_kernel
def _send_new(net: s.Network, parameters: Parameters, scratch: Scratch, ue: int, groups: int, slot: int) -> None:
    cell = net.ue[ue, s.SERVING_CELL]
    mcs = _choose_mcs(net, parameters, ue, groups)
    prbs = _count_group_prbs(parameters, groups)
    block_bits = parameters.phy.block[mcs, prbs, TRANSPORT_BITS]
    payload_bits, first_packet, num_packets = drain_queue(net, ue, block_bits)
    count = fill_sinr(net, parameters.air, scratch, ue, groups, slot)
    sinr_db = effective_sinr_db(scratch.sinr, 0, count, parameters.phy.eesm_beta[mcs])
    is_decoded = _draw_decoded(net, parameters, ue, mcs, prbs, sinr_db, slot)
    net.ue_count[ue, s.UE_PRBS] += prbs
    net.quality_count[cell, s.FIRST_MCS_BIN + mcs] += prbs
    count_in_slice(net, cell, net.ue[ue, s.SLICE], seats.SLICE_PRBS, prbs)
    net.cell_count[cell, s.CELL_BLOCKS] += 1
    net.cell_count[cell, s.CELL_FIRST_BLOCKS] += 1
    if is_decoded:
        # At the highest rate success says nothing, and credit piled up there would be paid back in errors.
        if mcs < len(parameters.phy.mcs_threshold_db) - 1:
            _move_offset(net, parameters, ue, -_step_db(net, parameters, ue, seats.SLICE_STEP_DOWN_DB, STEP_DOWN_DB))
        settle_oldest(net, ue)
        _acknowledge(net, parameters, scratch, ue, payload_bits, slot)
        deliver_packets(net, parameters.link.delay_bin, ue, first_packet, num_packets, slot)
        return
    if mcs > 0:
        _move_offset(net, parameters, ue, _step_db(net, parameters, ue, seats.SLICE_STEP_UP_DB, STEP_UP_DB))
    net.cell_count[cell, s.CELL_BLOCK_ERRORS] += 1
    net.cell_count[cell, s.CELL_FIRST_ERRORS] += 1
    if parameters.link.max_transmissions == 1:
        net.cell_count[cell, s.CELL_RESIDUAL_ERRORS] += 1
        lose_packets(net, ue, payload_bits, num_packets)
        settle_oldest(net, ue)
        return
    process = free_process_index(net, ue)
    net.ue[ue, s.WAITING] += 1
    net.process[ue, process, s.BLOCK_BITS] = block_bits
    net.process[ue, process, s.PAYLOAD_BITS] = payload_bits
    net.process[ue, process, s.GROUPS] = groups
    net.process[ue, process, s.MCS] = mcs
    net.process[ue, process, s.DUE_SLOT] = slot + parameters.link.round_trip_slots
    net.process[ue, process, s.TRANSMISSIONS] = 1
    net.process_sinr[ue, process] = math.pow(10.0, 0.1 * sinr_db)
    net.process[ue, process, s.FIRST_PACKET] = first_packet
    net.process[ue, process, s.NUM_PACKETS] = num_packets


@woven_kernel
def _send_again(net: s.Network, parameters: Parameters, scratch: Scratch, ue: int, process: int, slot: int) -> None:
    cell = net.ue[ue, s.SERVING_CELL]
    groups = net.process[ue, process, s.GROUPS]
    mcs = net.process[ue, process, s.MCS]
    prbs = _count_group_prbs(parameters, groups)
    count = fill_sinr(net, parameters.air, scratch, ue, groups, slot)
    fresh_db = effective_sinr_db(scratch.sinr, 0, count, parameters.phy.eesm_beta[mcs])
    net.process_sinr[ue, process] += math.pow(10.0, 0.1 * fresh_db)
    net.process[ue, process, s.TRANSMISSIONS] += 1
    sinr_db = 10.0 * math.log10(net.process_sinr[ue, process])
    is_decoded = _draw_decoded(net, parameters, ue, mcs, prbs, sinr_db, slot)
    payload_bits = net.process[ue, process, s.PAYLOAD_BITS]
    num_packets = net.process[ue, process, s.NUM_PACKETS]
    net.ue_count[ue, s.UE_PRBS] += prbs
    net.quality_count[cell, s.FIRST_MCS_BIN + mcs] += prbs
    count_in_slice(net, cell, net.ue[ue, s.SLICE], seats.SLICE_PRBS, prbs)
    net.cell_count[cell, s.CELL_BLOCKS] += 1
    if is_decoded:
        _acknowledge(net, parameters, scratch, ue, payload_bits, slot)
        first_packet = net.process[ue, process, s.FIRST_PACKET]
        deliver_packets(net, parameters.link.delay_bin, ue, first_packet, num_packets, slot)
        free_process(net, ue, process)
        return
    net.cell_count[cell, s.CELL_BLOCK_ERRORS] += 1
    if net.process[ue, process, s.TRANSMISSIONS] < parameters.link.max_transmissions:
        net.process[ue, process, s.DUE_SLOT] = slot + parameters.link.round_trip_slots
        return
    net.cell_count[cell, s.CELL_RESIDUAL_ERRORS] += 1
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
        phy.block[mcs, prbs, SIZE_CLASS],
        phy.size_weight[mcs, prbs],
        phy.block[mcs, prbs, NUM_CODE_BLOCKS],
        sinr_db,
    )
    uniform = draw_uniform(net.identity[s.SEED], net.identity[s.NETWORK], ue, slot, STREAM_BLER)
    return uniform >= error_rate


@inner_kernel
def _acknowledge(
    net: s.Network, parameters: Parameters, scratch: Scratch, ue: int, payload_bits: int, slot: int
) -> None:
    scratch.ue_real[ue, ACKNOWLEDGED] += payload_bits
    net.ue_count[ue, s.UE_BITS_OUT] += payload_bits
    cell = net.ue[ue, s.SERVING_CELL]
    net.cell_count[cell, s.CELL_BITS_OUT] += payload_bits
    count_in_slice(net, cell, net.ue[ue, s.SLICE], seats.SLICE_BITS_OUT, payload_bits)


@inner_kernel
def _step_db(net: s.Network, parameters: Parameters, ue: int, of_slice: int, of_kind: int) -> float:
    """A step of the outer loop: what the user's slice sets in its cell, else what its kind of traffic does."""
    step_db = net.cell_slice_real[net.ue[ue, s.SERVING_CELL], net.ue[ue, s.SLICE], of_slice]
    if step_db == 0.0:
        step_db = parameters.link.kind[net.ue[ue, s.TRAFFIC_KIND], of_kind]
    return float(step_db)


@inner_kernel
def _move_offset(net: s.Network, parameters: Parameters, ue: int, step_db: float) -> None:
    most_db = parameters.link.most_offset_db
    net.ue_real[ue, s.OFFSET_DB] = min(max(net.ue_real[ue, s.OFFSET_DB] + step_db, -most_db), most_db)
