"""What a fit may move in a scenario, and which KPMs can tell it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ranpilot.declare import Measurement
from ranpilot.errors import ConfigError, UnknownNameError
from ranpilot.twin import kpm
from ranpilot.twin.description.users import Arrivals, Mobility
from ranpilot.twin.scenario import Scenario

__all__ = ["DEFAULT_FIT", "PARAMETERS", "Axis", "Parameter", "make_axes", "pick_parameters"]

SPREAD = 10.0
"""Load and users are looked for within this factor of what the scenario says."""


@dataclass(frozen=True)
class Parameter:
    """Something that a fit may move."""

    name: str
    unit: str
    field: str
    """Where it stands in a scenario."""
    read: Callable[[Scenario], float]
    changes: Callable[[Scenario, float], Mapping[str, Any]]
    """What makes a scenario have that value."""
    bounds: Callable[[Scenario], tuple[float, float]]
    """Within which values it is looked for."""
    is_log: bool
    """Whether equal steps are equal factors."""
    evidence: tuple[Measurement, ...]
    """KPMs of which a file must hold one."""
    check: Callable[[Scenario], None] = lambda scenario: None
    """Raises ConfigError for a scenario in which it cannot be moved."""


@dataclass(frozen=True)
class Axis:
    """A parameter of one scenario on a scale from 0 (its least value) to 1 (its greatest)."""

    parameter: Parameter
    low: float
    high: float

    def value(self, place: float) -> float:
        """The value at a place in 0..1."""
        if self.parameter.is_log:
            return float(self.low * (self.high / self.low) ** place)
        return self.low + place * (self.high - self.low)

    def place(self, value: float) -> float:
        """The place in 0..1 of a value; one outside counts as the end."""
        inside = min(max(value, self.low), self.high)
        if self.parameter.is_log:
            return math.log(inside / self.low) / math.log(self.high / self.low)
        return (inside - self.low) / (self.high - self.low)


def pick_parameters(names: Sequence[str]) -> list[Parameter]:
    """The parameters of those names. Raises UnknownNameError, ConfigError for none or one twice."""
    known = {parameter.name: parameter for parameter in PARAMETERS}
    for name in names:
        if name not in known:
            raise UnknownNameError("parameter", name, list(known))
    if not names or len(set(names)) < len(names):
        raise ConfigError("fit", ",".join(names), f"some of {', '.join(known)}, each once")
    return [known[name] for name in names]


def make_axes(parameters: Sequence[Parameter], scenario: Scenario) -> list[Axis]:
    """Their ranges in that scenario, tried at both ends. Raises ConfigError for what cannot be moved in it."""
    axes = []
    for parameter in parameters:
        parameter.check(scenario)
        axis = Axis(parameter, *parameter.bounds(scenario))
        for value in (axis.low, axis.high):
            scenario.with_changes(parameter.changes(scenario, value))
        axes.append(axis)
    return axes


def _speed_kmh(scenario: Scenario) -> float:
    mobility = scenario.users.mobility
    return 0.5 * (mobility.min_speed_kmh + mobility.max_speed_kmh) if isinstance(mobility, Mobility) else math.nan


def _check_speed(scenario: Scenario) -> None:
    mobility = scenario.users.mobility
    if not isinstance(mobility, Mobility):
        raise ConfigError("users.mobility.kind", mobility.kind, "static, lines or waypoint where speed is fitted")


def _with_speed(scenario: Scenario, speed_kmh: float) -> Mapping[str, Any]:
    """Users are as different from each other as before."""
    mobility, mean_kmh = scenario.users.mobility, _speed_kmh(scenario)
    given = (mobility.min_speed_kmh, mobility.max_speed_kmh) if isinstance(mobility, Mobility) else ()
    least, most = ((speed * speed_kmh / mean_kmh if mean_kmh > 0.0 else speed_kmh) for speed in given)
    return {"users": {"mobility": {"min_speed_kmh": least, "max_speed_kmh": most}}}


def _arrivals_per_s(scenario: Scenario) -> float:
    population = scenario.users.population
    return population.arrivals_per_s if isinstance(population, Arrivals) else math.nan


def _check_arrivals(scenario: Scenario) -> None:
    if not isinstance(scenario.users.population, Arrivals):
        allowed = "arrivals where users are fitted; of static users set ues_per_cell to the file's RRC.ConnMean"
        raise ConfigError("users.population.kind", "static", allowed)
    if _arrivals_per_s(scenario) == 0.0:
        raise ConfigError("users.population.arrivals_per_s", 0.0, "above 0 where users are fitted")


def _check_shadowing(scenario: Scenario) -> None:
    if not scenario.radio.shadowing:
        raise ConfigError("radio.shadowing", False, "true where shadowing is fitted")


def _around(read: Callable[[Scenario], float]) -> Callable[[Scenario], tuple[float, float]]:
    return lambda scenario: (read(scenario) / SPREAD, read(scenario) * SPREAD)


def _rate_scale(scenario: Scenario) -> float:
    return scenario.traffic.rate_scale


CARRIED = (kpm.PRB_USE, kpm.PRB_MEAN, kpm.VOLUME, kpm.UE_VOLUME, kpm.UE_PRB_MEAN)
RECEIVED = (kpm.UE_RSRP, kpm.UE_SINR, kpm.SINR_MEAN, kpm.CQI_MEAN)
CROSSED = (kpm.HANDOVERS_OUT, kpm.HANDOVERS_IN, kpm.HANDOVERS_STARTED, kpm.UE_HANDOVERS)

PARAMETERS = (
    Parameter(
        name="load",
        unit="1",
        field="traffic.rate_scale",
        read=_rate_scale,
        changes=lambda scenario, value: {"traffic": {"rate_scale": value}},
        bounds=_around(_rate_scale),
        is_log=True,
        evidence=CARRIED,
    ),
    Parameter(
        name="users",
        unit="1/s",
        field="users.population.arrivals_per_s",
        read=_arrivals_per_s,
        changes=lambda scenario, value: {"users": {"population": {"arrivals_per_s": value}}},
        bounds=_around(_arrivals_per_s),
        is_log=True,
        evidence=(kpm.CONNECTED_MEAN, kpm.CONNECTION_ATTEMPTS),
        check=_check_arrivals,
    ),
    Parameter(
        name="path-loss",
        unit="dB",
        field="radio.path_loss_offset_db",
        read=lambda scenario: scenario.radio.path_loss_offset_db,
        changes=lambda scenario, value: {"radio": {"path_loss_offset_db": value}},
        bounds=lambda scenario: (-25.0, 25.0),
        is_log=False,
        evidence=RECEIVED,
    ),
    Parameter(
        name="shadowing",
        unit="1",
        field="radio.shadowing_scale",
        read=lambda scenario: scenario.radio.shadowing_scale,
        changes=lambda scenario, value: {"radio": {"shadowing_scale": value}},
        bounds=lambda scenario: (0.0, 2.5),
        is_log=False,
        evidence=(*RECEIVED, *CROSSED),
        check=_check_shadowing,
    ),
    Parameter(
        name="speed",
        unit="km/h",
        field="users.mobility",
        read=_speed_kmh,
        changes=_with_speed,
        bounds=lambda scenario: (1.0, 150.0),
        is_log=True,
        evidence=(*RECEIVED, *CROSSED),
        check=_check_speed,
    ),
)
"""Every parameter that can be fitted."""

DEFAULT_FIT = ("load", "path-loss", "shadowing", "speed")
"""What is fitted where nothing is named."""
