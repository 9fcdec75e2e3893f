"""The fading bank against Clarke's theory and against exact draws."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from scipy.special import j0

from ranpilot.errors import ConfigError
from ranpilot.twin.radio import make_fading_bank
from ranpilot.twin.radio.fading import (
    STEPS_PER_CYCLE,
    _clarke_taps,
    _exponential_delays,
    doppler_hz,
    link_fading_start,
)

draw_exact_fading = runpy.run_path(str(Path(__file__).parents[2] / "reference" / "exact_fading.py"))[
    "draw_exact_fading"
]

RBG_HZ = 720e3
DELAY_SPREAD_S = 300e-9
BANK = make_fading_bank(13, RBG_HZ, 2e9, 10.0, DELAY_SPREAD_S, shape=(64, 4096))


def sparse_samples(rbg: int) -> np.ndarray:
    """Gains [trace, sample] that lie two Doppler periods apart, so that they are nearly independent."""
    return BANK.gain[:, :: 2 * STEPS_PER_CYCLE, rbg].astype(np.float64)


def test_one_branch_is_rayleigh() -> None:
    """Exponential power (Kolmogorov-Smirnov); the same test refuses a Rician channel of 3 dB."""
    assert stats.kstest(sparse_samples(6).ravel()[::2], "expon").pvalue > 1e-3
    rician = make_fading_bank(1, RBG_HZ, 2e9, 10.0, DELAY_SPREAD_S, rice_factor_db=3.0)
    assert stats.kstest(rician.gain[:, :: 4 * STEPS_PER_CYCLE, 0].ravel(), "expon").pvalue < 1e-6


def test_two_combined_branches_are_gamma_distributed_with_mean_two() -> None:
    samples = sparse_samples(6)
    both = (samples[:32] + samples[32:]).ravel()
    assert both.mean() == pytest.approx(2.0, abs=0.1)
    assert stats.kstest(both, "gamma", args=(2,)).pvalue > 1e-3
    assert stats.kstest(both, "gamma", args=(1.7,)).pvalue < 1e-6


def test_mean_power_of_the_bank_is_one() -> None:
    assert BANK.gain.mean(dtype=np.float64) == pytest.approx(1.0, abs=1e-6)
    assert np.abs(BANK.gain.mean(axis=(0, 1)) - 1.0).max() < 0.1


@pytest.mark.parametrize("lag", [1, 4, 6, 10, 16, 30])
def test_taps_have_the_autocorrelation_of_clarke(lag: int) -> None:
    """E a(t) a*(t + lag) = J0(2 pi f_d tau), to the accuracy of the sinusoids' spacing: no statistics are in it."""
    taps = _clarke_taps(np.random.default_rng(5), 50, 256, 4096)
    correlation = (taps * np.roll(taps, -lag, axis=1).conj()).mean(axis=1)
    expected = j0(2 * np.pi * lag / STEPS_PER_CYCLE)
    assert correlation.real == pytest.approx(np.full(50, expected), abs=2e-3)
    assert (np.abs(taps) ** 2).mean(axis=1) == pytest.approx(np.ones(50))


@pytest.mark.parametrize("lag", [1, 3, 6, 9, 14])
def test_power_autocorrelation_is_the_square_of_j0(lag: int) -> None:
    """Complex Gaussian: the covariance of the powers is |J0(2 pi f_d tau)|^2."""
    centred = BANK.gain.astype(np.float64) - 1.0
    products = (centred * np.roll(centred, -lag, axis=1)).mean(axis=(1, 2)) / (centred**2).mean()  # [trace]
    standard_error = products.std(ddof=1) / np.sqrt(len(products))
    assert abs(products.mean() - j0(2 * np.pi * lag / STEPS_PER_CYCLE) ** 2) < 4 * standard_error
    assert standard_error < 0.03


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_power_correlation_over_frequency_follows_the_delay_spread(groups: int) -> None:
    """Exponential profile: |1 / (1 + 2 pi i df tau)|^2; the coherence bandwidth (0.5) is 1 / (2 pi tau) = 531 kHz."""
    centred = BANK.gain.astype(np.float64) - 1.0
    products = (centred[..., groups:] * centred[..., :-groups]).mean(axis=(1, 2)) / (centred**2).mean()
    standard_error = products.std(ddof=1) / np.sqrt(len(products))
    expected = 1 / (1 + (2 * np.pi * groups * RBG_HZ * DELAY_SPREAD_S) ** 2)
    # 0.02: the 24 taps that stand for the profile.
    assert abs(products.mean() - expected) < 4 * standard_error + 0.02
    assert standard_error < 0.03


def test_a_short_delay_spread_is_flat_and_zero_is_exactly_flat() -> None:
    flat = make_fading_bank(4, RBG_HZ, 2e9, 10.0, 0.0, shape=(2, 512))
    assert np.ptp(flat.gain, axis=2).max() < 1e-5
    short = make_fading_bank(4, RBG_HZ, 2e9, 10.0, 10e-9, shape=(8, 1024))
    long = make_fading_bank(4, RBG_HZ, 2e9, 10.0, 1e-6, shape=(8, 1024))
    assert np.std(short.gain, axis=2).mean() < 0.2 * np.std(long.gain, axis=2).mean()


