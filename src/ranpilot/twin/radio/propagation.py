"""Large-scale propagation of TR 38.901: path loss, line-of-sight probability, shadowing parameters.

Source: TR 38.901 (V17) Table 7.4.1-1 (path loss, shadowing sigma), Table 7.4.2-1 (LOS probability), Table 7.5-6
(decorrelation distance of shadowing), Table 7.6.3.1-2 (decorrelation distance of the LOS state).
The scalar functions are the only implementation: the public array functions check their input and loop over them.
Simplifications:
- RMa: average building height 5 m and street width 20 m (the table's defaults).
- InH is the mixed office, InH-open the open one; they differ in the LOS probability alone.
- `link_path_loss_db` floors the distance along the ground at 10 m (InH: the distance in space at 1 m), because a moving
  user can walk under a mast, and extends the formulas beyond the table's largest distance. The public `path_loss_db`
  refuses both.
- `path_loss_db` takes the effective environment height as 1 m also for UMa users above 13 m; `link_path_loss_db` is
  told the height that `environment_height_m` draws.
"""

from __future__ import annotations

import math
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ranpilot.errors import ConfigError, UnknownNameError
from ranpilot.kernels import kernel

__all__ = [
    "INH",
    "INH_OPEN",
    "MODELS",
    "RMA",
    "UMA",
    "UMI",
    "environment_height_m",
    "indoor_shadowing_decorrelation_m",
    "indoor_shadowing_sigma_db",
    "link_los_probability",
    "link_path_loss_db",
    "los_decorrelation_m",
    "los_probability",
    "model_id",
    "path_loss_db",
    "shadowing_decorrelation_m",
    "shadowing_sigma_db",
]

RMA = 0
UMA = 1
UMI = 2
INH = 3
INH_OPEN = 4
MODELS = ("RMa", "UMa", "UMi", "InH", "InH-open")
"""Name of each model; the position is its integer id in kernels."""

SPEED_OF_LIGHT = 3.0e8
"""m/s as the notes of Table 7.4.1-1 round it, so that breakpoints are the standard's."""

_BUILDING_HEIGHT_M = 5.0
_BUILDING_TERM = math.pow(_BUILDING_HEIGHT_M, 1.72)
_STREET_WIDTH_M = 20.0
_ENVIRONMENT_HEIGHT_M = 1.0
_MIN_DISTANCE_M = (10.0, 10.0, 10.0, 1.0, 1.0)
_MAX_DISTANCE_LOS_M = (10_000.0, 5_000.0, 5_000.0, 150.0, 150.0)
_MAX_DISTANCE_NLOS_M = (5_000.0, 5_000.0, 5_000.0, 150.0, 150.0)
_MAX_CARRIER_HZ = (30e9, 100e9, 100e9, 100e9, 100e9)
_BS_HEIGHT_M = ((10.0, 150.0), (2.0, 500.0), (2.0, 500.0), (1.0, 50.0), (1.0, 50.0))
_UT_HEIGHT_M = ((1.0, 10.0), (1.5, 22.5), (1.5, 22.5), (0.5, 10.0), (0.5, 10.0))

FloatArray = NDArray[np.float64]


@kernel
def _rma_los_before_breakpoint_db(distance_3d_m: float, carrier_ghz: float) -> float:
    return (
        20.0 * math.log10(40.0 * math.pi * distance_3d_m * carrier_ghz / 3.0)
        + min(0.03 * _BUILDING_TERM, 10.0) * math.log10(distance_3d_m)
        - min(0.044 * _BUILDING_TERM, 14.77)
        + 0.002 * math.log10(_BUILDING_HEIGHT_M) * distance_3d_m
    )


