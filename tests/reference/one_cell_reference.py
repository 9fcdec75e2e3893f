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
    deadline_slots: int | None = None
    weight: float = 1.0
    queue: list[Packet] = field(default_factory=list)
    mean_rate: float = 0.0
    credit: float = 0.0
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
    buffer_bits: int
    fairness_weight: float
    scheduler: str
    loss: float
    """Share of packets that may miss their deadline."""
    cqi_period: int
    cqi_delay: int


class OneCell:
    def __init__(self, rules: Rules, users: Sequence[User]) -> None:
        self.rules = rules
        self.users = users
        self.next_ue = 0
        self.slot = 0

    def run_slot(self, slot: int, arrivals: Sequence[tuple[int, int]]) -> None:
        """arrivals: (user, bits) of this slot in order."""
        rules, self.slot = self.rules, slot
        for ue, bits in arrivals:
            user = self.users[ue]
            waiting_bits = sum(packet.bits for packet in user.queue)
            if len(user.queue) >= rules.buffer_packets or waiting_bits + bits > rules.buffer_bits:
                user.overflowed += 1
            else:
                user.queue.append(Packet(slot, bits))
        for user in self.users:
            limit = user.deadline_slots
            fresh = [packet for packet in user.queue if limit is None or slot - packet.arrival_slot < limit]
            user.expired += len(user.queue) - len(fresh)
            user.queue = fresh
        for ue, user in enumerate(self.users):
            if slot >= rules.cqi_delay and (slot - rules.cqi_delay) % rules.cqi_period == ue % rules.cqi_period:
                user.has_report = slot - rules.cqi_delay >= ue % rules.cqi_period
        granted = self._in_turn() if rules.scheduler == "round-robin" else self._by_metric()
        for ue, user in enumerate(self.users):
            sent = self._send(user, granted[ue], slot)
            user.mean_rate += rules.fairness_weight * (sent - user.mean_rate)

    def _wanting(self) -> dict[int, float]:
        return {
            ue: sum(packet.bits for packet in user.queue) * WANTED_MARGIN
            for ue, user in enumerate(self.users)
            if user.queue
        }

    def _by_metric(self) -> list[int]:
        wanted = self._wanting()
        open_packets = {ue: [packet.bits * WANTED_MARGIN for packet in self.users[ue].queue] for ue in wanted}
        granted = [0] * len(self.users)
        for prbs in self.rules.group_prbs:
            metric = {ue: self._metric(ue, open_packets[ue]) for ue in wanted if self._can(ue, wanted[ue])}
            if not metric:
                continue
            best = max(metric, key=lambda ue: (metric[ue], -ue))
            bits = self.rules.prb_bits * prbs
            granted[best] += prbs
            wanted[best] -= bits
            # The first packets of the queue are those that the groups so far are for.
            packets = open_packets[best]
            packets[0] -= bits
            while packets[0] <= 0 and len(packets) > 1:
                rest = packets.pop(0)
                packets[0] += rest
        return granted

    def _can(self, ue: int, wanted: float) -> bool:
        return wanted > 0 and self.users[ue].has_report and self.users[ue].weight > 0

    def _metric(self, ue: int, open_packets: list[float]) -> tuple[int, float]:
        """The class of a user (1 before 0) and the metric within it."""
        user, rules = self.users[ue], self.rules
        fair = user.weight / (user.mean_rate + 1.0)
        if rules.scheduler == "max-cqi":
            return 0, rules.prb_bits * user.weight
        if rules.scheduler == "proportional-fair" or user.deadline_slots is None:
            return 0, rules.prb_bits * fair
        if rules.scheduler == "m-lwdf":
            waited = self.slot - user.queue[0].arrival_slot + 1
            return 0, rules.prb_bits * (fair * (-math.log(rules.loss) * waited / user.deadline_slots))
        assert rules.scheduler == "edf"
        first = user.queue[len(user.queue) - len(open_packets)]
        return 1, user.weight / (first.arrival_slot + user.deadline_slots - self.slot)

    def _in_turn(self) -> list[int]:
        wanted = self._wanting()
        granted = [0] * len(self.users)
        num_ues = len(self.users)
        weights = {self.users[ue].weight for ue in wanted}
        for prbs in self.rules.group_prbs:
            can = [ue for ue in wanted if self._can(ue, wanted[ue])]
            for step in range(num_ues):
                ue = (self.next_ue + step) % num_ues
                if ue not in can or not self._takes_turn(self.users[ue], weights, can):
                    continue
                granted[ue] += prbs
                wanted[ue] -= self.rules.prb_bits * prbs
                self.next_ue = ue + 1
                break
        return granted

    def _takes_turn(self, user: User, weights: set[float], can: list[int]) -> bool:
        if len(weights) == 1:
            return True
        user.credit += user.weight / max(self.users[ue].weight for ue in can)
        if user.credit < 1.0 - 1e-9:
            return False
        user.credit -= 1.0
        return True

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
