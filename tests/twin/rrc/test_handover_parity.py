"""The compiled RRC and its slow, obvious twin see the same measurements and tell the same events."""

from __future__ import annotations

import runpy
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ranpilot.twin import Networks, state
from ranpilot.twin.controls import ADMISSION_LIMIT, CELL_INDIVIDUAL_OFFSET_DB, FORCED_HANDOVER, TX_POWER_DBM
from ranpilot.twin.scenario import Scenario

MakeScenario = Callable[..., Scenario]
REFERENCE = runpy.run_path(str(Path(__file__).parents[2] / "reference" / "handover_reference.py"))

UE_COLUMNS = {
    "refused": state.UE_HANDOVERS_REFUSED,
    "commanded": state.UE_HANDOVERS_STARTED,
    "handed over": state.UE_HANDOVERS,
    "failed": state.UE_HANDOVERS_FAILED,
    "ping-pong": state.UE_PING_PONGS,
    "link failed": state.UE_FAILURES,
    "connected again": state.UE_REESTABLISHMENTS,
}
CELL_COLUMNS = {
    "asked": state.CELL_HANDOVERS_ASKED,
    "refused": state.CELL_HANDOVERS_REFUSED,
    "commanded": state.CELL_HANDOVERS_STARTED,
    "handed over": state.CELL_HANDOVERS_OUT,
    "came": state.CELL_HANDOVERS_IN,
    "failed": state.CELL_HANDOVERS_FAILED,
    "cut": state.CELL_PREPARATIONS_CUT,
    "ping-pong": state.CELL_PING_PONGS,
    "handover slots": state.CELL_HANDOVER_SLOTS,
    "link failed": state.CELL_FAILURES,
    "searched": state.CELL_SEARCHES,
    "connected again": state.CELL_REESTABLISHMENTS,
    "reestablishment slots": state.CELL_REESTABLISHMENT_SLOTS,
    "expired": state.CELL_SEARCHES_EXPIRED,
    "too late": state.CELL_TOO_LATE,
    "too early": state.CELL_TOO_EARLY,
    "wrong cell": state.CELL_WRONG_CELL,
}


def drawn_scenario(make_scenario: MakeScenario, rng: np.random.Generator) -> Scenario:
    """Four small cells at random places, fast users, everything of RRC drawn."""

    def one(*values: Any) -> Any:
        return values[rng.integers(len(values))]

    sites = [
        {
            "name": f"s{cell}", "x_m": float(x), "y_m": float(y), "height_m": 10, "propagation": "UMi",
            "power_dbm": float(rng.uniform(10, 30)), "min_power_dbm": -10, "max_power_dbm": 46,
            "capacity": int(rng.integers(3, 8)),
        }
        for cell, (x, y) in enumerate(rng.uniform(0, 250, (4, 2)))
    ]  # fmt: skip
    leaves = rng.random() < 0.2
    static = {"kind": "static", "ues_per_cell": 3}
    # Users are there from the start; nobody else comes or goes for as long as a test lasts.
    lasting = {"kind": "arrivals", "arrivals_per_s": 1e-4, "mean_holding_s": 86_400.0, "initial_load": 1.0}
    qout = float(one(-8, -4, 0, 3))
    handover = {
        "event": one("a3", "a3", "a5", "none"),
        "offset_db": float(rng.uniform(-1, 3)),
        "serving_below_dbm": float(rng.uniform(-105, -80)),
        "neighbour_above_dbm": float(rng.uniform(-110, -90)),
        "hysteresis_db": float(one(0, 1, 2)),
        "time_to_trigger_ms": float(one(0, 35, 40, 160)),
        "report_interval_ms": float(one(10, 120, 240)),
        "cell_individual_offset_db": rng.uniform(-3, 3, 4).tolist() if rng.random() < 0.5 else [],
        "preparation_ms": float(one(0, 20, 50, 300)),
        "forced_preparation_ms": float(one(0, 0, 40)),
        "interruption_ms": float(one(0, 3, 50, 55)),
        "t304_ms": one(None, 55, 100, 300),
        "short_stay_ms": float(one(0, 400, 1000)),
    }
    failure = {
        "qout_db": qout,
        "qin_db": qout + float(one(0, 2)),
        "n310": int(one(1, 2, 5)),
        "t310_ms": float(one(0, 50, 200, 500)),
        "n311": int(one(1, 3)),
        "then": "leave" if leaves else "reestablish",
        "t311_ms": float(one(100, 400)),
        "cell_search_ms": float(one(0, 30, 100)),
        "reestablishment_ms": float(one(0, 35, 100)),
        "suitable_rsrp_dbm": one(None, -100.0),
        "suitable_sinr_db": one(None, -6.0, 4.0),
    }
    return make_scenario(
        {
            "layout": {"area_m": [0, 0, 250, 250], "sites": sites},
            "carrier": {"subcarrier_spacing_khz": one(15, 30)},
            "users": {
                "population": lasting if leaves or rng.random() < 0.3 else static,
                "mobility": {"kind": one("lines", "waypoint"), "min_speed_kmh": 60, "max_speed_kmh": 250},
            },
            "traffic": {"mix": [{"kind": "full-buffer", "packet_bits": 20_000}]},
            "rrc": {
                "rsrp_filter_coefficient": int(one(0, 2, 4, 8)),
                "l3_time_constant_ms": float(one(20, 100, 200)),
                "handover": handover,
                "link_failure": failure,
            },
        }
    )


