"""What agents of task `slicing` see of a slice in their cell, as numbers in [0, 1]."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ranpilot.envs.controller import FloatArray, IntArray
from ranpilot.envs.tasks._promises import BEST_QUALITY, Promises
from ranpilot.twin import kpm

__all__ = ["PROMISE_NAMES", "SEEN_NAMES", "see_promises", "see_slices"]


class Seen(NamedTuple):
    """A measurement of a slice, and the value that is normalised to 1; what spans decades by log(1 + value)."""

    name: str
    high: float
    is_log: bool


SEEN = (
    Seen(kpm.SLICE_PRB_USE.name, 100.0, False),
    Seen(kpm.SLICE_OFFERED.name, 100.0, True),
    Seen(kpm.SLICE_SERVED.name, 100.0, False),
    Seen(kpm.SLICE_THROUGHPUT.name, 1e5, True),
    Seen(kpm.SLICE_DELAY.name, 2e4, True),
    Seen(kpm.SLICE_DROP_RATE.name, 1e6, False),
    Seen(kpm.SLICE_ACTIVE_MEAN.name, 20.0, True),
    Seen(kpm.SLICE_CONNECTED_MEAN.name, 20.0, True),
)
SEEN_NAMES = ("share", *(seen.name for seen in SEEN))
"""The share that the last action gave it, then measurements of the last step."""

PROMISE_NAMES = ("mean_rate", "p5_rate", "delay", "unreliability", "served", "priority", "quality")
"""What only the variants with numbers show; a part that is not promised is 0."""


def see_slices(share: FloatArray, measured: Mapping[str, FloatArray]) -> FloatArray:
    """[B, C, S, F] of the first kind; share: [B, C, S] in [0, 1]."""
    columns = [share]
    for seen in SEEN:
        value = measured[seen.name]
        columns.append(np.log1p(value) / np.log1p(seen.high) if seen.is_log else value / seen.high)
    return np.clip(np.stack(columns, axis=-1), 0.0, 1.0)


def see_promises(promises: Promises, tenant: IntArray, quality: FloatArray) -> FloatArray:
    """[B, C, S, F] of the second kind; tenant: [B, S], quality: [B, C, S], NaN where nothing is judged."""
    of = np.maximum(tenant, 0)
    columns = (
        _decades(promises.mean_rate_kbps[of], 10.0, 1e5),
        _decades(promises.p5_rate_kbps[of], 10.0, 1e5),
        _decades(promises.delay_ms[of], 1.0, 1e4),
        _decades(1.0 - promises.reliability[of], 1e-5, 1.0),
        np.nan_to_num(promises.served_percent[of] / 100.0),
        promises.priority[of] / 4.0,
    )
    own = np.broadcast_to(np.stack(columns, axis=-1)[:, None], (*quality.shape, len(columns)))
    return np.concatenate([own, np.nan_to_num(quality / BEST_QUALITY)[..., None]], axis=-1)


def _decades(value: FloatArray, low: float, high: float) -> FloatArray:
    """0.1 to 1 on a logarithmic scale, 0 where there is none."""
    place = np.log(np.clip(value, low, high) / low) / np.log(high / low)
    result: FloatArray = np.nan_to_num(0.1 + 0.9 * place)
    return result
