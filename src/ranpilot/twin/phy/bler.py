"""Block error rate over SINR, for each MCS and code block size, from link-level tables.

A curve is stored as probit(BLER) on a uniform SINR grid, where it is nearly a line, so that a look-up is an index, two
linear interpolations (SINR, code block size class) and one erfc. Beyond the grid of probits the line goes on.
Source: Sionna 2.2.0 PDSCH tables (data/bler_curves.npz, made by scripts/make_phy_tables.py, whose docstring tells what
is the source's and what is ours: the lowest MCS, code blocks above 2000 bits, BLER below 3.3e-4).
Transport blocks: a block of C code blocks fails unless all succeed, independently: 1 - (1 - BLER)^C.
"""

from __future__ import annotations

import functools
import math
from importlib import resources
from typing import Any, NamedTuple, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ranpilot.errors import ConfigError
from ranpilot.kernels import kernel
from ranpilot.twin.phy.mcs import ModulationAndCoding, check_mcs

__all__ = [
    "CODE_BLOCK_CLASSES",
    "SINR_START_DB",
    "SINR_STEP_DB",
    "block_error_rate",
    "class_and_weight",
    "code_block_error",
    "probit_grid",
    "transport_block_error",
]

CODE_BLOCK_CLASSES = (24, 36, 50, 70, 100, 150, 220, 330, 500, 700, 1000, 1400, 2000, 2750, 3840, 5700, 8448)
"""Code block sizes in bits that have a curve; between them the probit is interpolated over the logarithm of size."""

SINR_STEP_DB = 25.0 / 252.0
"""0.0992 dB: the SNRs of source table 1, 25/14 dB apart from -5 dB on, fall on the grid."""
SINR_START_DB = -5.0 - 131.0 * SINR_STEP_DB
NUM_SINR_BINS = 565
"""The grid goes from -18.0 to 38.0 dB; below and above it the outermost segment goes on as a line."""

_MAX_PROBIT = 8.0
_SQRT_HALF = math.sqrt(0.5)

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]


class _Curves(NamedTuple):
    """data/bler_curves.npz: SNR [scheme, size, level] at which the probit of BLER has each level."""

    schemes: tuple[tuple[int, float], ...]
    code_block_bits: NDArray[np.int32]
    probit_level: FloatArray
    snr_db: FloatArray


@functools.cache
def _curves() -> _Curves:
    resource = resources.files("ranpilot.twin.phy").joinpath("data", "bler_curves.npz")
    with resource.open("rb") as file, np.load(file, allow_pickle=False) as content:
        schemes = zip(content["modulation_order"].tolist(), content["code_rate_x1024"].tolist(), strict=True)
        return _Curves(
            tuple(schemes), content["code_block_bits"], content["probit_level"], content["snr_db"].astype(np.float64)
        )


@functools.cache
def probit_grid(scheme: ModulationAndCoding) -> Float32Array:
    """Probit of BLER [class, bin] of one modulation and code rate, within -8..8 (BLER 6e-16 to 1)."""
    curves = _curves()
    snr_db = curves.snr_db[curves.schemes.index((scheme.modulation_order, scheme.code_rate_x1024))]
    sinr_db = np.linspace(SINR_START_DB, SINR_START_DB + SINR_STEP_DB * (NUM_SINR_BINS - 1), NUM_SINR_BINS)
    log_size = np.log(curves.code_block_bits)
    level = curves.probit_level
    grid = np.empty((len(CODE_BLOCK_CLASSES), NUM_SINR_BINS), dtype=np.float32)
    for row, bits in enumerate(CODE_BLOCK_CLASSES):
        # Interpolated at equal BLER: the quantiles of the two neighbouring sizes, over the logarithm of size.
        upper = min(max(int(np.searchsorted(curves.code_block_bits, bits)), 1), len(log_size) - 1)
        weight = (math.log(bits) - log_size[upper - 1]) / (log_size[upper] - log_size[upper - 1])
        quantile_db: FloatArray = (1.0 - weight) * snr_db[upper - 1] + weight * snr_db[upper]
        grid[row] = np.clip(_extended_interpolation(sinr_db, quantile_db, level), -_MAX_PROBIT, _MAX_PROBIT)
    grid.setflags(write=False)
    return grid


