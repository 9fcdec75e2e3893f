"""Measurements and histograms as tidy tables, one row a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ranpilot.declare import Scope
from ranpilot.twin import kpm

__all__ = ["AXES", "tidy", "tidy_histograms"]

FloatArray = NDArray[np.float64]

AXES: dict[Scope, tuple[str, ...]] = {
    "network": (),
    "cell": ("cell",),
    "slice": ("cell", "slice"),
    "ue": ("ue",),
    "link": ("ue", "cell"),
}
"""What each axis after the first, the network's, counts in the values of a scope."""


def tidy(values: Mapping[str, FloatArray], network_ids: NDArray[np.integer]) -> pd.DataFrame:
    """One row a value: network, scope, cell, slice and ue (-1 where the scope has none), kpm, unit, value."""
    by_name = {measurement.name: measurement for measurement in kpm.MEASUREMENTS}
    frames = []
    for name, array in values.items():
        measurement = by_name[name]
        if array.size == 0:  # of a scenario without slices
            continue
        place = _places(array, network_ids, AXES[measurement.scope])
        row = {"scope": measurement.scope, "kpm": name, "unit": measurement.unit, "value": array.ravel()}
        frames.append(pd.DataFrame(place | row))
    order = ["network", "scope", "cell", "slice", "ue", "kpm", "unit", "value"]
    return pd.concat(frames, ignore_index=True)[order]


def tidy_histograms(values: Mapping[str, FloatArray], network_ids: NDArray[np.integer], slot_s: float) -> pd.DataFrame:
    """One row a bin that holds something: the columns of `tidy`, and `bin`, its upper edge or the value it is for."""
    edges = kpm.bin_edges(slot_s)
    frames = []
    for distribution in kpm.HISTOGRAMS:
        counts = values[distribution.name]
        axes = (*AXES[distribution.scope], "bin")
        place = _places(counts, network_ids, axes)
        row = {"scope": distribution.scope, "kpm": distribution.name, "unit": distribution.unit}
        frame = pd.DataFrame(place | row | {"bin": edges[distribution.name][place["bin"]], "value": counts.ravel()})
        frames.append(frame[frame["value"] > 0])
    order = ["network", "scope", "cell", "slice", "ue", "kpm", "bin", "unit", "value"]
    return pd.concat(frames, ignore_index=True)[order]


def _places(
    array: FloatArray, network_ids: NDArray[np.integer], axes: tuple[str, ...]
) -> dict[str, NDArray[np.integer[Any]]]:
    """Network, cell, slice, ue and other axes of every value of an array [B, *axes]; -1 for what it has not."""
    place = {axis: np.full(array.size, -1) for axis in ("cell", "slice", "ue")}
    place |= dict(zip(("network", *axes), np.indices(array.shape).reshape(array.ndim, -1), strict=True))
    return place | {"network": network_ids[place["network"]]}
