"""Large-scale gain of whole networks against the same worked out by array arithmetic, without kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ranpilot.twin import Networks
from ranpilot.twin.radio import path_loss_db
from ranpilot.twin.scenario import Scenario

MakeScenario = Callable[..., Scenario]

HEXAGONAL = {
    "kind": "hexagonal",
    "num_sites": 7,
    "isd_m": 500,
    "height_m": 25,
    "propagation": "UMa",
    "power_dbm": 49,
    "antenna": {"elements": 10, "downtilt_deg": 12},
}
PLAIN = {"shadowing": False, "line_of_sight": "always", "fading": False}


def hexagonal(make_scenario: MakeScenario, layout: dict[str, Any] | None = None, **changes: Any) -> Scenario:
    radio = changes.pop("radio", PLAIN)
    base = make_scenario().model_dump(mode="json")
    return Scenario.model_validate({**base, "layout": {**HEXAGONAL, **(layout or {})}, "radio": radio, **changes})


def antenna_db(azimuth_deg: np.ndarray, zenith_deg: np.ndarray) -> np.ndarray:
    """Table 7.3-1 and ten phasors half a wavelength apart, steered to 102 degrees."""
    off = (azimuth_deg + 180) % 360 - 180
    element_db = 8 - np.minimum(12 * ((zenith_deg - 90) / 65) ** 2 + np.minimum(12 * (off / 65) ** 2, 30), 30)
    phase = np.pi * (np.cos(np.radians(zenith_deg)) - np.cos(np.radians(102.0)))
    column = np.exp(1j * phase[..., None] * np.arange(10)).sum(axis=-1) / np.sqrt(10)
    return element_db + 20 * np.log10(np.abs(column))


@pytest.mark.parametrize("wrapped", [True, False])
def test_the_gain_is_antenna_less_path_loss_to_the_nearest_copy(make_scenario: MakeScenario, wrapped: bool) -> None:
    scenario = hexagonal(make_scenario, {"wrap_around": wrapped})
    networks = Networks(scenario, 1, seed=4)
    ues = networks.ues
    site_m = np.array([(site.x_m, site.y_m) for site in scenario.layout.sites])
    # The lattice of clusters, by hand: two steps along one of the site lattice's vectors and one along the next.
    steps = 500 * np.exp(1j * np.radians(30 + 60 * np.arange(7)))
    shifts = [0j] + ([2 * steps[k] + steps[k + 1] for k in range(6)] if wrapped else [])
    shift_m = np.array([(shift.real, shift.imag) for shift in shifts])
    place_m = np.stack([ues.x_m[0], ues.y_m[0]], axis=1)
    way_m = place_m[:, None, None] - (site_m[None, :, None] + shift_m[None, None])  # [U, S, copy, 2]
    nearest = np.hypot(way_m[..., 0], way_m[..., 1]).argmin(axis=2)
    way_m = np.take_along_axis(way_m, nearest[..., None, None], axis=2)[:, :, 0]
    distance_m = np.hypot(way_m[..., 0], way_m[..., 1])
    assert distance_m.min() > 35
    loss_db = path_loss_db("UMa", distance_m, 25.0, 1.5, scenario.carrier.frequency_ghz * 1e9, True)
    zenith_deg = np.degrees(np.arctan2(distance_m, -23.5))
    azimuth_deg = np.degrees(np.arctan2(way_m[..., 1], way_m[..., 0]))
    boresight_deg = np.array([30.0, 150.0, 270.0])
    gain_db = antenna_db(azimuth_deg[..., None] - boresight_deg, zenith_deg[..., None]) - loss_db[..., None]
    assert networks.coupling_gain_db()[0] == pytest.approx(gain_db.reshape(len(place_m), -1), abs=1e-4)
    assert (nearest > 0).any() == wrapped
    assert (ues.serving_cell[0] == gain_db.reshape(len(place_m), -1).argmax(axis=1)).all()


def test_cells_of_a_site_share_line_of_sight_shadowing_and_wall(make_scenario: MakeScenario) -> None:
    """Their gains differ by what they do without any of it."""
    quiet = hexagonal(make_scenario)
    users = {**quiet.model_dump(mode="json")["users"], "indoor": {"share": 1.0, "min_floors": 1, "max_floors": 1}}
    random = {"fading": False, "shadowing": True, "line_of_sight": "random"}
    full = hexagonal(make_scenario, radio=random, users=users)
    gains = [Networks(scenario, 1, seed=4).coupling_gain_db()[0] for scenario in (quiet, full)]
    sectors = [gain.reshape(-1, 7, 3) - gain.reshape(-1, 7, 3)[..., :1] for gain in gains]
    assert sectors[0] == pytest.approx(sectors[1], abs=1e-9)
    extra_db = (gains[0] - gains[1]).reshape(-1, 7, 3)[..., 0]
    assert extra_db.std() > 3


def test_an_offset_of_the_path_loss_lowers_every_gain_by_as_much_and_moves_nobody(make_scenario: MakeScenario) -> None:
    radio = {"fading": False}
    plain, lossy = (
        Networks(make_scenario({"radio": {**radio, "path_loss_offset_db": offset_db}}), 2, seed=4)
        for offset_db in (0.0, 7.5)
    )
    assert plain.coupling_gain_db() - lossy.coupling_gain_db() == pytest.approx(7.5, abs=1e-4)
    assert (plain.ues.x_m == lossy.ues.x_m).all()
    # No interference is louder than before, and the noise stays: nobody hears better, most hear worse.
    change_db = lossy.ues.sinr_l3_db - plain.ues.sinr_l3_db
    assert change_db.max() < 1e-4
    assert -7.5 - 1e-4 < change_db.mean() < -0.1
    assert lossy.ues.rsrp_l3_dbm - plain.ues.rsrp_l3_dbm == pytest.approx(-7.5, abs=1e-3)


def test_the_scale_of_shadowing_multiplies_what_obstacles_add(make_scenario: MakeScenario) -> None:
    random = {"fading": False, "line_of_sight": "random"}
    gain_db = {
        scale: Networks(hexagonal(make_scenario, radio={**random, "shadowing_scale": scale}), 1, 4).coupling_gain_db()
        for scale in (0.0, 1.0, 2.5)
    }
    without = Networks(hexagonal(make_scenario, radio={**random, "shadowing": False}), 1, 4).coupling_gain_db()
    assert (gain_db[0.0] == without).all()
    assert (gain_db[1.0] - without).std() > 3
    assert gain_db[2.5] - without == pytest.approx(2.5 * (gain_db[1.0] - without), abs=1e-3)


def test_users_indoors_are_behind_a_wall_on_a_floor(make_scenario: MakeScenario) -> None:
    scenario = hexagonal(make_scenario, users={**_users(make_scenario), "indoor": {"share": 0.8}})
    ues = Networks(scenario, 12, seed=2).ues
    indoors = ues.indoor_m > 0
    share = indoors.mean()
    assert abs(share - 0.8) < 4 * np.sqrt(0.16 / indoors.size)
    assert (ues.height_m[~indoors] == 1.5).all()
    assert (ues.penetration_db[~indoors] == 0).all()
    assert set(np.unique(ues.height_m[indoors])) == {1.5 + 3 * floor for floor in range(8)}
    assert ues.indoor_m.max() < 25


def test_a_moving_user_takes_its_building_along(make_scenario: MakeScenario) -> None:
    scenario = hexagonal(make_scenario, {"num_sites": 1}, users={**_users(make_scenario), "indoor": {"share": 0.5}})
    networks = Networks(scenario, 1, seed=2)
    before = networks.ues
    networks.advance(100)
    after = networks.ues
    assert (before.height_m == after.height_m).all()
    assert (before.penetration_db == after.penetration_db).all()
    assert (before.x_m != after.x_m).all()


def test_who_leaves_the_cluster_enters_it_on_the_other_side_and_sees_no_jump(make_scenario: MakeScenario) -> None:
    """Fast users cross the border; the gain from the serving site changes by the way walked alone."""
    users = {**_users(make_scenario), "mobility": {"kind": "lines", "min_speed_kmh": 500, "max_speed_kmh": 500}}
    radio = {"fading": False, "line_of_sight": "never", "site_correlation": 0.0}
    scenario = hexagonal(make_scenario, {"sectors": 1, "antenna": None}, radio=radio, users=users)
    networks = Networks(scenario, 16, seed=6)
    steps_db = []
    for _ in range(30):
        before, gain_db = networks.ues, networks.coupling_gain_db()
        networks.advance(10)
        after = networks.ues
        crossed = np.hypot(after.x_m - before.x_m, after.y_m - before.y_m) > 100
        steps_db += list((networks.coupling_gain_db().max(axis=2) - gain_db.max(axis=2))[crossed])
        assert np.hypot(after.x_m, after.y_m).max() <= 500 * np.sqrt(7 / 3) + 1e-6
    assert len(steps_db) > 8
    # Other obstacles (sigma 6 dB) would change it by 8 dB; in 10 ms a user walks 1.4 m.
    assert np.abs(steps_db).max() < 3.0


def _users(make_scenario: MakeScenario) -> dict[str, Any]:
    users: dict[str, Any] = make_scenario().model_dump(mode="json")["users"]
    return users
