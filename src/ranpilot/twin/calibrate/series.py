"""KPMs period by period, the same whether they were read from a file or measured in networks that ran."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ranpilot.twin import kpm
from ranpilot.twin.network import Networks
from ranpilot.twin.recording import measure_periods
from ranpilot.twin.scenario import Scenario

__all__ = ["Series", "run_series"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Series:
    """What every granularity period measured. Axes: T periods, N networks, C cells, U users; NaN = not measured."""

    period_s: float
    """NaN where one period alone does not tell."""
    end_s: FloatArray
    """[T] end of each period, rising; a gap is a whole number of periods"""
    cell: Mapping[str, FloatArray]
    """[T, N, C] by the name of the KPM"""
    ue: Mapping[str, FloatArray]
    """[T, N, U] by the name of the KPM"""

    @property
    def num_periods(self) -> int:
        """T."""
        return len(self.end_s)

    @property
    def num_networks(self) -> int:
        """N."""
        return int(next(iter({**self.cell, **self.ue}.values())).shape[1])

    @property
    def names(self) -> tuple[str, ...]:
        """Every KPM that there is, cells first."""
        return (*self.cell, *self.ue)

    def part(self, periods: slice) -> Series:
        """Some of the periods."""
        return Series(
            self.period_s,
            self.end_s[periods],
            {name: values[periods] for name, values in self.cell.items()},
            {name: values[periods] for name, values in self.ue.items()},
        )


def run_series(
    scenario: Scenario, names: Collection[str], *, seed: int, num_networks: int, first_network: int = 0,
    warm_slots: int, period_slots: int, periods: int,
) -> Series:  # fmt: skip
    """Run networks and keep the KPMs called `names` of every period after the warm-up."""
    networks = Networks(scenario, num_networks, seed, first_network=first_network)
    networks.advance(warm_slots)
    kept = [measurement for measurement in kpm.MEASUREMENTS if measurement.name in names]
    values: dict[str, list[FloatArray]] = {measurement.name: [] for measurement in kept}
    end_s: list[float] = []
    for period in measure_periods(networks, period_slots * scenario.slot_s, periods):
        end_s.append(period.end_s)
        for name, series in values.items():
            series.append(period.values[name])
    by_scope: dict[str, dict[str, FloatArray]] = {"cell": {}, "ue": {}}
    for measurement in kept:
        by_scope[measurement.scope][measurement.name] = np.array(values[measurement.name])
    return Series(period_slots * scenario.slot_s, np.array(end_s), by_scope["cell"], by_scope["ue"])
