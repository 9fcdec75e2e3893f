"""A slow, obvious twin of queues and schedulers: one cell, one MCS, no errors, every user with the best CQI.

Packets are objects in lists; a slot is written down as DESIGN says it: arrivals, expiry, reports, scheduling, sending.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

WANTED_MARGIN = 1.05


@dataclass
class Packet:
    arrival_slot: int
    bits: int


@dataclass
class User:
    queue: list[Packet] = field(default_factory=list)
    mean_rate: float = 0.0
    has_report: bool = False
    prbs: int = 0
    packets_out: int = 0
    bits_out: int = 0
    delay_slots: int = 0
    expired: int = 0
    overflowed: int = 0


@dataclass
class Rules:
    group_prbs: Sequence[int]
    prb_bits: float
    """What a scheduler counts on for one PRB."""
    block_bits: Sequence[int]
    """Transport block size by number of PRBs."""
    buffer_packets: int
    deadline_slots: int
    fairness_weight: float
    is_fair: bool
    cqi_period: int
    cqi_delay: int


class OneCell:
    def __init__(self, rules: Rules, num_ues: int) -> None:
        self.rules = rules
        self.users = [User() for _ in range(num_ues)]
        self.next_ue = 0

    def run_slot(self, slot: int, arrivals: Sequence[tuple[int, int]]) -> None:
        """arrivals: (user, bits) of this slot in order."""
        rules = self.rules
        for ue, bits in arrivals:
            user = self.users[ue]
            if len(user.queue) >= rules.buffer_packets:
                user.overflowed += 1
            else:
                user.queue.append(Packet(slot, bits))
        for user in self.users:
            fresh = [packet for packet in user.queue if slot - packet.arrival_slot < rules.deadline_slots]
            user.expired += len(user.queue) - len(fresh)
            user.queue = fresh
        for ue, user in enumerate(self.users):
            if slot >= rules.cqi_delay and (slot - rules.cqi_delay) % rules.cqi_period == ue % rules.cqi_period:
                user.has_report = slot - rules.cqi_delay >= ue % rules.cqi_period
        granted = self._fair() if rules.is_fair else self._in_turn()
        for ue, user in enumerate(self.users):
            sent = self._send(user, granted[ue], slot)
            user.mean_rate += rules.fairness_weight * (sent - user.mean_rate)

    def _wanting(self) -> dict[int, float]:
        return {
            ue: sum(packet.bits for packet in user.queue) * WANTED_MARGIN
            for ue, user in enumerate(self.users)
            if user.queue
        }

    def _fair(self) -> list[int]:
        wanted = self._wanting()
        granted = [0] * len(self.users)
        for prbs in self.rules.group_prbs:
            can = [ue for ue in wanted if wanted[ue] > 0 and self.users[ue].has_report]
            if not can:
                continue
            best = max(can, key=lambda ue: (1.0 / (self.users[ue].mean_rate + 1.0), -ue))
            granted[best] += prbs
            wanted[best] -= self.rules.prb_bits * prbs
        return granted

    def _in_turn(self) -> list[int]:
        wanted = self._wanting()
        granted = [0] * len(self.users)
        num_ues = len(self.users)
        for prbs in self.rules.group_prbs:
            for step in range(num_ues):
                ue = (self.next_ue + step) % num_ues
                if wanted.get(ue, 0.0) > 0 and self.users[ue].has_report:
                    granted[ue] += prbs
                    wanted[ue] -= self.rules.prb_bits * prbs
                    self.next_ue = ue + 1
                    break
        return granted

    def _send(self, user: User, prbs: int, slot: int) -> int:
        if prbs == 0:
            return 0
        user.prbs += prbs
        room = self.rules.block_bits[prbs]
        sent = 0
        while room > 0 and user.queue:
            head = user.queue[0]
            taken = min(room, head.bits)
            head.bits -= taken
            room -= taken
            sent += taken
            if head.bits == 0:
                user.queue.pop(0)
                user.packets_out += 1
                user.delay_slots += slot - head.arrival_slot + 1
        user.bits_out += sent
        return sent


def fairness_weight(slot_s: float, time_ms: float) -> float:
    """Weight of one slot in the running mean."""
    return -math.expm1(-slot_s / (time_ms * 1e-3))
