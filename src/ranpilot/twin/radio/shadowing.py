"""Spatially correlated shadowing and line-of-sight state as functions of position.

Shadowing is a Gaussian random field with autocorrelation exp(-distance / decorrelation distance) (TR 38.901 §7.4.4,
after Gudmundson 1991). A few periodic unit-variance fields are made once by circulant embedding on a grid and shared;
between the nodes they are bilinear, normalised to unit variance at every point. Since interpolation alone would
raise the correlation, the nodes carry a small uncorrelated part, chosen so that the correlation of interpolated values
is exp(-d) from one grid step on. Every site of every network looks at it through its own random shift, rotation
and choice of field, so that a value is a function of (seed, network, site, position) and needs no state.
Two sites correlate by `site_correlation`: that share of the variance comes from a field common to the network (0.5 is
the usual value of system simulations, TR 36.814 Annex A.2.1; TR 38.901 §7.5 step 4 has 0); co-sited sectors share the
site index and so the value. Users on different floors of a building see independent values (§7.5 step 4): their places
in the field are `FLOOR_SHIFT` decorrelation distances apart.
The LOS state compares the LOS probability at that distance with another such field mapped to a uniform number
(spatial consistency, TR 38.901 §7.6.3.3), so its marginal probability is the table's and it changes along a walk only
every correlation distance.
Simplifications: a field repeats every 128 decorrelation distances; below a sixth of one it is bilinear; the LOS state
switches hard; the correlation of sites holds between links with equal decorrelation distance (same model, LOS state).
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranpilot.kernels import kernel
from ranpilot.twin.radio.propagation import (
    link_los_probability,
    los_decorrelation_m,
)
from ranpilot.twin.rng import draw_uniform4

__all__ = [
    "COMMON_SITE",
    "FLOOR_SHIFT",
    "ShadowingBank",
    "fill_field_views",
    "link_is_los",
    "link_shadowing_db",
    "make_shadowing_bank",
    "sample_field",
]

COMMON_SITE = 0
"""Row of the field views that all sites share; site s has row s + 1."""

NODES_PER_DECORRELATION = 6.0
"""Grid nodes in one decorrelation distance."""

FLOOR_SHIFT = 17.3
"""Decorrelation distances between what neighbouring floors see; eight floors stay short of the field's period."""

_STEP_DECAY = math.exp(-1.0 / NODES_PER_DECORRELATION)
_DIAGONAL_DECAY = math.exp(-math.sqrt(2.0) / NODES_PER_DECORRELATION)
# Correlated share of a node's variance: equal to the mean variance V of bilinear values, so that the correlation
# share * exp(-d) / V is exp(-d). V = 4/9 + share * (4/9 step decay + 1/9 diagonal decay), the means of the weights.
_CORRELATED_SHARE = (4.0 / 9.0) / (1.0 - 4.0 / 9.0 * _STEP_DECAY - 1.0 / 9.0 * _DIAGONAL_DECAY)
# Correlations between the corners of one grid cell: along an edge and across.
_EDGE = _CORRELATED_SHARE * _STEP_DECAY
_DIAGONAL = _CORRELATED_SHARE * _DIAGONAL_DECAY
_SQRT_HALF = math.sqrt(0.5)

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]


class ShadowingBank(NamedTuple):
    """Pre-generated fields that all networks share (read-only)."""

    field: Float32Array
    """[field, row, column] zero mean, unit variance, periodic in rows and columns; 6 nodes a decorrelation distance."""


@functools.cache
def make_shadowing_bank(*, num_fields: int = 2, size: int = 768, seed: int = 38_901) -> ShadowingBank:
    """Periodic Gaussian fields with exponential autocorrelation, by circulant embedding; cached.

    Memory: num_fields * size^2 * 4 bytes (4.7 MB at the defaults).
    """
    node = np.arange(size)
    lag = np.minimum(node, size - node) / NODES_PER_DECORRELATION
    covariance = _CORRELATED_SHARE * np.exp(-np.hypot(lag[:, None], lag[None, :]))
    covariance[0, 0] = 1.0
    power = np.maximum(np.fft.fft2(covariance).real, 0.0)
    generator = np.random.Generator(np.random.PCG64(seed))
    fields = np.empty((num_fields, size, size), dtype=np.float32)
    for index in range(num_fields):
        noise = generator.standard_normal((size, size)) + 1j * generator.standard_normal((size, size))
        field = np.fft.fft2(np.sqrt(power) * noise).real / size
        fields[index] = (field - field.mean()) / field.std()
    fields.setflags(write=False)
    return ShadowingBank(fields)


