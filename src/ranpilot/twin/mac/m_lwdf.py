"""Modified largest weighted delay first (M-LWDF): the metric is weight x (-ln delta / tau) x W x rate / mean rate.

W: delay of the user's oldest packet, the slot of its arrival counted; tau: its deadline; delta: the share of packets
that may miss it (1 - `reliability` of the kind of traffic). Source: Andrews, Kumaran, Ramanan, Stolyar, Whiting,
Vijayakumar 2001 ("Providing quality of service over a shared wireless link"). Users without a deadline have the metric
of proportional fair, as a packet with deadline has it after waiting tau / -ln delta.
"""

from __future__ import annotations

from ranpilot.kernels import woven_kernel
from ranpilot.twin import state as s
from ranpilot.twin.mac.proportional_fair import LEAST_MEAN_RATE
from ranpilot.twin.mac.scratch import NUM_CANDIDATES, WEIGHT, Scratch
from ranpilot.twin.parameters import LOSS_EXPONENT, Parameters

__all__ = ["weigh_m_lwdf"]


@woven_kernel
def weigh_m_lwdf(net: s.Network, parameters: Parameters, scratch: Scratch, cell: int, slot: int) -> None:
    """Give the candidates of `cell` their weights."""
    capacity = net.packet.shape[1]
    for index in range(scratch.cell[cell, NUM_CANDIDATES]):
        ue = scratch.candidate[cell, index]
        weight = net.ue_real[ue, s.SCHEDULING_WEIGHT] / (net.ue_real[ue, s.MEAN_RATE] + LEAST_MEAN_RATE)
        deadline_slots = net.ue[ue, s.DEADLINE_SLOTS]
        if deadline_slots != s.NEVER:
            arrival_slot = net.packet[ue, net.ue[ue, s.SENDING] % capacity, s.ARRIVAL_SLOT]
            exponent = parameters.link.kind[net.ue[ue, s.TRAFFIC_KIND], LOSS_EXPONENT]
            weight *= exponent * (slot - arrival_slot + 1) / deadline_slots
        scratch.ue_real[ue, WEIGHT] = weight
