"""The statistics against numbers worked out by hand or published."""

from __future__ import annotations

import numpy as np
import pytest

from ranpilot.errors import ConfigError
from ranpilot.experiments.statistics import (
    difference,
    family_test,
    holm,
    iqm,
    iqm_interval,
    is_equivalent,
    probability_of_improvement,
    ratio,
)


def test_iqm_is_the_mean_of_the_middle_half() -> None:
    assert iqm(np.array([100.0, 1, 2, 3, 4, 5, 6, -50])) == pytest.approx((2 + 3 + 4 + 5) / 4)
    assert iqm(np.array([1.0, 2, 3])) == pytest.approx(2.0)


def test_the_bootstrap_interval_covers_a_known_mean_about_95_times_in_100() -> None:
    draws = np.random.default_rng(5).normal(3.0, 1.0, size=(300, 20))
    inside = [
        interval.low <= 3.0 <= interval.high
        for interval in (iqm_interval(row, seed=i, resamples=400) for i, row in enumerate(draws))
    ]
    assert 0.88 <= np.mean(inside) <= 0.98


def test_an_interval_is_the_same_each_time_and_shrinks_with_the_seeds() -> None:
    values = np.random.default_rng(1).normal(size=80)
    assert iqm_interval(values) == iqm_interval(values)
    few, many = iqm_interval(values[:10]), iqm_interval(values)
    assert many.high - many.low < few.high - few.low


def test_a_paired_difference_is_sharp_where_the_seeds_explain_the_spread() -> None:
    rng = np.random.default_rng(2)
    seeds = rng.normal(0, 10, size=12)
    a, b = seeds + 1 + rng.normal(0, 0.1, size=12), seeds
    paired, unpaired = difference(a, b, paired=True), difference(a, b, paired=False)
    assert paired.high - paired.low < 0.2 * (unpaired.high - unpaired.low)
    assert paired.low <= 1.0 <= paired.high


def test_pairs_of_unequal_length_are_refused() -> None:
    with pytest.raises(ConfigError, match="of equal length"):
        difference(np.zeros(3), np.zeros(4), paired=True)


def test_a_ratio_to_zero_is_infinite_and_becomes_none_in_json() -> None:
    interval = ratio(np.ones(8), np.zeros(8), paired=False)
    assert np.isinf(interval.estimate)
    assert interval.as_json()["estimate"] is None
    assert ratio(np.ones(8), np.full(8, 4.0), paired=False).as_json()["estimate"] == 0.25


def test_probability_of_improvement_counts_pairs_and_halves_ties() -> None:
    # 1 < 2, 1 < 3, 2 = 2, 2 < 3, of 4 pairs
    assert probability_of_improvement(np.array([1.0, 2]), np.array([2.0, 3])) == pytest.approx(3.5 / 4)


def test_holm_steps_down_as_worked_by_hand() -> None:
    # sorted 0.01 * 4, 0.02 * 3, 0.03 * 2, 0.04 * 1 -> 0.04, 0.06, 0.06 (kept monotone), 0.06
    assert holm(np.array([0.04, 0.01, 0.03, 0.02])) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm(np.array([0.9, 0.8])) == pytest.approx([1.0, 1.0])


def test_kruskal_and_dunn_agree_with_ranks_worked_by_hand() -> None:
    """Groups 1-4, 5-8, 9-12: mean ranks 2.5, 6.5, 10.5; H = 9.846; z = 4/sqrt(6.5), 8/sqrt(6.5) (no ties)."""
    from scipy.stats import chi2, norm

    groups = {"base": np.arange(1.0, 5), "near": np.arange(5.0, 9), "far": np.arange(9.0, 13)}
    result = family_test("three", "base", groups)
    statistic = 12 / (12 * 13) * 4 * ((2.5 - 6.5) ** 2 + 0 + (10.5 - 6.5) ** 2)
    assert result.kruskal_p == pytest.approx(chi2.sf(statistic, 2))
    near = 2 * norm.sf(4 / np.sqrt(12 * 13 / 12 * (1 / 4 + 1 / 4)))
    far = 2 * norm.sf(8 / np.sqrt(12 * 13 / 12 * (1 / 4 + 1 / 4)))
    assert result.dunn_holm_p["far"] == pytest.approx(2 * far)
    assert result.dunn_holm_p["near"] == pytest.approx(near)


def test_equal_groups_have_nothing_to_tell_apart() -> None:
    result = family_test("zeros", "a", {"a": np.zeros(5), "b": np.zeros(5)})
    assert result.kruskal_p == 1.0
    assert result.dunn_holm_p == {"b": 1.0}


def test_a_family_without_its_control_is_refused() -> None:
    with pytest.raises(ConfigError, match="one of at least two groups"):
        family_test("x", "missing", {"a": np.zeros(5), "b": np.zeros(5)})


def test_equivalence_asks_for_the_whole_interval_inside_the_margin() -> None:
    near = difference(np.full(10, 0.02), np.zeros(10), paired=False)
    assert is_equivalent(near, 0.1)
    wide = difference(np.linspace(-1, 1, 10), np.zeros(10), paired=False)
    assert not is_equivalent(wide, 0.1)


def test_a_sample_with_a_nan_is_refused() -> None:
    with pytest.raises(ConfigError, match="finite"):
        iqm_interval(np.array([1.0, np.nan]))
