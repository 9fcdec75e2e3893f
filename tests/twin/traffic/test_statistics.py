"""Index of dispersion and Kolmogorov-Smirnov distance against slow obvious ways."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ranpilot.twin.traffic.capture import Capture
from ranpilot.twin.traffic.statistics import TIME_SCALES_S, dispersion_of_capture, dispersion_of_runs, ks_distance


def make_capture(pieces: tuple[float, ...] = (0.0,), duration_s: float = 55.0) -> Capture:
    random = np.random.default_rng(3)
    time_s = np.sort(random.uniform(0.0, duration_s, 900) ** 1.3)
    time_s = time_s[time_s < duration_s]
    bits = random.integers(800, 12_000, len(time_s))
    return Capture("c.csv", "", time_s, bits, np.array(pieces), duration_s)


def slow_dispersion(capture: Capture, scale: float, weight: np.ndarray) -> float:
    """Variance over mean of window sums, one window after the other."""
    sums = []
    ends = [*capture.piece_start_s[1:], capture.duration_s]
    for start, end in zip(capture.piece_start_s, ends, strict=True):
        for number in range(int((end - start) / scale + 1e-9)):
            low = start + number * scale
            inside = (capture.time_s >= low) & (capture.time_s < low + scale) & (capture.time_s < end)
            sums.append(weight[inside].sum())
    return float(np.var(sums) / np.mean(sums))


@pytest.mark.parametrize("pieces", [(0.0,), (0.0, 17.35, 41.2)])
def test_dispersion_equals_the_slow_way_over_the_pieces(pieces: tuple[float, ...]) -> None:
    capture = make_capture(pieces)
    found = dispersion_of_capture(capture)
    for index, scale in enumerate(TIME_SCALES_S):
        if scale < 0.1:
            continue
        bits = capture.bits.astype(float)
        assert found.packets[index] == pytest.approx(slow_dispersion(capture, scale, np.ones_like(bits)))
        assert found.bits[index] == pytest.approx(slow_dispersion(capture, scale, bits) / bits.mean())


def test_dispersion_of_runs_is_the_variance_within_them() -> None:
    """A run with twice the rate of the other adds nothing to it."""
    random = np.random.default_rng(4)
    times = [np.sort(random.uniform(0.0, 100.0, number)) for number in (20_000, 40_000)]
    run = np.repeat(np.arange(2), [len(time) for time in times])
    found = dispersion_of_runs(run, np.concatenate(times), np.ones(len(run)), 2, 100.0)
    assert found.packets[:3] == pytest.approx(1.0, abs=0.1)


def test_no_packet_in_any_window_is_no_dispersion() -> None:
    capture = Capture("c.csv", "", np.array([10.5]), np.array([100]), np.zeros(1), 11.0)
    assert dispersion_of_capture(capture).packets[4] == 0.0


def test_ks_distance_equals_that_of_scipy_also_with_ties() -> None:
    random = np.random.default_rng(0)
    first, second = random.integers(0, 20, 300).astype(float), random.integers(0, 25, 500).astype(float)
    assert ks_distance(first, second) == pytest.approx(stats.ks_2samp(first, second).statistic)
