"""Path loss and LOS probability against TR 38.901, with the standard's formulas written out in numbers."""

from __future__ import annotations

import math
from math import log10, pi, sqrt

import numpy as np
import pytest

from ranpilot.errors import ConfigError, UnknownNameError
from ranpilot.twin.radio import los_probability, path_loss_db
from ranpilot.twin.radio.propagation import (
    MODELS,
    RMA,
    UMA,
    UMI,
    link_los_probability,
    link_path_loss_db,
    los_decorrelation_m,
    model_id,
    shadowing_decorrelation_m,
    shadowing_sigma_db,
)

# RMa: 35 m mast, 1.5 m user, 2 GHz; breakpoint 2 pi 35 * 1.5 * 2e9 / 3e8 = 2199.115 m; 5^1.72 = 15.93046,
# so 0.03 * 15.93046 = 0.477914 and 0.044 * 15.93046 = 0.700940; 0.002 log10(5) = 0.001397940; height gap 33.5 m.
# d3D(100) = 105.4621, d3D(1000) = 1000.5610, d3D(2000) = 2000.2805, d3D(5000) = 5000.1122.
# Beyond it: PL1 at 2199.115 m is 105.3073 + 1.5973 - 0.7009 + 3.0742 = 109.2779 dB.
RMA_LOS = [
    (100.0, 20 * log10(40 * pi * 105.4621 * 2 / 3) + 0.477914 * log10(105.4621) - 0.700940 + 0.00139794 * 105.4621),
    (1000.0, 20 * log10(40 * pi * 1000.561 * 2 / 3) + 0.477914 * log10(1000.561) - 0.700940 + 0.00139794 * 1000.561),
    (2000.0, 20 * log10(40 * pi * 2000.2805 * 2 / 3) + 0.477914 * log10(2000.2805) - 0.700940 + 0.00139794 * 2000.2805),
    (5000.0, 109.2779 + 40 * log10(5000.1122 / 2199.1149)),
]

# RMa NLOS: 161.04 - 7.1 log10(20) + 7.5 log10(5) - (24.37 - 3.7 (5/35)^2) log10(35)
#   + (43.42 - 3.1 log10(35)) (log10(d3D) - 3) + 20 log10(2) - (3.2 log10(11.75 * 1.5)^2 - 4.97)
# = 161.04 - 9.237313 + 5.242275 - 24.29449 * 1.544068 + 38.633389 (log10(d3D) - 3) + 6.020600 - (4.968914 - 4.97)
RMA_NLOS_AT_1_KM = 161.04 - 9.237313 + 5.242275 - 24.29449 * 1.544068 + 6.0206 - (3.2 * 1.246129**2 - 4.97)
RMA_NLOS = [
    (200.0, RMA_NLOS_AT_1_KM + 38.633389 * (log10(202.7862) - 3)),
    (1000.0, RMA_NLOS_AT_1_KM + 38.633389 * (log10(1000.561) - 3)),
    (4000.0, RMA_NLOS_AT_1_KM + 38.633389 * (log10(4000.1403) - 3)),
]

# UMa: 25 m, 1.5 m, 2 GHz; breakpoint 4 * 24 * 0.5 * 2e9 / 3e8 = 320 m; height gap 23.5 m (squared 552.25).
UMA_LOS = [
    (100.0, 28 + 22 * log10(sqrt(100**2 + 552.25)) + 20 * log10(2)),  # 78.28
    (300.0, 28 + 22 * log10(sqrt(300**2 + 552.25)) + 20 * log10(2)),
    (500.0, 28 + 40 * log10(sqrt(500**2 + 552.25)) + 20 * log10(2) - 9 * log10(320**2 + 552.25)),
    (2000.0, 28 + 40 * log10(sqrt(2000**2 + 552.25)) + 20 * log10(2) - 9 * log10(320**2 + 552.25)),
]
UMA_NLOS = [
    (distance, 13.54 + 39.08 * log10(sqrt(distance**2 + 552.25)) + 20 * log10(2)) for distance in (50.0, 500.0, 2000.0)
]

