"""Task `power-handover` on the twin: stations set their power and hand deteriorating calls to neighbours.

One agent for each cell, four actions, 200 ms control steps; docs/power_handover.md says every rule. Source: the
scenario of AURA (Nourzad, Zong, Krishnamachari 2025). Differs from source: geometry, mobility, fading and traffic are
the twin's; what the paper leaves open is filled in as in `aura-paper`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.aura_paper.check_action import check_options
from ranpilot.envs.aura_paper.spec import STATE_NAMES
from ranpilot.envs.controller import Action, FloatArray, IntArray, Observation
from ranpilot.envs.tasks._announced import announced_counters, count_announced
from ranpilot.envs.tasks._notices import Notices
from ranpilot.envs.tasks._reports import Heard, has_faults
from ranpilot.envs.tasks._requests import (
    Calls,
    Links,
    Room,
    Rule,
    Tally,
    age_requests,
    count_links,
    follow_links,
    make_calls,
    make_links,
    make_orders,
    make_tally,
    move_requests,
)
from ranpilot.envs.tasks._spec import DOWN, MOVE, POWER_STEP_DB, UP, make_spec, power_grid
from ranpilot.envs.tasks._start import draw_powers
from ranpilot.envs.twin_task import Played, TwinTask
from ranpilot.errors import ConfigError
from ranpilot.twin.controls import FORCED_HANDOVER, RELEASE, TX_POWER_DBM
from ranpilot.twin.network import Networks
from ranpilot.twin.parameters import TICK_S
from ranpilot.twin.state import CELL_BLOCKED

__all__ = ["PART", "VARIANTS", "Numbers", "PowerHandover"]


@dataclass(frozen=True)
class Numbers:
    """The numbers of the task, those of SYSTEMS and `aura-paper` by default."""

    bad_db: float = -3.0
    usable_db: float = 0.0
    hold_s: float = 0.2
    """How long a link must be bad with a usable neighbour until a request is open."""
    patience_steps: int = 3
    most_moves: int = 3
    pingpong_steps: int = 5
    power_weight: float = 0.1
    pingpong_weight: float = 0.05
    warm_up_s: float = 1.0


VARIANTS: Mapping[str, Numbers] = {"default": Numbers(), "power": Numbers(power_weight=0.03)}
"""`power` makes power a real decision; with the default weight the least power is always best."""


class PowerHandover(TwinTask):
    """A batch of networks under the task."""

    NAME, VARIANTS, SNAPSHOT_VERSION = "power-handover", VARIANTS, 2
    _numbers: Numbers

    def __init__(self, networks: Networks, numbers: Numbers) -> None:
        scenario = networks.scenario
        super().__init__(networks, numbers, make_spec(scenario))
        self._grid = power_grid(scenario)
        self._power_low = np.array([grid[0] for grid in self._grid])
        self._power_high = np.array([grid[-1] for grid in self._grid])
        self._period = round(TICK_S / scenario.slot_s)
        self._looks = _whole("control.step_ms", self.spec.slots_per_step, self._period)
        self._warm_up_slots = round(numbers.warm_up_s / scenario.slot_s)
        self._rule = Rule(
            bad_db=numbers.bad_db,
            usable_db=numbers.usable_db,
            hold_samples=round(numbers.hold_s / TICK_S),
            patience_steps=numbers.patience_steps,
            most_moves=numbers.most_moves,
            pingpong_steps=numbers.pingpong_steps,
        )
        # What cells report of themselves: that an event closes a cell stands in its announcement alone.
        self._capacity = networks.capacity
        self._notices = Notices(scenario, self.spec.neighbours)
        self._announced = announced_counters(scenario)
        self._calls = make_calls(self.num_networks, scenario.num_places)
        self._links = make_links(self.num_networks, scenario.num_cells)
        self._last_drops = np.zeros((self.num_networks, scenario.num_cells), dtype=np.int64)
        self._heard: Heard | None = None
        """What agents have of the cells, where reports can fail."""

    @classmethod
    def _begin(cls, networks: Networks, numbers: Numbers) -> Self:
        return cls(networks, numbers)

    def reset(self, *, first_episode: int = 0) -> Observation:
        """Begin that episode: powers drawn from each cell's grid, then a warm-up in which nothing is counted."""
        self._begin_episode(first_episode)
        self.networks.apply({TX_POWER_DBM: self._start_powers()})
        self.networks.advance(self._warm_up_slots)
        self._calls = make_calls(*self._calls.serving_cell.shape)
        self._last_drops[:] = 0
        self._count(self._look(make_tally(*self._last_drops.shape)))
        if has_faults(self.networks.scenario):
            self._heard = Heard.nothing(*self._features(), self.networks.slot)
        return self.observation

    @property
    def observation(self) -> Observation:
        """What the next `act` should see."""
        heard = self._heard
        local, state = self._features() if heard is None else (heard.local.copy(), heard.state.copy())
        age_s = None if heard is None else (self.networks.slot - heard.slot) * self.networks.scenario.slot_s
        return Observation(
            local=local,
            state=state.reshape(self.num_networks, -1),
            **self._when(),
            notice_ids=self._notices.stand(self.networks.events(), self.networks.network_ids, self.networks.slot),
            texts=self._notices.texts,
            report_age_s=age_s,
            is_unknown=None if heard is None else heard.is_unknown.copy(),
        )

    def _pick(self, rows: IntArray) -> None:
        self._calls = Calls(*(array[rows] for array in self._calls))
        self._links = Links(*(array[rows] for array in self._links))
        self._last_drops = self._last_drops[rows]
        self._heard = None if self._heard is None else self._heard.rows(rows)

    def _kept(self) -> dict[str, Any]:
        heard = self._heard.arrays() if self._heard is not None else {}
        return {"last_drops": self._last_drops, **self._calls._asdict(), **heard}

    def _take(self, found: Mapping[str, NDArray[Any]]) -> None:
        self._calls = Calls(*(found[name] for name in Calls._fields))
        self._last_drops = found["last_drops"]
        self._heard = Heard.from_arrays(found) if self._heard is not None else None
        self._count(self.networks.ues.sinr_l3_db)

    def _features(self) -> tuple[FloatArray, FloatArray]:
        """What the cells would report now: [B, A, D] of each agent's own, [B, A, F] of the central state."""
        links, cells = self._links, self.networks.cells
        bad_share = links.bad / np.maximum(links.calls, 1)
        values = (cells.tx_power_dbm, bad_share, links.calls >= self._capacity, self._last_drops)
        local = self._normalised(values)
        state = np.empty((*bad_share.shape, len(STATE_NAMES)))
        state[:, :, 0] = np.minimum(links.requests / self._rule.most_moves, 1.0)
        state[:, :, 1] = links.oldest_age >= self._rule.patience_steps
        state[:, :, 2] = np.clip((self._capacity - links.calls) / self._rule.most_moves, 0.0, 1.0)
        state[:, :, 3] = bad_share
        return local, state

    def _checked(self, action: Action) -> IntArray:
        return check_options(self.spec, action, (self.num_networks, self.spec.num_agents))

    def _play(self, action: IntArray) -> Played:
        """One control step: act, then look at every link once an RRC period."""
        tally = make_tally(*self._last_drops.shape)
        power = self._act(action, tally)
        blocked = self._blocked()
        for _ in range(self._looks):
            self.networks.advance(self._period)
            sinr_db = self._look(tally)
        orders = make_orders(*self._calls.serving_cell.shape)
        age_requests(self._calls, tally, orders, self._rule)
        if orders.release.any():
            self.networks.apply({RELEASE: orders.release})
        self._count(sinr_db)
        self._step += 1
        played = self._reward(tally, self._blocked() - blocked, power)
        if self._heard is not None:
            self._heard = self._heard.hear(self.networks, *self._features())
        return played

    def _start_powers(self) -> NDArray[np.float64]:
        networks = self.networks
        split = networks.scenario.placement_seed_offset
        return draw_powers(self._grid, networks.seed, split, networks.network_ids, self._episode)

    def _act(self, action: IntArray, tally: Tally) -> NDArray[np.float64]:
        """Put the actions into force; the powers [B, C] that are then radiated, in dBm."""
        networks, ues = self.networks, self.networks.ues
        orders = make_orders(*self._calls.serving_cell.shape)
        room = Room(self._links.calls.copy(), networks.cells.admission_limit)
        move_requests(self._calls, tally, orders, action == MOVE, room, ues.sinr_l3_db, self._step, self._rule)
        change = POWER_STEP_DB * ((action == UP).astype(np.float64) - (action == DOWN))
        power = np.clip(networks.cells.set_power_dbm + change, self._power_low, self._power_high)
        networks.apply({TX_POWER_DBM: power, RELEASE: orders.release})
        # Who finds room was settled above, cell by cell in turn: told in that order, the twin admits the same calls.
        for turn in range(self.spec.num_agents if (orders.target >= 0).any() else 0):
            source = (self._step + turn) % self.spec.num_agents
            target = np.where(ues.serving_cell == source, orders.target, -1)
            if (target >= 0).any():
                networks.apply({FORCED_HANDOVER: target})
        return networks.cells.tx_power_dbm

    def _look(self, tally: Tally) -> FloatArray:
        """Look at every link once; the SINR seen, [B, U, C]."""
        ues = self.networks.ues
        follow_links(self._calls, tally, ues.serving_cell, ues.call_id, ues.failures, ues.sinr_l3_db, self._rule)
        return ues.sinr_l3_db

    def _count(self, sinr_db: FloatArray) -> None:
        count_links(self._calls, self._links, sinr_db, self._rule)

    def _blocked(self) -> IntArray:
        """[B, C] arrivals since the reset that found the cell full."""
        blocked: IntArray = self.networks.counters().cell[..., CELL_BLOCKED]
        return blocked

    def _reward(self, tally: Tally, blocked: IntArray, power_dbm: FloatArray) -> Played:
        """Terms and counts of the step just played; keeps the drops for the next observation."""
        links, numbers = self._links, self._numbers
        drops = tally.refused + tally.timed_out + tally.failed
        self._last_drops = drops
        served = _served_share(links.calls, links.requests, links.outages, drops, tally.lost)
        range_db = np.maximum(self._power_high - self._power_low, POWER_STEP_DB)
        # An event can hold a cell below its least power; it saves no more than that.
        power_share = np.maximum(power_dbm - self._power_low, 0.0) / range_db
        weighted = (served, -drops, -numbers.power_weight * power_share, -numbers.pingpong_weight * tally.pingpong)
        counts = {
            "requests": tally.requests,
            "dropped": drops,
            "refused": tally.refused,
            "timed_out": tally.timed_out,
            "outages": links.outages + tally.lost,
            "blocked": blocked,
            "failures": _network_wide(drops + blocked),
            "failures_handover": _network_wide(drops),
            "served": served,
            "pingpong": tally.pingpong,
            "power": power_share,
            **self._count_announced(drops),
        }
        return Played(
            terms=np.stack(weighted, axis=2).astype(np.float64),
            counts={name: np.asarray(values, dtype=np.float64) for name, values in counts.items()},
        )

    def _count_announced(self, drops: IntArray) -> dict[str, FloatArray]:
        slot = self.networks.slot
        return count_announced(self._announced, self.networks.events(), (slot - self.spec.slots_per_step, slot), drops)


def _served_share(
    calls: IntArray, requests: IntArray, outages: IntArray, drops: IntArray, lost: IntArray
) -> NDArray[np.float64]:
    """Share of served calls [B, C] among those that were there; 1 where there were none.

    Calls that an outage ended count as still there and not served.
    """
    there = calls + drops + lost
    served: NDArray[np.float64] = np.where(there > 0, (calls - requests - outages) / np.maximum(there, 1), 1.0)
    return served


def _network_wide(events: IntArray) -> NDArray[np.float64]:
    """Whether the network had any of the events [B, C], in the column of the first agent: a sum counts it once."""
    column = np.zeros(events.shape)
    column[:, 0] = events.sum(axis=1) > 0
    return column


def _whole(field: str, slots_per_step: int, period_slots: int) -> int:
    if slots_per_step % period_slots:
        raise ConfigError(field, slots_per_step, f"a multiple of the RRC period ({period_slots} slots)")
    return slots_per_step // period_slots


PART = PowerHandover
