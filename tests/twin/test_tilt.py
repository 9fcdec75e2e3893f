"""The electrical tilt as a control: far users gain by less of it, near ones lose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ranpilot.errors import ActionError
from ranpilot.twin import Networks
from ranpilot.twin.controls import DOWNTILT_DEG
from ranpilot.twin.radio.antenna import antenna_gain_db
from ranpilot.twin.scenario import Scenario

MakeScenario = Callable[..., Scenario]

ANTENNA = {"elements": 10, "spacing_wavelengths": 0.5, "downtilt_deg": 10.0}


def one_sector(make_scenario: MakeScenario, users: int, *, num: int = 1) -> Networks:
    """A sector 25 m above the ground that looks along x, and a cell all around, far behind it."""
    mast = {"height_m": 25, "propagation": "UMa", "power_dbm": 40, "y_m": 0}
    sites = [
        {"name": "a", "x_m": 0, "azimuths_deg": [0.0], "antenna": ANTENNA, **mast},
        {"name": "b", "x_m": -3000, **mast},
    ]
    changes: dict[str, Any] = {
        "layout": {"area_m": [30, -5, 900, 5], "sites": sites, "placement": "uniform"},
        "users": {"population": {"kind": "static", "ues_per_cell": users}, "mobility": {"kind": "static"}},
        "radio": {"shadowing": False, "line_of_sight": "always", "fading": False},
    }
    return Networks(make_scenario(changes), num, seed=1)


def test_less_tilt_raises_the_gain_of_far_users_and_lowers_that_of_near_ones(make_scenario: MakeScenario) -> None:
    networks = one_sector(make_scenario, 40)
    before_db, distance_m = networks.coupling_gain_db()[0, :, 0], networks.ues.x_m[0]
    networks.apply({DOWNTILT_DEG: [[3.0, np.nan]]})
    change_db = networks.coupling_gain_db()[0, :, 0] - before_db
    # 10 degrees down meet the ground after 133 m, 3 degrees after 448 m.
    near, far = (distance_m > 100) & (distance_m < 150), distance_m > 300
    assert near.any() and far.any()
    assert (change_db[near] < -3.0).all() and (change_db[far] > 3.0).all()
    assert networks.cells.downtilt_deg[0, 0] == 3.0


def test_the_gain_changes_by_what_the_antenna_does_in_that_direction(make_scenario: MakeScenario) -> None:
    networks = one_sector(make_scenario, 20)
    ues, before_db = networks.ues, networks.coupling_gain_db()[0]
    networks.apply({DOWNTILT_DEG: [[-4.0, np.nan]]})
    change_db = networks.coupling_gain_db()[0] - before_db
    azimuth_deg = np.rad2deg(np.arctan2(ues.y_m[0], ues.x_m[0]))
    zenith_deg = 90 + np.rad2deg(np.arctan2(25 - ues.height_m[0], np.hypot(ues.x_m[0], ues.y_m[0])))
    expected_db = [
        antenna_gain_db(azimuth, zenith, elements=10, spacing_wavelengths=0.5, downtilt_deg=-4.0)
        - antenna_gain_db(azimuth, zenith, elements=10, spacing_wavelengths=0.5, downtilt_deg=10.0)
        for azimuth, zenith in zip(azimuth_deg, zenith_deg, strict=True)
    ]
    np.testing.assert_allclose(change_db[:, 0], expected_db, atol=1e-6)
    np.testing.assert_array_equal(change_db[:, 1], 0.0)


def test_the_tilt_that_is_there_changes_nothing_and_other_networks_keep_theirs(make_scenario: MakeScenario) -> None:
    networks = one_sector(make_scenario, 5, num=3)
    networks.advance(100)
    before = networks.fingerprint()
    networks.apply({DOWNTILT_DEG: [[10.0, np.nan], [np.nan, np.nan], [10.0, np.nan]]})
    assert networks.fingerprint() == before
    networks.apply({DOWNTILT_DEG: [[10.0, np.nan], [5.0, np.nan], [10.0, np.nan]]})
    after = networks.fingerprint()
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, False, True]


def test_a_reset_undoes_the_tilt(make_scenario: MakeScenario) -> None:
    networks = one_sector(make_scenario, 5)
    before_db = networks.coupling_gain_db()
    networks.apply({DOWNTILT_DEG: [[60.0, np.nan]]})
    assert (networks.coupling_gain_db() != before_db)[..., 0].all()
    networks.reset()
    assert networks.cells.downtilt_deg[0, 0] == 10.0
    np.testing.assert_array_equal(networks.coupling_gain_db(), before_db)


@pytest.mark.parametrize(
    ("tilt_deg", "sentence"),
    [
        ([[91.0, np.nan]], "action: DOWNTILT_DEG = 91.0, but must be -90..90 degree."),
        ([[5.0, 0.0]], "action: DOWNTILT_DEG[b] = 0.0, but must be NaN for a cell without an antenna."),
        ([[5.0]], "action: DOWNTILT_DEG shape = (1, 1), but must be (1, 2)."),
    ],
)
def test_a_tilt_that_cannot_be_is_refused(make_scenario: MakeScenario, tilt_deg: Any, sentence: str) -> None:
    networks = one_sector(make_scenario, 1)
    with pytest.raises(ActionError) as caught:
        networks.apply({DOWNTILT_DEG: tilt_deg})
    assert str(caught.value) == sentence