def class_and_weight(code_block_bits: int) -> tuple[int, float]:
    """Lower class of CODE_BLOCK_CLASSES for a size within 24..8448 bits, and the weight of the next class."""
    lower = int(np.searchsorted(CODE_BLOCK_CLASSES, code_block_bits, side="right")) - 1
    lower = min(lower, len(CODE_BLOCK_CLASSES) - 2)
    low, high = CODE_BLOCK_CLASSES[lower], CODE_BLOCK_CLASSES[lower + 1]
    return lower, math.log(code_block_bits / low) / math.log(high / low)


@kernel
def code_block_error(probit: Float32Array, mcs: int, size_class: int, weight: float, sinr_db: float) -> float:
    """Error rate of one code block at an effective SINR in dB.

    probit: [mcs, class, bin] of `PhyTables`; size_class and weight: of `class_and_weight`, or from `PhyTables`.
    """
    position = (sinr_db - SINR_START_DB) / SINR_STEP_DB
    bin_index = min(max(math.floor(position), 0), probit.shape[2] - 2)
    part = position - bin_index
    low = probit[mcs, size_class, bin_index] * (1.0 - part) + probit[mcs, size_class, bin_index + 1] * part
    high = probit[mcs, size_class + 1, bin_index] * (1.0 - part) + probit[mcs, size_class + 1, bin_index + 1] * part
    return 0.5 * math.erfc(-(low * (1.0 - weight) + high * weight) * _SQRT_HALF)


@kernel
def transport_block_error(
    probit: Float32Array, mcs: int, size_class: int, weight: float, num_code_blocks: int, sinr_db: float
) -> float:
    """Error rate of a transport block of equal, independently failing code blocks."""
    block_error = code_block_error(probit, mcs, size_class, weight, sinr_db)
    if num_code_blocks == 1:
        return block_error
    if block_error >= 1.0:
        return 1.0
    return -math.expm1(num_code_blocks * math.log1p(-block_error))


@overload
def block_error_rate(sinr_db: float, mcs: int, code_block_bits: int, *, table: int = 1) -> float: ...
@overload
def block_error_rate(sinr_db: ArrayLike, mcs: int, code_block_bits: int, *, table: int = 1) -> Any: ...
def block_error_rate(sinr_db: ArrayLike, mcs: int, code_block_bits: int, *, table: int = 1) -> Any:
    """Error rate of one code block at an effective SINR per resource element; an array of SINRs gives an array.

    sinr_db: finite; mcs: an index of MCS table 1, 2 or 3; code_block_bits: 24 to 8448, with CRC.
    Raises: ConfigError.
    Source: Sionna 2.2.0 PDSCH tables.
    Differs from source: the module's docstring and scripts/make_phy_tables.py.
    """
    scheme = check_mcs(mcs, table)
    smallest, largest = CODE_BLOCK_CLASSES[0], CODE_BLOCK_CLASSES[-1]
    if not smallest <= code_block_bits <= largest:
        raise ConfigError("code_block_bits", code_block_bits, f"{smallest} to {largest}")
    try:
        array = np.asarray(sinr_db, dtype=np.float64)
    except (TypeError, ValueError):
        raise ConfigError("sinr_db", sinr_db, "a number or an array of numbers") from None
    if not np.isfinite(array).all():
        raise ConfigError("sinr_db", float(array[~np.isfinite(array)].flat[0]), "finite")
    size_class, weight = class_and_weight(code_block_bits)
    probit = probit_grid(scheme)[None]
    out = np.empty(array.size)
    _fill_block_error(probit, size_class, weight, array.ravel(), out)
    return float(out[0]) if array.ndim == 0 else out.reshape(array.shape)


@kernel
def _fill_block_error(
    probit: Float32Array, size_class: int, weight: float, sinr_db: FloatArray, out: FloatArray
) -> None:
    for index in range(out.size):
        out[index] = code_block_error(probit, 0, size_class, weight, sinr_db[index])


def _extended_interpolation(at: FloatArray, quantile: FloatArray, level: FloatArray) -> FloatArray:
    """The falling function through (quantile, level), level ascending, with its end segments going on."""
    x, y = quantile[::-1], level[::-1]
    inside = np.interp(at, x, y)
    before = y[0] + (at - x[0]) * (y[1] - y[0]) / (x[1] - x[0])
    after = y[-1] + (at - x[-1]) * (y[-1] - y[-2]) / (x[-1] - x[-2])
    extended: FloatArray = np.where(at < x[0], before, np.where(at > x[-1], after, inside))
    return extended