def rules_of(scenario: Scenario) -> Any:
    """The scenario's rules as the reference has them, times in slots."""
    handover, failure = scenario.rrc.handover, scenario.rrc.link_failure
    tick = round(0.01 / scenario.slot_s)

    def slots(time_ms: float) -> int:
        return round(time_ms * 1e-3 / scenario.slot_s)

    def ticks(time_ms: float) -> int:
        return -(-round(time_ms * 1e3) // 10_000) * tick

    least_dbm, least_sinr_db = failure.suitable_rsrp_dbm, failure.suitable_sinr_db
    return REFERENCE["Rules"](
        tick=tick,
        event=handover.event,
        offset=handover.offset_db,
        threshold1=handover.serving_below_dbm,
        threshold2=handover.neighbour_above_dbm,
        hysteresis=handover.hysteresis_db,
        time_to_trigger=ticks(handover.time_to_trigger_ms),
        report_interval=ticks(handover.report_interval_ms),
        preparation=ticks(handover.preparation_ms),
        forced_preparation=ticks(handover.forced_preparation_ms),
        interruption=slots(handover.interruption_ms),
        t304=None if handover.t304_ms is None else ticks(handover.t304_ms),
        short_stay=slots(handover.short_stay_ms),
        qout=failure.qout_db,
        qin=failure.qin_db,
        n310=failure.n310,
        t310=ticks(failure.t310_ms),
        n311=failure.n311,
        leaves=failure.then == "leave",
        is_static=scenario.users.population.kind == "static",
        t311=ticks(failure.t311_ms),
        search=ticks(failure.cell_search_ms),
        reestablishment=slots(failure.reestablishment_ms),
        least_mw=0.0 if least_dbm is None else 12 * 10 ** (least_dbm / 10),
        least_sinr=-np.inf if least_sinr_db is None else least_sinr_db,
    )


def seen_by(networks: Networks, kept: list[Any]) -> list[Any]:
    """What the users of the one network measure now; what users who have left saw last."""
    inside = networks._state
    power_mw = inside.cell_real[0, :, state.PRB_POWER_MW]
    seen = list(kept)
    for ue in range(networks.scenario.num_places):
        if inside.ue[0, ue, state.SERVING_CELL] >= 0:
            rows = (inside.rsrp_l3_dbm[0, ue], inside.sinr_l3_db[0, ue], power_mw * inside.gain[0, ue])
            seen[ue] = REFERENCE["Seen"](*(row.tolist() for row in rows))
    return seen


class Pair:
    """A network and its reference, run side by side."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.networks = Networks(scenario, 1, seed=seed, threads=1)
        serving = self.networks.ues.serving_cell[0].tolist()
        offsets = self.networks.cells.individual_offset_db[0].tolist()
        limits = self.networks.cells.admission_limit[0].tolist()
        self.twin = REFERENCE["Network"](rules_of(scenario), serving, limits, offsets)
        for user in self.twin.users:
            user.cell = None if user.cell < 0 else user.cell
        self.seen = seen_by(self.networks, [REFERENCE["Seen"]([], [], [])] * len(serving))
        self.twin.seen = self.seen
        self.told = Counter[tuple[int, int, str]]()

    def force(self, rng: np.random.Generator) -> None:
        """Order handovers of a tenth of the users."""
        networks, num_cells = self.networks, self.networks.scenario.num_cells
        serving = networks.ues.serving_cell
        other = (serving + rng.integers(1, num_cells, serving.shape)) % num_cells
        target = np.where((serving >= 0) & (rng.random(serving.shape) < 0.1), other, -1)
        before = networks.counters().ue[0]
        networks.apply({FORCED_HANDOVER: target})
        self._tell(before)
        for ue in np.flatnonzero(target[0] >= 0):
            self.twin.force(networks.slot, int(ue), int(target[0, ue]))

    def turn_knobs(self, rng: np.random.Generator) -> None:
        """Other offsets, limits and powers."""
        num_cells = self.networks.scenario.num_cells
        offset_db, limit = rng.uniform(-6, 6, (1, num_cells)), rng.integers(2, 9, (1, num_cells))
        power_dbm = rng.uniform(0, 35, (1, num_cells))
        self.networks.apply({CELL_INDIVIDUAL_OFFSET_DB: offset_db, ADMISSION_LIMIT: limit, TX_POWER_DBM: power_dbm})
        self.twin.offsets, self.twin.limits = offset_db[0].tolist(), limit[0].tolist()

    def advance(self, slots: int) -> None:
        """Run slot by slot where an RRC period ends, and compare there."""
        networks, tick = self.networks, self.twin.rules.tick
        end = networks.slot + slots
        while networks.slot < end:
            before = networks.counters().ue[0]
            step = min(end, (networks.slot // tick + 1) * tick) - networks.slot
            networks.advance(step)
            self._tell(before)
            if networks.slot % tick == 0:
                self.seen = seen_by(networks, self.seen)
                self.twin.run_tick(networks.slot, self.seen)
            self.compare()

    def compare(self) -> None:
        slot, networks = self.networks.slot, self.networks
        expected = [-1 if user.cell is None else user.cell for user in self.twin.users]
        assert networks.ues.serving_cell[0].tolist() == expected, slot
        cell_count = networks.counters().cell[0]
        for what, column in CELL_COLUMNS.items():
            counted = [self.twin.counts[what, cell] for cell in range(len(cell_count))]
            assert cell_count[:, column].tolist() == counted, (slot, what)

    def compare_events(self) -> None:
        expected = Counter((event.slot, event.ue, event.what) for event in self.twin.events)
        assert self.told == expected

    def _tell(self, before: np.ndarray[Any, Any]) -> None:
        change = self.networks.counters().ue[0] - before
        for what, column in UE_COLUMNS.items():
            for ue in np.flatnonzero(change[:, column]):
                self.told[self.networks.slot, int(ue), what] += int(change[ue, column])


SEEN_SO_FAR = Counter[str]()


@pytest.mark.parametrize("seed", range(24))
def test_every_event_of_every_user_is_the_references(make_scenario: MakeScenario, seed: int) -> None:
    rng = np.random.default_rng(seed)
    pair = Pair(drawn_scenario(make_scenario, rng), seed)
    for _ in range(4):
        pair.advance(int(rng.integers(300, 500)) * pair.twin.rules.tick // 10)
        pair.force(rng)
        pair.advance(int(rng.integers(300, 500)) * pair.twin.rules.tick // 10)
        pair.turn_knobs(rng)
    pair.compare_events()
    SEEN_SO_FAR.update(event.what for event in pair.twin.events)
    for (what, _), count in pair.twin.counts.items():
        SEEN_SO_FAR[f"counted {what}"] += count


def test_the_random_scenarios_had_every_kind_of_event() -> None:
    assert {f"counted {what}" for what in CELL_COLUMNS} <= {what for what, count in SEEN_SO_FAR.items() if count > 3}
