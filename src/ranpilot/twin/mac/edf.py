"""Earliest deadline first: every group goes to the packet that expires first among those that no group is given for.

A user's urgency is weight / slots until its oldest such packet expires; among equals the first place has the group.
Users without a deadline come after all others and share what is left by proportional fair. Source: Liu, Layland 1973;
the rate on the group does not count, so that bad channels cost the cell throughput.
"""

from __future__ import annotations

from ranpilot.kernels import inner_kernel, woven_kernel
from ranpilot.twin import state as s
from ranpilot.twin.mac.proportional_fair import LEAST_MEAN_RATE
from ranpilot.twin.mac.scratch import (
    ACTIVE,
    GRANTED,
    HEAD,
    HEAD_BITS,
    NUM_CANDIDATES,
    WANTED_BITS,
    WANTED_MARGIN,
    WEIGHT,
    Scratch,
)
from ranpilot.twin.parameters import GROUP_BITS, Parameters

__all__ = ["allot_earliest_deadline"]


@woven_kernel
def allot_earliest_deadline(net: s.Network, parameters: Parameters, scratch: Scratch, cell: int, slot: int) -> None:
    """Give the free groups of `cell` to users with a deadline, and the others their weights for what is left."""
    candidates, num_candidates = scratch.candidate[cell], scratch.cell[cell, NUM_CANDIDATES]
    group_bits, group_prbs, cqi = parameters.link.cqi[GROUP_BITS], parameters.grid.group_prbs, net.cqi
    for index in range(num_candidates):
        ue = candidates[index]
        scratch.ue[ue, HEAD] = net.ue[ue, s.SENDING]
        scratch.ue_real[ue, HEAD_BITS] = _bits_wanted(net, ue, net.ue[ue, s.SENDING])
        # A slice may be offered groups more than once in a slot: what it got before is for the oldest packets.
        _give(net, scratch, ue, net.ue[ue, s.BACKLOG_BITS] * WANTED_MARGIN - scratch.ue_real[ue, WANTED_BITS])
        scratch.ue_real[ue, WEIGHT] = _urgency(net, scratch, ue, slot)
    for group in range(len(group_prbs)):
        if (scratch.cell[cell, ACTIVE] >> group) & 1:
            continue
        best = -1
        best_urgency = 0.0
        for index in range(num_candidates):
            ue = candidates[index]
            if scratch.ue_real[ue, WEIGHT] > best_urgency and cqi[ue, group] > 0:
                best_urgency = scratch.ue_real[ue, WEIGHT]
                best = ue
        if best < 0:
            continue
        scratch.ue[best, GRANTED] |= 1 << group
        scratch.cell[cell, ACTIVE] |= 1 << group
        bits = group_bits[cqi[best, group]] * group_prbs[group]
        scratch.ue_real[best, WANTED_BITS] -= bits
        _give(net, scratch, best, bits)
        scratch.ue_real[best, WEIGHT] = _urgency(net, scratch, best, slot)
    for index in range(num_candidates):
        ue = candidates[index]
        scratch.ue_real[ue, WEIGHT] = 0.0
        if net.ue[ue, s.DEADLINE_SLOTS] == s.NEVER:
            mean_rate = net.ue_real[ue, s.MEAN_RATE] + LEAST_MEAN_RATE
            scratch.ue_real[ue, WEIGHT] = net.ue_real[ue, s.SCHEDULING_WEIGHT] / mean_rate


@inner_kernel
def _give(net: s.Network, scratch: Scratch, ue: int, bits: float) -> None:
    """Let groups for that many bits go to the oldest packets that none are given for."""
    scratch.ue_real[ue, HEAD_BITS] -= bits
    while scratch.ue_real[ue, HEAD_BITS] <= 0.0 and scratch.ue[ue, HEAD] + 1 < net.ue[ue, s.END]:
        scratch.ue[ue, HEAD] += 1
        scratch.ue_real[ue, HEAD_BITS] += _bits_wanted(net, ue, scratch.ue[ue, HEAD])


@inner_kernel
def _bits_wanted(net: s.Network, ue: int, packet: int) -> float:
    return float(net.packet[ue, packet % net.packet.shape[1], s.BITS_LEFT] * WANTED_MARGIN)


@inner_kernel
def _urgency(net: s.Network, scratch: Scratch, ue: int, slot: int) -> float:
    """Of the packet HEAD; 0 for a user without a deadline or one that has enough."""
    if net.ue[ue, s.DEADLINE_SLOTS] == s.NEVER or scratch.ue_real[ue, WANTED_BITS] <= 0.0:
        return 0.0
    arrival_slot = net.packet[ue, scratch.ue[ue, HEAD] % net.packet.shape[1], s.ARRIVAL_SLOT]
    # What is left of the deadline in this slot is at least one slot: expired packets are gone.
    return float(net.ue_real[ue, s.SCHEDULING_WEIGHT] / (arrival_slot + net.ue[ue, s.DEADLINE_SLOTS] - slot))
