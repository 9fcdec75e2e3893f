"""Rice factor and delay spread of a link, by its propagation model, carrier and state.

Means of the K-factor in dB and medians of the delay spread (10 to the mean of its logarithm) from TR 38.901 V17.0.0
Table 7.5-6. Simplification: every link has the middle value, without the table's spread over links (the standard
deviation of K is 3.5 to 5 dB, that of lg DS 0.2 to 0.7) and its correlation with shadowing.
"""

from __future__ import annotations

import math

from ranpilot.errors import UnknownNameError

__all__ = ["median_delay_spread_s", "model_rice_factor_db", "scattered_delay_spread_s"]

_RICE_FACTOR_DB = {"RMa": 7.0, "UMa": 9.0, "UMi": 9.0, "InH": 7.0, "InH-open": 7.0}

# lg(DS / s) = constant + slope lg(offset + f / GHz), with f not below the least frequency (the table's notes 6 and 7):
# (offset, least GHz, (slope, constant) out of sight, (slope, constant) in sight).
_LG_DELAY_SPREAD = {
    "RMa": (0.0, 0.5, (0.0, -7.43), (0.0, -7.49)),
    "UMa": (0.0, 6.0, (-0.204, -6.28), (-0.0963, -6.955)),
    "UMi": (1.0, 2.0, (-0.24, -6.83), (-0.24, -7.14)),
    "InH": (1.0, 6.0, (-0.28, -7.173), (-0.01, -7.692)),
    "InH-open": (1.0, 6.0, (-0.28, -7.173), (-0.01, -7.692)),
}


def model_rice_factor_db(model: str) -> float:
    """Mean K-factor of a link in line of sight. Raises: UnknownNameError. Source: TR 38.901 Table 7.5-6."""
    _check_model(model)
    return _RICE_FACTOR_DB[model]


def median_delay_spread_s(model: str, carrier_hz: float, los: bool) -> float:
    """Median rms delay spread, the direct path included. Raises: UnknownNameError. Source: TR 38.901 Table 7.5-6."""
    _check_model(model)
    offset, least_ghz, *lines = _LG_DELAY_SPREAD[model]
    slope, constant = lines[int(los)]
    return float(10.0 ** (constant + slope * math.log10(offset + max(carrier_hz / 1e9, least_ghz))))


def scattered_delay_spread_s(delay_spread_s: float, rice_factor: float) -> float:
    """Rms delay spread of the scattered power alone, where that of the whole profile is `delay_spread_s`.

    rice_factor: K, linear. A path of power K / (K + 1) at delay 0 and an exponential profile of power 1 / (K + 1) and
    rms spread s have together the rms spread s sqrt(2 K + 1) / (K + 1).
    """
    return delay_spread_s * (rice_factor + 1.0) / math.sqrt(2.0 * rice_factor + 1.0)


def _check_model(model: str) -> None:
    if model not in _RICE_FACTOR_DB:
        raise UnknownNameError("propagation model", model, list(_RICE_FACTOR_DB))
