"""What agents see of cells whose reports are stale or missing: the last that came well, and how old it is.

A stale report looks like any other: the numbers of the last good one once more. Where a report is missing, agents keep
the last good one as well, and know that it is: in words the cell is `unknown`. The age stands beside both, as the time
stamps of reports tell it. What networks do by themselves (which link is bad, which call waits) goes on as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import BoolArray, FloatArray
from ranpilot.twin.network import Networks
from ranpilot.twin.reports import FINE, MISSING, report_faults
from ranpilot.twin.scenario import Scenario

__all__ = ["Heard", "has_faults"]


def has_faults(scenario: Scenario) -> bool:
    """Whether reports of the scenario's cells can be stale or missing."""
    return scenario.events is not None and any(kind.report is not None for kind in scenario.events.kinds)


class Heard(NamedTuple):
    """What agents have heard of the cells; every cell is an agent."""

    local: FloatArray
    """[B, A, D] the last good report of each"""
    state: FloatArray
    """[B, A, F]"""
    slot: NDArray[np.int64]
    """[B, A] of that report"""
    is_unknown: BoolArray
    """[B, A] whether the report of now is missing"""

    @classmethod
    def nothing(cls, local: FloatArray, state: FloatArray, slot: int) -> Self:
        """Before the first report, which comes as it is measured whatever events are in force."""
        shape = local.shape[:2]
        return cls(local, state, np.full(shape, slot, np.int64), np.zeros(shape, np.bool_))

    def hear(self, networks: Networks, local: FloatArray, state: FloatArray) -> Heard:
        """What is heard after reports that hold these values."""
        fault = report_faults(networks)
        is_fine = fault == FINE
        return Heard(
            np.where(is_fine[..., None], local, self.local),
            np.where(is_fine[..., None], state, self.state),
            np.where(is_fine, networks.slot, self.slot),
            fault == MISSING,
        )

    def rows(self, rows: NDArray[np.integer]) -> Heard:
        """The same for copies of the networks `rows`."""
        return Heard(*(array[rows] for array in self))

    def arrays(self) -> dict[str, Any]:
        """For a snapshot."""
        return {f"heard_{name}": array for name, array in self._asdict().items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Self:
        """As `arrays` gave them."""
        return cls(*(arrays[f"heard_{name}"] for name in cls._fields))  # type: ignore[arg-type]
