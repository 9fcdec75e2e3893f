"""Gain of the sector antenna against sums of phasors, its beam width, front-to-back ratio and tilt.

Reference: TR 38.901 Table 7.3-1, worked out by `scripts/make_antenna_table.py`; the half-power width of a column of M
elements at spacing d, 0.886 wavelengths / (M d) (e.g. Balanis, Antenna Theory, Table 6.2: uniform broadside arrays).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ranpilot.twin.radio import antenna_gain_db
from ranpilot.twin.validate.line import Effort, Line, compared
from ranpilot.twin.validate.table import read_table

__all__ = ["lines"]

TABLE = "TR 38.901 Table 7.3-1"
TOLERANCE_DB = 0.01
STEP_DEG = 0.001

FloatArray = NDArray[np.float64]


def lines(effort: Effort) -> Iterator[Line]:
    """Gains at angles, then what the pattern is known by; the same at either effort."""
    del effort
    for row in read_table("antenna"):
        elements, azimuth, zenith = int(row["elements"]), row["azimuth_deg"], row["zenith_deg"]
        found = antenna_gain_db(
            float(azimuth),
            float(zenith),
            elements=elements,
            spacing_wavelengths=float(row["spacing_wavelengths"]),
            downtilt_deg=float(row["downtilt_deg"]),
        )
        column = f"{elements}x{row['spacing_wavelengths']}-tilt-{row['downtilt_deg']}"
        name = f"antenna/{column}/azimuth-{azimuth}-zenith-{zenith}"
        yield compared(name, float(found), float(row["gain_dbi"]), TOLERANCE_DB, "dBi", TABLE)
    yield from _element()
    yield from _column()


def _element() -> Iterator[Line]:
    angle = np.arange(-60.0, 60.0, STEP_DEG)
    across, along = antenna_gain_db(angle, 90.0), antenna_gain_db(0.0, 90.0 + angle)
    yield compared("antenna/element/peak", float(across.max()), 8.0, TOLERANCE_DB, "dBi", TABLE)
    for name, gain in (("horizontal", across), ("vertical", along)):
        width = _half_power_width_deg(angle, gain)
        yield compared(f"antenna/element/{name}-half-power-width", width, 65.0, 0.01, "degree", TABLE)
    ratio = float(antenna_gain_db(0.0, 90.0) - antenna_gain_db(180.0, 90.0))
    yield compared("antenna/element/front-to-back", ratio, 30.0, TOLERANCE_DB, "dB", TABLE)


def _column() -> Iterator[Line]:
    zenith = np.arange(80.0, 125.0, STEP_DEG)
    for tilt in (0.0, 12.0, 20.0):
        gain = antenna_gain_db(0.0, zenith, elements=10, downtilt_deg=tilt) - antenna_gain_db(0.0, zenith)
        name = f"antenna/column-of-10/tilt-{tilt:g}"
        yield compared(f"{name}/peak-over-element", float(gain.max()), 10.0, TOLERANCE_DB, "dB", "10 log10 M")
        peak = float(zenith[gain.argmax()])
        yield compared(f"{name}/peak-at-zenith", peak, 90.0 + tilt, 0.01, "degree", "TR 36.897 §5.2.2")
    broadside = antenna_gain_db(0.0, zenith, elements=10) - antenna_gain_db(0.0, zenith)
    width = _half_power_width_deg(zenith, broadside)
    expected = float(np.degrees(0.886 / (10 * 0.5)))
    yield compared("antenna/column-of-10/half-power-width", width, expected, 0.1, "degree", "0.886 / (M d)")


def _half_power_width_deg(angle_deg: FloatArray, gain_db: FloatArray) -> float:
    inside = angle_deg[gain_db >= gain_db.max() - 3.0]
    return float(inside[-1] - inside[0])
