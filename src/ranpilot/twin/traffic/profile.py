"""A traffic profile: what `fit` found in captures and `fitted` plays, as a small JSON file.

A profile holds one component for each capture; a UE plays one component for its whole life (a phone stays with its
application). A component is a semi-Markov chain over *phases*. A visit to a phase is one burst and the silence after
it: a number of packets, gaps between them, an idle time, and packet sizes, each drawn from its own table for this
phase. Which phase follows is drawn from how often it did in the capture, so that burst sizes, idle times and the rate
of some seconds depend on each other and on what came before.

A table lists bins of equal probability as [lowest, highest, mean]. A draw picks a bin and gives
lowest + (highest - lowest) * u^p with p such that the mean of the bin is exact: so the mean rate of the model is that
of the capture and no quantile is off by more than a bin.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ranpilot.errors import ConfigError, InputError, UnknownNameError
from ranpilot.twin.traffic.protocol import FloatArray, Int64Array
from ranpilot.validation import as_config_error

__all__ = ["Component", "Phase", "PhaseTables", "Profile", "Weighing", "load_profile", "profile_names", "tabulate"]

Weighing = Literal["packets", "bits"]
MOST_PACKETS_PER_S = 1e6
"""Within a burst; packets of no distance would never end a block."""

NonNegative = Annotated[float, Field(ge=0, le=1e9)]
Bin = tuple[NonNegative, NonNegative, NonNegative]
Table = Annotated[tuple[Bin, ...], Field(min_length=1)]

PACKETS, GAP, IDLE, SIZE = 0, 1, 2, 3
"""Rows of the table index of `PhaseTables`."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Phase(_Part):
    """One kind of burst and the silence after it."""

    visits: Annotated[int, Field(ge=1)]
    """How often the capture visited it."""
    next: tuple[tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=1)]], ...]
    """Pairs (phase, how often it came next)."""
    packets: Table
    """Packets of a burst."""
    gap_s: Table
    """Time between packets of a burst."""
    idle_s: Table
    """Silence after the last packet of the burst."""
    size_bits: Table

    @model_validator(mode="after")
    def _tables_can_be_drawn_from(self) -> Self:
        for name in ("packets", "gap_s", "idle_s", "size_bits"):
            for low, high, mean in getattr(self, name):
                if not low <= mean <= high:
                    raise ConfigError(name, [low, high, mean], "bins [lowest, highest, mean] with the mean between")
        if _mean(self.packets) > MOST_PACKETS_PER_S * (self.mean_burst_s + _mean(self.idle_s)):
            allowed = f"long enough for at most {MOST_PACKETS_PER_S:g} packets a second"
            raise ConfigError("idle_s", _mean(self.idle_s), allowed)
        return self

    @property
    def mean_burst_s(self) -> float:
        """Mean time from the first to the last packet."""
        return (_mean(self.packets) - 1.0) * _mean(self.gap_s)

    @property
    def mean_bits(self) -> float:
        """Mean bits of a burst."""
        return _mean(self.packets) * _mean(self.size_bits)


