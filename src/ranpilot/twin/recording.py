"""Run networks and keep what each granularity period measures. Axes: T periods, B networks, C cells.

A granularity period is any whole number of slots: E2SM-KPM has whole milliseconds (10 ms to some seconds are usual),
files of performance management (TS 28.550) 5, 15, 30 or 60 min.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ranpilot.declare import Measurement
from ranpilot.errors import ConfigError
from ranpilot.twin import kpm
from ranpilot.twin.network import Networks
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.stays import Stays
from ranpilot.twin.traffic.protocol import BLOCK_SLOTS
from ranpilot.twin.views import Mark

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "PERIOD_COLUMNS",
    "Left",
    "Period",
    "Recording",
    "cell_measurements",
    "check_times",
    "kpm_table",
    "measure_periods",
    "period_frame",
    "record",
]

FloatArray = NDArray[np.float64]

LONGEST_S = 100_000.0
PERIOD_COLUMNS = {
    "start_s": "float64",
    "end_s": "float64",
    "network": "int64",
    "scope": "str",
    "cell": "int64",
    "cell_name": "str",
    "slice": "int64",
    "slice_name": "str",
    "snssai": "str",
    "ue": "int64",
    "kpm": "str",
    "bin": "float64",
    "unit": "str",
    "value": "float64",
}
"""Columns of a table of periods, with their kinds."""


@dataclass(frozen=True)
class Left:
    """What was measured within a period of slices that left before its end."""

    stays: Stays
    """Of those who left; the other seats are nobody's."""
    values: Mapping[str, FloatArray]
    """[B, C, S] every KPM of slices, by its name, up to when they left."""


@dataclass(frozen=True)
class Period:
    """What one granularity period measured in every network."""

    start_s: float
    end_s: float
    slot_s: float
    network_ids: NDArray[np.integer]
    """[B]"""
    values: Mapping[str, FloatArray]
    """Every KPM, by its name: [B, C], [B, C, S], [B, U] or [B, U, C] by scope."""
    stays: Stays
    """Who has each seat at the end, and from when on the values of it are."""
    left: tuple[Left, ...] = ()
    """Slices that left within the period, one entry for each time at which any did."""
    histograms: Mapping[str, FloatArray] | None = None
    """What fell into each bin, by name: [B, C, bins]; None where it was not asked for."""


@dataclass(frozen=True)
class Recording:
    """The measurements of cells, period by period and over all of the time."""

    scenario: str
    scenario_hash: str
    load: str | None
    seed: int
    cell_names: tuple[str, ...]
    period_s: float
    asked_s: float
    """The time that was to be simulated, warm-up not counted."""
    end_s: FloatArray
    """[T] end of each period; fewer than asked for where the run was stopped"""
    series: Mapping[str, FloatArray]
    """[T, B, C] by the name of the KPM"""
    total: Mapping[str, FloatArray]
    """[B, C] over all periods together, by the name of the KPM"""

    @property
    def num_networks(self) -> int:
        """B."""
        return len(next(iter(self.total.values())))

    @property
    def recorded_s(self) -> float:
        """The time that was simulated, warm-up not counted."""
        return len(self.end_s) * self.period_s

    def to_json(self) -> list[dict[str, Any]]:
        """A record for each KPM of each cell: mean over networks, and their standard deviation as `spread`.

        Then energy, power and bits per joule of whole networks, whose names have one part less.
        """
        records = []
        for measurement in cell_measurements():
            values = self.total[measurement.name]
            for cell, name in enumerate(self.cell_names):
                where = f"{measurement.name}/{self.scenario}/{name}"
                records.append(self._record(where, values[:, cell], measurement.unit))
        whole = kpm.network_energy(self.total)
        for measurement, values in (
            (kpm.ENERGY, whole.energy_kwh),
            (kpm.MEAN_POWER, whole.mean_power_w),
            (kpm.ENERGY_EFFICIENCY, whole.efficiency),
        ):
            records.append(self._record(f"{measurement.name}/{self.scenario}", values, measurement.unit))
        return records

    def _record(self, name: str, values: FloatArray, unit: str) -> dict[str, Any]:
        """One number of every network, [B]."""
        return {
            "name": name,
            "value": float(values.mean()),
            "unit": unit,
            "spread": float(values.std(ddof=1)) if self.num_networks > 1 else None,
            "n": self.num_networks,
            "seconds": self.recorded_s,
            "seed": self.seed,
        }


def record(
    scenario: Scenario, *, seconds: float = 10.0, num_networks: int = 8, seed: int = 0, period_s: float = 1.0,
    warm_up_s: float = 1.0, histograms: bool = False, each: Callable[[Period], bool] | None = None,
) -> Recording:  # fmt: skip
    """Run `num_networks` networks for `warm_up_s` and then `seconds`, and measure every `period_s`.

    each: told every period as it ends, with `histograms` where wanted; the run stops there where it returns False.
    Raises ConfigError for times that do not fit.
    """
    warm_slots, _, periods = check_times(scenario, seconds, period_s, warm_up_s)
    networks = Networks(scenario, num_networks, seed)
    networks.advance(warm_slots)
    begin = networks.mark()
    names = [measurement.name for measurement in cell_measurements()]
    series: dict[str, list[FloatArray]] = {name: [] for name in names}
    end_s: list[float] = []
    for period in measure_periods(networks, period_s, periods, histograms=histograms):
        end_s.append(period.end_s)
        for name in names:
            series[name].append(period.values[name])
        if each is not None and not each(period):
            break
    total = networks.measure(since=begin)
    return Recording(
        scenario=scenario.name,
        scenario_hash=scenario.hash(),
        load=scenario.load,
        seed=seed,
        cell_names=tuple(cell.name for cell in scenario.cells),
        period_s=period_s,
        asked_s=seconds,
        end_s=np.array(end_s),
        series={name: np.array(values) for name, values in series.items()},
        total={name: total[name] for name in names},
    )


