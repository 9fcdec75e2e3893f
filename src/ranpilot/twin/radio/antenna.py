"""Gain of a base-station sector antenna: one column of vertically stacked elements with an electrical downtilt.

Element (theta the zenith angle, phi the azimuth off boresight, both in degrees):
    A_V = -min(12 ((theta - 90) / 65)^2, 30), A_H = -min(12 (phi / 65)^2, 30), A = 8 dBi - min(-(A_V + A_H), 30).
Column of M elements at spacing d wavelengths, weights w_m = exp(-2 pi i m d cos theta_tilt) / sqrt(M) (one port, ideal
steering): |sum over m of w_m exp(2 pi i m d cos theta)|^2 = sin^2(M psi / 2) / (M sin^2(psi / 2)),
psi = 2 pi d (cos theta - cos theta_tilt), so its gain is M at the tilt.
Source: TR 38.901 Table 7.3-1 (element), §7.3 (array); TR 36.897 §5.2.2 (weights that steer one port).
Simplifications: a mechanical tilt of 0; nulls of the column are no deeper than 60 dB below one element.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ranpilot.errors import ConfigError
from ranpilot.kernels import kernel

__all__ = ["MAX_ELEMENT_GAIN_DBI", "antenna_gain_db", "array_gain_db", "element_gain_db", "link_antenna_gain_db"]

MAX_ELEMENT_GAIN_DBI = 8.0
BEAM_WIDTH_DEG = 65.0
"""At -3 dB of one element, in both planes."""
MAX_ATTENUATION_DB = 30.0
"""A_max and SLA_V."""
LEAST_ARRAY_GAIN = 1e-6

FloatArray = NDArray[np.float64]


@kernel
def element_gain_db(azimuth_deg: float, zenith_deg: float) -> float:
    """Gain of one element in dBi; azimuth off boresight, any number of turns. Source: TR 38.901 Table 7.3-1."""
    off_deg = (azimuth_deg + 180.0) % 360.0 - 180.0
    vertical_db = min(12.0 * ((zenith_deg - 90.0) / BEAM_WIDTH_DEG) ** 2, MAX_ATTENUATION_DB)
    horizontal_db = min(12.0 * (off_deg / BEAM_WIDTH_DEG) ** 2, MAX_ATTENUATION_DB)
    return MAX_ELEMENT_GAIN_DBI - min(vertical_db + horizontal_db, MAX_ATTENUATION_DB)


@kernel
def array_gain_db(cos_zenith: float, elements: int, spacing: float, downtilt_deg: float) -> float:
    """Gain of the column over one element in dB; spacing in wavelengths, downtilt below the horizon."""
    if elements == 1:
        return 0.0
    # cos(90 + tilt) = -sin(tilt)
    half_phase = math.pi * spacing * (cos_zenith + math.sin(math.radians(downtilt_deg)))
    below = math.sin(half_phase)
    if abs(below) < 1e-9:
        return 10.0 * math.log10(float(elements))
    amplitude = math.sin(elements * half_phase) / below
    return 10.0 * math.log10(max(amplitude * amplitude / elements, LEAST_ARRAY_GAIN))


@kernel
def link_antenna_gain_db(
    east_m: float, north_m: float, up_m: float, azimuth_deg: float, elements: int, spacing: float, downtilt_deg: float
) -> float:
    """Gain in dBi towards what lies (east, north, up) of the antenna; azimuth of the boresight from east to north."""
    ground_m = math.hypot(east_m, north_m)
    distance_m = math.hypot(ground_m, up_m)
    if distance_m == 0.0:
        return MAX_ELEMENT_GAIN_DBI - MAX_ATTENUATION_DB
    zenith_deg = math.degrees(math.atan2(ground_m, up_m))
    element_db = element_gain_db(math.degrees(math.atan2(north_m, east_m)) - azimuth_deg, zenith_deg)
    return element_db + array_gain_db(up_m / distance_m, elements, spacing, downtilt_deg)


@kernel
def _fill_gain_db(
    azimuth_deg: FloatArray, zenith_deg: FloatArray, elements: int, spacing: float, downtilt_deg: float, out: FloatArray
) -> None:
    for index in range(out.size):
        column_db = array_gain_db(math.cos(math.radians(zenith_deg[index])), elements, spacing, downtilt_deg)
        out[index] = element_gain_db(azimuth_deg[index], zenith_deg[index]) + column_db


def antenna_gain_db(
    azimuth_deg: ArrayLike,
    zenith_deg: ArrayLike,
    *,
    elements: int = 1,
    spacing_wavelengths: float = 0.5,
    downtilt_deg: float = 0.0,
) -> FloatArray:
    """Gain in dBi at azimuths off boresight and zenith angles (90 = the horizon, above it: below); arrays broadcast.

    Raises: ConfigError for a zenith angle outside 0..180, fewer than one element, or a number that is not finite.
    """
    azimuth, zenith = np.broadcast_arrays(np.asarray(azimuth_deg, np.float64), np.asarray(zenith_deg, np.float64))
    if not np.isfinite(azimuth).all():
        raise ConfigError("azimuth_deg", azimuth_deg, "finite numbers")
    if not ((zenith >= 0.0) & (zenith <= 180.0)).all():
        raise ConfigError("zenith_deg", zenith_deg, "0 to 180 degrees")
    if elements < 1:
        raise ConfigError("elements", elements, "at least 1")
    if not (0.0 < spacing_wavelengths < math.inf and abs(downtilt_deg) <= 90.0):
        raise ConfigError(
            "spacing_wavelengths, downtilt_deg", (spacing_wavelengths, downtilt_deg), "above 0, and -90 to 90 degrees"
        )
    out = np.empty(azimuth.size)
    _fill_gain_db(azimuth.ravel(), zenith.ravel(), elements, spacing_wavelengths, downtilt_deg, out)
    return out.reshape(azimuth.shape)
