"""Handover and radio link failure: what is configured, what a single user does, and what always holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ranpilot.errors import ActionError, ConfigError
from ranpilot.twin import Networks, kpm, state
from ranpilot.twin.controls import ADMISSION_LIMIT, CELL_INDIVIDUAL_OFFSET_DB, FORCED_HANDOVER, TX_POWER_DBM
from ranpilot.twin.parameters.rrc import filter_weight
from ranpilot.twin.scenario import Scenario

MakeScenario = Callable[..., Scenario]

QUIET = {"shadowing": False, "line_of_sight": "never", "fading": False}


def two_standing_users(make_scenario: MakeScenario, rrc: dict[str, Any]) -> Networks:
    """Two cells whose powers decide, one user each, nothing that fades."""
    sites = [
        {"name": name, "x_m": x_m, "y_m": 0, "height_m": 25, "propagation": "UMa", "power_dbm": 30,
         "min_power_dbm": 0, "max_power_dbm": 60}
        for name, x_m in (("a", 0), ("b", 400))
    ]  # fmt: skip
    users = {"population": {"kind": "static", "ues_per_cell": 1}, "mobility": {"kind": "static"}}
    traffic = {"mix": [{"kind": "poisson", "mean_rate_bps": 1e4, "packet_bits": 1000}]}
    layout = {"sites": sites, "area_m": [180, -20, 220, 20]}
    return Networks(
        make_scenario({"layout": layout, "users": users, "radio": QUIET, "traffic": traffic, "rrc": rrc}), 1, seed=3
    )


def event_slots(networks: Networks, column: int, slots: int) -> list[int]:
    """The RRC periods' ends at which a counter of the first user grew."""
    seen, last = [], int(networks.counters().ue[0, 0, column])
    for _ in range(slots // 10):
        networks.advance(10)
        now = int(networks.counters().ue[0, 0, column])
        if now > last:
            seen.append(networks.slot)
        last = now
    return seen


def test_a_filter_keeps_its_time_constant_at_another_rate() -> None:
    for coefficient in (0, 4, 8, 19):
        left = (1.0 - filter_weight(coefficient)) ** 20
        assert left == pytest.approx(1.0 - 2.0 ** (-coefficient / 4), abs=1e-12)


def test_rsrp_is_the_power_of_a_resource_element_and_follows_a_step_as_the_filter_says(
    make_scenario: MakeScenario,
) -> None:
    networks = two_standing_users(make_scenario, {"rsrp_filter_coefficient": 4})
    networks.advance(100)
    before = networks.ues.rsrp_l3_dbm[0]
    power_dbm = 30.0 - 10 * np.log10(24 * 12) + 10 * np.log10(networks._state.gain[0])
    np.testing.assert_allclose(before, power_dbm, atol=1e-9)
    networks.apply({TX_POWER_DBM: [[40.0, 30.0]]})
    networks.advance(200)
    # k = 4 halves the distance to a new level in 200 ms.
    np.testing.assert_allclose(networks.ues.rsrp_l3_dbm[0, :, 0] - before[:, 0], 5.0, atol=1e-9)
    np.testing.assert_allclose(networks.ues.rsrp_l3_dbm[0, :, 1], before[:, 1], atol=1e-9)


@pytest.mark.parametrize(
    ("time_to_trigger_ms", "preparation_ms", "expected_ms"), [(0, 0, 10), (40, 0, 50), (40, 30, 80), (35, 25, 80)]
)
def test_a_handover_comes_after_time_to_trigger_and_preparation(
    make_scenario: MakeScenario, time_to_trigger_ms: float, preparation_ms: float, expected_ms: int
) -> None:
    handover = {"event": "a3", "time_to_trigger_ms": time_to_trigger_ms, "preparation_ms": preparation_ms}
    networks = two_standing_users(make_scenario, {"rsrp_filter_coefficient": 0, "handover": handover})
    networks.advance(500)
    networks.apply({TX_POWER_DBM: [[20.0, 40.0]]})
    assert event_slots(networks, state.UE_HANDOVERS_STARTED, 300) == [500 + expected_ms]
    assert networks.ues.serving_cell.tolist() == [[1, 1]]
    measured = networks.measure()
    assert measured[kpm.HANDOVERS_OUT.name].tolist() == [[1, 0]]
    assert measured[kpm.HANDOVER_TIME.name].tolist() == [[50, 0]]


def test_a_condition_that_is_interrupted_starts_its_time_anew(make_scenario: MakeScenario) -> None:
    handover = {"event": "a3", "time_to_trigger_ms": 80, "preparation_ms": 0}
    networks = two_standing_users(make_scenario, {"rsrp_filter_coefficient": 0, "handover": handover})
    networks.advance(500)
    for low_ms in (70, 80):
        networks.apply({TX_POWER_DBM: [[20.0, 40.0]]})
        assert event_slots(networks, state.UE_HANDOVERS_STARTED, low_ms) == []
        networks.apply({TX_POWER_DBM: [[30.0, 30.0]]})
        networks.advance(10)
    networks.apply({TX_POWER_DBM: [[20.0, 40.0]]})
    assert event_slots(networks, state.UE_HANDOVERS_STARTED, 200) == [670 + 90]


def test_a5_needs_a_weak_serving_cell_and_a_strong_neighbour(make_scenario: MakeScenario) -> None:
    handover = {"event": "a5", "time_to_trigger_ms": 0, "hysteresis_db": 0, "preparation_ms": 0}
    for below_dbm, above_dbm, is_expected in ((0.0, 0.0, False), (6.0, 6.0, False), (6.0, -6.0, True)):
        probe = two_standing_users(make_scenario, {})
        probe.advance(10)
        own_dbm, other_dbm = probe.ues.rsrp_l3_dbm[0, 0]
        thresholds = {"serving_below_dbm": own_dbm + below_dbm, "neighbour_above_dbm": other_dbm + above_dbm}
        rrc = {"rsrp_filter_coefficient": 0, "handover": {**handover, **thresholds}}
        networks = two_standing_users(make_scenario, rrc)
        assert (len(event_slots(networks, state.UE_HANDOVERS_STARTED, 100)) > 0) == is_expected


def test_an_offset_of_a_cell_draws_users_in_and_holds_them(make_scenario: MakeScenario) -> None:
    handover = {"event": "a3", "time_to_trigger_ms": 0, "offset_db": 3, "preparation_ms": 0}
    networks = two_standing_users(make_scenario, {"rsrp_filter_coefficient": 0, "handover": handover})
    networks.apply({CELL_INDIVIDUAL_OFFSET_DB: [[0.0, 20.0]]})
    networks.advance(200)
    assert networks.ues.serving_cell.tolist() == [[1, 1]]
    networks.apply({CELL_INDIVIDUAL_OFFSET_DB: [[np.nan, 20.0]], TX_POWER_DBM: [[36.0, 30.0]]})
    networks.advance(200)
    assert networks.ues.serving_cell.tolist() == [[1, 1]]
    assert networks.cells.individual_offset_db.tolist() == [[0.0, 20.0]]
    networks.apply({CELL_INDIVIDUAL_OFFSET_DB: [[20.0, 0.0]]})
    networks.advance(200)
    assert networks.ues.serving_cell.tolist() == [[0, 0]]
    with pytest.raises(ActionError, match=r"CELL_INDIVIDUAL_OFFSET_DB = 25.0, but must be -24..24 dB"):
        networks.apply({CELL_INDIVIDUAL_OFFSET_DB: [[25.0, 0.0]]})


def test_a_full_target_is_asked_again_each_report_interval(make_scenario: MakeScenario) -> None:
    handover = {"event": "a3", "time_to_trigger_ms": 0, "preparation_ms": 20, "report_interval_ms": 120}
    networks = two_standing_users(make_scenario, {"rsrp_filter_coefficient": 0, "handover": handover})
    networks.advance(100)
    networks.apply({TX_POWER_DBM: [[20.0, 40.0]], ADMISSION_LIMIT: [[1, 1]]})
    assert event_slots(networks, state.UE_HANDOVERS_REFUSED, 300) == [130, 250, 370]
    networks.apply({ADMISSION_LIMIT: [[1, 2]]})
    assert event_slots(networks, state.UE_HANDOVERS, 200) == [540]


def test_a_way_back_soon_is_a_ping_pong_and_a_late_one_is_not(make_scenario: MakeScenario) -> None:
    for stay_ms, expected in ((490, 1), (510, 0)):
        networks = two_standing_users(make_scenario, {"handover": {"short_stay_ms": 500}})
        for target, wait_ms in ((1, stay_ms), (0, 100)):
            networks.apply({FORCED_HANDOVER: [[target, -1]]})
            networks.advance(wait_ms)
        measured = networks.measure()
        assert measured[kpm.UE_HANDOVERS.name].tolist() == [[2, 0]]
        assert measured[kpm.UE_PING_PONGS.name].tolist() == [[expected, 0]]
        assert measured[kpm.PING_PONGS.name].tolist() == [[0, expected]]


def test_an_access_that_nobody_hears_ends_with_t304_and_goes_back(make_scenario: MakeScenario) -> None:
    rrc = {
        "l3_time_constant_ms": 10,
        "handover": {"t304_ms": 200},
        "link_failure": {"cell_search_ms": 100, "reestablishment_ms": 80},
    }
    networks = two_standing_users(make_scenario, rrc)
    networks.apply({TX_POWER_DBM: [[60.0, 0.0]]})
    # Without load cells hardly interfere: the weak one must be below Qout by itself.
    networks._state.gain[:, :, 1] *= 1e-6
    networks.advance(300)
    networks.apply({FORCED_HANDOVER: [[1, -1]]})
    assert event_slots(networks, state.UE_HANDOVERS_FAILED, 300) == [500]
    assert networks.ues.interrupted.tolist() == [[True, False]]
    assert event_slots(networks, state.UE_REESTABLISHMENTS, 200) == []
    measured = networks.measure()
    assert networks.ues.serving_cell.tolist() == [[0, 1]] and not networks.ues.interrupted[0, 0]
    assert measured[kpm.HANDOVERS_FAILED.name].tolist() == [[1, 0]]
    assert measured[kpm.HANDOVERS_OUT.name].tolist() == [[0, 0]]
    assert measured[kpm.HANDOVERS_TOO_EARLY.name].tolist() == [[1, 0]]
    # From the command: T304, the search, the connection.
    assert measured[kpm.REESTABLISHMENT_TIME.name].tolist() == [[200 + 100 + 80, 0]]


def test_who_finds_no_cell_in_time_starts_anew_or_is_gone(make_scenario: MakeScenario) -> None:
    failure = {"qout_db": 20.0, "qin_db": 20.0, "t310_ms": 0, "t311_ms": 300, "suitable_rsrp_dbm": -60.0}
    static = {"kind": "static", "ues_per_cell": 2}
    arrivals = {"kind": "arrivals", "arrivals_per_s": 1e-4, "mean_holding_s": 80_000.0}
    for kind, population in (("static", static), ("arrivals", arrivals)):
        scenario = make_scenario({"users": {"population": population}, "rrc": {"link_failure": failure}})
        networks = Networks(scenario, 2, seed=1)
        there = networks.ues.serving_cell >= 0
        networks.advance(2000)
        measured = networks.measure()
        assert measured[kpm.SEARCHES_EXPIRED.name].sum() > 0
        gone = there & (networks.ues.serving_cell < 0)
        expected = measured[kpm.SEARCHES_EXPIRED.name].sum() if kind == "arrivals" else 0
        assert gone.sum() == expected
        assert not networks.ues.interrupted[networks.ues.serving_cell < 0].any()


def test_a_user_on_its_way_cannot_be_sent_elsewhere(make_scenario: MakeScenario) -> None:
    networks = two_standing_users(make_scenario, {"handover": {"forced_preparation_ms": 40, "interruption_ms": 50}})
    networks.advance(100)
    for _ in range(2):
        networks.apply({FORCED_HANDOVER: [[1, -1]]})
        networks.advance(20)
    measured = networks.measure()
    assert measured[kpm.HANDOVERS_ASKED.name].tolist() == [[2, 0]]
    assert measured[kpm.HANDOVERS_REFUSED.name].tolist() == [[1, 0]]
    assert measured[kpm.HANDOVERS_STARTED.name].tolist() == [[1, 0]]
    networks.advance(50)
    assert networks.measure()[kpm.HANDOVERS_OUT.name].tolist() == [[1, 0]]


@settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_places_are_kept_and_limits_hold_whatever_users_do(make_scenario: MakeScenario, data: st.DataObject) -> None:
    sites = [{**site.model_dump(), "capacity": data.draw(st.integers(3, 6))} for site in make_scenario().layout.sites]
    arrivals = {"kind": "arrivals", "arrivals_per_s": 8.0, "mean_holding_s": 0.8}
    qout_db = data.draw(st.sampled_from([-8.0, 0.0, 6.0]))
    leaves = data.draw(st.booleans())
    handover = {
        "event": data.draw(st.sampled_from(["a3", "a5", "none"])),
        "offset_db": 0.0,
        "hysteresis_db": 0.0,
        "serving_below_dbm": -70.0,
        "neighbour_above_dbm": -120.0,
        "time_to_trigger_ms": data.draw(st.sampled_from([0, 40])),
        "preparation_ms": data.draw(st.sampled_from([0, 30])),
        "t304_ms": data.draw(st.sampled_from([None, 60, 200])),
        "interruption_ms": data.draw(st.sampled_from([0, 33])),
    }
    failure = {"qout_db": qout_db, "qin_db": qout_db, "t310_ms": 50, "t311_ms": 200, "cell_search_ms": 50}
    mix = [{"kind": "poisson", "mean_rate_bps": 2e6, "packet_bits": 3000, "deadline_ms": 50}]
    scenario = make_scenario(
        {
            "layout": {"sites": sites},
            "users": {"population": arrivals if leaves else {"kind": "static", "ues_per_cell": 3}},
            "traffic": {"mix": mix, "buffer_packets": 50},
            "rrc": {"handover": handover, "link_failure": {**failure, "then": "leave" if leaves else "reestablish"}},
        }
    )
    networks = Networks(scenario, 3, seed=data.draw(st.integers(0, 1000)))
    for _ in range(6):
        networks.advance(data.draw(st.integers(1, 150)))
        serving = networks.ues.serving_cell
        moved = np.where((serving >= 0) & (np.arange(serving.shape[1]) % 3 == 0), 1 - serving, -1)
        networks.apply({FORCED_HANDOVER: moved})
        check_places(networks)
        check_conservation(networks)


def check_places(networks: Networks) -> None:
    """A place is held in the cell that serves it, cells hold no more than they may, and handovers add up."""
    inside, counted = networks._state, networks.counters()
    held = [(inside.ue[..., state.SERVING_CELL] == cell).sum(axis=1) for cell in range(2)]
    np.testing.assert_array_equal(networks.cells.connected_ues, np.stack(held, axis=1))
    assert (networks.cells.connected_ues <= networks.cells.admission_limit).all()
    cell, total = counted.cell, counted.cell.sum(axis=1)
    accessing = (inside.ue[..., state.CONNECTION] == state.ACCESSING).sum(axis=1)
    started, done = total[:, state.CELL_HANDOVERS_STARTED], total[:, state.CELL_HANDOVERS_OUT]
    assert (started >= done + total[:, state.CELL_HANDOVERS_FAILED] + accessing).all()
    np.testing.assert_array_equal(done, total[:, state.CELL_HANDOVERS_IN])
    np.testing.assert_array_equal(done, counted.ue[..., state.UE_HANDOVERS].sum(axis=1))
    settled = cell[..., state.CELL_HANDOVERS_REFUSED] + cell[..., state.CELL_HANDOVERS_STARTED]
    assert (cell[..., state.CELL_HANDOVERS_ASKED] >= settled + cell[..., state.CELL_PREPARATIONS_CUT]).all()


def check_conservation(networks: Networks) -> None:
    """Every packet that came in left in one way, waits, or is in a block that waits."""
    ue, inside = networks.counters().ue, networks._state
    gone = sum(
        ue[..., getattr(state, f"UE_PACKETS_{way}")] for way in ("OUT", "EXPIRED", "OVERFLOWED", "LOST", "FLUSHED")
    )
    queued = inside.ue[..., state.END] - inside.ue[..., state.SENDING]
    flying = (inside.process[..., state.NUM_PACKETS] * (inside.process[..., state.BLOCK_BITS] > 0)).sum(axis=-1)
    np.testing.assert_array_equal(ue[..., state.UE_PACKETS_IN], gone + queued + flying)


@pytest.mark.parametrize(
    ("rrc", "sentence"),
    [
        ({"measure_rsrp": False, "handover": {"event": "a3"}}, "measure_rsrp = False, but must be true for event a3."),
        ({"link_failure": {"qout_db": -2, "qin_db": -3}}, "qin_db = -3.0, but must be at least qout_db (-2)."),
        ({"link_failure": {"t311_ms": 100}}, "t311_ms = 100.0, but must be at least cell_search_ms (200)."),
        ({"handover": {"t304_ms": 30}}, "t304_ms = 30.0, but must be at least interruption_ms (50), or null."),
        (
            {"handover": {"cell_individual_offset_db": [1, 2, 3]}},
            "rrc.handover.cell_individual_offset_db = [1.0, 2.0, 3.0], but must be one number for each of the 2 cells.",
        ),
        (
            {"link_failure": {"then": "leave"}},
            "rrc.link_failure.then = 'leave', but must be reestablish where users are static.",
        ),
    ],
)
def test_rules_that_do_not_fit_are_refused(make_scenario: MakeScenario, rrc: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make_scenario().with_changes({"rrc": rrc})
    assert str(caught.value).endswith(sentence)