def test_taps_have_the_rms_delay_spread_exactly() -> None:
    delay = _exponential_delays(24)
    assert delay.std() == pytest.approx(1.0)
    assert delay.mean() == pytest.approx(1.0, abs=0.05)
    assert (np.diff(delay) > 0).all()


def test_traces_are_periodic_without_a_seam() -> None:
    steps = np.abs(np.diff(BANK.gain, axis=1))
    seam = np.abs(BANK.gain[:, 0] - BANK.gain[:, -1])
    assert seam.mean() == pytest.approx(steps.mean(), rel=0.2)


def test_bank_agrees_with_exact_draws() -> None:
    """Same law of the band average and of the change over a quarter Doppler period, as the slow reference."""
    lag = 4
    exact = draw_exact_fading(
        np.random.default_rng(3), 2000, np.array([0.0, lag / STEPS_PER_CYCLE]), np.arange(13) * RBG_HZ, DELAY_SPREAD_S
    )
    start = np.arange(0, 4096, 4 * STEPS_PER_CYCLE)
    now = BANK.gain[:, start].reshape(-1, 13)
    later = BANK.gain[:, (start + lag) % 4096].reshape(-1, 13)
    assert stats.ks_2samp(now.mean(axis=1), exact[:, 0].mean(axis=1)).pvalue > 1e-3
    assert stats.ks_2samp(now.min(axis=1), exact[:, 0].min(axis=1)).pvalue > 1e-3
    assert stats.ks_2samp((later - now)[:, 6], (exact[:, 1] - exact[:, 0])[:, 6]).pvalue > 1e-3
    # Sharp enough to fail: groups that fade alike are refused.
    assert stats.ks_2samp(now[:, 0], exact[:, 0].mean(axis=1)).pvalue < 1e-6


def test_rician_power_varies_less() -> None:
    """Variance of the power (2 K + 1) / (K + 1)^2 at mean 1."""
    factor = 10 ** (9.0 / 10)
    rician = make_fading_bank(1, RBG_HZ, 2e9, 10.0, 0.0, rice_factor_db=9.0, shape=(64, 4096))
    variances = rician.gain[..., 0].astype(np.float64).var(axis=1)
    expected = (2 * factor + 1) / (factor + 1) ** 2
    assert abs(variances.mean() - expected) < 4 * variances.std(ddof=1) / np.sqrt(64)


def test_speed_sets_the_step_and_nothing_else() -> None:
    assert doppler_hz(10.0, 2e9) == pytest.approx(66.713, abs=1e-3)
    assert pytest.approx(1 / (16 * 66.7128)) == BANK.step_s
    other = make_fading_bank(13, RBG_HZ, 2e9, 20.0, DELAY_SPREAD_S, shape=(64, 4096))
    assert (other.gain == BANK.gain).all()
    assert other.step_s == pytest.approx(BANK.step_s / 2)


def test_links_start_anywhere_in_any_trace() -> None:
    starts = np.array([link_fading_start(1, network, 5, 0, 16, 4096) for network in range(4000)])
    traces = np.bincount(starts[:, 0], minlength=16)
    assert stats.chisquare(traces).pvalue > 1e-3
    assert stats.kstest(starts[:, 1] / 4096, "uniform").pvalue > 1e-3
    assert link_fading_start(1, 2, 5, 0, 16, 4096) == link_fading_start(1, 2, 5, 0, 16, 4096)
    assert link_fading_start(1, 2, 5, 0, 16, 4096) != link_fading_start(1, 2, 5, 1, 16, 4096)


def test_bank_is_small_and_read_only() -> None:
    assert not BANK.gain.flags.writeable
    assert make_fading_bank(14, 1.44e6, 3.5e9, 0.833, 100e-9).gain.nbytes <= 8e6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_rbgs": 0}, "num_rbgs = 0, but must be at least 1."),
        ({"speed_mps": 0.0}, "speed_mps = 0.0, but must be above 0."),
        ({"carrier_hz": float("nan")}, "carrier_hz = nan, but must be above 0."),
        ({"delay_spread_s": -1e-9}, "delay_spread_s = -1e-09, but must be 0 to 0.001 s."),
        ({"shape": (16, 1000)}, "num_steps = 1000, but must be a multiple of 16, at least 512."),
        ({"shape": (0, 1024)}, "num_traces = 0, but must be at least 1."),
        ({"rice_factor_db": float("inf")}, "rice_factor_db = inf, but must be a finite number or None."),
    ],
)
def test_a_wrong_argument_is_refused_with_one_sentence(arguments: dict[str, object], message: str) -> None:
    usual: dict[str, object] = {
        "num_rbgs": 4,
        "rbg_bandwidth_hz": 720e3,
        "carrier_hz": 2e9,
        "speed_mps": 10.0,
        "delay_spread_s": 1e-7,
    }
    with pytest.raises(ConfigError) as caught:
        make_fading_bank(**(usual | arguments))
    assert str(caught.value) == message
