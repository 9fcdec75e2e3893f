"""Packet queues: a ring for each user, first in, first out, with arrival slots and one deadline a user.

A packet is delivered when the block that carries its last bit is acknowledged, and lost when that block is given up;
reassembly in order over several blocks is not modelled. What expired, overflowed or was flushed is counted apart.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranpilot.kernels import inner_kernel, woven_kernel
from ranpilot.twin import slice_columns as seats
from ranpilot.twin import state as s
from ranpilot.twin.mac.backhaul import send_on_the_way

__all__ = [
    "PacketBlock",
    "count_in_slice",
    "deliver_packets",
    "drain_queue",
    "expire_packets",
    "flush_queue",
    "lose_packets",
    "settle_oldest",
    "take_arrivals",
]


class PacketBlock(NamedTuple):
    """The packets of one block of 1000 slots for all places; several networks may share them (read-only)."""

    start: NDArray[np.int64]
    """[B, U] where the packets of a place begin"""
    stop: NDArray[np.int64]
    """[B, U]"""
    slot: NDArray[np.int32]
    """[P] since the reset"""
    bits: NDArray[np.int32]
    """[P]"""
    level: NDArray[np.float32]
    """[P] factor of the cell's traffic from which on a packet is offered; [0] where no event changes the traffic"""


@inner_kernel
def count_in_slice(net: s.Network, cell: int, seat: int, column: int, amount: int) -> None:
    """Add to a counter of a slice in a cell, where the scenario has slices."""
    if net.slice_count.shape[1] > 0:
        net.slice_count[cell, seat, column] += amount


@woven_kernel
def take_arrivals(net: s.Network, packets: PacketBlock, ue: int, slot: int, buffer_bits: int) -> None:
    """Put the packets of this slot into the queue; in an empty place they are nobody's.

    buffer_bits: that may wait at most; a packet that does not fit whole is dropped.
    """
    capacity = net.packet.shape[1]
    position = packets.start[ue] + net.ue[ue, s.TAKEN]
    stop = packets.stop[ue]
    cell = net.ue[ue, s.SERVING_CELL]
    while position < stop and packets.slot[position] <= slot:
        bits = packets.bits[position]
        is_offered = cell >= 0
        if is_offered and len(packets.level) > 0:
            is_offered = packets.level[position] < net.cell_real[cell, s.TRAFFIC_FACTOR]
        position += 1
        if not is_offered:
            continue
        net.ue_count[ue, s.UE_PACKETS_IN] += 1
        net.ue_count[ue, s.UE_BITS_IN] += bits
        net.cell_count[cell, s.CELL_PACKETS_IN] += 1
        count_in_slice(net, cell, net.ue[ue, s.SLICE], seats.SLICE_PACKETS_IN, 1)
        count_in_slice(net, cell, net.ue[ue, s.SLICE], seats.SLICE_BITS_IN, bits)
        if net.ue[ue, s.ON_THE_WAY] > 0 or net.cell[cell, s.IS_BACKHAUL_LIMITED] == 1:
            send_on_the_way(net, ue, bits, slot, buffer_bits)
            continue
        end = net.ue[ue, s.END]
        if end - net.ue[ue, s.OLDEST] >= capacity or net.ue[ue, s.BACKLOG_BITS] + bits > buffer_bits:
            net.ue_count[ue, s.UE_PACKETS_OVERFLOWED] += 1
            net.ue_count[ue, s.UE_BITS_OVERFLOWED] += bits
            net.cell_count[cell, s.CELL_PACKETS_DROPPED] += 1
            count_in_slice(net, cell, net.ue[ue, s.SLICE], seats.SLICE_PACKETS_DROPPED, 1)
            continue
        net.packet[ue, end % capacity, s.BITS_LEFT] = bits
        net.packet[ue, end % capacity, s.ARRIVAL_SLOT] = slot
        net.ue[ue, s.END] = end + 1
        net.ue[ue, s.BACKLOG_BITS] += bits
    net.ue[ue, s.TAKEN] = position - packets.start[ue]
    net.ue[ue, s.NEXT_ARRIVAL_SLOT] = packets.slot[position] if position < stop else s.NEVER


@woven_kernel
def expire_packets(net: s.Network, ue: int, slot: int) -> None:
    """Discard the packets that have waited for their deadline, what is left of a half-sent one too."""
    capacity = net.packet.shape[1]
    first = net.ue[ue, s.SENDING]
    while first < net.ue[ue, s.END]:
        index = first % capacity
        if slot - net.packet[ue, index, s.ARRIVAL_SLOT] < net.ue[ue, s.DEADLINE_SLOTS]:
            break
        net.ue[ue, s.BACKLOG_BITS] -= net.packet[ue, index, s.BITS_LEFT]
        net.ue_count[ue, s.UE_PACKETS_EXPIRED] += 1
        net.ue_count[ue, s.UE_BITS_EXPIRED] += net.packet[ue, index, s.BITS_LEFT]
        first += 1
    if first != net.ue[ue, s.SENDING]:
        cell, num_expired = net.ue[ue, s.SERVING_CELL], first - net.ue[ue, s.SENDING]
        net.cell_count[cell, s.CELL_PACKETS_DROPPED] += num_expired
        count_in_slice(net, cell, net.ue[ue, s.SLICE], seats.SLICE_PACKETS_DROPPED, num_expired)
        net.ue[ue, s.SENDING] = first
        settle_oldest(net, ue)


