"""Measurements as tidy tables."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ranpilot.declare import Scope
from ranpilot.twin import kpm

__all__ = ["AXES", "tidy"]

AXES: dict[Scope, tuple[str, ...]] = {
    "network": (),
    "cell": ("cell",),
    "slice": ("cell", "slice"),
    "ue": ("ue",),
    "link": ("ue", "cell"),
}
"""What each axis after the first, the network's, counts in the values of a scope."""


def tidy(values: Mapping[str, NDArray[np.float64]], network_ids: NDArray[np.integer]) -> pd.DataFrame:
    """One row a value: network, scope, cell, slice and ue (-1 where the scope has none), kpm, unit, value."""
    by_name = {measurement.name: measurement for measurement in kpm.MEASUREMENTS}
    frames = []
    for name, array in values.items():
        measurement = by_name[name]
        if array.size == 0:  # of a scenario without slices
            continue
        place = dict(zip(("network", *AXES[measurement.scope]), np.indices(array.shape), strict=True))
        none = np.full(array.size, -1)
        frames.append(
            pd.DataFrame(
                {
                    "network": network_ids[place["network"].ravel()],
                    "scope": measurement.scope,
                    **{axis: place[axis].ravel() if axis in place else none for axis in ("cell", "slice", "ue")},
                    "kpm": name,
                    "unit": measurement.unit,
                    "value": array.ravel(),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)
