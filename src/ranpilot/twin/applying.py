"""How controls come into force: all are checked before the first one changes anything.

A new control is a function that puts checked values into the state, one line in `PUT` and, where its range is not the
same everywhere, one in `CHECKS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ranpilot.declare import Control
from ranpilot.errors import ActionError, UnknownNameError
from ranpilot.twin import kernel, state, steering
from ranpilot.twin.applying_slices import SLICE_CONTROLS, Given, Target, check_slice_ratios
from ranpilot.twin.controls import (
    ADMISSION_LIMIT,
    CELL_INDIVIDUAL_OFFSET_DB,
    CELL_SLEEP,
    CONTROLS,
    DOWNTILT_DEG,
    FORCED_HANDOVER,
    RELEASE,
    SCHEDULING_WEIGHT,
    TX_POWER_DBM,
)
from ranpilot.twin.parameters import Parameters
from ranpilot.twin.scenario import Scenario
from ranpilot.units import dbm_to_mw

__all__ = ["put_in_force"]

FloatArray = NDArray[np.float64]


def put_in_force(
    network: state.Network,
    parameters: Parameters,
    scenario: Scenario,
    slot: int,
    controls: Mapping[Control | str, ArrayLike],
) -> None:
    """Check every value, then put the controls into force in the order of `CONTROLS`.

    Raises: ActionError for a wrong shape or value, UnknownNameError for an unknown control.
    """
    target = Target(network, parameters, scenario, slot)
    named = {_control(key): np.asarray(value) for key, value in controls.items()}
    given = {control: _checked(target, control, value) for control, value in named.items()}
    for control in given:
        if control in CHECKS:
            CHECKS[control](target, given)
    for control in CONTROLS:
        if control in given:
            PUT[control](target, given[control])


def _control(key: Control | str) -> Control:
    name = key if isinstance(key, str) else key.name
    known = {control.name: control for control in CONTROLS}
    if name not in known:
        raise UnknownNameError("control", name, list(known))
    return known[name]


def _checked(target: Target, control: Control, value: NDArray[np.generic]) -> FloatArray:
    """`value` as numbers of the right shape within the control's range; NaN passes where it is continuous."""
    shape = _shape(target, control)
    if value.shape != shape:
        raise ActionError(f"{control.name} shape", value.shape, str(shape))
    if value.dtype.kind not in "iufb":
        raise ActionError(control.name, str(value.dtype), "an array of numbers")
    number = value.astype(np.float64)
    outside = ~(np.isnan(number) | ((number >= control.low) & (number <= control.high)))
    if control.kind != "continuous":
        outside |= ~(number == np.floor(number))
    if outside.any():
        allowed = f"{control.low:g}..{control.high:g} {control.unit}"
        raise ActionError(control.name, float(number[outside][0]), allowed)
    return number


def _shape(target: Target, control: Control) -> tuple[int, ...]:
    num, num_places = target.network.ue.shape[:2]
    num_seats, num_cells = target.network.slice.shape[1], target.scenario.num_cells
    return {"cell": (num, num_cells), "ue": (num, num_places), "slice": (num, num_cells, num_seats)}[control.scope]


def _check_power(target: Target, given: Given) -> None:
    power_dbm = given[TX_POWER_DBM]
    for index, cell in enumerate(target.scenario.cells):
        low, high = cell.power_range_dbm
        outside = (power_dbm[:, index] < low - 1e-9) | (power_dbm[:, index] > high + 1e-9)
        if outside.any():
            wrong = float(power_dbm[outside, index][0])
            raise ActionError(f"{TX_POWER_DBM.name}[{cell.name}]", wrong, f"{low:g}..{high:g} dBm")


def _check_tilt(target: Target, given: Given) -> None:
    for index, cell in enumerate(target.scenario.cells):
        tilt_deg = given[DOWNTILT_DEG][:, index]
        if cell.antenna is None and not np.isnan(tilt_deg).all():
            wrong = float(tilt_deg[~np.isnan(tilt_deg)][0])
            raise ActionError(f"{DOWNTILT_DEG.name}[{cell.name}]", wrong, "NaN for a cell without an antenna")