@woven_kernel
def drain_queue(net: s.Network, ue: int, room_bits: int) -> tuple[int, int, int]:
    """Take up to `room_bits` from the queue: bits taken, first packet that is now sent whole, how many are."""
    capacity = net.packet.shape[1]
    first = net.ue[ue, s.SENDING]
    packet = first
    room = room_bits
    while room > 0 and packet < net.ue[ue, s.END]:
        index = packet % capacity
        taken = min(room, net.packet[ue, index, s.BITS_LEFT])
        net.packet[ue, index, s.BITS_LEFT] -= taken
        room -= taken
        if net.packet[ue, index, s.BITS_LEFT] > 0:
            break
        packet += 1
    net.ue[ue, s.SENDING] = packet
    net.ue[ue, s.BACKLOG_BITS] -= room_bits - room
    return room_bits - room, first, packet - first


@inner_kernel
def deliver_packets(
    net: s.Network, delay_bin: NDArray[np.int32], ue: int, first: int, num_packets: int, slot: int
) -> None:
    """Count packets as delivered in `slot`."""
    capacity = net.packet.shape[1]
    cell = net.ue[ue, s.SERVING_CELL]
    seat = net.ue[ue, s.SLICE]
    delay_sum = 0
    for packet in range(first, first + num_packets):
        # The arrival slot counts: a packet that is served at once has waited one slot.
        delay_slots = slot - net.packet[ue, packet % capacity, s.ARRIVAL_SLOT] + 1
        delay_sum += delay_slots
        bin_index = delay_bin[min(delay_slots, len(delay_bin) - 1)]
        net.delay_count[cell, bin_index] += 1
        if net.slice_delay.shape[1] > 0:
            net.slice_delay[cell, seat, bin_index] += 1
            if delay_slots <= net.slice[seat, seats.BUDGET_SLOTS]:
                net.slice_count[cell, seat, seats.SLICE_PACKETS_ON_TIME] += 1
    net.ue_count[ue, s.UE_DELAY_SLOTS] += delay_sum
    net.ue_count[ue, s.UE_PACKETS_OUT] += num_packets
    net.cell_count[cell, s.CELL_DELAY_SLOTS] += delay_sum
    net.cell_count[cell, s.CELL_PACKETS_OUT] += num_packets
    count_in_slice(net, cell, seat, seats.SLICE_DELAY_SLOTS, delay_sum)
    count_in_slice(net, cell, seat, seats.SLICE_PACKETS_OUT, num_packets)


@inner_kernel
def lose_packets(net: s.Network, ue: int, bits: int, num_packets: int) -> None:
    """Count a block as lost over the air."""
    net.ue_count[ue, s.UE_PACKETS_LOST] += num_packets
    net.ue_count[ue, s.UE_BITS_LOST] += bits
    cell = net.ue[ue, s.SERVING_CELL]
    net.cell_count[cell, s.CELL_PACKETS_LOST] += num_packets
    count_in_slice(net, cell, net.ue[ue, s.SLICE], seats.SLICE_PACKETS_LOST, num_packets)


@inner_kernel
def settle_oldest(net: s.Network, ue: int) -> None:
    """Free the ring up to the oldest packet that waits or whose block is not settled."""
    oldest = net.ue[ue, s.SENDING]
    if net.ue[ue, s.WAITING] > 0:
        for process in range(net.process.shape[1]):
            if net.process[ue, process, s.BLOCK_BITS] > 0:
                oldest = min(oldest, net.process[ue, process, s.FIRST_PACKET])
    net.ue[ue, s.OLDEST] = oldest


@inner_kernel
def flush_queue(net: s.Network, ue: int) -> None:
    """Empty the queue of a user who leaves, what is on its way included."""
    on_the_way_bits = net.ue[ue, s.ON_THE_WAY_BITS]
    net.cell[net.ue[ue, s.SERVING_CELL], s.BACKHAUL_BITS] -= on_the_way_bits
    net.ue[ue, s.END] += net.ue[ue, s.ON_THE_WAY]
    net.ue[ue, s.ON_THE_WAY] = net.ue[ue, s.ON_THE_WAY_BITS] = 0
    net.ue_count[ue, s.UE_PACKETS_FLUSHED] += net.ue[ue, s.END] - net.ue[ue, s.SENDING]
    net.ue_count[ue, s.UE_BITS_FLUSHED] += net.ue[ue, s.BACKLOG_BITS] + on_the_way_bits
    net.ue[ue, s.BACKLOG_BITS] = 0
    net.ue[ue, s.SENDING] = net.ue[ue, s.END]
    net.ue[ue, s.OLDEST] = net.ue[ue, s.END]