@kernel
def _rma_db(
    distance_2d_m: float, distance_3d_m: float, bs_height_m: float, ut_height_m: float, carrier_hz: float, is_los: bool
) -> float:
    carrier_ghz = carrier_hz / 1e9
    breakpoint_m = 2.0 * math.pi * bs_height_m * ut_height_m * carrier_hz / SPEED_OF_LIGHT
    if distance_2d_m <= breakpoint_m:
        los_db = _rma_los_before_breakpoint_db(distance_3d_m, carrier_ghz)
    else:
        los_db = _rma_los_before_breakpoint_db(breakpoint_m, carrier_ghz) + 40.0 * math.log10(
            distance_3d_m / breakpoint_m
        )
    if is_los:
        return los_db
    log_bs_height = math.log10(bs_height_m)
    nlos_db = (
        161.04
        - 7.1 * math.log10(_STREET_WIDTH_M)
        + 7.5 * math.log10(_BUILDING_HEIGHT_M)
        - (24.37 - 3.7 * (_BUILDING_HEIGHT_M / bs_height_m) ** 2) * log_bs_height
        + (43.42 - 3.1 * log_bs_height) * (math.log10(distance_3d_m) - 3.0)
        + 20.0 * math.log10(carrier_ghz)
        - (3.2 * math.log10(11.75 * ut_height_m) ** 2 - 4.97)
    )
    return max(los_db, nlos_db)


@kernel
def _breakpoint_m(bs_height_m: float, ut_height_m: float, carrier_hz: float, environment_m: float) -> float:
    """Breakpoint distance d'_BP of UMa and UMi (note 1 of Table 7.4.1-1)."""
    return 4.0 * (bs_height_m - environment_m) * (ut_height_m - environment_m) * carrier_hz / SPEED_OF_LIGHT


@kernel
def _uma_db(
    distance_2d_m: float,
    distance_3d_m: float,
    bs_height_m: float,
    ut_height_m: float,
    carrier_hz: float,
    is_los: bool,
    environment_m: float,
) -> float:
    carrier_db = 20.0 * math.log10(carrier_hz / 1e9)
    log_distance = math.log10(distance_3d_m)
    breakpoint_m = _breakpoint_m(bs_height_m, ut_height_m, carrier_hz, environment_m)
    if distance_2d_m <= breakpoint_m:
        los_db = 28.0 + 22.0 * log_distance + carrier_db
    else:
        spread = breakpoint_m**2 + (bs_height_m - ut_height_m) ** 2
        los_db = 28.0 + 40.0 * log_distance + carrier_db - 9.0 * math.log10(spread)
    if is_los:
        return los_db
    return max(los_db, 13.54 + 39.08 * log_distance + carrier_db - 0.6 * (ut_height_m - 1.5))


@kernel
def _umi_db(
    distance_2d_m: float, distance_3d_m: float, bs_height_m: float, ut_height_m: float, carrier_hz: float, is_los: bool
) -> float:
    log_carrier = math.log10(carrier_hz / 1e9)
    log_distance = math.log10(distance_3d_m)
    breakpoint_m = _breakpoint_m(bs_height_m, ut_height_m, carrier_hz, _ENVIRONMENT_HEIGHT_M)
    if distance_2d_m <= breakpoint_m:
        los_db = 32.4 + 21.0 * log_distance + 20.0 * log_carrier
    else:
        spread = breakpoint_m**2 + (bs_height_m - ut_height_m) ** 2
        los_db = 32.4 + 40.0 * log_distance + 20.0 * log_carrier - 9.5 * math.log10(spread)
    if is_los:
        return los_db
    return max(los_db, 35.3 * log_distance + 22.4 + 21.3 * log_carrier - 0.3 * (ut_height_m - 1.5))


@kernel
def _inh_db(distance_3d_m: float, carrier_hz: float, is_los: bool) -> float:
    log_carrier = math.log10(carrier_hz / 1e9)
    log_distance = math.log10(distance_3d_m)
    los_db = 32.4 + 17.3 * log_distance + 20.0 * log_carrier
    if is_los:
        return los_db
    return max(los_db, 38.3 * log_distance + 17.30 + 24.9 * log_carrier)


