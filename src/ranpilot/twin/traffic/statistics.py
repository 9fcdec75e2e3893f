"""How bursty arrivals are: index of dispersion for counts, and the distance of two distributions.

Index of dispersion at a time scale w: variance over mean of the number of packets in windows of w (1 at every scale for
a Poisson process). The same for bits is divided by the mean packet size, so that it is 1 for Poisson arrivals of equal
packets. Only windows that lie in one piece of a capture count.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ranpilot.twin.traffic.capture import Capture
from ranpilot.twin.traffic.protocol import FloatArray, Int64Array

__all__ = ["TIME_SCALES_S", "Dispersion", "dispersion_of_capture", "dispersion_of_runs", "ks_distance"]

TIME_SCALES_S = (0.001, 0.01, 0.1, 1.0, 10.0)


@dataclass(frozen=True, eq=False)
class Dispersion:
    """Index of dispersion at each of `TIME_SCALES_S`."""

    packets: FloatArray
    bits: FloatArray


def dispersion_of_capture(capture: Capture) -> Dispersion:
    """The index of dispersion of a capture, over its pieces."""
    edges = np.append(capture.piece_start_s, capture.duration_s)
    piece = np.searchsorted(edges, capture.time_s, side="right") - 1
    piece = np.minimum(piece, len(capture.piece_start_s) - 1)
    return _dispersion(piece, capture.time_s - edges[piece], capture.bits.astype(float), np.diff(edges), pooled=True)


def dispersion_of_runs(
    run: Int64Array, time_s: FloatArray, bits: FloatArray, num_runs: int, length_s: float
) -> Dispersion:
    """The mean index of dispersion of independent runs of `length_s` (variance within a run, as in one capture)."""
    return _dispersion(run, time_s, bits, np.full(num_runs, length_s), pooled=False)


def ks_distance(first: FloatArray, second: FloatArray) -> float:
    """Kolmogorov-Smirnov distance: the largest difference of the two empirical distribution functions."""
    first, second = np.sort(first), np.sort(second)
    at = np.concatenate([first, second])
    below_first = np.searchsorted(first, at, side="right") / len(first)
    below_second = np.searchsorted(second, at, side="right") / len(second)
    return float(np.abs(below_first - below_second).max())


def _dispersion(
    group: Int64Array, time_s: FloatArray, bits: FloatArray, length_s: FloatArray, *, pooled: bool
) -> Dispersion:
    packets_index, bits_index = [], []
    for scale in TIME_SCALES_S:
        windows = np.floor(length_s / scale + 1e-9).astype(np.int64)
        window = (time_s / scale + 1e-9).astype(np.int64)
        kept = window < windows[group]
        by_packets = _variance_over_mean(group[kept], window[kept], np.ones(int(kept.sum())), windows, pooled=pooled)
        by_bits = _variance_over_mean(group[kept], window[kept], bits[kept], windows, pooled=pooled)
        packets_index.append(by_packets)
        bits_index.append(by_bits / bits.mean())
    return Dispersion(np.array(packets_index), np.array(bits_index))


def _variance_over_mean(
    group: Int64Array, window: Int64Array, weight: FloatArray, windows: Int64Array, *, pooled: bool
) -> float:
    """Variance over mean of the window sums, most of which are zero and not stored; 0 where all are."""
    start = np.concatenate([[0], np.cumsum(windows)])
    sums = np.zeros(0)
    key = start[group] + window
    first = np.flatnonzero(np.diff(key, prepend=-1))
    if len(first):
        sums = np.add.reduceat(weight, first)
    total, count = sums.sum(), windows.sum()
    if total == 0.0:
        return 0.0
    if pooled:
        variance = (sums**2).sum() / count - (total / count) ** 2
    else:
        per_group = np.bincount(group, weights=weight, minlength=len(windows))
        variance = ((sums**2).sum() - (per_group**2 / windows).sum()) / count
    return float(variance / (total / count))
