"""Measurements and histograms as tidy tables, one row a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ranpilot.declare import Scope
from ranpilot.twin import kpm
from ranpilot.twin.stays import Stays

__all__ = ["AXES", "COLUMNS", "tidy", "tidy_histograms"]

FloatArray = NDArray[np.float64]

AXES: dict[Scope, tuple[str, ...]] = {
    "network": (),
    "cell": ("cell",),
    "slice": ("cell", "slice"),
    "ue": ("ue",),
    "link": ("ue", "cell"),
}
"""What each axis after the first, the network's, counts in the values of a scope."""

COLUMNS = (
    "start_s", "end_s", "network", "scope", "cell", "slice", "slice_name", "snssai", "ue", "kpm", "unit", "value",
)  # fmt: skip


def tidy(
    values: Mapping[str, FloatArray], network_ids: NDArray[np.integer], span_s: tuple[float, float], stays: Stays
) -> pd.DataFrame:
    """One row a value, with the columns `COLUMNS`.

    span_s: begin and end of what was measured; stays: whose it is by seat. A slice has the times of its own stay, and a
    seat that is nobody's no row. cell, slice (the seat) and ue are -1, slice_name and snssai empty where the scope has
    none.
    """
    by_name = {measurement.name: measurement for measurement in kpm.MEASUREMENTS}
    frames = []
    for name, array in values.items():
        measurement = by_name[name]
        if array.size == 0:  # of a scenario without slices
            continue
        place = _places(array, network_ids, AXES[measurement.scope])
        row = {"scope": measurement.scope, "kpm": name, "unit": measurement.unit, "value": array.ravel()}
        frame = pd.DataFrame(place | _whose(measurement.scope, array, span_s, stays) | row)
        frames.append(frame[frame["slice_name"] != ""] if measurement.scope == "slice" else frame)
    return pd.concat(frames, ignore_index=True)[list(COLUMNS)]


def tidy_histograms(
    values: Mapping[str, FloatArray], network_ids: NDArray[np.integer], slot_s: float, span_s: tuple[float, float]
) -> pd.DataFrame:
    """One row a bin that holds something: the columns of `tidy`, and `bin`, its upper edge or the value it is for."""
    edges = kpm.bin_edges(slot_s)
    frames = []
    for distribution in kpm.HISTOGRAMS:
        counts = values[distribution.name]
        axes = (*AXES[distribution.scope], "bin")
        place = _places(counts, network_ids, axes)
        row = {"scope": distribution.scope, "kpm": distribution.name, "unit": distribution.unit}
        held = {"bin": edges[distribution.name][place["bin"]], "value": counts.ravel()}
        frame = pd.DataFrame(place | _nobodys(span_s) | row | held)
        frames.append(frame[frame["value"] > 0])
    return pd.concat(frames, ignore_index=True)[[*COLUMNS[:-2], "bin", *COLUMNS[-2:]]]


def _whose(scope: Scope, array: FloatArray, span_s: tuple[float, float], stays: Stays) -> dict[str, Any]:
    """Tenant and times of every value of an array."""
    if scope != "slice":
        return _nobodys(span_s)
    texts = {"slice_name": stays.name.astype(object), "snssai": stays.snssai.astype(object)}
    by_seat = texts | {"start_s": stays.start_s.round(9), "end_s": stays.end_s.round(9)}
    return {name: np.broadcast_to(each[:, None, :], array.shape).ravel() for name, each in by_seat.items()}


def _nobodys(span_s: tuple[float, float]) -> dict[str, Any]:
    return {"slice_name": "", "snssai": "", "start_s": round(span_s[0], 9), "end_s": round(span_s[1], 9)}


def _places(
    array: FloatArray, network_ids: NDArray[np.integer], axes: tuple[str, ...]
) -> dict[str, NDArray[np.integer[Any]]]:
    """Network, cell, slice, ue and other axes of every value of an array [B, *axes]; -1 for what it has not."""
    place = {axis: np.full(array.size, -1) for axis in ("cell", "slice", "ue")}
    place |= dict(zip(("network", *axes), np.indices(array.shape).reshape(array.ndim, -1), strict=True))
    return place | {"network": network_ids[place["network"]]}
