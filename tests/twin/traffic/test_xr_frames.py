"""XR frames against the truncated normal distributions of TR 38.838 §5.1.1."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ranpilot.errors import ConfigError
from ranpilot.twin.traffic import parse_config
from ranpilot.twin.traffic.models.xr_frames import XrFrames

from .drawing import draw_users

WHOLE_FRAMES = {"packet_bits": 100_000_000}
"""A packet a frame."""


@pytest.mark.parametrize("frame_rate_hz", [60.0, 90.0, 120.0])
def test_frame_sizes_are_a_truncated_normal_with_the_mean_that_the_rate_gives(frame_rate_hz: float) -> None:
    model = XrFrames(XrFrames.Config(frame_rate_hz=frame_rate_hz, **WHOLE_FRAMES), 1e-3)
    bits = np.concatenate([pairs[:, 1] for pairs in draw_users(model, 40, 5)])
    mean = 30e6 / frame_rate_hz
    assert len(bits) == pytest.approx(200 * frame_rate_hz, rel=0.01)
    assert (
        stats.kstest(bits, stats.truncnorm(-0.5 / 0.105, 0.5 / 0.105, loc=mean, scale=0.105 * mean).cdf).pvalue > 1e-3
    )
    assert stats.kstest(bits, stats.norm(loc=mean, scale=0.115 * mean).cdf).pvalue < 1e-3
    assert 0.5 * mean <= bits.min() and bits.max() <= 1.5 * mean


def test_a_narrow_span_cuts_the_sizes_and_keeps_their_mean() -> None:
    model = XrFrames(XrFrames.Config(size_std=0.3, size_span=0.3, **WHOLE_FRAMES), 1e-3)
    bits = np.concatenate([pairs[:, 1] for pairs in draw_users(model, 40, 5)]) / 5e5
    assert stats.kstest(bits, stats.truncnorm(-1.0, 1.0, loc=1.0, scale=0.3).cdf).pvalue > 1e-3
    assert bits.min() >= 0.7 - 1e-5 and bits.max() <= 1.3 + 1e-5


@pytest.mark.parametrize("frame_rate_hz", [60.0, 120.0])
def test_jitter_is_a_truncated_normal_and_does_not_add_up(frame_rate_hz: float) -> None:
    """Slots of 10 us: the arrival without the phase and the frame's number is the jitter, up to a slot."""
    slot_s = 1e-5
    model = XrFrames(XrFrames.Config(frame_rate_hz=frame_rate_hz, **WHOLE_FRAMES), slot_s)
    start = model.initial_state(11, np.zeros(60, dtype=np.int64), np.arange(60))
    period = 1.0 / frame_rate_hz / slot_s
    jitter = []
    for ue, pairs in enumerate(draw_users(model, 60, 600)):
        assert len(pairs) == pytest.approx(6.0 * frame_rate_hz, abs=2)
        jitter.append(pairs[:, 0] + 0.5 - start[ue, 0] - period * np.arange(len(pairs)))
    late_s = np.concatenate(jitter) * slot_s
    assert stats.kstest(late_s, stats.truncnorm(-2.0, 2.0, scale=0.002).cdf).pvalue > 1e-3
    assert np.abs(late_s).max() <= 0.004 + slot_s


def test_without_spread_every_frame_is_the_same_and_comes_on_time() -> None:
    values = {"size_std": 0, "size_span": 0, "jitter_std_s": 0, "jitter_max_s": 0, "frame_rate_hz": 50, **WHOLE_FRAMES}
    for pairs in draw_users(XrFrames(XrFrames.Config.model_validate(values), 1e-3), 20, 3):
        assert set(np.diff(pairs[:, 0])) == {20}
        assert set(pairs[:, 1]) == {600_000}


def test_phases_are_uniform_over_a_frame() -> None:
    model = XrFrames(XrFrames.Config(), 1e-5)
    state = model.initial_state(3, np.zeros(4000, dtype=np.int64), np.arange(4000))
    assert stats.kstest(state[:, 0] % (1 / 60 / 1e-5) * 60e-5, "uniform").pvalue > 1e-3
    assert (state[:, 1] >= 0.0).all()


def test_a_frame_is_cut_into_packets_of_one_slot() -> None:
    config = XrFrames.Config()
    assert config.burst_packets == 63
    for pairs in draw_users(XrFrames(config, 1e-3), 5, 2):
        slots, first = np.unique(pairs[:, 0], return_index=True)
        for frame in np.split(pairs[:, 1], first[1:]):
            assert (frame[:-1] == 12_000).all() and 1 <= frame[-1] <= 12_000
            assert 250_000 <= frame.sum() <= 750_000
        assert np.diff(slots).min() >= 8


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"frame_rate_hz": 240}, "traffic.jitter_max_s = 0.004, but must be at most half a frame's time (0.002083 s)."),
        ({"jitter_max_s": 0.001}, "traffic.jitter_max_s = 0.001, but must be at least jitter_std_s (0.002 s)."),
        ({"size_std": 0.6}, "traffic.size_span = 0.5, but must be at least size_std (0.6)."),
        ({"mean_rate_bps": float("nan")}, "traffic.mean_rate_bps = nan, but must be a finite number."),
    ],
)
def test_wrong_values_are_told_in_one_sentence(values: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config({"kind": "xr-frames", **values})
    assert str(caught.value) == message
