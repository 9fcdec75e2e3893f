"""A slow, obvious twin of RRC: who hands over when and to where, fails, connects again, event by event.

It knows nothing of radio: at every RRC period it is shown, for each user, the filtered RSRP and SINR of every cell and
the received power without fading. Conditions are kept as lists of truth values, timers as the slots in which they
started. An event is (slot, user, what, serving cell after it). Written from TS 38.331 §5.3.5.8.3, §5.3.7, §5.3.10,
§5.5.4.4 and §5.5.4.6.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass(frozen=True)
class Rules:
    """Times in slots; every one but the interruptions is a whole number of RRC periods."""

    tick: int
    event: str
    offset: float
    threshold1: float
    threshold2: float
    hysteresis: float
    time_to_trigger: int
    report_interval: int
    preparation: int
    forced_preparation: int
    interruption: int
    t304: int | None
    short_stay: int
    qout: float
    qin: float
    n310: int
    t310: int
    n311: int
    leaves: bool
    is_static: bool
    t311: int
    search: int
    reestablishment: int
    least_mw: float
    least_sinr: float


class Seen(NamedTuple):
    """What one user measures in one RRC period, by cell."""

    rsrp: Sequence[float]
    sinr: Sequence[float]
    received_mw: Sequence[float]


@dataclass
class Trigger:
    entered: list[bool] = field(default_factory=list)
    left: list[bool] = field(default_factory=list)
    is_on: bool = False


class Event(NamedTuple):
    slot: int
    ue: int
    what: str
    cell: int


class User:
    def __init__(self, ue: int, cell: int) -> None:
        self.ue = ue
        self.cell: int | None = cell
        self.history: list[tuple[int, int, int]] = []
        """(source, target, first slot served) of handovers since the connection was made"""
        self.connect()

    def connect(self) -> None:
        self.doing = "nothing"
        self.triggers: dict[int, Trigger] = {}
        self.last_report: int | None = None
        self.indications: list[str] = []
        self.t310_started: int | None = None


class Network:
    def __init__(self, rules: Rules, serving: Sequence[int], limits: Sequence[int], offsets: Sequence[float]) -> None:
        self.rules, self.limits, self.offsets = rules, list(limits), list(offsets)
        self.users = [User(ue, cell) for ue, cell in enumerate(serving)]
        self.served_from = [0] * len(self.users)
        self.events: list[Event] = []
        self.counts: Counter[tuple[str, int]] = Counter()
        """(what, cell): how often, or how many slots"""
        self.seen: Sequence[Seen] = []

    def connected(self, cell: int) -> int:
        return sum(user.cell == cell for user in self.users)

    def say(self, slot: int, user: User, what: str, at_cell: int) -> None:
        assert user.cell is not None
        self.events.append(Event(slot, user.ue, what, user.cell))
        self.counts[what, at_cell] += 1

    # What happens.

    def force(self, slot: int, ue: int, target: int) -> None:
        user = self.users[ue]
        assert user.cell is not None
        if user.doing == "nothing":
            self.begin(slot, user, target, self.rules.forced_preparation)
        else:
            self.counts["asked", user.cell] += 1
            self.say(slot, user, "refused", user.cell)

    def run_tick(self, slot: int, seen: Sequence[Seen]) -> None:
        """What follows from the measurements at the end of the RRC period that ends before `slot`."""
        self.seen = seen
        for user in self.users:
            if user.cell is not None:
                self.step(slot, user)

    def step(self, slot: int, user: User) -> None:
        rules = self.rules
        if user.doing in ("searching", "stranded"):
            self.search(slot, user)
        elif user.doing == "accessing":
            self.access(slot, user)
        else:
            is_served = slot >= self.served_from[user.ue]
            if (is_served or rules.t304 is None) and self.has_failed(slot, user):
                self.fail(slot, user)
            elif user.doing == "preparing" and slot >= user.since + user.preparation:
                self.command(slot, user)
            elif rules.event != "none" and is_served:
                best = self.report(slot, user)
                if best is not None and user.doing == "nothing":
                    self.begin(slot, user, best, rules.preparation)

    # Measurement reports.

    def report(self, slot: int, user: User) -> int | None:
        needed = self.rules.time_to_trigger // self.rules.tick + 1
        seen, is_new = self.seen[user.ue], False
        for cell in range(len(seen.rsrp)):
            if cell == user.cell:
                continue
            trigger = user.triggers.setdefault(cell, Trigger())
            enters, leaves = self.conditions(user, cell)
            if trigger.is_on:
                trigger.left.append(leaves)
                if len(trigger.left) >= needed and all(trigger.left[-needed:]):
                    user.triggers[cell] = Trigger()
            else:
                trigger.entered.append(enters)
                if len(trigger.entered) >= needed and all(trigger.entered[-needed:]):
                    user.triggers[cell] = Trigger(is_on=True)
                    is_new = True
        listed = [cell for cell, trigger in sorted(user.triggers.items()) if trigger.is_on]
        if not listed:
            return None
        if not is_new and user.last_report is not None and slot < user.last_report + self.rules.report_interval:
            return None
        user.last_report = slot
        return max(listed, key=lambda cell: (seen.rsrp[cell] + self.offsets[cell], -cell))

    def conditions(self, user: User, cell: int) -> tuple[bool, bool]:
        rules, seen = self.rules, self.seen[user.ue]
        assert user.cell is not None
        mn, mp = seen.rsrp[cell] + self.offsets[cell], seen.rsrp[user.cell]
        hys = rules.hysteresis
        if rules.event == "a3":
            border = mp + self.offsets[user.cell] + rules.offset
            return mn - hys > border, mn + hys < border
        enters = mp + hys < rules.threshold1 and mn - hys > rules.threshold2
        leaves = mp - hys > rules.threshold1 or mn + hys < rules.threshold2
        return enters, leaves

    # Handover.

    def begin(self, slot: int, user: User, target: int, preparation: int) -> None:
        assert user.cell is not None
        self.counts["asked", user.cell] += 1
        user.target, user.since, user.preparation = target, slot, preparation
        user.doing = "preparing"
        if preparation == 0:
            self.command(slot, user)

    def command(self, slot: int, user: User) -> None:
        source, target = user.cell, user.target
        assert source is not None
        user.doing = "nothing"
        if self.connected(target) >= self.limits[target]:
            self.say(slot, user, "refused", source)
            return
        user.cell = target
        user.connect()
        user.commanded, user.source = slot, source
        self.served_from[user.ue] = slot + self.rules.interruption
        self.say(slot, user, "commanded", source)
        if self.rules.t304 is None:
            self.succeed(slot, user)
            return
        user.doing = "accessing"
        if self.next_tick(slot) > self.served_from[user.ue]:
            self.access(slot, user)

    def next_tick(self, slot: int) -> int:
        return (slot // self.rules.tick + 1) * self.rules.tick

    def access(self, slot: int, user: User) -> None:
        """The access may succeed from the last RRC period on that ends within the interruption."""
        assert user.cell is not None and self.rules.t304 is not None
        earliest = user.commanded + self.rules.interruption
        is_due = self.next_tick(slot) > earliest
        served = max(earliest, slot)
        in_time = served <= user.commanded + self.rules.t304
        if is_due and in_time and self.seen[user.ue].sinr[user.cell] >= self.rules.qout:
            self.served_from[user.ue] = served
            self.succeed(slot, user)
        elif slot >= user.commanded + self.rules.t304:
            self.say(slot, user, "failed", user.source)
            self.lose(slot, user, user.commanded, user.source)

    def succeed(self, slot: int, user: User) -> None:
        assert user.cell is not None
        served = self.served_from[user.ue]
        user.doing = "nothing"
        self.say(slot, user, "handed over", user.source)
        self.counts["handover slots", user.source] += served - user.commanded
        self.counts["came", user.cell] += 1
        if user.history:
            source, _, since = user.history[-1]
            if source == user.cell and served - since < self.rules.short_stay:
                self.say(slot, user, "ping-pong", user.source)
        user.history.append((user.source, user.cell, served))

    # Failure.

    def has_failed(self, slot: int, user: User) -> bool:
        rules = self.rules
        assert user.cell is not None
        quality = self.seen[user.ue].sinr[user.cell]
        indication = "out" if quality < rules.qout else "in" if quality >= rules.qin else "none"
        if indication != "none":
            user.indications.append(indication)
        if user.t310_started is None:
            if user.indications[-rules.n310 :] == ["out"] * rules.n310:
                user.t310_started = slot
                user.indications = []
        elif user.indications[-rules.n311 :] == ["in"] * rules.n311:
            user.t310_started = None
            user.indications = []
        return user.t310_started is not None and slot >= user.t310_started + rules.t310

    def fail(self, slot: int, user: User) -> None:
        assert user.cell is not None
        if user.doing == "preparing":
            self.counts["cut", user.cell] += 1
        blamed = None
        if user.history and slot - user.history[-1][2] < self.rules.short_stay:
            blamed = user.history[-1][0]
        self.say(slot, user, "link failed", user.cell)
        self.lose(slot, user, slot, blamed)

    def lose(self, slot: int, user: User, lost: int, blamed: int | None) -> None:
        assert user.cell is not None
        if self.rules.leaves:
            user.cell = None
            return
        user.doing, user.searching_since, user.lost, user.blamed = "searching", slot, lost, blamed
        self.counts["searched", user.cell] += 1
        self.search(slot, user)

    def search(self, slot: int, user: User) -> None:
        rules, seen, lost_cell = self.rules, self.seen[user.ue], user.cell
        assert lost_cell is not None
        if slot < user.searching_since + rules.search:
            return
        fit = [
            cell
            for cell in range(len(seen.sinr))
            if seen.received_mw[cell] >= rules.least_mw
            and seen.sinr[cell] >= rules.least_sinr
            and (cell == lost_cell or self.connected(cell) < self.limits[cell])
        ]
        if not fit:
            if user.doing == "searching" and slot >= user.searching_since + rules.t311:
                self.counts["expired", lost_cell] += 1
                user.doing = "stranded"
                if not rules.is_static:
                    user.cell = None
            return
        best = max(fit, key=lambda cell: (seen.received_mw[cell], cell == lost_cell, -cell))
        was_stranded = user.doing == "stranded"
        user.cell = best
        user.connect()
        user.history = []
        self.served_from[user.ue] = slot + rules.reestablishment
        if was_stranded:
            return
        self.say(slot, user, "connected again", best)
        self.counts["reestablishment slots", best] += self.served_from[user.ue] - user.lost
        if best != lost_cell:
            kind = "too late" if user.blamed is None else "too early" if best == user.blamed else "wrong cell"
            self.counts[kind, lost_cell if user.blamed is None else user.blamed] += 1