@kernel
def fill_field_views(seed: int, network: int, stream: int, num_fields: int, size: int, out: FloatArray) -> None:
    """Draw how each site of one network looks at the shared fields.

    out: [site + 1, 5] float64, row 0 for the field common to all sites (COMMON_SITE): field index, row and column
    shift in nodes, cosine and sine of the rotation. stream: STREAM_SHADOWING or STREAM_LOS.
    """
    for row in range(out.shape[0]):
        choice, shift_row, shift_column, turn = draw_uniform4(seed, network, row, 0, stream)
        out[row, 0] = math.floor(choice * num_fields)
        out[row, 1] = shift_row * size
        out[row, 2] = shift_column * size
        out[row, 3] = math.cos(2.0 * math.pi * turn)
        out[row, 4] = math.sin(2.0 * math.pi * turn)


@kernel
def sample_field(fields: Float32Array, view: FloatArray, x_m: float, y_m: float, decorrelation_m: float) -> float:
    """Value of one site's field at a position: standard normal, exp(-d / decorrelation_m) autocorrelated.

    fields: [field, row, column] of the bank; view: [5], one row of `fill_field_views`.
    """
    size = fields.shape[1]
    scale = NODES_PER_DECORRELATION / decorrelation_m
    row_at = (view[3] * x_m - view[4] * y_m) * scale + view[1]
    column_at = (view[4] * x_m + view[3] * y_m) * scale + view[2]
    row_floor = math.floor(row_at)
    column_floor = math.floor(column_at)
    row_part = row_at - row_floor
    column_part = column_at - column_floor
    row = int(row_floor) % size
    column = int(column_floor) % size
    next_row = row + 1 if row + 1 < size else 0
    next_column = column + 1 if column + 1 < size else 0
    index = int(view[0])
    weight_00 = (1.0 - row_part) * (1.0 - column_part)
    weight_01 = (1.0 - row_part) * column_part
    weight_10 = row_part * (1.0 - column_part)
    weight_11 = row_part * column_part
    value = (
        weight_00 * fields[index, row, column]
        + weight_01 * fields[index, row, next_column]
        + weight_10 * fields[index, next_row, column]
        + weight_11 * fields[index, next_row, next_column]
    )
    squares = weight_00 * weight_00 + weight_01 * weight_01 + weight_10 * weight_10 + weight_11 * weight_11
    edges = weight_00 * weight_01 + weight_00 * weight_10 + weight_11 * weight_01 + weight_11 * weight_10
    diagonals = weight_00 * weight_11 + weight_01 * weight_10
    return float(value / math.sqrt(squares + 2.0 * edges * _EDGE + 2.0 * diagonals * _DIAGONAL))


@kernel
def link_is_los(
    fields: Float32Array,
    views: FloatArray,
    site: int,
    model: int,
    x_m: float,
    y_m: float,
    distance_2d_m: float,
    ut_height_m: float,
) -> bool:
    """Whether the link from `site` to a user at (x_m, y_m) is in line of sight; a function of position.

    views: [site + 1, 5] of `fill_field_views` with STREAM_LOS; distance_2d_m: from the site to that position.
    """
    normal = sample_field(fields, views[site + 1], x_m, y_m, los_decorrelation_m(model))
    uniform = 0.5 * math.erfc(-normal * _SQRT_HALF)
    return uniform < link_los_probability(model, distance_2d_m, ut_height_m)


@kernel
def link_shadowing_db(
    fields: Float32Array,
    views: FloatArray,
    site: int,
    place_m: tuple[float, float],
    own_place_m: tuple[float, float],
    decorrelation_m: float,
    sigma_db: float,
    site_correlation: float,
) -> float:
    """Shadow fading of the link from `site` to a user at `place_m`, in dB, to be added to the path loss.

    views: [site + 1, 5] of `fill_field_views` with STREAM_SHADOWING; own_place_m: the user's place as this site sees
    it, another one where the plane is wrapped around; decorrelation_m and sigma_db from `shadowing_decorrelation_m`
    and `shadowing_sigma_db` for the link's model and LOS state; site_correlation: 0 to 1.
    """
    own = sample_field(fields, views[site + 1], own_place_m[0], own_place_m[1], decorrelation_m)
    if site_correlation == 0.0:
        return sigma_db * own
    common = sample_field(fields, views[COMMON_SITE], place_m[0], place_m[1], decorrelation_m)
    return sigma_db * (math.sqrt(site_correlation) * common + math.sqrt(1.0 - site_correlation) * own)