# UMi: 10 m, 1.5 m, 3.5 GHz; breakpoint 4 * 9 * 0.5 * 3.5e9 / 3e8 = 210 m; height gap 8.5 m (squared 72.25).
UMI_LOS = [
    (20.0, 32.4 + 21 * log10(sqrt(20**2 + 72.25)) + 20 * log10(3.5)),
    (200.0, 32.4 + 21 * log10(sqrt(200**2 + 72.25)) + 20 * log10(3.5)),
    (500.0, 32.4 + 40 * log10(sqrt(500**2 + 72.25)) + 20 * log10(3.5) - 9.5 * log10(210**2 + 72.25)),
]
UMI_NLOS = [
    (distance, 35.3 * log10(sqrt(distance**2 + 72.25)) + 22.4 + 21.3 * log10(3.5)) for distance in (20.0, 200.0, 1000.0)
]

# InH: 3 m ceiling, 1 m user, 3.5 GHz; height gap 2 m.
INH_LOS = [(distance, 32.4 + 17.3 * log10(sqrt(distance**2 + 4)) + 20 * log10(3.5)) for distance in (2.0, 20.0, 100.0)]
INH_NLOS = [
    (distance, 38.3 * log10(sqrt(distance**2 + 4)) + 17.3 + 24.9 * log10(3.5)) for distance in (5.0, 20.0, 100.0)
]

HEIGHTS_AND_CARRIER = {
    "RMa": (35.0, 1.5, 2e9),
    "UMa": (25.0, 1.5, 2e9),
    "UMi": (10.0, 1.5, 3.5e9),
    "InH": (3.0, 1.0, 3.5e9),
    "InH-open": (3.0, 1.0, 3.5e9),
}

CASES = [
    (model, los, distance, expected)
    for model, los, rows in (
        ("RMa", True, RMA_LOS),
        ("RMa", False, RMA_NLOS),
        ("UMa", True, UMA_LOS),
        ("UMa", False, UMA_NLOS),
        ("UMi", True, UMI_LOS),
        ("UMi", False, UMI_NLOS),
        ("InH", True, INH_LOS),
        ("InH", False, INH_NLOS),
    )
    for distance, expected in rows
]


@pytest.mark.parametrize(("model", "los", "distance_m", "expected_db"), CASES)
def test_path_loss_is_that_of_table_7_4_1_1(model: str, los: bool, distance_m: float, expected_db: float) -> None:
    assert path_loss_db(model, distance_m, *HEIGHTS_AND_CARRIER[model], los) == pytest.approx(expected_db, abs=2e-4)


@pytest.mark.parametrize(
    ("model", "distance_m", "los", "expected_db"),
    [
        # Worked with a pocket calculator, so that the test does not share an expression with the code.
        ("UMa", 100.0, True, 78.2787),  # 28 + 22 * 2.011671 + 6.0206
        ("UMi", 200.0, False, 115.2289),  # 35.3 * 2.301422 + 22.4 + 21.3 * 0.544068
        ("RMa", 100.0, True, 79.3382),  # 78.9248 + 0.9668 - 0.7009 + 0.1474
    ],
)
def test_path_loss_agrees_with_a_pocket_calculator(
    model: str, distance_m: float, los: bool, expected_db: float
) -> None:
    assert path_loss_db(model, distance_m, *HEIGHTS_AND_CARRIER[model], los) == pytest.approx(expected_db, abs=2e-3)


@pytest.mark.parametrize("model", MODELS)
def test_no_obstacle_lowers_the_path_loss(model: str) -> None:
    distance_m = np.geomspace(10, 150 if model.startswith("InH") else 5000, 200)
    clear_db = path_loss_db(model, distance_m, *HEIGHTS_AND_CARRIER[model], True)
    hidden_db = path_loss_db(model, distance_m, *HEIGHTS_AND_CARRIER[model], False)
    assert (hidden_db >= clear_db).all()
    assert (np.diff(clear_db) > 0).all()
    assert (np.diff(hidden_db) > 0).all()


