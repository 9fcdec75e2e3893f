"""Buffered video against its source: Weibull frames, segments due at a constant pace, packets at a peak rate."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from ranpilot.errors import ConfigError
from ranpilot.twin.traffic import parse_config
from ranpilot.twin.traffic.models.video import SHAPE, Video

from .drawing import draw_users

SCALE = 1.0 / math.gamma(1.0 + 1.0 / SHAPE)
"""Of a Weibull distribution with mean 1."""


def segments_of(pairs: np.ndarray, gap_slots: int) -> list[np.ndarray]:
    """The packets of each segment, where silences of more than that lie between segments."""
    return np.split(pairs, np.flatnonzero(np.diff(pairs[:, 0]) > gap_slots) + 1)


def test_a_segment_of_one_frame_is_weibull_with_the_mean_of_the_rate() -> None:
    config = Video.Config(frames_per_segment=1, peak_rate_bps=2e9, packet_bits=100_000_000)
    bits = np.concatenate([pairs[:, 1] for pairs in draw_users(Video(config, 1e-3), 60, 5)])
    assert len(bits) == pytest.approx(9000, abs=60)
    mean = 4e6 / 30.0
    assert stats.kstest(bits, stats.weibull_min(SHAPE, scale=SCALE * mean).cdf).pvalue > 1e-3
    assert stats.kstest(bits, stats.weibull_min(0.9, scale=SCALE * mean).cdf).pvalue < 1e-3


def test_the_scale_is_that_of_the_source_at_its_rates() -> None:
    """6950 bytes a frame for "2 Mbps", which with 30 frames a second are 1.87 Mbit/s."""
    rate_bps = 8 * 6950 / SCALE * 30
    assert rate_bps == pytest.approx(1.87e6, rel=0.01)


def test_segments_are_due_at_a_constant_pace_and_silence_follows() -> None:
    """4 s apart, about 0.8 s long; mean and deviation of the size are those of a sum of 120 frames."""
    sizes = []
    for pairs in draw_users(Video(Video.Config(), 1e-3), 60, 41):
        whole = segments_of(pairs, 500)[1:-1]
        begin = np.array([segment[0, 0] for segment in whole])
        assert set(np.diff(begin)) <= {3999, 4000, 4001}
        for segment in whole:
            bits = segment[:, 1].sum()
            assert (segment[:-1, 1] == 12_000).all()
            assert segment[-1, 0] - segment[0, 0] == pytest.approx((bits - segment[-1, 1]) / 20e3, abs=1.01)
            sizes.append(bits)
    size = np.array(sizes) / 16e6
    spread = math.sqrt(math.gamma(1 + 2 / SHAPE) * SCALE**2 - 1.0) / math.sqrt(120)
    assert abs(size.mean() - 1.0) < 4 * spread / math.sqrt(len(size))
    assert size.std(ddof=1) == pytest.approx(spread, rel=4 / math.sqrt(2 * len(size)))


def test_a_segment_waits_for_the_one_before() -> None:
    """At 80 % of the peak rate single frames queue up; no packets come faster than the peak rate, and none is lost."""
    config = Video.Config(frames_per_segment=1, peak_rate_bps=5e6, packet_bits=5_000)
    drawn = draw_users(Video(config, 1e-3), 100, 40)
    for pairs in drawn:
        per_slot = np.bincount(pairs[:, 0], weights=pairs[:, 1], minlength=40_000)
        sums = np.convolve(per_slot, np.ones(100), mode="valid")
        assert sums.max() <= 100 * 5_000 + 2 * 5_000
    rate = np.array([pairs[:, 1].sum() / 40.0 for pairs in drawn])
    assert abs(rate.mean() - 4e6) < 4 * rate.std(ddof=1) / 10.0


def test_a_random_moment_lies_within_a_segment_as_often_as_the_rates_say() -> None:
    model = Video(Video.Config(), 1e-3)
    state = model.initial_state(3, np.zeros(4000, dtype=np.int64), np.arange(4000))
    assert abs((state[:, 2] > 0).mean() - 0.2) < 4 * math.sqrt(0.2 * 0.8 / 4000)
    assert stats.kstest(state[:, 0] / 4000.0, "uniform").pvalue > 1e-3


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"mean_rate_bps": 17e6}, "traffic.peak_rate_bps = 20000000.0, but must be at least 1.25 times mean_rate_bps"),
        ({"packet_bits": 80}, "traffic.packet_bits = 80, but must be at least 200 at 2e+07 bit/s."),
    ],
)
def test_wrong_values_are_told_in_one_sentence(values: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config({"kind": "video", **values})
    assert str(caught.value).startswith(message)
