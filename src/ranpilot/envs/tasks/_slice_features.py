"""What agents of task `slicing` see of a slice in their cell, as numbers in [0, 1]."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ranpilot.declare import Measurement
from ranpilot.envs.controller import FloatArray, IntArray
from ranpilot.envs.slice_feature import SliceFeature
from ranpilot.envs.tasks._promises import BEST_QUALITY, Promises
from ranpilot.twin import kpm

__all__ = ["PROMISED", "SEEN", "SEEN_KPMS", "see_promises", "see_slices"]


def _measured(measurement: Measurement, high: float) -> SliceFeature:
    return SliceFeature(measurement.name, measurement.unit, high)


def _spanning_decades(measurement: Measurement, high: float) -> SliceFeature:
    return SliceFeature(measurement.name, measurement.unit, high, "log")


SEEN = (
    SliceFeature("share", "1", 1.0),
    _measured(kpm.SLICE_PRB_USE, 100.0),
    _spanning_decades(kpm.SLICE_OFFERED, 100.0),
    _spanning_decades(kpm.SLICE_VOLUME, 100.0),
    _measured(kpm.SLICE_SERVED, 100.0),
    _spanning_decades(kpm.SLICE_THROUGHPUT, 1e5),
    _spanning_decades(kpm.SLICE_DELAY, 2e4),
    _measured(kpm.SLICE_DROP_RATE, 1e6),
    _spanning_decades(kpm.SLICE_ACTIVE_MEAN, 20.0),
    _spanning_decades(kpm.SLICE_CONNECTED_MEAN, 20.0),
    _spanning_decades(kpm.SLICE_BACKLOG, 100.0),
)
"""The share that the last action gave it, then measurements of the last step."""
SEEN_KPMS = frozenset(seen.name for seen in SEEN[1:])

PROMISED = (
    SliceFeature("mean_rate", "kbit/s", 1e5, "decades", 10.0),
    SliceFeature("p5_rate", "kbit/s", 1e5, "decades", 10.0),
    SliceFeature("delay", "ms", 1e4, "decades", 1.0),
    SliceFeature("unreliability", "1", 1.0, "decades", 1e-5),
    SliceFeature("served", "%", 100.0),
    SliceFeature("priority", "1", 4.0),
    SliceFeature("quality", "1", BEST_QUALITY),
)
"""What only the variants with numbers show; a part that is not promised is 0."""


def see_slices(share: FloatArray, measured: Mapping[str, FloatArray]) -> FloatArray:
    """[B, C, S, F] of the first kind; share: [B, C, S] in [0, 1]."""
    values = (share, *(measured[feature.name] for feature in SEEN[1:]))
    return np.stack([feature.shown(value) for feature, value in zip(SEEN, values, strict=True)], axis=-1)


def see_promises(promises: Promises, tenant: IntArray, quality: FloatArray) -> FloatArray:
    """[B, C, S, F] of the second kind; tenant: [B, S], quality: [B, C, S], NaN where nothing is judged."""
    of = np.maximum(tenant, 0)
    values = (
        promises.mean_rate_kbps[of],
        promises.p5_rate_kbps[of],
        promises.delay_ms[of],
        1.0 - promises.reliability[of],
        promises.served_share[of] * 100.0,
        promises.priority[of],
    )
    columns = [feature.shown(value) for feature, value in zip(PROMISED[:-1], values, strict=True)]
    own = np.broadcast_to(np.stack(columns, axis=-1)[:, None], (*quality.shape, len(columns)))
    return np.concatenate([own, PROMISED[-1].shown(quality)[..., None]], axis=-1)