@pytest.mark.parametrize("model", ["UMa", "UMi"])
def test_path_loss_has_no_step_at_the_breakpoint(model: str) -> None:
    """PL1 and PL2 of UMa meet within 0.1 dB; those of UMi too."""
    bs_height_m, ut_height_m, carrier_hz = HEIGHTS_AND_CARRIER[model]
    breakpoint_m = 4 * (bs_height_m - 1) * (ut_height_m - 1) * carrier_hz / 3e8
    around_m = breakpoint_m * np.array([1 - 1e-6, 1 + 1e-6])
    before_db, after_db = path_loss_db(model, around_m, bs_height_m, ut_height_m, carrier_hz, True)
    assert abs(after_db - before_db) < 0.1


def test_user_height_enters_the_nlos_formulas() -> None:
    low_db, high_db = path_loss_db("UMa", 500.0, 25.0, np.array([1.5, 11.5]), 2e9, False)
    gap_m = np.array([23.5, 13.5])
    slope_db = 39.08 * np.log10(np.hypot(500.0, gap_m))
    assert high_db - low_db == pytest.approx(slope_db[1] - slope_db[0] - 0.6 * 10)


@pytest.mark.parametrize(
    ("model", "distance_m", "expected"),
    [
        ("RMa", 10.0, 1.0),
        ("RMa", 510.0, math.exp(-0.5)),
        ("RMa", 2010.0, math.exp(-2.0)),
        ("UMa", 18.0, 1.0),
        ("UMa", 63.0, 18 / 63 + math.exp(-1) * 45 / 63),  # 0.5485
        ("UMa", 300.0, 0.06 + math.exp(-300 / 63) * 0.94),
        ("UMi", 18.0, 1.0),
        ("UMi", 36.0, 0.5 + math.exp(-1) * 0.5),  # 0.6839
        ("UMi", 100.0, 0.18 + math.exp(-100 / 36) * 0.82),
        ("InH", 1.2, 1.0),
        ("InH", 5.9, math.exp(-1.0)),
        ("InH", 39.1, 0.32 * math.exp(-1.0)),
    ],
)
def test_los_probability_is_that_of_table_7_4_2_1(model: str, distance_m: float, expected: float) -> None:
    assert los_probability(model, distance_m, 1.5) == pytest.approx(expected, rel=1e-12)


def test_high_users_see_a_uma_station_more_often() -> None:
    # C'(23 m) = 1: the factor is 1 + 5/4 (300/100)^3 exp(-2) = 5.5676.
    plain = 0.06 + math.exp(-300 / 63) * 0.94
    assert los_probability("UMa", 300.0, 22.5) == pytest.approx(plain * (1 + 0.95**1.5 * 1.25 * 27 * math.exp(-2.0)))
    assert los_probability("UMi", 300.0, 22.5) == los_probability("UMi", 300.0, 1.5)


def test_sigma_and_decorrelation_are_those_of_the_tables() -> None:
    assert shadowing_sigma_db(RMA, 100.0, 35.0, 1.5, 2e9, True) == 4.0
    assert shadowing_sigma_db(RMA, 3000.0, 35.0, 1.5, 2e9, True) == 6.0
    assert shadowing_sigma_db(RMA, 100.0, 35.0, 1.5, 2e9, False) == 8.0
    assert [shadowing_sigma_db(UMA, 100.0, 25.0, 1.5, 2e9, los) for los in (True, False)] == [4.0, 6.0]
    assert [shadowing_sigma_db(UMI, 100.0, 10.0, 1.5, 2e9, los) for los in (True, False)] == [4.0, 7.82]
    decorrelation_m = [[shadowing_decorrelation_m(model, los) for los in (True, False)] for model in range(5)]
    assert decorrelation_m == [[37.0, 120.0], [37.0, 50.0], [10.0, 13.0], [10.0, 6.0], [10.0, 6.0]]
    assert [los_decorrelation_m(model) for model in range(5)] == [60.0, 50.0, 50.0, 10.0, 10.0]


