"""What cells' reports are to controllers while an event makes them stale or missing; the truth stands beside it.

A report of a cell at the end of a granularity period holds its own measurements and those of the users that it serves.
While an event with `report: stale` is in force at that moment, controllers get the cell's last report from before it
once more; with `report: missing` they get none, which is NaN (missing wins over stale). They also get how old the
report is that each cell's values come from, as its time stamp tells. A user whose place was not in a stale report, or
whose cell reports nothing, is NaN too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ranpilot.twin.kpm import MEASUREMENTS
from ranpilot.twin.network import Networks

__all__ = ["FINE", "MISSING", "STALE", "Reported", "Reports", "report_faults"]

FloatArray = NDArray[np.float64]
Int64Array = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

FINE, STALE, MISSING = 0, 1, 2
"""What a report is."""


class Reported(NamedTuple):
    """What controllers get of one granularity period, and what was."""

    values: Mapping[str, FloatArray]
    """Every KPM, by its name, as reported; NaN where nothing is"""
    age_s: FloatArray
    """[B, C] since the end of the period of the last report that came; infinite where none has"""
    fault: Int64Array
    """[B, C] FINE, STALE or MISSING; not for controllers, whom only the age tells"""
    truth: Mapping[str, FloatArray]
    """The same as `values`, as it was; not for controllers"""


def report_faults(networks: Networks) -> Int64Array:
    """[B, C] what a report of each cell is now: FINE, STALE or MISSING."""
    events, kinds = networks.events(), networks.scenario.events
    faults = np.zeros((networks.num, networks.scenario.num_cells), np.int64)
    if kinds is None:
        return faults
    fault_of = np.array([{"stale": STALE, "missing": MISSING}.get(kind.report or "", FINE) for kind in kinds.kinds])
    is_on = (events.kind >= 0) & (events.start_slot <= networks.slot) & (networks.slot < events.stop_slot)
    b, event = np.nonzero(is_on)
    np.maximum.at(faults, (b, events.cell[b, event]), fault_of[events.kind[b, event]])
    return faults


class Reports:
    """The reports that controllers of a batch of networks have got; begins with none."""

    def __init__(self, networks: Networks) -> None:
        self._networks = networks
        self._last: dict[str, FloatArray] = {}
        self._slot = np.full((networks.num, networks.scenario.num_cells), -1, np.int64)
        """[B, C] end of the last report that came, -1 for none"""
        places = (networks.num, networks.scenario.num_places)
        self._cell, self._call = np.full(places, -1, np.int64), np.zeros(places, np.int64)
        """[B, U] cell whose report held the place last, and its user"""

    def measure(self) -> Reported:
        """Measure as `Networks.measure` does, and hand on what is reported of it."""
        return self.hand_on(self._networks.measure())

    def hand_on(self, truth: Mapping[str, FloatArray]) -> Reported:
        """What is reported of a period that ends now and was measured so."""
        networks = self._networks
        fault, ues = report_faults(networks), networks.ues
        serving = ues.serving_cell.astype(np.int64)
        is_served = serving >= 0
        of_user = np.where(is_served, np.take_along_axis(fault, np.maximum(serving, 0), axis=1), FINE)
        is_held = is_served & (self._cell == serving) & (self._call == ues.call_id)
        self._slot = np.where(fault == FINE, networks.slot, self._slot)
        values = {}
        for measurement in MEASUREMENTS:
            now = truth[measurement.name]
            if measurement.scope in ("ue", "link"):
                values[measurement.name] = self._pick(measurement.name, now, of_user, is_held)
            else:
                values[measurement.name] = self._pick(measurement.name, now, fault, self._slot >= 0)
        self._cell = np.where(of_user == FINE, serving, self._cell)
        self._call = np.where(of_user == FINE, ues.call_id, self._call)
        age_s = np.where(self._slot >= 0, (networks.slot - self._slot) * networks.scenario.slot_s, np.inf)
        return Reported(values, age_s, fault, truth)

    def of(self, networks: Networks, rows: NDArray[np.integer]) -> Self:
        """The same for copies of the networks `rows`."""
        copy = object.__new__(type(self))
        copy._networks = networks
        copy._last = {name: value[rows] for name, value in self._last.items()}
        copy._slot, copy._cell, copy._call = self._slot[rows], self._cell[rows], self._call[rows]
        return copy

    def _pick(self, name: str, now: FloatArray, fault: Int64Array, is_held: BoolArray) -> FloatArray:
        """What is reported of `now` [B, N, ...] by the fault [B, N] of each; keeps what came well."""
        before = self._last.get(name, np.full(now.shape, np.nan))
        wide = fault.shape + (1,) * (now.ndim - 2)
        is_fine, is_repeated = (fault == FINE).reshape(wide), ((fault == STALE) & is_held).reshape(wide)
        self._last[name] = np.where(is_fine, now, before)
        return np.where(is_fine, now, np.where(is_repeated, before, np.nan))
