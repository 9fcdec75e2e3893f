"""Discrete actions are looked at before anything moves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import TaskSpec
from ranpilot.errors import ActionError

__all__ = ["check_options"]


def check_options(spec: TaskSpec, action: object, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """The options as int64 of that shape, agents on the second axis; whole numbers stored as floats are taken.

    Raises ActionError for a wrong shape, a NaN, a fraction or an option that the task does not have.
    """
    try:
        given = np.asarray(action)
    except ValueError:
        raise ActionError("shape", "ragged", f"{shape}") from None
    if given.shape != shape:
        raise ActionError("shape", given.shape, f"{shape}")
    if given.dtype.kind not in "iuf":
        raise ActionError("dtype", str(given.dtype), f"whole numbers (0..{spec.num_actions - 1})")
    # A NaN compares false with everything.
    is_option = (given >= 0) & (given < spec.num_actions)
    if given.dtype.kind == "f":
        is_option &= given == np.floor(given)
    if not is_option.all():
        place = tuple(int(index) for index in np.argwhere(~is_option)[0])
        options = ", ".join(f"{index} {name!r}" for index, name in enumerate(spec.actions))
        where = f"network {place[0]}, {spec.agents[place[1]]}"
        raise ActionError(where, given[place].item(), f"one of {options}")
    return np.ascontiguousarray(given, dtype=np.int64)
