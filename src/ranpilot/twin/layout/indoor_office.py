"""The indoor office: twelve sites in two rows of six, 20 m apart. Source: TR 38.901 Table 7.2-2 and Figure 7.2-1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["AREA_M", "CEILING_M", "office_positions_m"]

AREA_M = (0.0, 0.0, 120.0, 50.0)
"""Left, bottom, right, top."""
CEILING_M = 3.0
ISD_M = 20.0


def office_positions_m() -> NDArray[np.float64]:
    """[12, 2] row by row; the rows are 15 m from the long walls, the first site of a row 10 m from the short one."""
    column, row = np.meshgrid(np.arange(6), np.arange(2))
    return np.stack([10.0 + ISD_M * column.ravel(), 15.0 + ISD_M * row.ravel()], axis=1)
