"""What of the KPMs is compared: a few numbers of each KPM, on scales where differences mean the same everywhere.

Of a cell's KPM its mean over the periods, of a user's KPM the 10th, 50th and 90th percentile over users and periods; of
SINR, RSRP and CQI also the median change over one and over four periods: the first tells most of how fast users move,
both of how deep shadows are. Counts and volumes are rates, so that they do not depend on the period; counts are those
of all cells together. Rates and delays are compared as log(1 + x), counts and shares of lost packets as the square root
(whose scatter does not depend on their size, if they are Poisson), all else as it is.
A user is there in the periods in which anything of it is not zero, and a delay or duration of zero is one of nothing:
that holds for files and networks alike.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranpilot.declare import Measurement
from ranpilot.twin import kpm
from ranpilot.twin.calibrate.series import Series

__all__ = ["PERCENTILES", "Feature", "fill_gaps", "find_features", "is_total", "levels", "take_features", "tolerances"]

FloatArray = NDArray[np.float64]

PERCENTILES = (10.0, 50.0, 90.0)
MOVING = (kpm.CQI_MEAN, kpm.SINR_MEAN, kpm.UE_SINR, kpm.UE_RSRP)
"""What changes from period to period as users move."""
LAGS = (1, 4)
"""Periods from one value to the one that it is compared with."""
MEAN, CHANGE = "mean", "change"

TIME_UNITS = ("ms", "0.1 ms")
"""Of means over packets or handovers, 0 where there were none."""
COUNT_UNIT = "1"
TOTAL_UNITS = (COUNT_UNIT, "Mbit", "J", "kWh")
"""Of KPMs that add up over time."""
SHARE_UNIT = "1e-6"
LINEAR_TOLERANCE = {"dB": 0.5, "dBm": 0.5, "%": 1.0, "index": 0.1}
"""How well a KPM that is compared as it is can be expected to fit, by its unit."""
TOLERANCE = LINEAR_TOLERANCE | {SHARE_UNIT: 0.03}
"""The same with the root of a share of packets: one in a thousand."""
LOG_TOLERANCE = 0.05
"""The same of one that is compared as a logarithm: 5 %."""


class Feature(NamedTuple):
    """One number that is compared."""

    kpm: Measurement
    cell: int | None
    """None = of all users, or all cells, together."""
    kind: str
    """`mean`, `change1`, `change4`, `p10`, `p50` or `p90`."""

    @property
    def is_count(self) -> bool:
        """Whether its scatter is that of a count."""
        return self.kpm.unit == COUNT_UNIT


def is_total(measurement: Measurement) -> bool:
    """Whether a KPM adds up over time, and so grows with the period."""
    return measurement.unit in TOTAL_UNITS


def find_features(series: Series, *, changes: bool) -> list[Feature]:
    """Every feature that the series has. changes: with those from period to period."""
    found = []
    moving = tuple(f"{CHANGE}{lag}" for lag in LAGS) if changes else ()
    for measurement in kpm.MEASUREMENTS:
        moves = moving if measurement in MOVING else ()
        if measurement.name in series.cell:
            num_cells = series.cell[measurement.name].shape[2]
            cells = [None] if measurement.unit == COUNT_UNIT else list(range(num_cells))
            found += [Feature(measurement, cell, kind) for kind in (MEAN, *moves) for cell in cells]
        elif measurement.name in series.ue:
            kinds = tuple(f"p{percent:g}" for percent in PERCENTILES)
            found += [Feature(measurement, None, kind) for kind in (*kinds, *moves)]
    return found


def take_features(series: Series, features: list[Feature]) -> FloatArray:
    """[N, F] the value of each feature in each network; NaN where nothing was measured."""
    there = _is_there(series)
    found = np.empty((series.num_networks, len(features)))
    for column, feature in enumerate(features):
        values = _known(series, feature.kpm, there)
        if feature.cell is not None:
            values = values[:, :, feature.cell : feature.cell + 1]
        found[:, column] = _scaled(_summary(values, feature.kind, series), feature.kpm, series.period_s)
    return found


def tolerances(features: list[Feature], value: FloatArray, seconds: float) -> FloatArray:
    """[F] what a deviation of each feature must exceed to mean anything.

    value: [F] of the file; seconds: the time that was measured. A count of n in S seconds: the deviation of sqrt(n / S)
    is 0.5 / sqrt(S), and 5 % of the count are 2.5 % of its root.
    """
    found = np.array([TOLERANCE.get(feature.kpm.unit, LOG_TOLERANCE) for feature in features])
    counts = np.hypot(0.5 / np.sqrt(seconds), 0.5 * LOG_TOLERANCE * np.nan_to_num(value))
    return np.where([feature.is_count for feature in features], counts, found)


def levels(series: Series) -> dict[Measurement, FloatArray]:
    """The mean of each KPM over the periods, by cell [N, C] or the median over users [N, 1]; totals a second."""
    there = _is_there(series)
    found = {}
    for measurement in kpm.MEASUREMENTS:
        if measurement.name not in series.names:
            continue
        values = _known(series, measurement, there)
        level = _nanmean(values) if measurement.name in series.cell else _percentile(values, 50.0)[:, None]
        found[measurement] = level / series.period_s if is_total(measurement) else level
    return found


def fill_gaps(values: FloatArray) -> FloatArray:
    """Values [n, F] with the mean of a feature where it is NaN, 0 where it is everywhere."""
    has = np.isfinite(values)
    mean = np.where(has, values, 0.0).sum(axis=0) / np.maximum(has.sum(axis=0), 1)
    return np.where(has, values, mean)


def _is_there(series: Series) -> NDArray[np.bool_]:
    """[T, N, U] whether anything of a user is not zero."""
    if not series.ue:
        return np.zeros((series.num_periods, series.num_networks, 0), np.bool_)
    return np.asarray(np.any([np.nan_to_num(values) != 0.0 for values in series.ue.values()], axis=0))


def _known(series: Series, measurement: Measurement, there: NDArray[np.bool_]) -> FloatArray:
    """[T, N, X] a KPM's values, NaN where nobody is there or nothing happened."""
    is_of_users = measurement.name in series.ue
    values = series.ue[measurement.name] if is_of_users else series.cell[measurement.name]
    has = there if is_of_users else np.ones(values.shape, np.bool_)
    return np.where(has & (values != 0.0) if measurement.unit in TIME_UNITS else has, values, np.nan)