def measure_periods(networks: Networks, period_s: float, periods: int, *, histograms: bool = False) -> Iterator[Period]:
    """Advance running networks by `periods` granularity periods, and measure each; controls may be set in between.

    What `networks.measure()` covers stays as it is. Raises ConfigError for a period that is no whole number of slots.
    """
    slot_s = networks.scenario.slot_s
    slots = _whole("period_s", period_s, slot_s, 1, "slots")
    for _ in range(periods):
        begin = networks.mark()
        left = _advance(networks, slots, begin)
        yield Period(
            start_s=begin.slot * slot_s,
            end_s=networks.slot * slot_s,
            slot_s=slot_s,
            network_ids=networks.network_ids,
            values=networks.measure(since=begin),
            stays=networks.stays(since=begin),
            left=left,
            histograms=networks.histograms(since=begin) if histograms else None,
        )


def _advance(networks: Networks, slots: int, begin: Mark) -> tuple[Left, ...]:
    """Advance, and measure the slices that leave on the way up to then; what they lose by leaving is not theirs."""
    slices, end = networks.scenario.slices, networks.slot + slots
    if slices is None or not slices.comes_and_goes:
        networks.advance(slots)
        return ()
    found = []
    names = [measurement.name for measurement in kpm.MEASUREMENTS if measurement.scope == "slice"]
    networks.advance(min(slots, BLOCK_SLOTS - networks.slot % BLOCK_SLOTS))
    while networks.slot < end:
        turn, stays, values = networks.slot, networks.stays(since=begin), networks.measure(since=begin, only=names)
        networks.advance(min(end - turn, BLOCK_SLOTS))
        has_left = (stays.tenant >= 0) & (networks.slices.since_slot == turn)
        if has_left.any():
            found.append(Left(stays.only(has_left), values))
    return tuple(found)


def kpm_table(networks: Networks, seconds: float, period_s: float, *, histograms: bool = False) -> pd.DataFrame:
    """Run networks for `seconds` and measure every `period_s`, as one table of the rows of `period_frame`.

    Raises ConfigError for times that do not fit.
    """
    import pandas as pd

    _, _, periods = check_times(networks.scenario, seconds, period_s, 0.0)
    names = [cell.name for cell in networks.scenario.cells]
    found = measure_periods(networks, period_s, periods, histograms=histograms)
    return pd.concat([period_frame(period, names) for period in found], ignore_index=True)


def period_frame(period: Period, cell_names: Sequence[str]) -> pd.DataFrame:
    """A row a value, with the columns `PERIOD_COLUMNS`.

    Of every scope but links, which would be users times cells. A column that a scope has not is -1 or empty; `bin` is
    NaN but for histograms, whose empty bins have no row. NaN of an empty place has none either, nor a free seat. A
    slice that came or left within the period has start_s or end_s of its own.
    """
    import pandas as pd

    from ranpilot.twin.frames import tidy, tidy_histograms

    shown = {m.name: period.values[m.name] for m in kpm.MEASUREMENTS if m.scope != "link"}
    span_s = (period.start_s, period.end_s)
    parts = [tidy(shown, period.network_ids, span_s, period.stays)]
    parts += [tidy(left.values, period.network_ids, span_s, left.stays) for left in period.left]
    frame = pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0]
    frame["bin"] = np.nan
    frame = frame[frame["value"].notna()]
    if period.histograms is not None:
        bins = tidy_histograms(period.histograms, period.network_ids, period.slot_s, span_s)
        frame = pd.concat([frame, bins], ignore_index=True)
    names = np.array([*cell_names, ""], dtype=object)[frame["cell"].to_numpy()]  # -1 is the last, no name
    frame["cell_name"] = pd.Series(names, frame.index, dtype="str")
    for column in ("slice_name", "snssai"):
        frame[column] = frame[column].astype("str")
    return frame[list(PERIOD_COLUMNS)]


def check_times(scenario: Scenario, seconds: float, period_s: float, warm_up_s: float) -> tuple[int, int, int]:
    """Slots of warm-up, slots of a period, and the number of periods.

    Raises ConfigError for a period that is no whole number of slots, or a time that is no whole number of periods.
    """
    return (
        _whole("warm_up_s", warm_up_s, scenario.slot_s, 0, "slots"),
        _whole("period_s", period_s, scenario.slot_s, 1, "slots"),
        _whole("seconds", seconds, period_s, 1, "periods"),
    )


def cell_measurements() -> list[Measurement]:
    """The measurements that belong to a cell, in the order of their declaration."""
    return [measurement for measurement in kpm.MEASUREMENTS if measurement.scope == "cell"]


def _whole(field: str, value_s: float, unit_s: float, least: int, units: str) -> int:
    """How many `unit_s` a time is; raises ConfigError where that is no whole number of at least `least`."""
    if not least * unit_s - 1e-9 <= value_s <= LONGEST_S:
        raise ConfigError(field, value_s, f"{least * unit_s:g} to {LONGEST_S:g} seconds")
    count = round(value_s / unit_s)
    if abs(count * unit_s - value_s) > 1e-6 * unit_s:
        raise ConfigError(field, value_s, f"a whole number of {units} of {unit_s:g} s")
    return count