@kernel
def link_path_loss_db(
    model: int,
    distance_2d_m: float,
    bs_height_m: float,
    ut_height_m: float,
    carrier_hz: float,
    is_los: bool,
    environment_m: float = _ENVIRONMENT_HEIGHT_M,
) -> float:
    """Path loss of one link in dB without shadowing; model is RMA, UMA, UMI, INH or INH_OPEN.

    Distances along the ground below 10 m (indoors: in space below 1 m) count as that; there is no upper bound.
    environment_m: effective environment height h_E, of UMA alone.
    Source: TR 38.901 Table 7.4.1-1.
    """
    height_m = bs_height_m - ut_height_m
    if model >= INH:
        return _inh_db(max(math.sqrt(distance_2d_m * distance_2d_m + height_m * height_m), 1.0), carrier_hz, is_los)
    floored_m = max(distance_2d_m, 10.0)
    distance_3d_m = math.sqrt(floored_m * floored_m + height_m * height_m)
    if model == RMA:
        return _rma_db(floored_m, distance_3d_m, bs_height_m, ut_height_m, carrier_hz, is_los)
    if model == UMA:
        return _uma_db(floored_m, distance_3d_m, bs_height_m, ut_height_m, carrier_hz, is_los, environment_m)
    return _umi_db(floored_m, distance_3d_m, bs_height_m, ut_height_m, carrier_hz, is_los)


@kernel
def _height_gain(ut_height_m: float) -> float:
    """C'(h_UT) of Table 7.4.2-1."""
    return float(((ut_height_m - 13.0) / 10.0) ** 1.5) if ut_height_m > 13.0 else 0.0


@kernel
def environment_height_m(distance_2d_m: float, ut_height_m: float, chance: float, choice: float) -> float:
    """Effective environment height h_E of a UMa link: 1 m with probability 1 / (1 + C), else one of 12, 15, ...,
    h_UT - 1.5 alike.

    distance_2d_m: to the building's wall where the user is indoors; chance, choice: uniform numbers of this link.
    Source: TR 38.901 Table 7.4.1-1 note 1.
    """
    if ut_height_m < 13.0 or distance_2d_m <= 18.0:
        return 1.0
    growth = 1.25 * (distance_2d_m / 100.0) ** 3 * math.exp(-distance_2d_m / 150.0)
    if chance * (1.0 + _height_gain(ut_height_m) * growth) < 1.0:
        return 1.0
    heights = max(math.floor((ut_height_m - 1.5 - 12.0) / 3.0 + 1e-9) + 1, 1)
    return 12.0 + 3.0 * math.floor(choice * heights)


@kernel
def _office_los_probability(distance_2d_m: float) -> float:
    """Of the mixed office."""
    if distance_2d_m <= 1.2:
        return 1.0
    if distance_2d_m < 6.5:
        return math.exp(-(distance_2d_m - 1.2) / 4.7)
    return 0.32 * math.exp(-(distance_2d_m - 6.5) / 32.6)


@kernel
def _open_office_los_probability(distance_2d_m: float) -> float:
    if distance_2d_m <= 5.0:
        return 1.0
    if distance_2d_m <= 49.0:
        return math.exp(-(distance_2d_m - 5.0) / 70.8)
    return 0.54 * math.exp(-(distance_2d_m - 49.0) / 211.7)


@kernel
def link_los_probability(model: int, distance_2d_m: float, ut_height_m: float) -> float:
    """Probability that one link is in line of sight; of a user in a building, its outdoor part, as long as it is.

    Source: TR 38.901 Table 7.4.2-1.
    """
    if model == RMA:
        return 1.0 if distance_2d_m <= 10.0 else math.exp(-(distance_2d_m - 10.0) / 1000.0)
    if model == INH:
        return _office_los_probability(distance_2d_m)
    if model == INH_OPEN:
        return _open_office_los_probability(distance_2d_m)
    if distance_2d_m <= 18.0:
        return 1.0
    near = 18.0 / distance_2d_m
    if model == UMI:
        return near + math.exp(-distance_2d_m / 36.0) * (1.0 - near)
    lift = 1.0 + _height_gain(ut_height_m) * 1.25 * (distance_2d_m / 100.0) ** 3 * math.exp(-distance_2d_m / 150.0)
    return (near + math.exp(-distance_2d_m / 63.0) * (1.0 - near)) * lift


