"""Shadowing and LOS state as random fields: variance, decorrelation, site correlation, marginal probability."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ranpilot.kernels import kernel
from ranpilot.twin.radio import make_shadowing_bank
from ranpilot.twin.radio.propagation import UMA, link_los_probability
from ranpilot.twin.radio.shadowing import fill_field_views, link_is_los, link_shadowing_db, sample_field
from ranpilot.twin.rng import STREAM_LOS, STREAM_SHADOWING

BANK = make_shadowing_bank()
NUM_FIELDS, SIZE = BANK.field.shape[:2]


@kernel
def sample_networks(fields: np.ndarray, num: int, sites: np.ndarray, positions: np.ndarray, out: np.ndarray) -> None:
    """Shadowing (sigma 1, decorrelation 50 m) of networks 0..num-1 at the given (site, position) rows."""
    views = np.empty((3, 5))
    for network in range(num):
        fill_field_views(9, network, STREAM_SHADOWING, fields.shape[0], fields.shape[1], views)
        for row in range(len(sites)):
            place_m = (positions[row, 0], positions[row, 1])
            out[network, row] = link_shadowing_db(fields, views, sites[row], place_m, place_m, 50.0, 1.0, 0.5)


@kernel
def sample_sight(fields: np.ndarray, num: int, distance_m: np.ndarray, out: np.ndarray) -> None:
    """LOS state of networks 0..num-1 at positions on the x axis, from a site at the origin."""
    views = np.empty((2, 5))
    for network in range(num):
        fill_field_views(9, network, STREAM_LOS, fields.shape[0], fields.shape[1], views)
        for row in range(len(distance_m)):
            out[network, row] = link_is_los(fields, views, 0, UMA, distance_m[row], 0.0, distance_m[row], 1.5)


def shadowing(num: int, sites: list[int], positions: list[tuple[float, float]]) -> np.ndarray:
    out = np.empty((num, len(sites)))
    sample_networks(BANK.field, num, np.array(sites), np.array(positions), out)
    return out


def test_shadowing_is_normal_with_the_given_sigma() -> None:
    draws = shadowing(10_000, [0], [(123.4, 56.7)])[:, 0]
    standard_error = np.sqrt(2 / len(draws))
    assert abs(draws.mean()) < 4 / np.sqrt(len(draws))
    assert abs(draws.var() - 1) < 4 * standard_error
    assert standard_error < 0.02
    assert stats.kstest(draws, "norm").pvalue > 1e-3


@pytest.mark.parametrize("distance_m", [12.5, 25.0, 50.0, 100.0])
@pytest.mark.parametrize("angle", [0.0, 0.7])
def test_shadowing_decorrelates_exponentially_to_1_over_e(distance_m: float, angle: float) -> None:
    """exp(-d / 50 m), whatever the direction."""
    far = (30.0 + distance_m * np.cos(angle), -20.0 + distance_m * np.sin(angle))
    draws = shadowing(20_000, [0, 0], [(30.0, -20.0), far])
    expected = np.exp(-distance_m / 50.0)
    standard_error = (1 - expected**2) / np.sqrt(len(draws))
    # 0.01: the convexity of exp(-d) under interpolation, and the shared fields being a finite sample.
    assert abs(np.corrcoef(draws.T)[0, 1] - expected) < 4 * standard_error + 0.01
    assert standard_error < 0.01


def test_two_sites_correlate_by_one_half_and_sectors_of_one_site_fully() -> None:
    draws = shadowing(20_000, [0, 1, 0], [(80.0, 10.0)] * 3)
    assert abs(np.corrcoef(draws[:, 0], draws[:, 1])[0, 1] - 0.5) < 4 * 0.75 / np.sqrt(len(draws))
    assert (draws[:, 0] == draws[:, 2]).all()


def test_variance_is_the_same_between_grid_nodes() -> None:
    """Bilinear interpolation alone would lose a fifth of the variance in the middle of a cell."""
    view = np.array([0.0, 0.0, 0.0, 1.0, 0.0])
    rows, columns = np.meshgrid(np.arange(0, SIZE, 2), np.arange(0, SIZE, 2))
    for offset in (0.0, 0.25, 0.5):
        values = [
            sample_field(BANK.field, view, (row + offset) / 6, (column + offset) / 6, 1.0)
            for row, column in zip(rows.ravel()[::4], columns.ravel()[::4], strict=True)
        ]
        assert np.var(values) == pytest.approx(1.0, abs=0.06)


def test_a_walk_sees_no_jumps() -> None:
    walk = shadowing(50, [0] * 200, [(0.1 * step, 0.0) for step in range(200)])
    assert np.abs(np.diff(walk, axis=1)).max() < 0.05


def test_shadowing_is_a_function_of_seed_network_site_and_position() -> None:
    first, again, other_seed = np.empty((4, 5)), np.empty((4, 5)), np.empty((4, 5))
    fill_field_views(3, 8, STREAM_SHADOWING, NUM_FIELDS, SIZE, first)
    fill_field_views(3, 8, STREAM_SHADOWING, NUM_FIELDS, SIZE, again)
    fill_field_views(4, 8, STREAM_SHADOWING, NUM_FIELDS, SIZE, other_seed)
    assert (first == again).all()
    assert (first != other_seed).any()
    place_m = (10.0, 20.0)
    one = link_shadowing_db(BANK.field, first, 2, place_m, place_m, 13.0, 7.82, 0.5)
    assert one == link_shadowing_db(BANK.field, again, 2, place_m, place_m, 13.0, 7.82, 0.5)
    assert one == pytest.approx(2 * link_shadowing_db(BANK.field, again, 2, place_m, place_m, 13.0, 3.91, 0.5))


def test_bank_has_zero_mean_unit_variance_and_is_read_only() -> None:
    assert np.abs(BANK.field.mean(axis=(1, 2))).max() < 1e-5
    assert BANK.field.std(axis=(1, 2)) == pytest.approx(np.ones(NUM_FIELDS), abs=1e-5)
    assert not BANK.field.flags.writeable
    assert BANK.field.nbytes <= 8e6


def test_line_of_sight_has_the_probability_of_its_distance() -> None:
    distance_m = np.array([10.0, 50.0, 100.0, 300.0])
    seen = np.empty((10_000, len(distance_m)))
    sample_sight(BANK.field, len(seen), distance_m, seen)
    for column, distance in enumerate(distance_m):
        expected = link_los_probability(UMA, distance, 1.5)
        standard_error = np.sqrt(expected * (1 - expected) / len(seen))
        assert abs(seen[:, column].mean() - expected) <= 4 * standard_error
        assert standard_error < 0.01


def test_line_of_sight_is_consistent_in_space() -> None:
    """Steps of 1 m at 100 m change the state in a few per cent; independent draws would in 2 p (1 - p) = 45 %."""
    seen = np.empty((2000, 20))
    sample_sight(BANK.field, len(seen), 100.0 + np.arange(20.0), seen)
    flips = np.abs(np.diff(seen, axis=1)).mean()
    assert 0.001 < flips < 0.08