def _check_handover(target: Target, given: Given) -> None:
    to, num_cells = given[FORCED_HANDOVER], target.scenario.num_cells
    serving = target.network.ue[..., state.SERVING_CELL]
    asked = to >= 0
    leaving = given[RELEASE] == 1 if RELEASE in given else np.zeros_like(asked)
    for wrong, allowed in (
        (asked & (to >= num_cells), f"-1 or a cell in 0..{num_cells - 1}"),
        (asked & (serving < 0), "-1 for an empty place"),
        (asked & leaving, "-1 for a user that is released"),
        (asked & (serving == to), "a cell other than the serving one"),
    ):
        if wrong.any():
            raise ActionError(FORCED_HANDOVER.name, int(to[wrong][0]), allowed)


def _put_power(target: Target, power_dbm: FloatArray) -> None:
    cell = target.network.cell_real
    set_dbm = cell[..., state.SET_POWER_DBM]
    set_dbm[...] = np.where(np.isnan(power_dbm), set_dbm, power_dbm)
    radiated_dbm = np.minimum(set_dbm, cell[..., state.EVENT_POWER_DBM])
    cell[..., state.TX_POWER_DBM] = radiated_dbm
    cell[..., state.ON_AIR_PRB_POWER_MW] = dbm_to_mw(radiated_dbm) / target.scenario.carrier.num_prbs
    steering.settle_cells(target.network, target.parameters)


def _put_tilt(target: Target, tilt_deg: FloatArray) -> None:
    in_force = target.network.cell_real[..., state.DOWNTILT_DEG]
    is_other = ~np.isnan(tilt_deg) & (tilt_deg != in_force)
    in_force[...] = np.where(is_other, tilt_deg, in_force)
    steering.renew_gains(target.network, target.parameters, np.nonzero(is_other.any(axis=1))[0])


def _put_offset(target: Target, offset_db: FloatArray) -> None:
    in_force = target.network.cell_real[..., state.INDIVIDUAL_OFFSET_DB]
    in_force[...] = np.where(np.isnan(offset_db), in_force, offset_db)


def _put_admission_limit(target: Target, limit: FloatArray) -> None:
    target.network.cell[..., state.SET_ADMISSION_LIMIT] = limit
    steering.settle_cells(target.network, target.parameters)


def _put_weight(target: Target, weight: FloatArray) -> None:
    kept = np.isnan(weight) | (target.network.ue[..., state.SERVING_CELL] < 0)
    in_force = target.network.ue_real[..., state.SCHEDULING_WEIGHT]
    in_force[...] = np.where(kept, in_force, weight)


def _release(target: Target, release: FloatArray) -> None:
    kernel.release_users(target.network, release.astype(np.int32))


def _hand_over(target: Target, to: FloatArray) -> None:
    kernel.hand_over_users(target.network, target.parameters, to.astype(np.int32), target.slot)


def _put_to_sleep(target: Target, level: FloatArray) -> None:
    steering.set_sleep_levels(target.network, target.parameters, level.astype(np.int64), target.slot)


CHECKS: Mapping[Control, Callable[[Target, Given], None]] = {
    TX_POWER_DBM: _check_power,
    **dict.fromkeys(SLICE_CONTROLS, check_slice_ratios),
    DOWNTILT_DEG: _check_tilt,
    FORCED_HANDOVER: _check_handover,
}
"""What a control's own range does not say."""

PUT: Mapping[Control, Callable[[Target, FloatArray], None]] = {
    TX_POWER_DBM: _put_power,
    DOWNTILT_DEG: _put_tilt,
    CELL_INDIVIDUAL_OFFSET_DB: _put_offset,
    ADMISSION_LIMIT: _put_admission_limit,
    SCHEDULING_WEIGHT: _put_weight,
    **SLICE_CONTROLS,
    RELEASE: _release,
    FORCED_HANDOVER: _hand_over,
    CELL_SLEEP: _put_to_sleep,
}
"""What puts each control into force."""
