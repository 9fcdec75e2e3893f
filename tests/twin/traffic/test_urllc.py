"""Sporadic packets against their renewal process: gaps, and the wait for the first packet."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ranpilot.errors import ConfigError
from ranpilot.twin.traffic import parse_config
from ranpilot.twin.traffic.models.urllc import Urllc

from .drawing import draw_users

SLOT_S = 1e-5


@pytest.mark.parametrize("min_gap_s", [0.0, 0.02, 0.05])
def test_gaps_are_exponential_above_the_least_one(min_gap_s: float) -> None:
    """Slots of 10 us; a gap is 5000 of them on average, five blocks."""
    model = Urllc(Urllc.Config(mean_gap_s=0.05, min_gap_s=min_gap_s), SLOT_S)
    drawn = draw_users(model, 60, 1000)
    gaps = np.concatenate([np.diff(pairs[:, 0]) for pairs in drawn])
    assert gaps.min() >= int(min_gap_s / SLOT_S) - 1
    if min_gap_s == 0.05:
        assert set(np.unique(gaps)) <= {4999, 5000, 5001}
        return
    noise = np.random.default_rng(1).uniform(size=(2, len(gaps)))
    of_gaps = stats.expon(loc=min_gap_s / SLOT_S, scale=(0.05 - min_gap_s) / SLOT_S)
    assert stats.kstest(gaps + noise[0] - noise[1], of_gaps.cdf).pvalue > 1e-3
    assert stats.kstest(gaps + noise[0] - noise[1], stats.expon(scale=4700.0).cdf).pvalue < 1e-3
    assert {int(size) for pairs in drawn for size in pairs[:, 1]} == {256}


def test_the_first_wait_is_the_rest_of_a_gap_at_a_random_moment() -> None:
    """Density (1 - F) / mean: uniform up to the least gap, then exponential."""
    model = Urllc(Urllc.Config(mean_gap_s=0.05, min_gap_s=0.02), SLOT_S)
    wait = model.initial_state(5, np.zeros(5000, dtype=np.int64), np.arange(5000))[:, 0]

    def distribution(slots: np.ndarray) -> np.ndarray:
        below = np.minimum(slots, 2000.0) / 5000.0
        return below + 0.6 * -np.expm1(-np.maximum(slots - 2000.0, 0.0) / 3000.0)

    assert stats.kstest(wait, distribution).pvalue > 1e-3


def test_a_least_gap_above_the_mean_is_refused_in_one_sentence() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config({"kind": "urllc", "mean_gap_s": 0.01, "min_gap_s": 0.02})
    assert str(caught.value) == "traffic.min_gap_s = 0.02, but must be at most mean_gap_s (0.01 s)."
