"""Conversions between logarithmic and linear units, the only place where they stand."""

from __future__ import annotations

import math
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

__all__ = ["BOLTZMANN_DBM_PER_HZ", "db_to_linear", "dbm_to_mw", "linear_to_db", "mw_to_dbm", "noise_dbm"]

BOLTZMANN_DBM_PER_HZ = -174.0
"""Thermal noise density at 290 K."""

FloatArray = NDArray[np.floating]


@overload
def db_to_linear(value_db: float) -> float: ...
@overload
def db_to_linear(value_db: FloatArray) -> FloatArray: ...
def db_to_linear(value_db: Any) -> Any:
    """A ratio in dB as a plain ratio."""
    return 10.0 ** (value_db / 10.0)


@overload
def linear_to_db(ratio: float) -> float: ...
@overload
def linear_to_db(ratio: FloatArray) -> FloatArray: ...
def linear_to_db(ratio: Any) -> Any:
    """A positive ratio in dB."""
    return 10.0 * np.log10(ratio)


@overload
def dbm_to_mw(power_dbm: float) -> float: ...
@overload
def dbm_to_mw(power_dbm: FloatArray) -> FloatArray: ...
def dbm_to_mw(power_dbm: Any) -> Any:
    """A power level in milliwatts."""
    return db_to_linear(power_dbm)


@overload
def mw_to_dbm(power_mw: float) -> float: ...
@overload
def mw_to_dbm(power_mw: FloatArray) -> FloatArray: ...
def mw_to_dbm(power_mw: Any) -> Any:
    """A positive power as a level in dBm."""
    return linear_to_db(power_mw)


def noise_dbm(bandwidth_hz: float, noise_figure_db: float) -> float:
    """Thermal noise power in `bandwidth_hz` at a receiver with that noise figure, at 290 K."""
    return BOLTZMANN_DBM_PER_HZ + 10.0 * math.log10(bandwidth_hz) + noise_figure_db
