"""The span that measurements cover, and what their computations share."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranpilot.declare import Better, Measurement

__all__ = [
    "OURS",
    "FloatArray",
    "Int64Array",
    "Table",
    "Window",
    "cell_count",
    "cell_kpm",
    "of_serving_cell",
    "ratio",
    "reportable",
    "ue_count",
    "ue_kpm",
]

FloatArray = NDArray[np.float64]
Int64Array = NDArray[np.int64]

OURS = "ranpilot"
"""Source of a measurement that no standard defines."""


class Window(NamedTuple):
    """What happened in a span of slots, and the state at its end."""

    ue: FloatArray
    """[B, U, NUM_UE_COUNTERS]"""
    cell: FloatArray
    """[B, C, NUM_CELL_COUNTERS]"""
    delay: Int64Array
    """[B, C, DELAY_BINS]"""
    quality: Int64Array
    """[B, C, NUM_QUALITY_BINS]"""
    slices: FloatArray
    """[B, C, S, NUM_SLICE_COUNTERS] since the seat's tenant came; no seats in a scenario without slices"""
    slice_delay: Int64Array
    """[B, C, S, DELAY_BINS] since the seat's tenant came"""
    slice_slots: NDArray[np.integer]
    """[B, S] of the span, since the seat's tenant came"""
    member: FloatArray
    """[B, U, 2] delivered bits and busy slots of each place, since its slice came"""
    seat: Int64Array
    """[B, U] of the user's slice, -1 at a place that no slice has taken"""
    serving_cell: Int64Array
    """[B, U]"""
    backlog_bits: Int64Array
    """[B, U] that wait"""
    ue_sinr_db: FloatArray
    """[B, U] of the serving cell, NaN in empty places"""
    link_sinr_db: FloatArray
    """[B, U, C]"""
    link_rsrp_dbm: FloatArray
    """[B, U, C], NaN in empty places and where it is not measured"""
    tx_power_dbm: FloatArray
    """[B, C]"""
    energy_j: FloatArray
    """[B, C] drawn in the span"""
    num_slots: int
    slot_s: float
    num_prbs: int


Table = dict[Measurement, Callable[[Window], FloatArray]]
"""Measurements, each with the function that computes it."""


def cell_kpm(
    name: str, unit: str, high: float, better: Better, description: str, *, formula: str, source: str = OURS,
    differs: str = "",
) -> Measurement:  # fmt: skip
    """A measurement of a cell that is never below 0."""
    return Measurement(name, unit, "cell", 0.0, high, better, description, source, formula, differs)


def ue_kpm(
    name: str, unit: str, high: float, better: Better, description: str, *, formula: str, source: str = OURS,
    differs: str = "",
) -> Measurement:  # fmt: skip
    """A measurement of a user that is never below 0."""
    return Measurement(name, unit, "ue", 0.0, high, better, description, source, formula, differs)


def cell_count(column: int) -> Callable[[Window], FloatArray]:
    """A counter of the cell as it is."""
    return lambda window: window.cell[..., column]


def ue_count(column: int) -> Callable[[Window], FloatArray]:
    """A counter of the user as it is."""
    return lambda window: window.ue[..., column]


def ratio(above: FloatArray, below: FloatArray, scale: float = 1.0) -> FloatArray:
    """above / below * scale, 0 where nothing is below."""
    result = np.zeros(below.shape)
    np.divide(above, below, out=result, where=below > 0)
    if scale != 1.0:
        result *= scale
    return result


def of_serving_cell(link: FloatArray, serving: Int64Array) -> FloatArray:
    """[B, U] of [B, U, C]: what stands at each user's serving cell, for empty places at the first cell."""
    rows = link.reshape(-1, link.shape[2])
    picked: FloatArray = rows[np.arange(len(rows)), np.maximum(serving, 0).ravel()]
    return picked.reshape(serving.shape)


def reportable(value: FloatArray, measurement: Measurement) -> FloatArray:
    """A report saturates at the ends of its range (as TS 38.133 §10.1.6 and §10.1.16 have it); NaN stays."""
    result: FloatArray = np.minimum(np.maximum(value, measurement.low), measurement.high)
    return result
