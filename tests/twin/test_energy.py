"""Joules of cells: the power model of TR 38.864 in closed form, and slot by slot."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from ranpilot.errors import ConfigError
from ranpilot.twin import Networks, kpm, state
from ranpilot.twin.controls import CELL_SLEEP, TX_POWER_DBM
from ranpilot.twin.description.energy import Energy
from ranpilot.twin.energy import cell_joules, make_cell_power
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.scenario_file import validate_scenario
from ranpilot.twin.validate.random_scenario import random_controls

from .scenario_strategy import Drawn, decisions, scenario_values

MakeScenario = Callable[..., Scenario]
REFERENCE = runpy.run_path(str(Path(__file__).parents[1] / "reference" / "energy_reference.py"))

ACTIVE_W = 1000.0
QUIET: Any = {"deadline": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}

# Category, set: deep, light, micro sleep, active downlink (TR 38.864 Table 5.1-3).
POWERS = {
    (1, 1): (1, 25, 55, 280),
    (1, 2): (1, 25, 50, 200),
    (1, 3): (1, 25, 38, 152),
    (2, 1): (1, 2.1, 5.5, 32),
    (2, 2): (1, 2.1, 5, 26),
    (2, 3): (1, 2.1, 3, 17.6),
}
# Category: ms and relative power x ms of light, and of deep sleep (Tables 5.1-4, 5.1-5).
TRANSITIONS = {1: (6, 90, 50, 1000), 2: (640, 1088, 10_000, 17_000)}


def one_cell(make_scenario: MakeScenario, mean_rate_bps: float, **energy: Any) -> Scenario:
    """One user beside one cell of 20 to 40 dBm, at 1 ms slots."""
    site = {"name": "a", "x_m": 0, "y_m": 0, "height_m": 25, "propagation": "UMa", "power_dbm": 40}
    return make_scenario(
        {
            "layout": {"area_m": [-50, -50, 50, 50], "sites": [{**site, "min_power_dbm": 20}]},
            "users": {"population": {"kind": "static", "ues_per_cell": 1}, "mobility": {"kind": "static"}},
            "radio": {"shadowing": False, "line_of_sight": "always", "fading": False},
            "traffic": {"mix": [{"kind": "poisson", "mean_rate_bps": mean_rate_bps}]},
            "energy": {"active_power_w": ACTIVE_W, **energy},
        }
    )


@pytest.mark.parametrize(("category", "reference_set"), list(POWERS))
def test_the_relative_powers_and_transitions_are_those_of_the_standard(category: Any, reference_set: Any) -> None:
    energy = Energy(category=category, reference_set=reference_set)
    assert tuple(energy.relative_power) == POWERS[category, reference_set]
    light, deep = energy.transition("light_sleep"), energy.transition("deep_sleep")
    assert (light.time_ms, light.energy, deep.time_ms, deep.energy) == TRANSITIONS[category]
    assert energy.transition("micro_sleep") == (0.0, 0.0)


def test_without_watts_a_cell_draws_by_what_it_can_radiate() -> None:
    energy = Energy()
    assert energy.active_w(46.0) == pytest.approx(6 + 11 * 39.81, rel=1e-3)
    # Stations of Auer et al. 2011, Table 2: radiated and drawn watts of a transceiver at full load.
    for radiated_w, drawn_w in ((0.05, 5.2), (0.13, 7.3), (6.3, 72.4), (20.0, 224.0)):
        assert energy.active_w(10 * np.log10(radiated_w * 1e3)) == pytest.approx(drawn_w, rel=0.26)


@pytest.mark.parametrize(("category", "reference_set"), list(POWERS))
def test_a_full_cell_at_full_power_draws_its_active_power(
    make_scenario: MakeScenario, category: int, reference_set: int
) -> None:
    scenario = one_cell(make_scenario, 3e8, category=category, reference_set=reference_set)
    networks = Networks(scenario, 2, seed=1)
    networks.advance(200)
    networks.measure()
    networks.advance(500)
    measured = networks.measure()
    np.testing.assert_allclose(measured[kpm.PRB_USE.name], 100.0)
    np.testing.assert_allclose(measured[kpm.MEAN_POWER.name], ACTIVE_W, rtol=1e-9)
    np.testing.assert_allclose(measured[kpm.ENERGY.name], ACTIVE_W * 0.5 / 3.6e6, rtol=1e-9)
    bits = measured[kpm.VOLUME.name] * 1e6
    np.testing.assert_allclose(measured[kpm.ENERGY_EFFICIENCY.name], bits / (ACTIVE_W * 0.5), rtol=1e-9)


@pytest.mark.parametrize("power_dbm", [40.0, 37.0, 20.0])
def test_a_full_cell_at_less_power_saves_of_the_load_dependent_part(
    make_scenario: MakeScenario, power_dbm: float
) -> None:
    networks = Networks(one_cell(make_scenario, 3e8, category=1, reference_set=1), 1, seed=1)
    networks.apply({TX_POWER_DBM: [[power_dbm]]})
    networks.advance(200)
    networks.measure()
    networks.advance(300)
    measured = networks.measure()
    np.testing.assert_allclose(measured[kpm.PRB_USE.name], 100.0)
    power_share = 10 ** ((power_dbm - 40.0) / 10)
    expected = ACTIVE_W * (55 + 225 * (0.4 + 0.6 * power_share)) / 280
    np.testing.assert_allclose(measured[kpm.MEAN_POWER.name], expected, rtol=1e-5)


@pytest.mark.parametrize(("sleep", "expected"), [("micro", 55), ("none", 55 + 0.4 * 225)])
def test_a_cell_without_traffic_draws_what_its_automatic_sleep_leaves(
    make_scenario: MakeScenario, sleep: str, expected: float
) -> None:
    networks = Networks(one_cell(make_scenario, 0.0, reference_set=1, automatic_sleep=sleep), 1, seed=1)
    networks.advance(1000)
    measured = networks.measure()
    np.testing.assert_allclose(measured[kpm.MEAN_POWER.name], ACTIVE_W * expected / 280)
    assert measured[kpm.ENERGY_EFFICIENCY.name] == 0.0


def test_idle_and_sending_slots_add_up_by_their_shares(make_scenario: MakeScenario) -> None:
    networks = Networks(one_cell(make_scenario, 5e6, reference_set=1, load_independent_share=0.3), 4, seed=1)
    networks.advance(2000)
    count, measured = networks.counters().cell, networks.measure()
    sending = count[..., state.CELL_SENDING_SLOTS] / 2000
    assert (sending > 0.05).all() and (sending < 0.95).all()
    used = measured[kpm.PRB_USE.name] / 100
    expected = ACTIVE_W * (55 + 225 * (0.3 * sending + 0.7 * used)) / 280
    np.testing.assert_allclose(measured[kpm.MEAN_POWER.name], expected, rtol=1e-9)


@pytest.mark.parametrize("category", [1, 2])
@pytest.mark.parametrize(("level", "name"), [(1, "micro_sleep"), (2, "light_sleep"), (3, "deep_sleep")])
def test_a_sleep_draws_what_the_standard_says_and_its_transition_once(
    make_scenario: MakeScenario, category: int, level: int, name: Any
) -> None:
    scenario = one_cell(make_scenario, 0.0, category=category)
    networks = Networks(scenario, 1, seed=1)
    networks.advance(15)
    networks.measure()
    networks.apply({CELL_SLEEP: [[level]]})
    networks.advance(500)
    energy = scenario.energy
    unit_w = ACTIVE_W / energy.relative_power.active_dl
    expected_j = unit_w * (getattr(energy.relative_power, name) * 0.5 + energy.transition(name).energy * 1e-3)
    measured = networks.measure()
    np.testing.assert_allclose(measured[kpm.ENERGY.name] * 3.6e6, expected_j)
    assert measured[kpm.TIME_ON_AIR.name] == 0.0


def test_a_cell_that_may_sleep_lightly_dozes_and_lets_the_first_data_wait(make_scenario: MakeScenario) -> None:
    scenario = one_cell(make_scenario, 0.0, automatic_sleep="light", doze_after_ms=20.0)
    networks = Networks(scenario, 1, seed=1)
    networks.advance(100)
    count = networks.counters().cell[0, 0]
    assert count[state.CELL_EMPTY_SLOTS + state.AWAKE] == 20
    assert count[state.CELL_EMPTY_SLOTS + state.DOZING] == 80
    assert count[state.CELL_LIGHT_SLEEPS] == 1
    measured = networks.measure()
    assert measured[kpm.TIME_ON_AIR.name] == 100.0
    unit_w = ACTIVE_W / 200
    np.testing.assert_allclose(measured[kpm.ENERGY.name] * 3.6e6, unit_w * (50 * 0.02 + 25 * 0.08 + 90e-3))


def test_data_that_comes_to_a_dozing_cell_waits_for_its_wake_up_time(make_scenario: MakeScenario) -> None:
    changes = {"kind": "periodic", "period_s": 0.1, "packet_bits": 1000}
    delay_ms = {}
    for sleep in ("micro", "light"):
        scenario = one_cell(make_scenario, 0.0, automatic_sleep=sleep, doze_after_ms=20.0)
        networks = Networks(scenario.with_changes({"traffic": {"mix": [changes]}}), 1, seed=1)
        networks.advance(300)
        networks.measure()
        networks.advance(1000)
        delay_ms[sleep] = networks.measure()[kpm.PACKET_DELAY.name][0, 0] / 10
    assert delay_ms["light"] == pytest.approx(delay_ms["micro"] + 6.0)


def test_a_network_draws_what_its_cells_draw_together(make_scenario: MakeScenario) -> None:
    networks = Networks(make_scenario(), 3, seed=1)
    networks.advance(500)
    measured = networks.measure()
    whole = kpm.network_energy(measured)
    np.testing.assert_allclose(whole.energy_j, measured[kpm.MEAN_POWER.name].sum(axis=1) * 0.5)
    np.testing.assert_allclose(whole.energy_kwh * 3.6e6, whole.energy_j)
    np.testing.assert_allclose(whole.mean_power_w, whole.energy_j / 0.5)
    bits = networks.counters().cell[..., state.CELL_BITS_OUT].sum(axis=1)
    np.testing.assert_allclose(whole.efficiency, bits / whole.energy_j)


@settings(max_examples=10, **QUIET)
@given(values=scenario_values(), choose=decisions())
def test_joules_are_those_that_a_meter_adds_up_slot_by_slot(values: dict[str, Any], choose: Drawn) -> None:
    networks = Networks(validate_scenario(values), 2, seed=3)
    meter = REFERENCE["SlotMeter"](networks)
    for _ in range(3):
        meter.advance(choose.whole(1, 40))
        networks.apply(random_controls(choose, networks))
    meter.advance(30)
    joules = cell_joules(networks.counters().cell, make_cell_power(networks.scenario))
    np.testing.assert_allclose(joules, meter.joules, rtol=1e-5)
    assert (joules > 0).all()


@pytest.mark.parametrize(
    ("energy", "sentence"),
    [
        ({"category": 3}, "energy.category = 3, but must be one of 1, 2."),
        ({"reference_set": 0}, "energy.reference_set = 0, but must be one of 1, 2, 3."),
        ({"active_power_w": 0}, "energy.active_power_w = 0, but must be at least 0.1."),
        ({"load_independent_share": 1.2}, "energy.load_independent_share = 1.2, but must be at most 1."),
        ({"automatic_sleep": "deep"}, "energy.automatic_sleep = 'deep', but must be one of none, micro, light."),
        ({"doze_after_ms": 0}, "energy.doze_after_ms = 0, but must be at least 0.1."),
    ],
)
def test_an_energy_model_that_cannot_be_is_refused(
    make_scenario: MakeScenario, energy: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        make_scenario().with_changes({"energy": energy})
    assert str(caught.value) == sentence
