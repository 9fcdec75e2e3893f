"""What cells draw from the mains: the relative powers of TR 38.864, and the watts that they are relative to.

The standard's own are the numbers in data/bs_power.csv and data/bs_transitions.csv, the way in which power grows with
load, and `load_independent_share`. It gives no watts: `active_power_w`, and the line that stands for it where it is
left out, are ours, as are the rules of `automatic_sleep`.
"""

from __future__ import annotations

import csv
import functools
from importlib import resources
from typing import Annotated, Literal, NamedTuple

from ranpilot.twin.bounds import Part, bounded
from ranpilot.units import dbm_to_mw

__all__ = ["Energy", "RelativePower", "Transition"]

FIXED_W, WATTS_PER_RADIATED_WATT = 6.0, 11.0
"""A line through the femto, pico, micro and macro station of Auer et al. 2011, Table 2, at full load and for each
transceiver: 5.2, 7.3, 72.4 and 224 W where they radiate 0.05, 0.13, 6.3 and 20 W."""


class RelativePower(NamedTuple):
    """Power in each state, relative to deep sleep."""

    deep_sleep: float
    light_sleep: float
    micro_sleep: float
    active_dl: float
    """Transmitting on every PRB at the greatest power."""


class Transition(NamedTuple):
    """Falling asleep and waking up, both together."""

    time_ms: float
    energy: float
    """Relative power x ms, on top of the sleep's own power."""


class Energy(Part):
    """What the cells draw; the same kind of hardware in all of them, each with the power that it can radiate."""

    category: Literal[1, 2] = 1
    """Of the base station: 1 wakes fast, 2 sleeps deeper and wakes slowly (50 ms and 10 s from deep sleep)."""
    reference_set: Literal[1, 2, 3] = 2
    """Reference configuration of the relative powers: 1 = FR1, 64 chains; 2 = FR1, 32 chains; 3 = FR2."""
    active_power_w: Annotated[float, bounded(0.1, 100_000.0, "W")] | None = None
    """Drawn by a cell that transmits on every PRB at the greatest power that controls may set; None = 6 W and 11 W for
    each watt of that power. Radios with many antennas draw less: 3 to 5 W for each."""
    load_independent_share: Annotated[float, bounded(0.0, 1.0, "1")] = 0.4
    """Of what a transmission adds to micro sleep: drawn on few PRBs and at low power alike (A of TR 38.864 §5.1)."""
    automatic_sleep: Literal["none", "micro", "light"] = "micro"
    """How deep a cell that is awake sleeps in slots without transmission. none: its transmitter stays on. light: after
    `doze_after_ms` without transmission, and who then has data waits until the cell has woken up."""
    doze_after_ms: Annotated[float, bounded(0.1, 10_000.0, "ms")] = 20.0

    @property
    def relative_power(self) -> RelativePower:
        """Of this category and reference configuration."""
        return _powers()[self.category, self.reference_set]

    def transition(self, sleep: Literal["deep_sleep", "light_sleep", "micro_sleep"]) -> Transition:
        """Into that sleep and out of it."""
        return _transitions()[self.category, sleep]

    def active_w(self, greatest_power_dbm: float) -> float:
        """Drawn at full load by a cell that can radiate that power."""
        if self.active_power_w is not None:
            return self.active_power_w
        return FIXED_W + WATTS_PER_RADIATED_WATT * float(dbm_to_mw(greatest_power_dbm)) * 1e-3


@functools.cache
def _powers() -> dict[tuple[int, int], RelativePower]:
    return {
        (int(row["category"]), int(row["reference_set"])): RelativePower(
            *(float(row[field]) for field in RelativePower._fields)
        )
        for row in _rows("bs_power.csv")
    }


@functools.cache
def _transitions() -> dict[tuple[int, str], Transition]:
    return {
        (int(row["category"]), row["sleep"]): Transition(float(row["time_ms"]), float(row["energy"]))
        for row in _rows("bs_transitions.csv")
    }


def _rows(name: str) -> list[dict[str, str]]:
    text = resources.files("ranpilot.twin.description").joinpath("data", name).read_text(encoding="utf-8")
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
