"""`aura-paper` written down slowly: one network, one object for each call, one loop for each rule.

It draws the same random numbers as the kernel (that is what makes the two comparable step by step) and shares nothing
else with it: no arrays, no fused loops, thresholds not rearranged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ranpilot.envs.aura_paper.config import AuraPaperConfig
from ranpilot.twin.rng import STREAM_PAPER_INIT, STREAM_PAPER_USERS, STREAM_PAPER_WALK, draw_uniform4, philox4x32

UP, DOWN, KEEP, MOVE = range(4)


@dataclass
class Call:
    number: int
    station: int
    signal: list[float]
    snr: list[float]
    age: int = 0
    moved_from: int = -1
    moved_step: int = 0


class ReferenceNetwork:
    def __init__(self, config: AuraPaperConfig, seed: int, network: int, episode: int) -> None:
        self.config, self.seed, self.network, self.episode = config, seed, network, episode
        self.step_index = 0
        self.calls: list[Call] = []
        self.surge_left = [0, 0]
        first = self.draw(0, STREAM_PAPER_INIT)
        second = self.draw(1, STREAM_PAPER_INIT)
        self.power = [s.power_low_dbm + int(first[2 + i] * s.num_powers) for i, s in enumerate(config.stations)]
        for i, station in enumerate(config.stations):
            mean = first[i] * 2 * config.arrivals_per_step * config.holding_steps
            for k in range(min(poisson(second[i], mean), station.places)):
                self.calls.append(self.new_call(i, k))

    def draw(self, entity: int, stream: int) -> tuple[float, ...]:
        return draw_uniform4(self.seed, self.network, entity, self.slot, stream)

    @property
    def slot(self) -> int:
        return self.episode * (self.config.episode_steps + 1) + self.step_index

    def offset(self, i: int) -> float:
        return self.power[i] - self.config.stations[i].midpoint_dbm

    def is_bad(self, call: Call, i: int) -> bool:
        signal = call.signal[i] + self.offset(i)
        snr = call.snr[i] + self.offset(i) - self.config.interference_share * self.offset(1 - i)
        return signal < self.config.usable_signal_dbm or snr < self.config.usable_snr_db

    def new_call(self, i: int, k: int) -> Call:
        c = self.config
        number = i * 128 + k

        def signal(u: float) -> float:
            return c.signal_low_dbm + u * (c.signal_high_dbm - c.signal_low_dbm)

        def snr(u: float) -> float:
            return c.snr_low_db + u * (c.snr_high_db - c.snr_low_db)

        u = self.draw(number * 1024, STREAM_PAPER_USERS)
        call = Call(self.step_index * 256 + number, i, [0.0, 0.0], [0.0, 0.0])
        call.signal[1 - i], call.snr[1 - i] = signal(u[0]), snr(u[1])
        tries = [(u[2], u[3])]
        attempt = 0
        while True:
            for first, second in tries:
                call.signal[i], call.snr[i] = signal(first), snr(second)
                if not self.is_bad(call, i):
                    return call
            attempt += 1
            u = self.draw(number * 1024 + attempt, STREAM_PAPER_USERS)
            tries = [(u[0], u[1]), (u[2], u[3])]

    def num_at(self, i: int) -> int:
        return sum(call.station == i for call in self.calls)

    def step(self, action: list[int]) -> dict[str, list[float]]:
        c = self.config
        self.step_index += 1
        now = self.step_index - 1
        out = {name: [0.0, 0.0] for name in ("refused", "timed_out", "requests", "outages", "blocked", "pingpong")}
        # 1. Power.
        for i, station in enumerate(c.stations):
            change = {UP: 1, DOWN: -1}.get(action[i], 0)
            self.power[i] = min(max(self.power[i] + change, station.power_low_dbm), station.power_high_dbm)
        # 2. Hand-offs.
        self.hand_off(action, now, out)
        # 3. Departures, walk, arrivals.
        self.depart_and_walk()
        new = self.arrive(out)
        # 4. Link check.
        self.check_links(new, out)
        return self.settle(out)

    def hand_off(self, action: list[int], now: int, out: dict[str, list[float]]) -> None:
        c = self.config
        for i in (now % 2, 1 - now % 2):
            if action[i] != MOVE:
                continue
            requests = [call for call in self.calls if call.station == i and call.age > 0]
            requests.sort(key=lambda call: -call.age)
            for call in requests[: c.most_moves]:
                if self.num_at(1 - i) >= c.stations[1 - i].places:
                    out["refused"][i] += 1
                    self.calls.remove(call)
                    continue
                if call.moved_from == 1 - i and now - call.moved_step <= c.pingpong_steps:
                    out["pingpong"][i] += 1
                call.station, call.moved_from, call.moved_step, call.age = 1 - i, i, now, 0

    def depart_and_walk(self) -> None:
        c = self.config
        for call in list(self.calls):
            words = [int(w) for w in philox4x32(self.seed, self.network, call.number, self.slot, STREAM_PAPER_WALK)]
            low = int.from_bytes(bytes(w & 0xFF for w in words), "big")
            if (low + 0.5) / 2**32 < 1 / c.holding_steps:
                self.calls.remove(call)
                continue
            u = [2 * ((w >> 8) + 0.5) / 2**24 - 1 for w in words]
            for j in range(2):
                most_signal, most_snr = c.signal_sigma_db * math.sqrt(3), c.snr_sigma_db * math.sqrt(3)
                call.signal[j] = reflect(call.signal[j] + u[j] * most_signal, c.signal_low_dbm, c.signal_high_dbm)
                call.snr[j] = reflect(call.snr[j] + u[2 + j] * most_snr, c.snr_low_db, c.snr_high_db)

    def arrive(self, out: dict[str, list[float]]) -> list[Call]:
        c = self.config
        u = self.draw(2, STREAM_PAPER_INIT)
        new = []
        for i, station in enumerate(c.stations):
            if self.surge_left[i] > 0:
                self.surge_left[i] -= 1
            elif u[2 + i] < c.surge_probability:
                self.surge_left[i] = c.surge_steps
            mean = c.arrivals_per_step * (c.surge_factor if self.surge_left[i] > 0 else 1)
            for k in range(poisson(u[i], mean)):
                if self.num_at(i) + sum(call.station == i for call in new) >= station.places:
                    out["blocked"][i] += 1
                else:
                    new.append(self.new_call(i, k))
        self.calls += new
        return new

    def check_links(self, new: list[Call], out: dict[str, list[float]]) -> None:
        c = self.config
        for call in list(self.calls):
            i = call.station
            if self.is_bad(call, i) and not self.is_bad(call, 1 - i):
                call.age += 1
                out["requests"][i] += call.age == 1 and call not in new
                if call.age > c.patience_steps:
                    out["timed_out"][i] += 1
                    self.calls.remove(call)
            else:
                call.age = 0
                out["outages"][i] += self.is_bad(call, i)

    def settle(self, out: dict[str, list[float]]) -> dict[str, list[float]]:
        c = self.config
        out["dropped"] = [out["refused"][i] + out["timed_out"][i] for i in range(2)]
        out["served"], out["power"], out["reward"] = [], [], []
        for i, station in enumerate(c.stations):
            n, drops = self.num_at(i), out["dropped"][i]
            open_requests = sum(call.station == i and call.age > 0 for call in self.calls)
            served = (n - open_requests - out["outages"][i]) / (n + drops) if n + drops else 1.0
            power = (self.power[i] - station.power_low_dbm) / (station.power_high_dbm - station.power_low_dbm)
            cost = c.drop_weight * drops + c.power_weight * power + c.pingpong_weight * out["pingpong"][i]
            out["served"].append(served)
            out["power"].append(power)
            out["reward"].append(served - cost)
        lost = sum(out["dropped"]) + sum(out["blocked"])
        out["failures"] = [float(lost > 0), 0.0]
        out["failures_handover"] = [float(sum(out["dropped"]) > 0), 0.0]
        return out

    def observe(self, dropped: list[float]) -> tuple[list[list[float]], list[float]]:
        local, state = [], []
        for i, station in enumerate(self.config.stations):
            mine = [call for call in self.calls if call.station == i]
            bad = sum(self.is_bad(call, i) for call in mine) / len(mine) if mine else 0.0
            free = station.places - len(mine)
            power = (self.power[i] - station.power_low_dbm) / (station.power_high_dbm - station.power_low_dbm)
            local.append([power, bad, float(free == 0), min(dropped[i], 3) / 3])
            open_requests = sum(call.age > 0 for call in mine)
            is_due = any(call.age >= self.config.patience_steps for call in mine)
            state += [min(open_requests, 3) / 3, float(is_due), min(free, 3) / 3, bad]
        return local, state


def poisson(uniform: float, mean: float) -> int:
    count, cumulated = 0, math.exp(-mean)
    while uniform > cumulated and count < 127:
        count += 1
        cumulated += math.exp(-mean + count * math.log(mean) - math.lgamma(count + 1)) if mean > 0 else 1.0
    return count


def reflect(value: float, low: float, high: float) -> float:
    if value < low:
        return 2 * low - value
    return 2 * high - value if value > high else value