@kernel
def shadowing_sigma_db(
    model: int, distance_2d_m: float, bs_height_m: float, ut_height_m: float, carrier_hz: float, is_los: bool
) -> float:
    """Standard deviation of shadow fading of one link in dB. Source: TR 38.901 Table 7.4.1-1."""
    if model == RMA:
        if not is_los:
            return 8.0
        breakpoint_m = 2.0 * math.pi * bs_height_m * ut_height_m * carrier_hz / SPEED_OF_LIGHT
        return 4.0 if distance_2d_m <= breakpoint_m else 6.0
    if model == UMA:
        return 4.0 if is_los else 6.0
    if model == UMI:
        return 4.0 if is_los else 7.82
    return 3.0 if is_los else 8.03


@kernel
def shadowing_decorrelation_m(model: int, is_los: bool) -> float:
    """Distance at which shadow fading has decorrelated to 1/e. Source: TR 38.901 Table 7.5-6 (SF rows)."""
    if model == RMA:
        return 37.0 if is_los else 120.0
    if model == UMA:
        return 37.0 if is_los else 50.0
    if model == UMI:
        return 10.0 if is_los else 13.0
    return 10.0 if is_los else 6.0


@kernel
def los_decorrelation_m(model: int) -> float:
    """Correlation distance of the LOS state. Source: TR 38.901 Table 7.6.3.1-2."""
    if model == RMA:
        return 60.0
    if model >= INH:
        return 10.0
    return 50.0


@kernel
def indoor_shadowing_sigma_db(model: int) -> float:
    """Standard deviation of shadow fading of a user in a building, beside that of the wall.

    Source: TR 38.901 Table 7.5-6 (SF rows, O2I columns).
    """
    return 8.0 if model == RMA else 7.0


@kernel
def indoor_shadowing_decorrelation_m(model: int) -> float:
    """Distance at which a user in a building sees decorrelated shadowing. Source: TR 38.901 Table 7.5-6 (SF, O2I)."""
    return 120.0 if model == RMA else 7.0


@kernel
def _fill_path_loss_db(
    model: int,
    distance_2d_m: FloatArray,
    bs_height_m: FloatArray,
    ut_height_m: FloatArray,
    carrier_hz: FloatArray,
    is_los: NDArray[np.bool_],
    out_db: FloatArray,
) -> None:
    for link in range(out_db.size):
        out_db[link] = link_path_loss_db(
            model, distance_2d_m[link], bs_height_m[link], ut_height_m[link], carrier_hz[link], is_los[link]
        )


@kernel
def _fill_los_probability(model: int, distance_2d_m: FloatArray, ut_height_m: FloatArray, out: FloatArray) -> None:
    for link in range(out.size):
        out[link] = link_los_probability(model, distance_2d_m[link], ut_height_m[link])


def model_id(model: str) -> int:
    """The integer by which kernels know a propagation model. Raises: UnknownNameError."""
    if model not in MODELS:
        raise UnknownNameError("propagation model", str(model), MODELS)
    return MODELS.index(model)


