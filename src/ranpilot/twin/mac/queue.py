"""Packet queues: a ring for each user, first in, first out, with arrival slots and one deadline a user.

A packet is delivered when the block that carries its last bit is acknowledged, and lost when that block is given up;
reassembly in order over several blocks is not modelled. What expired, overflowed or was flushed is counted apart.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranpilot.kernels import inner_kernel
from ranpilot.twin import state as s

__all__ = [
    "PacketBlock",
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


@inner_kernel
def take_arrivals(net: s.Network, packets: PacketBlock, ue: int, slot: int) -> None:
    """Put the packets of this slot into the queue; in an empty place they are nobody's."""
    queues = net.queues
    capacity = queues.bits_left.shape[1]
    position = packets.start[ue] + queues.taken[ue]
    stop = packets.stop[ue]
    cell = net.users.serving_cell[ue]
    while position < stop and packets.slot[position] <= slot:
        bits = packets.bits[position]
        position += 1
        if cell < 0:
            continue
        net.counters.ue[ue, s.UE_PACKETS_IN] += 1
        net.counters.ue[ue, s.UE_BITS_IN] += bits
        net.counters.cell[cell, s.CELL_PACKETS_IN] += 1
        end = queues.end[ue]
        if end - queues.oldest[ue] >= capacity:
            net.counters.ue[ue, s.UE_PACKETS_OVERFLOWED] += 1
            net.counters.ue[ue, s.UE_BITS_OVERFLOWED] += bits
            net.counters.cell[cell, s.CELL_PACKETS_DROPPED] += 1
            continue
        queues.bits_left[ue, end % capacity] = bits
        queues.arrival_slot[ue, end % capacity] = slot
        queues.end[ue] = end + 1
        queues.backlog_bits[ue] += bits
    queues.taken[ue] = position - packets.start[ue]
    queues.next_arrival_slot[ue] = packets.slot[position] if position < stop else s.NEVER


@inner_kernel
def expire_packets(net: s.Network, ue: int, slot: int) -> None:
    """Discard the packets that have waited for their deadline, what is left of a half-sent one too."""
    queues = net.queues
    capacity = queues.bits_left.shape[1]
    first = queues.sending[ue]
    while first < queues.end[ue]:
        index = first % capacity
        if slot - queues.arrival_slot[ue, index] < net.users.deadline_slots[ue]:
            break
        queues.backlog_bits[ue] -= queues.bits_left[ue, index]
        net.counters.ue[ue, s.UE_PACKETS_EXPIRED] += 1
        net.counters.ue[ue, s.UE_BITS_EXPIRED] += queues.bits_left[ue, index]
        net.counters.cell[net.users.serving_cell[ue], s.CELL_PACKETS_DROPPED] += 1
        first += 1
    if first != queues.sending[ue]:
        queues.sending[ue] = first
        settle_oldest(net, ue)


@inner_kernel
def drain_queue(queues: s.Queues, ue: int, room_bits: int) -> tuple[int, int, int]:
    """Take up to `room_bits` from the queue: bits taken, first packet that is now sent whole, how many are."""
    capacity = queues.bits_left.shape[1]
    first = queues.sending[ue]
    packet = first
    room = room_bits
    while room > 0 and packet < queues.end[ue]:
        index = packet % capacity
        taken = min(room, queues.bits_left[ue, index])
        queues.bits_left[ue, index] -= taken
        room -= taken
        if queues.bits_left[ue, index] > 0:
            break
        packet += 1
    queues.sending[ue] = packet
    queues.backlog_bits[ue] -= room_bits - room
    return room_bits - room, first, packet - first


@inner_kernel
def deliver_packets(net: s.Network, delay_bin: NDArray[np.int32], ue: int, first: int, num_packets: int, slot: int) -> None:
    """Count packets as delivered in `slot`."""
    capacity = net.queues.bits_left.shape[1]
    cell = net.users.serving_cell[ue]
    delay_sum = 0
    for packet in range(first, first + num_packets):
        # The arrival slot counts: a packet that is served at once has waited one slot.
        delay_slots = slot - net.queues.arrival_slot[ue, packet % capacity] + 1
        delay_sum += delay_slots
        net.counters.delay[cell, delay_bin[min(delay_slots, len(delay_bin) - 1)]] += 1
    net.counters.ue[ue, s.UE_DELAY_SLOTS] += delay_sum
    net.counters.ue[ue, s.UE_PACKETS_OUT] += num_packets
    net.counters.cell[cell, s.CELL_DELAY_SLOTS] += delay_sum
    net.counters.cell[cell, s.CELL_PACKETS_OUT] += num_packets


@inner_kernel
def lose_packets(net: s.Network, ue: int, bits: int, num_packets: int) -> None:
    """Count a block as lost over the air."""
    net.counters.ue[ue, s.UE_PACKETS_LOST] += num_packets
    net.counters.ue[ue, s.UE_BITS_LOST] += bits
    net.counters.cell[net.users.serving_cell[ue], s.CELL_PACKETS_LOST] += num_packets


@inner_kernel
def settle_oldest(net: s.Network, ue: int) -> None:
    """Free the ring up to the oldest packet that waits or whose block is not settled."""
    oldest = net.queues.sending[ue]
    if net.processes.waiting[ue] > 0:
        for process in range(net.processes.block_bits.shape[1]):
            if net.processes.block_bits[ue, process] > 0:
                oldest = min(oldest, net.processes.first_packet[ue, process])
    net.queues.oldest[ue] = oldest


@inner_kernel
def flush_queue(net: s.Network, ue: int) -> None:
    """Empty the queue of a user who leaves."""
    queues = net.queues
    net.counters.ue[ue, s.UE_PACKETS_FLUSHED] += queues.end[ue] - queues.sending[ue]
    net.counters.ue[ue, s.UE_BITS_FLUSHED] += queues.backlog_bits[ue]
    queues.backlog_bits[ue] = 0
    queues.sending[ue] = queues.end[ue]
    queues.oldest[ue] = queues.end[ue]
