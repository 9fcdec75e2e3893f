"""Measurements as tidy tables."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ranpilot.twin import kpm

__all__ = ["tidy"]


def tidy(values: Mapping[str, NDArray[np.float64]], network_ids: NDArray[np.integer]) -> pd.DataFrame:
    """One row a value: network, scope, cell and ue (-1 where the scope has none), kpm, unit, value."""
    by_name = {measurement.name: measurement for measurement in kpm.MEASUREMENTS}
    frames = []
    for name, array in values.items():
        measurement = by_name[name]
        place = np.indices(array.shape).reshape(array.ndim, -1)
        none = np.full(array.size, -1)
        ue = none if measurement.scope == "cell" else place[1]
        cell = {"cell": place[1], "ue": none, "link": place[-1]}[measurement.scope]
        frames.append(
            pd.DataFrame(
                {
                    "network": network_ids[place[0]],
                    "scope": measurement.scope,
                    "cell": cell,
                    "ue": ue,
                    "kpm": name,
                    "unit": measurement.unit,
                    "value": array.ravel(),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)