def _summary(values: FloatArray, kind: str, series: Series) -> FloatArray:
    """[N] of values [T, N, X]."""
    if kind == MEAN:
        return _nanmean(_nanmean(values).T)
    if kind.startswith(CHANGE):
        lag = int(kind.removeprefix(CHANGE))
        follows = np.abs((series.end_s[lag:] - series.end_s[:-lag]) / series.period_s - lag) < 0.5
        return _percentile(np.abs(values[lag:] - values[:-lag])[follows], 50.0)
    return _percentile(values, float(kind.removeprefix("p")))


def _scaled(value: FloatArray, measurement: Measurement, period_s: float) -> FloatArray:
    if is_total(measurement):
        value = value / period_s
    if measurement.unit == COUNT_UNIT:
        return np.asarray(np.sqrt(value))
    if measurement.unit == SHARE_UNIT:
        return np.asarray(np.sqrt(1e-6 * value))
    return value if measurement.unit in LINEAR_TOLERANCE else np.asarray(np.log1p(value))


def _nanmean(values: FloatArray) -> FloatArray:
    """Mean over the first axis of what is there; NaN where nothing is."""
    count = np.isfinite(values).sum(axis=0)
    total = np.nan_to_num(values).sum(axis=0)
    return np.asarray(np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0))


def _percentile(values: FloatArray, percent: float) -> FloatArray:
    """[N] of values [T, N, X], over what is there."""
    found = np.full(values.shape[1], np.nan)
    for network in range(values.shape[1]):
        here = values[:, network][np.isfinite(values[:, network])]
        if here.size:
            found[network] = np.percentile(here, percent)
    return found