class Component(_Part):
    """The model of one capture."""

    source: str
    sha256: str
    duration_s: Annotated[float, Field(gt=0)]
    """Of the capture, cuts removed; the share of UEs that play it is proportional to this."""
    packets: Annotated[int, Field(ge=1)]
    cut_idle_s: float | None = None
    burst_idle_s: Annotated[float, Field(gt=0)]
    """A longer gap ends a burst."""
    rate_windows_s: tuple[float, ...] = ()
    """Windows around a burst whose rate took part in the definition of its phase."""
    weighing: Weighing = "packets"
    """What burst sizes and rates counted in that definition."""
    dispersion_packets: tuple[NonNegative, ...] = ()
    dispersion_bits: tuple[NonNegative, ...] = ()
    """Index of dispersion of the capture at 1 ms, 10 ms, 100 ms, 1 s and 10 s: what the model is held against."""
    phases: Annotated[tuple[Phase, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _phases_exist(self) -> Self:
        for index, phase in enumerate(self.phases):
            if not phase.next or max(target for target, _ in phase.next) >= len(self.phases):
                raise ConfigError(f"phases.{index}.next", phase.next, f"phases from 0 to {len(self.phases) - 1}")
        return self

    @property
    def mean_cycle_s(self) -> tuple[float, float]:
        """Mean burst and mean idle time of a visit, over all visits."""
        visits = np.array([phase.visits for phase in self.phases], dtype=float)
        burst = np.array([phase.mean_burst_s for phase in self.phases])
        idle = np.array([_mean(phase.idle_s) for phase in self.phases])
        return float(visits @ burst / visits.sum()), float(visits @ idle / visits.sum())

    @property
    def mean_rate_bps(self) -> float:
        """Bits of a visit over its time."""
        visits = np.array([phase.visits for phase in self.phases], dtype=float)
        bits = visits @ np.array([phase.mean_bits for phase in self.phases]) / visits.sum()
        return float(bits / sum(self.mean_cycle_s))


class Profile(_Part):
    """What UEs of one class of application do."""

    name: str
    source: str
    """Where the captures come from."""
    licence: str
    command: str
    """What made this file."""
    components: Annotated[tuple[Component, ...], Field(min_length=1)]

    @property
    def mean_rate_bps(self) -> float:
        """Mean over UEs."""
        weight = np.array([component.duration_s for component in self.components])
        return float(weight @ [component.mean_rate_bps for component in self.components] / weight.sum())

    @property
    def max_scale(self) -> float:
        """The largest rate multiplier: at it, the idle times of some component have shrunk to a hundredth."""
        cycles = [component.mean_cycle_s for component in self.components]
        return min((burst + idle) / (burst + 0.01 * idle) for burst, idle in cycles)


class PhaseTables(NamedTuple):
    """A profile as arrays for kernels; times in slots, phases of all components numbered through."""

    component_share: FloatArray
    """[M], cumulative."""
    first_phase: Int64Array
    """[M + 1]."""
    start_share: FloatArray
    """[K], cumulative within a component: in which phase a random moment lies."""
    next_start: Int64Array
    """[K + 1], into the two below."""
    next_phase: Int64Array
    next_share: FloatArray
    """Cumulative within a phase."""
    bin_start: Int64Array
    """[4, K + 1] rows PACKETS, GAP, IDLE, SIZE; into the three below."""
    low: FloatArray
    span: FloatArray
    power: FloatArray


def profile_names() -> list[str]:
    """The profiles that ranpilot ships."""
    folder = files("ranpilot.twin.traffic") / "profiles"
    return sorted(entry.name.removesuffix(".json") for entry in folder.iterdir() if entry.name.endswith(".json"))


def load_profile(name: str) -> Profile:
    """A shipped profile by name, or one from a path that ends with `.json`.

    Raises: UnknownNameError, InputError for a missing file, ConfigError for one that is not a profile.
    """
    if not name.endswith(".json"):
        return _load_shipped(name)
    path = Path(name)
    if not path.is_file():
        raise InputError(f"{path}: no such file, but must be a profile that `ranpilot traffic fit` wrote.")
    return _parse(path.read_bytes(), name)


@cache
def _load_shipped(name: str) -> Profile:
    if name not in profile_names():
        raise UnknownNameError("traffic profile", name, profile_names())
    return _parse((files("ranpilot.twin.traffic") / "profiles" / f"{name}.json").read_bytes(), name)


def _parse(content: bytes, name: str) -> Profile:
    try:
        return Profile.model_validate_json(content)
    except ValidationError as error:
        raise as_config_error(error, Profile, source=name) from None


def tabulate(profile: Profile, scale: float, slot_s: float) -> PhaseTables:
    """The arrays of a profile at `scale` times its rate.

    Bursts stay as they are; idle times shrink (or grow) by one factor for each component, so that a mean visit takes
    1 / scale of its time. Raises: ConfigError where even a hundredth of the idle time is too long.
    """
    if scale > profile.max_scale:
        allowed = f"at most {profile.max_scale:.3g}, where the bursts of profile {profile.name!r} nearly touch"
        raise ConfigError("scale", scale, allowed)
    weight = np.array([component.duration_s for component in profile.components])
    first_phase = np.concatenate([[0], np.cumsum([len(component.phases) for component in profile.components])])
    next_start, next_phase = [0], list[int]()
    next_share, start_share = list[float](), list[FloatArray]()
    tables: tuple[list[Table], ...] = ([], [], [], [])
    factors: list[float] = []
    for component, offset in zip(profile.components, first_phase, strict=False):
        burst, idle = component.mean_cycle_s
        factor = ((burst + idle) / scale - burst) / idle
        share = np.array([p.visits * (p.mean_burst_s + factor * _mean(p.idle_s)) for p in component.phases])
        start_share.append(np.cumsum(share) / share.sum())
        for phase in component.phases:
            counts = np.array([count for _, count in phase.next], dtype=float)
            next_phase.extend(target + int(offset) for target, _ in phase.next)
            next_share.extend(np.cumsum(counts) / counts.sum())
            next_start.append(len(next_phase))
            for rows, table in zip(tables, (phase.packets, phase.gap_s, phase.idle_s, phase.size_bits), strict=True):
                rows.append(table)
            factors.append(factor)
    units = [1.0, 1.0 / slot_s, 1.0 / slot_s, 1.0]
    bin_start, low, span, power = _flatten(tables, units, np.array(factors))
    return PhaseTables(
        np.cumsum(weight) / weight.sum(),
        first_phase.astype(np.int64),
        np.concatenate(start_share),
        np.array(next_start, dtype=np.int64),
        np.array(next_phase, dtype=np.int64),
        np.array(next_share),
        bin_start,
        low,
        span,
        power,
    )


def _flatten(
    tables: tuple[list[Table], ...], units: list[float], idle_factor: FloatArray
) -> tuple[Int64Array, FloatArray, FloatArray, FloatArray]:
    """Bins of all tables one after the other, times in slots."""
    num_phases = len(idle_factor)
    bin_start = np.zeros((4, num_phases + 1), dtype=np.int64)
    pieces = []
    position = 0
    for kind in range(4):
        for phase, table in enumerate(tables[kind]):
            bin_start[kind, phase] = position
            unit = units[kind] * (idle_factor[phase] if kind == IDLE else 1.0)
            pieces.append(np.array(table) * unit)
            position += len(table)
        bin_start[kind, num_phases] = position
    low, high, mean = np.concatenate(pieces).T
    span = high - low
    inside = (mean > low) & (mean < high)
    power = np.where(inside, span / np.where(inside, mean - low, 1.0) - 1.0, 1.0)
    return bin_start, np.ascontiguousarray(low), np.ascontiguousarray(np.where(inside, span, 0.0)), power


def _mean(table: Table) -> float:
    return sum(mean for _, _, mean in table) / len(table)
