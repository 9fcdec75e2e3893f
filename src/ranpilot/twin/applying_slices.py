"""How the controls of slices come into force: for seats that a slice has; free seats keep what they have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranpilot.declare import Control
from ranpilot.errors import ActionError
from ranpilot.twin import kernel, slice_columns, state
from ranpilot.twin.controls import (
    SLICE_DEADLINE_MS,
    SLICE_DEDICATED_RATIO,
    SLICE_MAX_RATIO,
    SLICE_MIN_RATIO,
    SLICE_SCHEDULER,
    SLICE_TARGET_BLER,
)
from ranpilot.twin.parameters import NOT_THERE, Parameters
from ranpilot.twin.parameters.link import outer_loop_steps_db
from ranpilot.twin.scenario import Scenario

__all__ = ["SLICE_CONTROLS", "Given", "Target", "check_slice_ratios"]

FloatArray = NDArray[np.float64]
Given = Mapping[Control, FloatArray]
"""Values of the right shape and within the control's range."""

ROUNDING = 1e-9
"""Of a share: what hundredths of a softmax may miss the whole by."""


class Target(NamedTuple):
    """The running networks that controls are put into."""

    network: state.Network
    parameters: Parameters
    scenario: Scenario
    slot: int


COLUMN = {
    SLICE_MIN_RATIO: slice_columns.MIN_SHARE,
    SLICE_MAX_RATIO: slice_columns.MAX_SHARE,
    SLICE_DEDICATED_RATIO: slice_columns.DEDICATED_SHARE,
}


def check_slice_ratios(target: Target, given: Given) -> None:
    """Raise ActionError where what would be in force is not dedicated <= minimum <= maximum, or asks for over 100 %."""
    if not any(control in given for control in COLUMN):
        return
    if target.scenario.slices is None:
        first = next(control for control in COLUMN if control in given)
        raise ActionError(first.name, given[first].shape, "left out where the scenario has no slices")
    least, most, dedicated = (_would_be(target, given, control) for control in COLUMN)
    is_there = _is_there(target)
    for wrong, control, share, allowed in (
        (least > most + ROUNDING, SLICE_MIN_RATIO, least, "at most the slice's maximum"),
        (dedicated > least + ROUNDING, SLICE_DEDICATED_RATIO, dedicated, "at most the slice's minimum"),
    ):
        if (wrong & is_there).any():
            raise ActionError(control.name, float(share[wrong & is_there][0] * 100.0), allowed)
    total = np.where(is_there, least, 0.0).sum(axis=-1)
    if SLICE_MIN_RATIO in given and (total > 1.0 + ROUNDING).any():
        over = round(float(total[total > 1.0 + ROUNDING][0] * 100.0), 6)
        raise ActionError(f"{SLICE_MIN_RATIO.name} of a cell's slices together", over, "at most 100 %")


def _is_there(target: Target) -> NDArray[np.bool_]:
    """[B, 1, S]"""
    has_tenant = target.network.slice[..., slice_columns.TENANT] != NOT_THERE
    return np.asarray(has_tenant)[:, None, :]


def _would_be(target: Target, given: Given, control: Control) -> FloatArray:
    """[B, C, S] the shares that would be in force."""
    now = target.network.cell_slice_real[..., COLUMN[control]]
    if control not in given:
        return now
    return np.where(np.isnan(given[control]) | ~_is_there(target), now, given[control] / 100.0)


def _put_ratio(control: Control) -> Callable[[Target, FloatArray], None]:
    def put(target: Target, percent: FloatArray) -> None:
        target.network.cell_slice_real[..., COLUMN[control]] = _would_be(target, {control: percent}, control)

    return put


def _put_scheduler(target: Target, scheduler: FloatArray) -> None:
    in_force = target.network.cell_slice[..., slice_columns.SCHEDULER]
    in_force[...] = np.where(_is_there(target), scheduler, in_force)


def _put_target_bler(target: Target, target_bler: FloatArray) -> None:
    is_set = _is_there(target) & ~np.isnan(target_bler)
    for column, steps_db in zip(
        (slice_columns.SLICE_STEP_UP_DB, slice_columns.SLICE_STEP_DOWN_DB),
        np.vectorize(outer_loop_steps_db, otypes=[float, float])(np.where(is_set, target_bler, 0.1)),
        strict=True,
    ):
        in_force = target.network.cell_slice_real[..., column]
        in_force[...] = np.where(is_set, steps_db, in_force)


def _put_deadline(target: Target, deadline_ms: FloatArray) -> None:
    in_force = target.network.cell_slice[..., slice_columns.SLICE_DEADLINE_SLOTS]
    is_set = _is_there(target) & ~np.isnan(deadline_ms)
    slots = np.maximum(1.0, np.floor(np.where(is_set, deadline_ms, 1.0) * 1e-3 / target.scenario.slot_s + 1e-9))
    in_force[...] = np.where(is_set, slots, in_force)
    kernel.set_deadlines(target.network, target.parameters)


SLICE_CONTROLS: Mapping[Control, Callable[[Target, FloatArray], None]] = {
    SLICE_MIN_RATIO: _put_ratio(SLICE_MIN_RATIO),
    SLICE_MAX_RATIO: _put_ratio(SLICE_MAX_RATIO),
    SLICE_DEDICATED_RATIO: _put_ratio(SLICE_DEDICATED_RATIO),
    SLICE_SCHEDULER: _put_scheduler,
    SLICE_TARGET_BLER: _put_target_bler,
    SLICE_DEADLINE_MS: _put_deadline,
}
"""What puts each control of slices into force."""
