"""Small-scale fading against closed forms: the bank of traces, and the exact rays that it is held against.

Envelope by Kolmogorov-Smirnov (exponential power; noncentral chi-square for a Rice factor; gamma(2) for two combined
branches), Doppler autocorrelation J0(2 pi f_d dt) (Clarke), with a direct path (K exp(2 pi i f_d cos(a) dt) + J0) /
(K + 1), level crossing rate and average fade duration (Rice; Jakes 1974), frequency correlation of the exponential
profile 1 / (1 + 2 pi i df s). Bounds on statistics are four standard errors over independent links or traces.
A Kolmogorov-Smirnov distance from a closed form is given times the root of the number of samples: 1.95 is exceeded
once in a thousand.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import integrate, special, stats

from ranpilot.twin.radio.fading import STEPS_PER_CYCLE, draw_traces, make_fading_bank
from ranpilot.twin.radio.rays import direct_direction, fill_ray_channels
from ranpilot.twin.radio.small_scale import scattered_delay_spread_s
from ranpilot.twin.validate.line import Effort, Line, compared, within

__all__ = ["lines"]

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
Moments = NDArray[np.floating[Any]]

SEED = 11
KS_LIMIT = 1.95
RICE_DB = (7.0, 9.0)
DELAY_SPREAD_S = 300e-9
GROUP_HZ = 720e3
NUM_GROUPS = 13
BANK_TRACES = {"quick": 64, "full": 512}
RAY_LINKS = {"quick": 1500, "full": 20_000}


def lines(effort: Effort) -> Iterator[Line]:
    """Bank and rays against every closed form."""
    yield from _envelopes_of_rays(RAY_LINKS[effort])
    yield from _envelopes_of_bank(BANK_TRACES[effort])
    yield from _doppler(RAY_LINKS[effort], BANK_TRACES[effort])
    yield from _crossings_of_rays(RAY_LINKS[effort] // 10)
    yield from _crossings_of_bank(BANK_TRACES[effort])
    yield from _coherence_bandwidth(RAY_LINKS[effort], BANK_TRACES[effort])
    yield from _branches(RAY_LINKS[effort], BANK_TRACES[effort])
    yield from _bank_against_rays(RAY_LINKS[effort], BANK_TRACES[effort])


def _rays(
    num_links: int, cycles: Moments, frequency_hz: Moments, rice_db: float | None = None, branch: int = 0
) -> ComplexArray:
    """Complex gains of independent links, [link, moment, frequency]."""
    rice = 0.0 if rice_db is None else 10.0 ** (rice_db / 10.0)
    profile = np.array([rice, scattered_delay_spread_s(DELAY_SPREAD_S, rice)])
    out = np.empty((num_links, len(cycles), len(frequency_hz)), np.complex128)
    fill_ray_channels(profile, SEED, cycles.astype(np.float64), frequency_hz.astype(np.float64), branch, out)
    return out


def _power_law(rice_db: float | None) -> Any:
    """Distribution of power with mean 1, frozen."""
    rice = 0.0 if rice_db is None else 10.0 ** (rice_db / 10.0)
    # Without a direct path the noncentral chi-square is the exponential.
    return stats.expon() if rice_db is None else stats.ncx2(2, 2.0 * rice, scale=0.5 / (rice + 1.0))


def _envelopes_of_rays(num_links: int) -> Iterator[Line]:
    for rice_db in (None, *RICE_DB):
        power = np.abs(_rays(num_links, np.array([3.7]), np.zeros(1), rice_db).ravel()) ** 2
        yield _kolmogorov_smirnov("rays", rice_db, power)


def _envelopes_of_bank(num_traces: int) -> Iterator[Line]:
    for rice_db in (None, *RICE_DB):
        gain = _bank(num_traces, rice_db)
        # Two Doppler periods apart, so that samples of a trace are nearly independent.
        yield _kolmogorov_smirnov("bank", rice_db, gain[:, :: 2 * STEPS_PER_CYCLE, 6].ravel())


def _bank(num_traces: int, rice_db: float | None = None) -> FloatArray:
    bank = make_fading_bank(
        NUM_GROUPS, GROUP_HZ, 2e9, 10.0, DELAY_SPREAD_S, rice_factor_db=rice_db, shape=(num_traces, 4096)
    )
    return bank.gain.astype(np.float64)


def _kolmogorov_smirnov(kind: str, rice_db: float | None, power: FloatArray) -> Line:
    law = "rayleigh" if rice_db is None else f"rice-{rice_db:g}dB"
    distance = stats.kstest(power, _power_law(rice_db).cdf).statistic * np.sqrt(len(power))
    source = "Kolmogorov-Smirnov; noncentral chi-square law"
    return within(f"fading/envelope/{kind}/{law}", distance, None, KS_LIMIT, "1", source, n=len(power), seed=SEED)


def _doppler(num_links: int, num_traces: int) -> Iterator[Line]:
    """Real part of the autocorrelation of the complex gain; the turning of a direct path is undone."""
    lags = np.array([0.1, 0.25, 0.5, 1.0, 2.5])
    cycles = np.concatenate([[11.3], 11.3 + lags])
    rayleigh = _rays(num_links, cycles, np.zeros(1))[..., 0]
    rice_db = RICE_DB[1]
    rice = 10.0 ** (rice_db / 10.0)
    rician = _rays(num_links, cycles, np.zeros(1), rice_db)[..., 0]
    cosine = np.cos([direct_direction(SEED, 0, link, 0) for link in range(num_links)])
    traces = np.stack([trace[:, 0] for trace in draw_traces(np.zeros(1), 0.0, None, SEED, (num_traces, 4096))])
    for index, lag in enumerate(lags, start=1):
        expected = float(special.j0(2.0 * np.pi * lag))
        products = (rayleigh[:, index] * rayleigh[:, 0].conj()).real
        yield _mean_line(f"fading/doppler/rays/{lag:g}-cycles", products, expected, "J0(2 pi f_d dt)")
        turned = rician[:, index] * rician[:, 0].conj() * np.exp(-2j * np.pi * lag * cosine)
        # The scattered part is turned too, by a direction that it does not depend on: J0 once more.
        name = f"fading/doppler/rays/rice-{rice_db:g}dB/{lag:g}-cycles"
        yield _mean_line(name, turned.real, (rice + expected**2) / (rice + 1.0), "(K + J0^2) / (K + 1)")
        steps = round(lag * STEPS_PER_CYCLE)
        correlation = (traces * np.roll(traces, steps, axis=1).conj()).mean(axis=1).real
        at_steps = float(special.j0(2.0 * np.pi * steps / STEPS_PER_CYCLE))
        yield _mean_line(f"fading/doppler/bank/{steps / STEPS_PER_CYCLE:g}-cycles", correlation, at_steps, "J0")


def _mean_line(name: str, samples: FloatArray, expected: float, source: str, slack: float = 2e-3) -> Line:
    """The mean of independent samples within four standard errors and what the model itself leaves."""
    error = float(samples.std(ddof=1)) / np.sqrt(len(samples))
    return compared(name, samples.mean(), expected, 4.0 * error + slack, "1", source, n=len(samples), seed=SEED)


def _crossings_of_rays(num_links: int) -> Iterator[Line]:
    """Sampled 50 times a Doppler period, which loses the shortest fades: 2 % of slack."""
    step = 0.02
    moments = 20.0 + step * np.arange(400)
    power = np.abs(_rays(num_links, moments, np.zeros(1))[..., 0]) ** 2
    for level_db in (0.0, -5.0, -10.0):
        level = 10.0 ** (level_db / 20.0)
        is_below = power < level**2
        crossings = (~is_below[:, :-1] & is_below[:, 1:]).sum(axis=1) / (step * 399)
        rate = np.sqrt(2.0 * np.pi) * level * np.exp(-(level**2))
        source = "sqrt(2 pi) rho exp(-rho^2), rho^2 = level"
        name = f"fading/level-crossings/rays/{level_db:g}dB"
        yield _mean_line(name, crossings, rate, source, slack=0.02 * rate)
        duration = is_below.mean() / crossings.mean()
        expected = (np.exp(level**2) - 1.0) / (level * np.sqrt(2.0 * np.pi))
        tolerance = expected * (0.02 + 4.0 * crossings.std() / crossings.mean() / np.sqrt(num_links))
        name = f"fading/fade-duration/rays/{level_db:g}dB"
        yield compared(name, duration, expected, tolerance, "1/f_d", "(exp(rho^2) - 1) / (rho sqrt(2 pi))", seed=SEED)


def _crossings_of_bank(num_traces: int) -> Iterator[Line]:
    """A trace has 16 steps a Doppler period: the rate of a Rayleigh envelope seen at those steps."""
    power = _bank(num_traces)[..., 6]
    power = power / power.mean(axis=1, keepdims=True)
    for level_db in (0.0, -5.0, -10.0):
        level = 10.0 ** (level_db / 10.0)
        is_below = power < level
        crossings = (~is_below & np.roll(is_below, -1, axis=1)).mean(axis=1) * STEPS_PER_CYCLE
        expected = STEPS_PER_CYCLE * _falls_below(level, float(special.j0(2.0 * np.pi / STEPS_PER_CYCLE)))
        source = "bivariate exponential law of two steps, correlation J0(pi / 8)^2"
        name = f"fading/level-crossings/bank/{level_db:g}dB"
        yield _mean_line(name, crossings, expected, source, slack=0.02 * expected)


def _falls_below(level: float, correlation: float) -> float:
    """Probability that the power of a Rayleigh channel is above `level` now and below it a moment later."""
    spread = 1.0 - correlation**2

    def density(power: float) -> float:
        # Given the power now, twice the later one over the spread is noncentral chi-square (Marcum's Q).
        later = stats.ncx2.cdf(2.0 * level / spread, 2, 2.0 * correlation**2 * power / spread)
        return float(np.exp(-power) * later)

    # Further up than this the channel does not fall below within one step.
    probability, _ = integrate.quad(density, level, level + 12.0 * np.sqrt(spread), limit=200)
    return float(probability)


def _coherence_bandwidth(num_links: int, num_traces: int) -> Iterator[Line]:
    """Correlation over frequency; its magnitude is 0.5 at sqrt(3) / (2 pi s)."""
    apart_hz = np.array([100e3, np.sqrt(3.0) / (2.0 * np.pi * DELAY_SPREAD_S), 2e6])
    rays = _rays(num_links, np.array([5.0]), np.concatenate([[0.0], apart_hz]))[:, 0]
    for index, df_hz in enumerate(apart_hz, start=1):
        expected = 1.0 / (1.0 + 2j * np.pi * df_hz * DELAY_SPREAD_S)
        products = rays[:, index] * rays[:, 0].conj()
        for part, samples, value in (("real", products.real, expected.real), ("imag", products.imag, expected.imag)):
            name = f"fading/frequency-correlation/rays/{df_hz / 1e3:.0f}kHz/{part}"
            yield _mean_line(name, samples, value, "1 / (1 + 2 pi i df s)")
    frequency_hz = np.concatenate([[0.0], apart_hz])
    sums = [
        (trace[:, 1:] * trace[:, :1].conj()).mean(axis=0)
        for trace in draw_traces(frequency_hz, DELAY_SPREAD_S, None, SEED, (num_traces, 4096))
    ]
    for index, df_hz in enumerate(apart_hz):
        expected = 1.0 / (1.0 + 2j * np.pi * df_hz * DELAY_SPREAD_S)
        products = np.array([each[index] for each in sums])
        for part, samples, value in (("real", products.real, expected.real), ("imag", products.imag, expected.imag)):
            name = f"fading/frequency-correlation/bank/{df_hz / 1e3:.0f}kHz/{part}"
            # The 24 taps that stand for the profile: 0.01 near the coherence bandwidth, 0.09 far beyond it.
            slack = 0.02 if abs(expected) > 0.4 else 0.09
            yield _mean_line(name, samples, value, "1 / (1 + 2 pi i df s)", slack=slack)
    yield _delay_spread_of_rice(num_links)


def _delay_spread_of_rice(num_links: int) -> Line:
    """The whole profile of a link in sight has the delay spread asked for: from the curvature of its correlation.

    |R(df)|^2 = 1 - (2 pi df)^2 spread^2 for small df, averaged over links.
    """
    df_hz = 0.1 / (2.0 * np.pi * DELAY_SPREAD_S)
    rays = _rays(num_links, np.array([5.0]), np.array([0.0, df_hz]), RICE_DB[1])[:, 0]
    correlation = (rays[:, 1] * rays[:, 0].conj()).mean() / np.mean(np.abs(rays) ** 2)
    spread_s = np.sqrt(1.0 - np.abs(correlation) ** 2) / (2.0 * np.pi * df_hz)
    tolerance_s = DELAY_SPREAD_S * (0.01 + 6.0 / np.sqrt(num_links))
    source = "rms delay spread of the scenario"
    return compared(
        "fading/delay-spread/rays/rice-9dB", spread_s * 1e9, DELAY_SPREAD_S * 1e9, tolerance_s * 1e9, "ns", source,
        n=num_links, seed=SEED,
    )  # fmt: skip


def _branches(num_links: int, num_traces: int) -> Iterator[Line]:
    """Two combined branches are gamma(2); branches and links do not know of each other."""
    first, second = (
        np.abs(_rays(num_links, np.array([3.7]), np.zeros(1), None, branch).ravel()) ** 2 for branch in (0, 1)
    )
    bank = _bank(num_traces)[:, :: 2 * STEPS_PER_CYCLE, 6]
    half = num_traces // 2
    both = {"rays": (first, second), "bank": (bank[:half].ravel(), bank[half:].ravel())}
    for kind, (one, other) in both.items():
        distance = stats.kstest(one + other, stats.gamma(2).cdf).statistic * np.sqrt(len(one))
        source = "Kolmogorov-Smirnov; gamma(2)"
        yield within(f"fading/two-branches/{kind}", distance, None, KS_LIMIT, "1", source, n=len(one), seed=SEED)
        yield _correlation(f"fading/branch-correlation/{kind}", one, other)
    yield _correlation("fading/link-correlation/rays", first[:-1], first[1:])
    yield _correlation("fading/link-correlation/bank", bank[:-1].ravel(), bank[1:].ravel())


def _bank_against_rays(num_links: int, num_traces: int) -> Iterator[Line]:
    """Two samples: mean and least gain over the groups, and the change in a quarter Doppler period."""
    lag = STEPS_PER_CYCLE // 4
    frequency_hz = (np.arange(NUM_GROUPS) - (NUM_GROUPS - 1) / 2.0) * GROUP_HZ
    for rice_db in (None, RICE_DB[1]):
        rays = np.abs(_rays(num_links // 2, np.array([7.0, 7.25]), frequency_hz, rice_db)) ** 2
        bank = _bank(num_traces, rice_db)
        # Eight moments a trace: its mean power over the band is its own, by 3 % or so, and holds for all of it.
        start = np.arange(0, bank.shape[1], 32 * STEPS_PER_CYCLE)
        now, later = (bank[:, (start + shift) % bank.shape[1]].reshape(-1, NUM_GROUPS) for shift in (0, lag))
        pairs = {
            "group-mean": (now.mean(axis=1), rays[:, 0].mean(axis=1)),
            "group-least": (now.min(axis=1), rays[:, 0].min(axis=1)),
            "change": (later[:, 6] - now[:, 6], rays[:, 1, 6] - rays[:, 0, 6]),
        }
        law = "rayleigh" if rice_db is None else f"rice-{rice_db:g}dB"
        for what, (one, other) in pairs.items():
            size = len(one) * len(other) / (len(one) + len(other))
            distance = float(stats.ks_2samp(one, other).statistic)
            name = f"fading/bank-against-rays/{law}/{what}"
            # 0.02: the taps, and the mean power of a trace.
            limit = 0.02 + KS_LIMIT / np.sqrt(size)
            source = "largest difference of the distribution functions"
            yield within(name, distance, None, limit, "1", source, n=round(size), seed=SEED)


def _correlation(name: str, one: FloatArray, other: FloatArray) -> Line:
    value = float(np.corrcoef(one, other)[0, 1])
    limit = 4.0 / np.sqrt(len(one))
    return compared(name, value, 0.0, limit, "1", "independent", n=len(one), seed=SEED)