def test_arrays_broadcast_and_equal_scalars() -> None:
    distance_m = np.array([[30.0], [300.0], [3000.0]])
    los = np.array([True, False])
    grid_db = path_loss_db("UMa", distance_m, 25.0, 1.5, 2e9, los)
    assert grid_db.shape == (3, 2)
    assert grid_db[1, 1] == path_loss_db("UMa", 300.0, 25.0, 1.5, 2e9, False)
    assert isinstance(path_loss_db("UMa", 300.0, 25.0, 1.5, 2e9, False), float)
    assert los_probability("UMi", distance_m, np.array([1.5, 1.5])).shape == (3, 2)


def test_the_kernel_floors_the_distance_at_10_m() -> None:
    assert link_path_loss_db(UMI, 0.0, 10.0, 1.5, 3.5e9, True) == link_path_loss_db(UMI, 10.0, 10.0, 1.5, 3.5e9, True)
    assert link_los_probability(UMI, 0.0, 1.5) == 1.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"distance_2d_m": 0.0}, "distance_2d_m = 0.0, but must be 10 to 5000 m for UMa."),
        ({"distance_2d_m": -5.0}, "distance_2d_m = -5.0, but must be 10 to 5000 m for UMa."),
        ({"distance_2d_m": float("nan")}, "distance_2d_m = nan, but must be 10 to 5000 m for UMa."),
        ({"distance_2d_m": 9.9}, "distance_2d_m = 9.9, but must be 10 to 5000 m for UMa."),
        ({"distance_2d_m": [50.0, 6000.0]}, "distance_2d_m = 6000.0, but must be 10 to 5000 m for UMa."),
        ({"distance_2d_m": "far"}, "distance_2d_m = 'far', but must be a number or an array of numbers."),
        ({"carrier_hz": 3.5}, "carrier_hz = 3.5, but must be 5e+08 to 1e+11 Hz for UMa."),
        ({"ut_height_m": 30.0}, "ut_height_m = 30.0, but must be 1.5 to 22.5 m for UMa."),
        ({"bs_height_m": float("inf")}, "bs_height_m = inf, but must be 2 to 500 m for UMa."),
        ({"los": 0.5}, "los = 0.5, but must be True or False."),
    ],
)
def test_a_wrong_argument_is_refused_with_one_sentence(arguments: dict[str, object], message: str) -> None:
    usual: dict[str, object] = {
        "distance_2d_m": 100.0,
        "bs_height_m": 25.0,
        "ut_height_m": 1.5,
        "carrier_hz": 2e9,
        "los": True,
    }
    with pytest.raises(ConfigError) as caught:
        path_loss_db("UMa", **(usual | arguments))  # type: ignore[arg-type, call-overload]
    assert str(caught.value) == message


def test_only_rma_in_line_of_sight_reaches_10_km() -> None:
    assert path_loss_db("RMa", 9000.0, 35.0, 1.5, 2e9, True) > 0
    with pytest.raises(ConfigError, match="10 to 5000 m for RMa"):
        path_loss_db("RMa", 9000.0, 35.0, 1.5, 2e9, False)


def test_an_unknown_model_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'UMa'"):
        path_loss_db("uMa", 100.0, 25.0, 1.5, 2e9, True)
    with pytest.raises(UnknownNameError, match="known: RMa, UMa, UMi, InH, InH-open"):
        los_probability("free-space", 100.0, 1.5)
    assert [model_id(name) for name in MODELS] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("distance_m", [0.0, -1.0, float("nan")])
def test_los_probability_refuses_a_distance_that_is_not_positive(distance_m: float) -> None:
    with pytest.raises(ConfigError, match="distance_2d_m"):
        los_probability("UMa", distance_m, 1.5)
