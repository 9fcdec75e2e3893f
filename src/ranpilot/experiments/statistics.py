"""The statistics of a comparison: robust means with intervals, tests, and effect sizes.

The interquartile mean and its bootstrap: Agarwal et al., "Deep reinforcement learning at the edge of the statistical
precipice", NeurIPS 2021. Dunn: "Multiple comparisons using rank sums", Technometrics 6 (1964), with Holm's step-down
(Scandinavian Journal of Statistics 6, 1979). All resampling uses a seeded generator, so a table comes out the same
each time it is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ranpilot.envs.controller import FloatArray, IntArray
from ranpilot.errors import ConfigError

__all__ = [
    "FamilyTest",
    "Interval",
    "combination",
    "difference",
    "divide",
    "family_test",
    "holm",
    "iqm",
    "iqm_interval",
    "is_equivalent",
    "mean_rows",
    "percentile_interval",
    "probability_of_improvement",
    "ratio",
]

RESAMPLES = 4000
LEVEL = 0.95

Statistic = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % bootstrap interval."""

    estimate: float
    low: float
    high: float
    n: int

    def as_json(self) -> dict[str, float | int | None]:
        """The numbers, with None for what is not finite."""
        numbers = {"estimate": self.estimate, "low": self.low, "high": self.high}
        return {**{k: v if np.isfinite(v) else None for k, v in numbers.items()}, "n": self.n}


@dataclass(frozen=True)
class FamilyTest:
    """Kruskal-Wallis over the groups of a named family, and Dunn with Holm of each group against the control."""

    family: str
    control: str
    kruskal_p: float
    dunn_holm_p: Mapping[str, float]


def iqm(values: FloatArray) -> float:
    """Mean of the middle half: a quarter of the n values is cut at each end (rounded down)."""
    return float(_iqm_rows(np.asarray(values, dtype=np.float64)[None, :])[0])


def iqm_interval(values: FloatArray, *, seed: int = 0, resamples: int = RESAMPLES) -> Interval:
    """IQM over seeds [n] with its percentile bootstrap interval."""
    sample = _checked(values)
    drawn = _iqm_rows(sample[_indices(len(sample), resamples, seed)])
    return percentile_interval(iqm(sample), drawn, len(sample))


def difference(
    values: FloatArray, control: FloatArray, *, paired: bool, seed: int = 0, resamples: int = RESAMPLES
) -> Interval:
    """IQM(values) - IQM(control) with its interval; paired: both are resampled by the same seeds."""
    return combination((values, control), np.subtract, paired=paired, seed=seed, resamples=resamples)


def ratio(
    values: FloatArray, control: FloatArray, *, paired: bool, seed: int = 0, resamples: int = RESAMPLES
) -> Interval:
    """IQM(values) / IQM(control) with its interval; infinite or NaN where the control is 0."""
    return combination((values, control), divide, paired=paired, seed=seed, resamples=resamples)


def combination(
    samples: Sequence[FloatArray],
    formula: Callable[..., FloatArray],
    *,
    paired: bool,
    statistic: Statistic | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Interval:
    """Formula of one statistic of each sample [n] with its percentile bootstrap interval.

    paired: all samples are resampled by the same seeds; statistic: from rows [R, n] to [R], the IQM where None.
    Raises ConfigError for pairs of unequal length.
    """
    of_rows = _iqm_rows if statistic is None else statistic
    checked = [_checked(sample) for sample in samples]
    lengths = tuple(len(sample) for sample in checked)
    if paired and len(set(lengths)) > 1:
        raise ConfigError("paired samples", lengths, "of equal length")
    picked = [_indices(n, resamples, seed if paired else seed + place) for place, n in enumerate(lengths)]
    estimate = formula(*(of_rows(sample[None, :]) for sample in checked))[0]
    drawn = formula(*(of_rows(sample[rows]) for sample, rows in zip(checked, picked, strict=True)))
    return percentile_interval(float(estimate), drawn, min(lengths))


def percentile_interval(estimate: float, drawn: FloatArray, n: int) -> Interval:
    """The interval between the percentiles of what was drawn [R]; n: how many were resampled each time."""
    tail = (1 - LEVEL) / 2
    # An infinite ratio stays infinite in the quantile; interpolating between infinities would give NaN.
    low, high = np.quantile(drawn, [tail, 1 - tail], method="nearest")
    return Interval(estimate, float(low), float(high), n)


def mean_rows(rows: FloatArray) -> FloatArray:
    """Mean of each row [R, n]: the statistic for which the difference of two is the mean of the differences."""
    return np.asarray(rows.mean(axis=1))


def divide(a: FloatArray, b: FloatArray) -> FloatArray:
    """a / b without a warning: infinite or NaN where b is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(a / b)


def probability_of_improvement(values: FloatArray, control: FloatArray) -> float:
    """Chance that a random seed of `values` is smaller (better) than one of `control`, ties counted half."""
    a, b = _checked(values), _checked(control)
    return float(np.mean((a[:, None] < b[None, :]) + 0.5 * (a[:, None] == b[None, :])))


def is_equivalent(interval: Interval, margin: float) -> bool:
    """Whether the whole interval of a difference lies within ± margin."""
    return -margin <= interval.low and interval.high <= margin


def family_test(family: str, control: str, groups: Mapping[str, FloatArray]) -> FamilyTest:
    """Test independent groups [n] against `control`; Holm runs over the len(groups) - 1 comparisons with it.

    Where all values are the same there is nothing to test: every p is 1. Raises ConfigError where the control is
    missing or alone.
    """
    if control not in groups or len(groups) < 2:
        raise ConfigError("control", control, "one of at least two groups")
    names = [control, *(name for name in groups if name != control)]
    samples = [_checked(groups[name]) for name in names]
    if np.ptp(np.concatenate(samples)) == 0:
        return FamilyTest(family, control, 1.0, dict.fromkeys(names[1:], 1.0))
    from scikit_posthocs import posthoc_dunn
    from scipy.stats import kruskal

    raw = posthoc_dunn(samples).to_numpy()[0, 1:]
    return FamilyTest(
        family, control, float(kruskal(*samples).pvalue), dict(zip(names[1:], holm(raw).tolist(), strict=True))
    )


def holm(p_values: FloatArray) -> FloatArray:
    """Holm's step-down adjustment of p-values [m]."""
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate((len(p) - np.arange(len(p))) * p[order])
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def _iqm_rows(rows: FloatArray) -> FloatArray:
    from scipy.stats import trim_mean

    return np.asarray(trim_mean(rows, 0.25, axis=1), dtype=np.float64)


def _indices(n: int, resamples: int, seed: int) -> IntArray:
    return np.random.default_rng([seed, n]).integers(0, n, size=(resamples, n))


def _checked(values: FloatArray) -> FloatArray:
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or len(sample) == 0 or not np.isfinite(sample).all():
        raise ConfigError("sample", sample.tolist(), "a list of at least one finite number")
    return sample