@overload
def path_loss_db(
    model: str, distance_2d_m: float, bs_height_m: float, ut_height_m: float, carrier_hz: float, los: bool
) -> float: ...
@overload
def path_loss_db(
    model: str,
    distance_2d_m: ArrayLike,
    bs_height_m: ArrayLike,
    ut_height_m: ArrayLike,
    carrier_hz: ArrayLike,
    los: ArrayLike,
) -> Any: ...
def path_loss_db(
    model: str,
    distance_2d_m: ArrayLike,
    bs_height_m: ArrayLike,
    ut_height_m: ArrayLike,
    carrier_hz: ArrayLike,
    los: ArrayLike,
) -> Any:
    """Path loss in dB without shadowing, of RMa, UMa, UMi, InH or InH-open; arrays broadcast, scalars give a float.

    distance_2d_m: along the ground, within the table's range (10 m to 5 km, RMa in line of sight to 10 km, InH 1 to
    150 m); ut_height_m: RMa 1 to 10 m, UMa and UMi 1.5 to 22.5 m; carrier_hz: 0.5e9 to 100e9 (RMa to 30e9).
    Raises: UnknownNameError, ConfigError (nothing is clipped to the range).
    Source: TR 38.901 Table 7.4.1-1.
    Differs from source: UMa users above 13 m get an effective environment height of 1 m instead of a random one.
    """
    index = model_id(model)
    is_los = np.asarray(los)
    if is_los.dtype != np.bool_:
        raise ConfigError("los", los, "True or False")
    largest_m = np.where(is_los, _MAX_DISTANCE_LOS_M[index], _MAX_DISTANCE_NLOS_M[index])
    arrays = (
        _checked("distance_2d_m", distance_2d_m, _MIN_DISTANCE_M[index], largest_m, f"m for {model}"),
        _checked("bs_height_m", bs_height_m, *_BS_HEIGHT_M[index], f"m for {model}"),
        _checked("ut_height_m", ut_height_m, *_UT_HEIGHT_M[index], f"m for {model}"),
        _checked("carrier_hz", carrier_hz, 0.5e9, _MAX_CARRIER_HZ[index], f"Hz for {model}"),
    )
    distance, bs_height, ut_height, carrier, sight = np.broadcast_arrays(*arrays, is_los)
    out_db = np.empty(distance.size)
    _fill_path_loss_db(
        index, distance.ravel(), bs_height.ravel(), ut_height.ravel(), carrier.ravel(), sight.ravel(), out_db
    )
    return float(out_db[0]) if distance.ndim == 0 else out_db.reshape(distance.shape)


@overload
def los_probability(model: str, distance_2d_m: float, ut_height_m: float) -> float: ...
@overload
def los_probability(model: str, distance_2d_m: ArrayLike, ut_height_m: ArrayLike) -> Any: ...
def los_probability(model: str, distance_2d_m: ArrayLike, ut_height_m: ArrayLike) -> Any:
    """Probability of line of sight outdoors (InH: mixed office; InH-open), in 0..1; arrays broadcast, scalars: a float.

    distance_2d_m: positive, along the ground; ut_height_m: RMa 1 to 10 m, UMa and UMi 1.5 to 22.5 m.
    Raises: UnknownNameError, ConfigError.
    Source: TR 38.901 Table 7.4.2-1.
    """
    index = model_id(model)
    distance_array = _checked("distance_2d_m", distance_2d_m, np.nextafter(0.0, 1.0), 1e6, "m (above 0)")
    ut_height_array = _checked("ut_height_m", ut_height_m, *_UT_HEIGHT_M[index], f"m for {model}")
    distance, ut_height = np.broadcast_arrays(distance_array, ut_height_array)
    out = np.empty(distance.size)
    _fill_los_probability(index, distance.ravel(), ut_height.ravel(), out)
    return float(out[0]) if distance.ndim == 0 else out.reshape(distance.shape)


def _checked(field: str, value: ArrayLike, low: float, high: float | FloatArray, unit: str) -> FloatArray:
    """`value` as float64 array; raises ConfigError that names the first number outside low..high, or NaN."""
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise ConfigError(field, value, "a number or an array of numbers") from None
    limit = np.broadcast_to(high, np.broadcast_shapes(array.shape, np.shape(high)))
    full = np.broadcast_to(array, limit.shape)
    # A NaN fails both comparisons, so it counts as outside.
    outside = ~((full >= low) & (full <= limit))
    if outside.any():
        where = np.unravel_index(int(np.argmax(outside)), outside.shape)
        raise ConfigError(field, float(full[where]), f"{low:g} to {float(limit[where]):g} {unit}")
    return array
