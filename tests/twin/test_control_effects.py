"""Every control, one by one, has the effect that physics or accounting says; those of slices stand in `slices/`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ranpilot.twin import Networks, kpm
from ranpilot.twin.controls import CONTROLS
from ranpilot.twin.scenario import Scenario

MakeScenario = Callable[..., Scenario]
PLAIN = {"shadowing": False, "line_of_sight": "always", "fading": False}
STANDING = {"population": {"kind": "static", "ues_per_cell": 4}, "mobility": {"kind": "static"}}


def two_runs(
    scenario: Scenario, controls: dict[str, Any], slots: int, *, warm_up: int = 300
) -> tuple[Networks, Networks]:
    """The same network without and with the controls, both run on with the same randomness."""
    networks = Networks(scenario, 2, seed=3)
    networks.advance(warm_up)
    networks.measure()
    steered = networks.fork(1)
    steered.apply(controls)
    for run in (networks, steered):
        run.advance(slots)
    return networks, steered


def power_raises_what_is_received_by_as_many_decibels(make: MakeScenario) -> None:
    site = {"height_m": 25, "propagation": "UMa", "power_dbm": 30, "max_power_dbm": 40}
    sites = [{"name": "a", "x_m": 0, "y_m": 0, **site}, {"name": "b", "x_m": 400, "y_m": 0, **site}]
    scenario = make(
        {"radio": PLAIN, "users": STANDING, "layout": {"sites": sites}, "rrc": {"handover": {"event": "none"}}}
    )
    before, after = two_runs(scenario, {"TX_POWER_DBM": np.tile([36.0, 30.0], (2, 1))}, 4000)
    gained_db = after.ues.rsrp_l3_dbm - before.ues.rsrp_l3_dbm
    np.testing.assert_allclose(gained_db[..., 0], 6.0, atol=0.01)
    np.testing.assert_allclose(gained_db[..., 1], 0.0, atol=0.01)
    np.testing.assert_allclose(after.measure()[kpm.TX_POWER.name], [[36.0, 30.0]] * 2)


def less_tilt_is_more_gain_for_the_far(make: MakeScenario) -> None:
    site = {"name": "a", "x_m": 0, "y_m": 0, "height_m": 25, "propagation": "UMa", "power_dbm": 46}
    sectors = {"azimuths_deg": [0, 180], "antenna": {"elements": 10, "downtilt_deg": 12}}
    layout = {"sites": [{**site, **sectors}], "area_m": [-900, -100, 900, 100]}
    before, after = two_runs(
        make({"radio": PLAIN, "users": STANDING, "layout": layout}), {"DOWNTILT_DEG": np.zeros((2, 2))}, 10
    )
    own = before.ues.serving_cell[..., None]
    gained_db = np.take_along_axis(after.coupling_gain_db() - before.coupling_gain_db(), own, axis=-1)[..., 0]
    far = np.hypot(before.ues.x_m, before.ues.y_m) > 500
    assert far.any() and (gained_db[far] > 3.0).all()


def an_offset_draws_users_into_the_cell(make: MakeScenario) -> None:
    users = {"population": {"kind": "static", "ues_per_cell": 10}, "mobility": {"kind": "static"}}
    scenario = make({"radio": PLAIN, "users": users, "rrc": {"handover": {"event": "a3", "offset_db": 3}}})
    before, after = two_runs(scenario, {"CELL_INDIVIDUAL_OFFSET_DB": np.tile([24.0, 0.0], (2, 1))}, 1500)
    assert (after.cells.connected_ues[:, 0] > before.cells.connected_ues[:, 0]).all()


def a_limit_of_nobody_turns_everybody_away(make: MakeScenario) -> None:
    population = {"kind": "arrivals", "arrivals_per_s": 20.0, "mean_holding_s": 0.2}
    scenario = make({"radio": PLAIN, "users": {"population": population}})
    _, after = two_runs(scenario, {"ADMISSION_LIMIT": np.zeros((2, 2))}, 1000)
    values = after.measure()
    asked, refused = values[kpm.CONNECTION_ATTEMPTS.name], values[kpm.REFUSED_CONNECTIONS.name]
    assert asked.min() > 5
    np.testing.assert_array_equal(asked, refused)


def a_weight_of_nothing_gets_no_new_block(make: MakeScenario) -> None:
    weight = np.ones((2, 8))
    weight[:, 0] = 0.0
    before, after = two_runs(make({"radio": PLAIN, "users": STANDING}), {"SCHEDULING_WEIGHT": weight}, 500)
    used, used_after = (run.measure()[kpm.UE_PRB_MEAN.name][:, 0] for run in (before, after))
    assert (used > 0).all() and (used_after < 0.05 * used).all()


def a_release_empties_the_place(make: MakeScenario) -> None:
    release = np.zeros((2, 8))
    release[:, 5] = 1
    before, after = two_runs(make({"radio": PLAIN, "users": STANDING}), {"RELEASE": release}, 100)
    assert (before.ues.serving_cell[:, 5] >= 0).all() and (after.ues.serving_cell[:, 5] == -1).all()
    assert (after.cells.connected_ues.sum(axis=1) == 7).all()


def a_forced_handover_changes_the_cell(make: MakeScenario) -> None:
    scenario = make({"radio": PLAIN, "users": STANDING, "rrc": {"handover": {"event": "none", "t304_ms": None}}})
    networks = Networks(scenario, 2, seed=3)
    target = np.full((2, 8), -1)
    target[:, 1] = 1 - networks.ues.serving_cell[:, 1]
    networks.apply({"FORCED_HANDOVER": target})
    networks.advance(200)
    np.testing.assert_array_equal(networks.ues.serving_cell[:, 1], target[:, 1])


def a_sleeping_cell_sends_nothing_and_draws_less(make: MakeScenario) -> None:
    before, after = two_runs(make({"radio": PLAIN, "users": STANDING}), {"CELL_SLEEP": np.tile([3, 0], (2, 1))}, 500)
    values, steered = before.measure(), after.measure()
    assert (values[kpm.PRB_USE.name][:, 0] > 0).all() and (steered[kpm.PRB_USE.name][:, 0] == 0).all()
    assert (steered["PEE.AvgPower"][:, 0] < 0.5 * values["PEE.AvgPower"][:, 0]).all()


EFFECTS: dict[str, Callable[[MakeScenario], None]] = {
    "TX_POWER_DBM": power_raises_what_is_received_by_as_many_decibels,
    "DOWNTILT_DEG": less_tilt_is_more_gain_for_the_far,
    "CELL_INDIVIDUAL_OFFSET_DB": an_offset_draws_users_into_the_cell,
    "ADMISSION_LIMIT": a_limit_of_nobody_turns_everybody_away,
    "SCHEDULING_WEIGHT": a_weight_of_nothing_gets_no_new_block,
    "RELEASE": a_release_empties_the_place,
    "FORCED_HANDOVER": a_forced_handover_changes_the_cell,
    "CELL_SLEEP": a_sleeping_cell_sends_nothing_and_draws_less,
}


@pytest.mark.parametrize("name", EFFECTS)
def test_a_control_does_what_physics_says(name: str, make_scenario: MakeScenario) -> None:
    EFFECTS[name](make_scenario)


def test_no_control_is_without_a_test_of_its_effect() -> None:
    of_slices = (Path(__file__).parent / "slices" / "test_controls.py").read_text(encoding="utf-8")
    for control in CONTROLS:
        assert control.name in (of_slices if control.scope == "slice" else EFFECTS), control.name
