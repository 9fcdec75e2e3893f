"""Outdoor-to-indoor loss against Tables 7.4.3-1 and 7.4.3-2, worked with a pocket calculator."""

from __future__ import annotations

import pytest

from ranpilot.twin.radio.penetration import indoor_loss_db, wall_loss_db
from ranpilot.twin.radio.propagation import (
    RMA,
    UMA,
    UMI,
    environment_height_m,
    indoor_shadowing_decorrelation_m,
    indoor_shadowing_sigma_db,
    link_los_probability,
)


@pytest.mark.parametrize(
    ("carrier_hz", "is_high_loss", "expected_db"),
    [
        # 6 GHz: glass 3.2 dB, IRR glass 24.8 dB, concrete 29 dB.
        (6e9, False, 13.4022),  # 0.3 * 0.478630 + 0.7 * 0.00125893 = 0.144470
        (6e9, True, 30.6935),  # 0.7 * 0.00331131 + 0.3 * 0.00125893 = 0.00269560
        # 30 GHz: glass 8 dB, IRR glass 32 dB, concrete 125 dB.
        (30e9, False, 18.2288),  # 0.3 * 0.158489
        (30e9, True, 38.5490),  # 0.7 * 0.000630957
    ],
)
def test_the_wall_is_that_of_the_table(carrier_hz: float, is_high_loss: bool, expected_db: float) -> None:
    assert wall_loss_db(carrier_hz, is_high_loss) == pytest.approx(expected_db, abs=1e-3)


def test_the_way_inside_and_the_deviation_are_added() -> None:
    assert indoor_loss_db(6e9, False, 10.0, 1.0) == pytest.approx(wall_loss_db(6e9, False) + 5.0 + 4.4)
    assert indoor_loss_db(6e9, True, 10.0, -1.0) == pytest.approx(wall_loss_db(6e9, True) + 5.0 - 6.5)


def test_shadowing_indoors_is_that_of_the_o2i_columns() -> None:
    assert [indoor_shadowing_sigma_db(model) for model in (RMA, UMA, UMI)] == [8.0, 7.0, 7.0]
    assert [indoor_shadowing_decorrelation_m(model) for model in (RMA, UMA, UMI)] == [120.0, 7.0, 7.0]


def test_high_uma_users_see_further() -> None:
    """h_UT = 22.5 m, 100 m: C' = 0.95^1.5 = 0.925945, g = 1.25 exp(-2 / 3) = 0.641771."""
    low = 0.18 + 0.82 * 0.204477  # 18 / 100 and exp(-100 / 63)
    assert link_los_probability(UMA, 100.0, 13.0) == pytest.approx(low, abs=1e-5)
    assert link_los_probability(UMA, 100.0, 22.5) == pytest.approx(low * (1 + 0.925945 * 0.641771), abs=1e-5)


def test_the_height_of_the_environment_is_drawn_above_13_m() -> None:
    """At 22.5 m and 100 m it is 1 m with probability 1 / (1 + 0.594243) = 0.627257, else 12, 15, 18 or 21 m."""
    assert environment_height_m(100.0, 1.5, 0.999, 0.5) == 1.0
    assert environment_height_m(18.0, 22.5, 0.999, 0.5) == 1.0
    assert environment_height_m(100.0, 22.5, 0.6272, 0.5) == 1.0
    assert environment_height_m(100.0, 22.5, 0.6274, 0.5) == 18.0
    assert [environment_height_m(100.0, 22.5, 0.9, choice) for choice in (0.0, 0.3, 0.6, 0.99)] == [12, 15, 18, 21]
    assert [environment_height_m(100.0, 13.5, 0.999, choice) for choice in (0.0, 0.99)] == [12.0, 12.0]
