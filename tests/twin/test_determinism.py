"""A network is a function of (seed, id, controls): the same bits in any batch, threads, chunks, copy or resume."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import numba
import numpy as np
import pytest

from ranpilot.errors import CheckpointError, ConfigError
from ranpilot.twin import Networks, state
from ranpilot.twin.scenario import Scenario

MakeScenario = Callable[..., Scenario]

EVENTS = {
    "every_s": 0.3,
    "share": 0.8,
    "lead_s": [0.1, 0.4],
    "duration_s": [0.1, 0.6],
    "last_s": 3.0,
    "kinds": [
        {"name": "surge", "announced_share": 0.5, "arrival_factor": 4},
        {"name": "calm", "departure_factor": 4},
        {"name": "maintenance", "places_share": 0.3},
        {"name": "power-cap", "power_cut_db": 6},
    ],
}


RRC = {
    "l3_time_constant_ms": 50.0,
    "rsrp_filter_coefficient": 0,
    "handover": {
        "event": "a3",
        "offset_db": -6.0,
        "hysteresis_db": 0.5,
        "time_to_trigger_ms": 20,
        "preparation_ms": 20,
        "t304_ms": 60,
    },
    "link_failure": {"qout_db": 8.0, "qin_db": 9.0, "t310_ms": 60, "t311_ms": 300, "suitable_sinr_db": None},
}


@pytest.fixture
def churning(make_scenario: MakeScenario) -> Scenario:
    """Users come and go, three kinds of traffic with and without memory, something happens all the time."""
    scenario = make_scenario()
    sites = [{**site.model_dump(), "capacity": 6} for site in scenario.layout.sites]
    mix = [
        {"kind": "poisson", "share": 0.4, "mean_rate_bps": 5e5, "deadline_ms": 50},
        {"kind": "fitted", "share": 0.4, "profile": "urllc", "deadline_ms": 100},
        {"kind": "full-buffer", "share": 0.2, "packet_bits": 20_000},
    ]
    population = {"kind": "arrivals", "arrivals_per_s": 10.0, "mean_holding_s": 1.0}
    users = {"population": population}
    changes = {"layout": {"sites": sites}, "users": users, "traffic": {"mix": mix}, "events": EVENTS, "rrc": RRC}
    return make_scenario(changes)


def test_a_network_does_not_depend_on_the_batch_it_is_in(churning: Scenario) -> None:
    batch = Networks(churning, 5, seed=3)
    batch.advance(1300)
    for network in (0, 4):
        alone = Networks(churning, 1, seed=3, first_network=network)
        alone.advance(1300)
        assert alone.fingerprint() == [batch.fingerprint()[network]]
    assert len(set(batch.fingerprint())) == 5


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="numba was given one thread")
def test_a_network_does_not_depend_on_the_number_of_threads(churning: Scenario) -> None:
    one, two = (Networks(churning, 5, seed=3, threads=threads) for threads in (1, 2))
    for networks in (one, two):
        networks.advance(1300)
    assert one.fingerprint() == two.fingerprint()


def test_a_network_does_not_depend_on_how_advance_is_split(churning: Scenario) -> None:
    whole, split = Networks(churning, 2, seed=3), Networks(churning, 2, seed=3)
    whole.advance(2222)
    for slots in (0, 1, 998, 1, 1, 10, 1200, 11):
        split.advance(slots)
    assert whole.slot == split.slot == 2222
    assert whole.fingerprint() == split.fingerprint()


def test_events_were_in_force_in_all_this(churning: Scenario) -> None:
    networks = Networks(churning, 5, seed=3)
    limits, powers = set(), set()
    for _ in range(13):
        networks.advance(100)
        limits |= set(networks.cells.admission_limit.ravel().tolist())
        powers |= set(networks.cells.tx_power_dbm.ravel().tolist())
    assert limits == {1, 6} and powers == {32.0, 38.0}


def test_users_handed_over_failed_and_connected_again_in_all_this(churning: Scenario) -> None:
    networks = Networks(churning, 5, seed=3)
    networks.advance(1300)
    counted = networks.counters().cell.sum(axis=(0, 1))
    for column in ("HANDOVERS_OUT", "HANDOVERS_REFUSED", "HANDOVERS_FAILED", "FAILURES", "REESTABLISHMENTS"):
        assert counted[getattr(state, f"CELL_{column}")] > 0, column


def test_measuring_does_not_change_what_comes(churning: Scenario) -> None:
    measured, left_alone = Networks(churning, 2, seed=3), Networks(churning, 2, seed=3)
    measured.advance(700)
    measured.measure()
    measured.measure_frame()
    measured.advance(600)
    left_alone.advance(1300)
    for ours, theirs in zip(measured.counters(), left_alone.counters(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_reset_repeats_its_episode_and_no_other(churning: Scenario) -> None:
    networks = Networks(churning, 2, seed=3)
    prints = {}
    for episode in (0, 1, 0):
        networks.reset(episode)
        networks.advance(300)
        prints.setdefault(episode, []).append(networks.fingerprint())
    assert prints[0][0] == prints[0][1]
    assert not set(prints[0][0]) & set(prints[1][0])


def test_a_fork_with_the_same_future_goes_the_way_of_its_original(churning: Scenario) -> None:
    networks = Networks(churning, 3, seed=3)
    networks.advance(1234)
    forks = networks.fork(2, networks=[2, 0])
    assert forks.num == 4
    networks.advance(900)
    forks.advance(900)
    original = networks.fingerprint()
    assert forks.fingerprint() == [original[2], original[2], original[0], original[0]]


def test_a_fork_leaves_its_original_alone(churning: Scenario) -> None:
    networks, untouched = Networks(churning, 2, seed=3), Networks(churning, 2, seed=3)
    for each in (networks, untouched):
        each.advance(500)
    forks = networks.fork(3, future="fresh")
    forks.apply({"RELEASE": (forks.ues.serving_cell >= 0).astype(int)})
    forks.advance(700)
    for each in (networks, untouched):
        each.advance(600)
    assert networks.fingerprint() == untouched.fingerprint()


def test_fresh_futures_share_a_draw_and_are_never_the_true_one(churning: Scenario) -> None:
    networks = Networks(churning, 2, seed=3)
    networks.advance(1500)
    forks = networks.fork(4, future="fresh", draw=[0, 1, 0, 1])
    again = networks.fork(1, future="fresh", draw=1)
    for each in (networks, forks, again):
        each.advance(800)
    true, fresh = networks.fingerprint(), forks.fingerprint()
    for network in range(2):
        zero, one, zero_again, one_again = fresh[4 * network : 4 * network + 4]
        assert zero == zero_again
        assert one == one_again == again.fingerprint()[network]
        assert len({zero, one, true[network]}) == 3


def test_a_fresh_future_keeps_the_present(churning: Scenario) -> None:
    networks = Networks(churning, 2, seed=3)
    networks.advance(1500)
    forks = networks.fork(1, future="fresh")
    np.testing.assert_array_equal(networks.ues.serving_cell, forks.ues.serving_cell)
    np.testing.assert_array_equal(networks.ues.sinr_l3_db, forks.ues.sinr_l3_db)
    np.testing.assert_array_equal(networks.ues.backlog_bits, forks.ues.backlog_bits)


@pytest.mark.parametrize("slot", [0, 1, 1000, 1777])
def test_a_snapshot_resumes_exactly(churning: Scenario, slot: int) -> None:
    networks = Networks(churning, 2, seed=3)
    networks.advance(slot // 2)
    networks.measure()
    networks.advance(slot - slot // 2)
    data = networks.snapshot()
    networks.advance(800)
    resumed = Networks(churning, 2, seed=99)
    resumed.restore(data)
    assert resumed.slot == slot
    resumed.advance(800)
    assert resumed.fingerprint() == networks.fingerprint()
    resumed.reset(1)
    networks.reset(1)
    assert resumed.fingerprint() == networks.fingerprint()


@pytest.mark.parametrize(("slot", "later"), [(1250, 300), (1000, 0), (700, 300)])
def test_a_forks_snapshot_resumes_in_a_fork(churning: Scenario, slot: int, later: int) -> None:
    networks = Networks(churning, 2, seed=3)
    networks.advance(slot)
    forks = networks.fork(2, future="fresh", draw=[3, 4])
    forks.advance(later)
    data = forks.snapshot()
    forks.advance(600)
    other = networks.fork(2)
    other.restore(data)
    other.advance(600)
    assert other.fingerprint() == forks.fingerprint()


def test_what_is_restored_becomes_the_networks_of_the_snapshot(churning: Scenario) -> None:
    networks = Networks(churning, 2, seed=3, first_network=5)
    other = Networks(churning, 2, seed=3)
    other.restore(networks.snapshot())
    assert other.network_ids.tolist() == [5, 6]
    for each in (networks, other):
        each.reset(1)
    assert other.fingerprint() == networks.fingerprint()


def test_a_scenario_without_splits_holds_something_out(make_scenario: MakeScenario) -> None:
    scenario = make_scenario()
    assert not scenario.splits
    assert Networks(scenario.heldout, 1, 0).fingerprint() != Networks(scenario.train, 1, 0).fingerprint()


def test_a_snapshot_that_does_not_fit_is_refused(churning: Scenario, make_scenario: MakeScenario) -> None:
    networks = Networks(churning, 2, seed=3)
    data = networks.snapshot()
    wrong = [
        (b"PK\x03\x04 something else", "is not one of networks"),
        (data[: len(data) // 2], "is cut short or damaged"),
        (data[:1000] + b"\x07" + data[1001:], "is cut short or damaged"),
        (Networks(churning, 3, seed=3).snapshot(), "holds 3 networks"),
        (Networks(make_scenario(), 2, seed=3).snapshot(), "is of another scenario"),
    ]
    before = networks.fingerprint()
    for bad, problem in wrong:
        with pytest.raises(CheckpointError, match=problem):
            networks.restore(bad)
    assert networks.fingerprint() == before


def test_splits_share_no_randomness(churning: Scenario) -> None:
    other = churning.with_changes({"placement_seed_offset": 1})
    ours, theirs = Networks(churning, 3, seed=3), Networks(other, 3, seed=3)
    assert not set(ours.ues.x_m[ours.ues.x_m != 0].tolist()) & set(theirs.ues.x_m.ravel().tolist())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"num": 0}, "num = 0, but must be a whole number in 1..1000000."),
        ({"seed": -1}, "seed = -1, but must be a whole number in 0..4611686018427387904."),
        ({"seed": 1.5}, "seed = 1.5, but must be a whole number in 0..4611686018427387904."),
        ({"first_network": -3}, "first_network = -3, but must be a whole number in 0..2147483648."),
    ],
)
def test_a_wrong_batch_is_refused(make_scenario: MakeScenario, arguments: dict[str, float], sentence: str) -> None:
    values: dict[str, float] = {"num": 1, "seed": 0, **arguments}
    with pytest.raises(ConfigError) as caught:
        Networks(make_scenario(), **values)
    assert str(caught.value) == sentence


def test_wrong_forks_are_refused(make_scenario: MakeScenario) -> None:
    networks = Networks(make_scenario(), 2, seed=0)
    with pytest.raises(ConfigError, match=r"networks = \[2\], but must be a list of indices in 0..1"):
        networks.fork(1, networks=[2])
    with pytest.raises(ConfigError, match="future = 'true', but must be one of same, fresh"):
        networks.fork(1, future="true")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"draw = .1, 2, 3., but must be an index of at least 0, or 2 of them"):
        networks.fork(2, future="fresh", draw=[1, 2, 3])
    with pytest.raises(ConfigError, match="slots = -1, but must be a whole number"):
        networks.advance(-1)


COMPARE = """
import sys
import numpy as np
sys.path.insert(0, "tests")
from ranpilot.twin import Networks
from ranpilot.twin.scenario import Scenario
scenario = Scenario.model_validate_json(sys.stdin.read())
networks = Networks(scenario, 1, seed=5, threads=1)
networks.advance(60)
networks.apply({"FORCED_HANDOVER": np.where(networks.ues.serving_cell == 0, 1, -1)})
networks.advance(60)
networks = networks.fork(2, future="fresh", draw=[0, 1])
networks.advance(30)
print(networks.counters().ue.tolist(), networks.counters().cell.tolist(), networks._state.event.tolist())
print(networks.cells.admission_limit.tolist(), networks.cells.tx_power_dbm.tolist())
print(np.round(networks.ues.sinr_l3_db, 4).tolist())
"""


def test_uncompiled_kernels_give_the_same_network(make_scenario: MakeScenario) -> None:
    population = {"kind": "arrivals", "arrivals_per_s": 5.0, "mean_holding_s": 1.0, "initial_load": 1.0}
    sites = [{**site.model_dump(), "capacity": 2} for site in make_scenario().layout.sites]
    events = {**EVENTS, "every_s": 0.1, "lead_s": [0, 0], "share": 1.0, "last_s": 0.2}
    changes = {"layout": {"sites": sites}, "users": {"population": population}, "events": events, "rrc": RRC}
    scenario = make_scenario(changes).model_dump_json()
    printed = []
    for disabled in ("0", "1"):
        environment = {**os.environ, "NUMBA_DISABLE_JIT": disabled}
        command = [sys.executable, "-W", "error::RuntimeWarning", "-c", COMPARE]
        result = subprocess.run(command, input=scenario, env=environment, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        printed.append(result.stdout)
    assert printed[0] == printed[1]
