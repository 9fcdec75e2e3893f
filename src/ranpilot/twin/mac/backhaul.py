"""A backhaul that an event limits: one server for each cell, first in, first out, and a fixed time on the way.

A packet that comes while the backhaul of its user's cell is limited, or while an earlier one of the user is on its way,
stands in the user's ring behind the packets that the cell has. It is brought when it has been on its way for the fixed
time and the server has carried it whole: the cell's rate each slot, packet by packet in the order in which they came
(in the same slot, of places), whoever they are for. What is left of a slot in which nothing waits is not saved. What a
user has in its queue and on the way has room in `buffer_packets` and `buffer_bits`, what a cell's users have on the way
in the event's own limit; a packet that does not fit whole is lost. Nothing is discarded for its age on the way.
A packet's delay and deadline begin when it is brought: RLC and PDCP know of it from then on (TS 38.323 §7.3).
Simplifications: after a handover, what is on its way comes by the target's backhaul, at once where that has no limit.
"""

from __future__ import annotations

from ranpilot.kernels import inner_kernel, woven_kernel
from ranpilot.twin import state as s

__all__ = ["bring_packets", "send_on_the_way"]


@inner_kernel
def send_on_the_way(net: s.Network, ue: int, bits: int, slot: int, buffer_bits: int) -> None:
    """Put a packet on its way to the cell of `ue`, or count it as lost; buffer_bits: a user's that may wait at most."""
    capacity = net.packet.shape[1]
    cell = net.ue[ue, s.SERVING_CELL]
    number = net.ue[ue, s.END] + net.ue[ue, s.ON_THE_WAY]
    own_bits = net.ue[ue, s.BACKLOG_BITS] + net.ue[ue, s.ON_THE_WAY_BITS] + bits
    is_own_full = number - net.ue[ue, s.OLDEST] >= capacity or own_bits > buffer_bits
    if is_own_full or net.cell[cell, s.BACKHAUL_BITS] + bits > net.cell_real[cell, s.BACKHAUL_ROOM_BITS]:
        net.ue_count[ue, s.UE_PACKETS_BACKHAUL_LOST] += 1
        net.ue_count[ue, s.UE_BITS_BACKHAUL_LOST] += bits
        net.cell_count[cell, s.CELL_BACKHAUL_LOST] += 1
        return
    net.packet[ue, number % capacity, s.BITS_LEFT] = bits
    net.packet[ue, number % capacity, s.ARRIVAL_SLOT] = slot
    net.ue[ue, s.ON_THE_WAY] += 1
    net.ue[ue, s.ON_THE_WAY_BITS] += bits
    net.cell[cell, s.BACKHAUL_BITS] += bits


@woven_kernel
def bring_packets(net: s.Network, slot: int) -> None:
    """One slot of every cell's backhaul that has something to carry."""
    for cell in range(len(net.cell)):
        if net.cell[cell, s.BACKHAUL_BITS] > 0:
            _serve_cell(net, cell, slot)
        else:
            net.cell_real[cell, s.BACKHAUL_CREDIT_BITS] = 0.0


@woven_kernel
def _serve_cell(net: s.Network, cell: int, slot: int) -> None:
    capacity = net.packet.shape[1]
    credit_bits = net.cell_real[cell, s.BACKHAUL_CREDIT_BITS] + net.cell_real[cell, s.BACKHAUL_RATE_BITS]
    ue = _first_in(net, cell, slot)
    while ue >= 0:
        bits = net.packet[ue, net.ue[ue, s.END] % capacity, s.BITS_LEFT]
        if bits > credit_bits:
            break
        credit_bits -= bits
        _bring(net, ue, cell, slot)
        ue = _first_in(net, cell, slot)
    net.cell_real[cell, s.BACKHAUL_CREDIT_BITS] = credit_bits if ue >= 0 else 0.0


@inner_kernel
def _first_in(net: s.Network, cell: int, slot: int) -> int:
    """The user whose packet came first of those that have been on their way for the fixed time; -1 for none."""
    capacity = net.packet.shape[1]
    first_slot = slot - net.cell[cell, s.BACKHAUL_TIME_SLOTS] + 1
    first = -1
    for ue in range(len(net.ue)):
        if net.ue[ue, s.SERVING_CELL] == cell and net.ue[ue, s.ON_THE_WAY] > 0:
            came_slot = net.packet[ue, net.ue[ue, s.END] % capacity, s.ARRIVAL_SLOT]
            if came_slot < first_slot:
                first = ue
                first_slot = came_slot
    return first


@inner_kernel
def _bring(net: s.Network, ue: int, cell: int, slot: int) -> None:
    """Put the user's first packet on its way into its queue; it arrives in `slot`."""
    index = net.ue[ue, s.END] % net.packet.shape[1]
    bits = net.packet[ue, index, s.BITS_LEFT]
    net.cell_count[cell, s.CELL_BACKHAUL_PACKETS] += 1
    net.cell_count[cell, s.CELL_BACKHAUL_SLOTS] += slot - net.packet[ue, index, s.ARRIVAL_SLOT]
    net.packet[ue, index, s.ARRIVAL_SLOT] = slot
    net.ue[ue, s.END] += 1
    net.ue[ue, s.BACKLOG_BITS] += bits
    net.ue[ue, s.ON_THE_WAY] -= 1
    net.ue[ue, s.ON_THE_WAY_BITS] -= bits
    net.cell[cell, s.BACKHAUL_BITS] -= bits
