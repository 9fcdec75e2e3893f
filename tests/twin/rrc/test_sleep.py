"""Cells that sleep: off the air at once, back after the wake-up time, and what becomes of their users."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ranpilot.errors import ActionError
from ranpilot.twin import Networks, kpm, state
from ranpilot.twin.controls import ADMISSION_LIMIT, CELL_SLEEP, FORCED_HANDOVER, TX_POWER_DBM
from ranpilot.twin.scenario import Scenario

MakeScenario = Callable[..., Scenario]

MICRO, LIGHT, DEEP = 1, 2, 3
FULL_BUFFER = {"traffic": {"mix": [{"kind": "full-buffer", "packet_bits": 50_000}]}}
QUICK_FAILURE: dict[str, Any] = {
    "rrc": {
        "link_failure": {
            "t310_ms": 100, "t311_ms": 500, "cell_search_ms": 50, "reestablishment_ms": 50,
            "suitable_rsrp_dbm": None, "suitable_sinr_db": None,
        }
    }
}  # fmt: skip


def asleep(networks: Networks, *levels: int) -> None:
    networks.apply({CELL_SLEEP: np.tile(levels, (networks.num, 1))})


def assert_no_nan(networks: Networks) -> None:
    """But of links to cells off the air, and of empty places."""
    for name, values in networks.measure().items():
        assert name.startswith("L1M.") or not np.isnan(values).any(), name


@pytest.mark.parametrize(
    ("category", "level", "slots"),
    [(1, MICRO, 10), (1, LIGHT, 10), (1, DEEP, 50), (2, MICRO, 10), (2, LIGHT, 640), (2, DEEP, 10_000)],
)
def test_a_cell_is_back_with_the_period_that_ends_its_wake_up_time(
    make_scenario: MakeScenario, category: int, level: int, slots: int
) -> None:
    networks = Networks(make_scenario({"energy": {"category": category}}), 1, seed=0)
    asleep(networks, level, level)
    assert not networks.cells.is_on_air.any() and (networks.cells.sleep_level == level).all()
    networks.advance(103)
    asleep(networks, 0, level)
    # 103 + the wake-up time, rounded up to whole periods of ten slots.
    awake_at = -(-(103 + slots if slots > 10 else 103 + (6 if level == LIGHT else 0)) // 10) * 10
    networks.advance(awake_at - 104)
    assert networks.cells.is_on_air.tolist() == [[False, False]]
    networks.advance(1)
    assert networks.cells.is_on_air.tolist() == [[True, False]]
    assert networks.cells.sleep_level.tolist() == [[0, level]]


@pytest.mark.parametrize(("level", "awake_at"), [(MICRO, 100), (LIGHT, 110), (DEEP, 150)])
def test_a_cell_that_is_woken_where_a_period_begins_is_back_with_the_period_that_its_wake_up_time_needs(
    make_scenario: MakeScenario, level: int, awake_at: int
) -> None:
    """Wake-up times of 0, 6 and 50 ms from slot 100 on, where periods of ten slots begin."""
    networks = Networks(make_scenario({"radio": {"fading": False}}), 1, seed=0)
    asleep(networks, level, level)
    networks.advance(100)
    asleep(networks, 0, level)
    networks.advance(max(0, awake_at - 101))
    assert networks.cells.is_on_air.tolist() == [[awake_at == 100, False]]
    networks.advance(awake_at - networks.slot)
    assert networks.cells.is_on_air.tolist() == [[True, False]]
    count = networks.counters().cell[0, 0]
    slept = count[state.CELL_EMPTY_SLOTS + level]
    assert slept == awake_at and networks.cells.sleep_level.tolist() == [[0, level]]


def test_a_sleeping_cell_transmits_nothing_and_disturbs_nobody(make_scenario: MakeScenario) -> None:
    networks = Networks(make_scenario({**FULL_BUFFER, "rrc": {"link_failure": {"t310_ms": 2000}}}), 8, seed=2)
    networks.advance(1000)
    quiet = networks.fork(1)
    asleep(quiet, LIGHT, 0)
    for batch in (networks, quiet):
        batch.measure()
        batch.advance(1000)
    used, left = networks.measure(), quiet.measure()
    assert (used[kpm.PRB_USE.name] > 80).all()
    assert (left[kpm.PRB_USE.name][:, 0] == 0).all() and (left[kpm.TIME_ON_AIR.name] == [0, 100]).all()
    serving = networks.ues.serving_cell
    gain_db = (quiet.ues.sinr_l3_db - networks.ues.sinr_l3_db)[serving == 1, 1]
    assert gain_db.mean() > 3.0
    assert (left[kpm.MEAN_POWER.name][:, 0] < 0.3 * used[kpm.MEAN_POWER.name][:, 0]).all()


def test_a_sleeping_cell_is_not_measured_and_its_filters_begin_anew(make_scenario: MakeScenario) -> None:
    networks = Networks(make_scenario(), 1, seed=0)
    networks.advance(500)
    before = networks.ues
    asleep(networks, 0, DEEP)
    networks.advance(10)
    ues = networks.ues
    others = ues.serving_cell[0] == 0
    assert np.isnan(ues.rsrp_l3_dbm[0, :, 1]).all() and np.isnan(ues.sinr_l3_db[0, others, 1]).all()
    assert np.isfinite(ues.rsrp_l3_dbm[0, :, 0]).all()
    # To those whom it serves the link gets worse, as the filter lets it.
    assert (ues.sinr_l3_db[0, ~others, 1] < before.sinr_l3_db[0, ~others, 1]).all()
    asleep(networks, 0, 0)
    networks.advance(50)
    back = networks.ues.rsrp_l3_dbm[0, :, 1]
    assert (np.abs(back - before.rsrp_l3_dbm[0, :, 1]) < 15).all()


def test_users_of_a_sleeping_cell_lose_the_link_and_find_another(make_scenario: MakeScenario) -> None:
    networks = Networks(make_scenario(QUICK_FAILURE), 8, seed=1)
    networks.advance(500)
    networks.measure()
    asleep(networks, DEEP, 0)
    networks.advance(60)
    assert (networks.measure()[kpm.LINK_FAILURES.name] == 0).all()
    networks.advance(1500)
    measured = networks.measure()
    assert (networks.ues.serving_cell == 1).all()
    assert (measured[kpm.LINK_FAILURES.name][:, 0] == 3).all()
    assert (measured[kpm.REESTABLISHMENTS.name] == [0, 3]).all()
    assert networks.cells.connected_ues.tolist() == [[0, 6]] * 8


def test_users_that_are_handed_over_first_lose_nothing(make_scenario: MakeScenario) -> None:
    networks = Networks(make_scenario({"rrc": {"handover": {"t304_ms": None}}}), 4, seed=1)
    networks.advance(500)
    networks.measure()
    # Handovers come into force before sleep, in one call.
    target = np.where(networks.ues.serving_cell == 0, 1, -1)
    networks.apply({CELL_SLEEP: np.tile([LIGHT, 0], (4, 1)), FORCED_HANDOVER: target})
    networks.advance(300)
    measured = networks.measure()
    assert (networks.ues.serving_cell == 1).all()
    assert (measured[kpm.LINK_FAILURES.name] == 0).all() and (measured[kpm.HANDOVERS_OUT.name] == [3, 0]).all()


def test_a_sleeping_cell_takes_and_gives_nobody(make_scenario: MakeScenario) -> None:
    networks = Networks(make_scenario({"rrc": {"link_failure": {"t310_ms": 2000}}}), 1, seed=0)
    networks.advance(100)
    asleep(networks, LIGHT, 0)
    assert networks.cells.admission_limit.tolist() == [[0, 6]]
    networks.measure()
    networks.apply({FORCED_HANDOVER: [[1, -1, -1, 0, -1, -1]]})
    networks.advance(100)
    assert networks.ues.serving_cell[0].tolist() == [0, 0, 0, 1, 1, 1]
    assert networks.measure()[kpm.HANDOVERS_REFUSED.name].tolist() == [[1, 1]]
    networks.apply({ADMISSION_LIMIT: [[5, 5]], TX_POWER_DBM: [[38.0, np.nan]]})
    assert networks.cells.admission_limit.tolist() == [[0, 5]] and not networks.cells.is_on_air[0, 0]
    asleep(networks, 0, 0)
    networks.advance(20)
    assert networks.cells.admission_limit.tolist() == [[5, 5]]


@pytest.mark.parametrize("placement", ["best-server", "uniform"])
def test_who_comes_while_the_own_cell_sleeps_begins_in_another(make_scenario: MakeScenario, placement: str) -> None:
    population = {"kind": "arrivals", "arrivals_per_s": 5.0, "mean_holding_s": 1.0, "initial_load": 0.0}
    sites = [{**site.model_dump(), "capacity": 20} for site in make_scenario().layout.sites]
    layout = {"sites": sites, "placement": placement}
    networks = Networks(make_scenario({"users": {"population": population}, "layout": layout}), 8, seed=0)
    asleep(networks, DEEP, 0)
    networks.advance(2000)
    measured = networks.measure()
    assert (networks.cells.connected_ues[:, 0] == 0).all()
    assert (measured[kpm.CONNECTION_ATTEMPTS.name][:, 0] == 0).all()
    # 20 in 2 s from the areas of both cells.
    assert measured[kpm.CONNECTION_ATTEMPTS.name][:, 1].mean() == pytest.approx(20, abs=4 * np.sqrt(20 / 8))


@pytest.mark.parametrize("kind", ["static", "arrivals"])
def test_a_network_that_sleeps_altogether_has_numbers_for_everything_and_wakes(
    make_scenario: MakeScenario, kind: str
) -> None:
    arrivals = {"kind": "arrivals", "arrivals_per_s": 10.0, "mean_holding_s": 100.0}
    changes: dict[str, Any] = (
        {**QUICK_FAILURE, "users": {"population": arrivals}} if kind == "arrivals" else QUICK_FAILURE
    )
    networks = Networks(make_scenario(changes), 4, seed=0)
    networks.advance(300)
    asleep(networks, DEEP, DEEP)
    for _ in range(3):
        networks.advance(700)
        assert_no_nan(networks)
    measured = networks.fork(1).measure()
    assert (networks.best_server(np.array([0.0]), np.array([0.0])) == -1).all()
    assert (measured[kpm.PRB_USE.name] == 0).all()
    connection = networks._state.ue[..., state.CONNECTION]
    if kind == "static":
        assert (connection == state.STRANDED).all()
    else:
        assert (networks.ues.serving_cell == -1).all()
        assert (networks.measure()[kpm.CONNECTED_MEAN.name] == 0).all()
    asleep(networks, 0, 0)
    networks.advance(1000)
    assert_no_nan(networks)
    assert networks.cells.is_on_air.all() and (networks.cells.connected_ues.sum(axis=1) >= 3).all()
    assert (networks.measure()[kpm.VOLUME.name] >= 0).all()


def test_waking_cannot_be_cut_short_and_what_is_told_meanwhile_comes_after(make_scenario: MakeScenario) -> None:
    networks = Networks(make_scenario(), 1, seed=0)
    asleep(networks, DEEP, DEEP)
    networks.advance(100)
    asleep(networks, LIGHT, 0)
    networks.advance(20)
    asleep(networks, LIGHT, DEEP)
    assert networks.cells.sleep_level.tolist() == [[DEEP, DEEP]]
    networks.advance(29)
    assert networks.cells.sleep_level.tolist() == [[DEEP, DEEP]]
    networks.advance(1)
    assert networks.cells.sleep_level.tolist() == [[LIGHT, DEEP]]
    assert not networks.cells.is_on_air.any()
    count = networks.counters().cell[0]
    assert count[:, state.CELL_LIGHT_SLEEPS].tolist() == [1, 0]
    assert count[:, state.CELL_DEEP_SLEEPS].tolist() == [1, 2]


def test_a_light_sleep_may_become_deeper_at_once(make_scenario: MakeScenario) -> None:
    networks = Networks(make_scenario(), 1, seed=0)
    asleep(networks, MICRO, LIGHT)
    networks.advance(7)
    asleep(networks, LIGHT, DEEP)
    networks.advance(7)
    assert networks.cells.sleep_level.tolist() == [[LIGHT, DEEP]]
    slots = networks.counters().cell[0, :, state.CELL_EMPTY_SLOTS : state.CELL_EMPTY_SLOTS + state.NUM_POWER_STATES]
    assert slots.tolist() == [[0, 7, 7, 0, 0, 0], [0, 0, 7, 7, 0, 0]]


def test_a_short_micro_sleep_keeps_the_connection_and_the_queue(make_scenario: MakeScenario) -> None:
    networks = Networks(make_scenario(FULL_BUFFER), 4, seed=0)
    networks.advance(500)
    asleep(networks, MICRO, 0)
    networks.measure()
    networks.advance(10)
    assert (networks.measure()[kpm.UE_PRB_MEAN.name][:, :3] == 0).all()
    asleep(networks, 0, 0)
    networks.advance(200)
    measured = networks.measure()
    assert (measured[kpm.LINK_FAILURES.name] == 0).all() and (networks.ues.serving_cell[:, :3] == 0).all()
    assert (measured[kpm.UE_PRB_MEAN.name][:, :3].sum(axis=1) > 0).all()


def test_forks_and_snapshots_sleep_and_wake_alike(make_scenario: MakeScenario) -> None:
    networks = Networks(make_scenario(QUICK_FAILURE), 3, seed=4)
    networks.advance(305)
    networks.apply({CELL_SLEEP: [[3, 0], [0, 2], [1, 3]]})
    networks.advance(28)
    asleep(networks, 0, 0)
    fork, resumed = networks.fork(1), Networks(networks.scenario, 3, seed=5)
    resumed.restore(networks.snapshot())
    for batch in (networks, fork, resumed):
        batch.advance(333)
    assert networks.fingerprint() == fork.fingerprint() == resumed.fingerprint()


@pytest.mark.parametrize(
    ("levels", "sentence"),
    [
        ([[4, 0]], "action: CELL_SLEEP = 4.0, but must be 0..3 level."),
        ([[-1, 0]], "action: CELL_SLEEP = -1.0, but must be 0..3 level."),
        ([[0.5, 0]], "action: CELL_SLEEP = 0.5, but must be 0..3 level."),
        ([[np.nan, 0]], "action: CELL_SLEEP = nan, but must be 0..3 level."),
        ([1, 0], "action: CELL_SLEEP shape = (2,), but must be (1, 2)."),
    ],
)
def test_a_level_that_is_none_is_refused(make_scenario: MakeScenario, levels: Any, sentence: str) -> None:
    networks = Networks(make_scenario(), 1, seed=0)
    before = networks.fingerprint()
    with pytest.raises(ActionError) as caught:
        networks.apply({CELL_SLEEP: levels})
    assert str(caught.value) == sentence
    assert networks.fingerprint() == before
