"""Exact fading: the rays of a link against their slow twin and against draws from the covariance of theory."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from ranpilot.twin.radio.rays import fill_ray_channels, ray_channel, ray_gain

REFERENCE = Path(__file__).parents[2] / "reference"
reference_channel = runpy.run_path(str(REFERENCE / "fading_reference.py"))["ray_channel"]
draw_exact_fading = runpy.run_path(str(REFERENCE / "exact_fading.py"))["draw_exact_fading"]

DELAY_SPREAD_S = 300e-9
GROUPS_HZ = (np.arange(5) - 2) * 720e3


def profile(rice: float) -> np.ndarray:
    return np.array([rice, DELAY_SPREAD_S])


@pytest.mark.parametrize("rice", [0.0, 8.0])
@pytest.mark.parametrize("key", [(1, 0, 0, 0), (2**61 + 7, 12, 345, 6)])
def test_the_kernel_does_what_its_slow_twin_does(rice: float, key: tuple[int, int, int, int]) -> None:
    for branch in (0, 1):
        for cycles in (0.0, 1.25, 54321.5):
            expected = reference_channel(rice, DELAY_SPREAD_S, key, cycles, GROUPS_HZ, branch)
            ours = [complex(*ray_channel(profile(rice), *key, cycles, f, branch)) for f in GROUPS_HZ]
            np.testing.assert_allclose(ours, expected, atol=1e-9)
            assert ray_gain(profile(rice), *key, cycles, GROUPS_HZ[1], branch) == pytest.approx(abs(expected[1]) ** 2)


def test_seed_network_link_and_visit_each_give_other_rays() -> None:
    gains = {ray_gain(profile(0.0), *key, 1.0, 0.0, 0) for key in ((1, 2, 3, 4), (5, 2, 3, 4), (1, 5, 3, 4))}
    gains |= {ray_gain(profile(0.0), *key, 1.0, 0.0, 0) for key in ((1, 2, 5, 4), (1, 2, 3, 5))}
    gains.add(ray_gain(profile(0.0), 1, 2, 3, 4, 1.0, 0.0, 1))
    assert len(gains) == 6


def test_rays_have_the_law_of_draws_from_the_covariance_of_theory() -> None:
    """Band mean, least group and change over a quarter Doppler period; groups that fade alike would be refused."""
    channels = np.empty((1500, 2, 5), np.complex128)
    fill_ray_channels(profile(0.0), 3, np.array([9.0, 9.25]), GROUPS_HZ, 0, channels)
    rays = np.abs(channels) ** 2
    drawn = draw_exact_fading(np.random.default_rng(3), 3000, np.array([0.0, 0.25]), GROUPS_HZ, DELAY_SPREAD_S)
    assert stats.ks_2samp(rays[:, 0].mean(axis=1), drawn[:, 0].mean(axis=1)).pvalue > 1e-3
    assert stats.ks_2samp(rays[:, 0].min(axis=1), drawn[:, 0].min(axis=1)).pvalue > 1e-3
    assert stats.ks_2samp((rays[:, 1] - rays[:, 0])[:, 2], (drawn[:, 1] - drawn[:, 0])[:, 2]).pvalue > 1e-3
    assert stats.ks_2samp(rays[:, 0, 0], drawn[:, 0].mean(axis=1)).pvalue < 1e-6


def test_a_link_does_not_repeat() -> None:
    """The bank repeats after 256 Doppler periods; the rays' powers then are as good as independent."""
    channels = np.empty((1500, 2, 1), np.complex128)
    fill_ray_channels(profile(0.0), 3, np.array([9.0, 265.0]), np.zeros(1), 0, channels)
    power = np.abs(channels[..., 0]) ** 2
    assert abs(np.corrcoef(power.T)[0, 1]) < 4 / np.sqrt(1500)
