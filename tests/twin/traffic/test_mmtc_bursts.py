"""Bursts of devices against Beta(3, 4) (TR 37.868 Table 6.1.1)."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ranpilot.errors import ConfigError
from ranpilot.twin.traffic import parse_config
from ranpilot.twin.traffic.models.mmtc_bursts import MmtcBursts, _next_place, _share_before

from .drawing import draw_users

PATIENT = {"devices": 30, "burst_s": 10.0, "period_s": 20.0}
"""A silence as long as the window follows it."""


def events_of(model: MmtcBursts, num_ues: int) -> np.ndarray:
    """The slot, negative or not, of each user's running event at the start."""
    return model.initial_state(11, np.zeros(num_ues, dtype=np.int64), np.arange(num_ues))[:, 0]


def test_the_distribution_function_is_that_of_beta_3_4() -> None:
    place = np.linspace(0.0, 1.0, 21)
    assert [_share_before(at) for at in place] == pytest.approx(stats.beta(3, 4).cdf(place), abs=1e-12)


def test_the_next_place_is_the_least_of_those_left() -> None:
    """P(least of n > y, given that all are above x) = ((1 - F(y)) / (1 - F(x)))^n."""
    law = stats.beta(3, 4)
    for place, left, uniform in ((0.0, 1.0, 0.3), (0.2, 5.0, 0.9), (0.6, 40.0, 0.01), (0.9, 2.0, 0.5)):
        found = _next_place(place, left, uniform)
        assert (law.sf(found) / law.sf(place)) ** left == pytest.approx(uniform, rel=1e-6)


def test_each_device_sends_once_an_event_at_a_moment_that_is_beta() -> None:
    model = MmtcBursts(MmtcBursts.Config(**PATIENT), 1e-3)
    start = events_of(model, 50)
    assert len(set(start)) == 1, "users of a network share their events"
    places = []
    for pairs in draw_users(model, 50, 60):
        assert set(pairs[:, 1]) == {1600}
        event, place = np.divmod(pairs[:, 0] + 0.5 - start[0], 20_000.0)
        places.append(place[event == 1] / 10_000.0)
        assert len(places[-1]) == 30
    pooled = np.concatenate(places)
    assert pooled.max() <= 1.0
    assert stats.kstest(pooled, stats.beta(3, 4).cdf).pvalue > 1e-3
    assert stats.kstest(pooled, stats.beta(3, 5).cdf).pvalue < 1e-3
    least = np.array([place.min() for place in places])
    assert stats.kstest(least, lambda at: 1.0 - stats.beta(3, 4).sf(at) ** 30).pvalue > 1e-3


def test_a_user_that_starts_within_a_window_has_the_rest_of_it() -> None:
    """Packets of the running window come only from devices that have not sent: Binomial(30, 1 - F)."""
    model = MmtcBursts(MmtcBursts.Config(**PATIENT), 1e-3)
    networks, ues = np.arange(300), np.zeros(300, dtype=np.int64)
    state = model.initial_state(7, networks, ues)
    begun = (state[:, 0] < 0.0) & (state[:, 0] > -8000.0)
    assert begun.sum() > 80
    expected = 30 * stats.beta(3, 4).sf(-state[begun, 0] / 10_000.0)
    share = stats.beta(3, 4).sf(-state[begun, 0] / 10_000.0)
    score = (state[begun, 2] - expected) / np.sqrt(30 * share * (1 - share) + 1.0)
    assert abs(score.mean()) < 4 / np.sqrt(begun.sum())


def test_networks_have_events_of_their_own() -> None:
    model = MmtcBursts(MmtcBursts.Config(), 1e-3)
    state = model.initial_state(7, np.arange(2000), np.zeros(2000, dtype=np.int64))
    assert stats.kstest(-state[:, 0] % 10_000.0 / 10_000.0, "uniform").pvalue > 1e-3


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"burst_s": 20.0}, "traffic.burst_s = 20.0, but must be at most period_s (10 s)."),
        ({"devices": 0}, "traffic.devices = 0, but must be at least 1."),
        (
            {"devices": 10_000, "burst_s": 0.1},
            "traffic.burst_s = 0.1, but must be at least 0.207 s for 10000 devices.",
        ),
    ],
)
def test_wrong_values_are_told_in_one_sentence(values: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config({"kind": "mmtc-bursts", **values})
    assert str(caught.value) == message
