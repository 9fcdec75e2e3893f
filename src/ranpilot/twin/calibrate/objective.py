"""How far networks with given parameters are from a file: features of both, over common random numbers.

Every evaluation runs the same networks (seed, ids) with other parameters, so that a small change of the parameters
changes users' places, fading and packets little and the distance is nearly smooth. Deviations are in units of
sqrt(s^2 (1/N + 1/B) + t^2): s the standard deviation of a feature between networks, N networks of the file, B that run,
t its tolerance (`features.py`).
Source: the simulated method of moments (McFadden, Econometrica 57, 1989), with a diagonal weight.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ranpilot.errors import ConfigError
from ranpilot.twin import kpm
from ranpilot.twin.calibrate.features import fill_gaps, find_features, take_features, tolerances
from ranpilot.twin.calibrate.parameters import Axis
from ranpilot.twin.calibrate.series import FloatArray, Series, run_series
from ranpilot.twin.scenario import Scenario, merge

__all__ = ["Effort", "Objective", "Told"]

LONGEST = 20
"""Evaluations that a run as long as the file may cost."""

Told = Callable[[int, str], None]
"""Told the number of networks' runs so far, and what they are for."""


@dataclass(frozen=True)
class Effort:
    """What one evaluation costs: networks x (warm-up + seconds) of simulated time."""

    networks: int = 12
    seconds: float = 5.0
    """Simulated time that is measured; less where the file is shorter."""
    warm_up_s: float = 1.0
    seed: int = 0

    def check(self) -> None:
        """Raise ConfigError for numbers that cannot be."""
        if not 3 <= self.networks <= 10_000:
            raise ConfigError("networks", self.networks, "3 to 10000")
        if not 0.1 <= self.seconds <= 10_000.0:
            raise ConfigError("seconds", self.seconds, "0.1 to 10000 s")
        if not 0.0 <= self.warm_up_s <= 10_000.0:
            raise ConfigError("warm_up_s", self.warm_up_s, "0 to 10000 s")


class Objective:
    """Features of a file, and those of networks of a scenario with given parameters."""

    def __init__(
        self, scenario: Scenario, axes: Sequence[Axis], observed: Series, effort: Effort, told: Told | None = None
    ) -> None:
        self.scenario, self.axes, self.effort = scenario, list(axes), effort
        self.evaluations = 0
        self.simulated = 0.0
        """Evaluations, a longer one counted as several."""
        self.wall_s = 0.0
        self._told = told or (lambda done, text: None)
        self._period_slots, self._periods = _time_grid(observed, effort, scenario.slot_s)
        period_s = self._period_slots * scenario.slot_s
        follows = abs(period_s - observed.period_s) < 0.01 * observed.period_s and self._periods > 1
        self._names = observed.names
        self.features = find_features(observed, changes=follows)
        _check_measured(scenario, observed)
        self.observed = observed
        self.target = take_features(observed, self.features).mean(axis=0)
        self._outcomes: dict[tuple[float, ...], FloatArray] = {}
        self._keep(np.isfinite(self.target))

    def drop_unmeasured(self) -> None:
        """Go on without the features that were not there in some of the networks so far."""
        self._keep(np.all([np.isfinite(values).all(axis=0) for values in self._outcomes.values()], axis=0))

    def _keep(self, kept: NDArray[np.bool_]) -> None:
        self.features = [feature for feature, keep in zip(self.features, kept, strict=True) if keep]
        self.target = self.target[kept]
        self._outcomes = {key: values[:, kept] for key, values in self._outcomes.items()}

    def changed(self, place: Sequence[float]) -> Scenario:
        """The scenario with the parameters at a place [P] of 0..1."""
        changes: dict[str, object] = {}
        for axis, at in zip(self.axes, place, strict=True):
            changes = merge(changes, axis.parameter.changes(self.scenario, axis.value(float(at))))
        return self.scenario.with_changes(changes)

    def run(self, scenario: Scenario, *, fresh: bool = False, long: bool = False, what: str = "") -> Series:
        """The KPMs of networks of that scenario.

        fresh: others than those that are fitted with; long: for as long as the file, at most LONGEST evaluations.
        """
        periods = self._periods
        if long:
            file_s = self.observed.num_periods * self.observed.period_s
            wanted = round(file_s / (self._period_slots * scenario.slot_s))
            periods = min(max(wanted, periods), LONGEST * periods)
        begin = time.perf_counter()
        found = run_series(
            scenario, self._names, seed=self.effort.seed, num_networks=self.effort.networks,
            first_network=self.effort.networks if fresh else 0,
            warm_slots=round(self.effort.warm_up_s / scenario.slot_s), period_slots=self._period_slots,
            periods=periods,
        )  # fmt: skip
        for name, values in found.cell.items():
            # A cell that the file knows nothing of is not compared, also not among all cells.
            values[..., ~np.isfinite(self.observed.cell[name]).any(axis=(0, 1))] = np.nan
        self.wall_s += time.perf_counter() - begin
        self.simulated += periods / self._periods
        self.evaluations += 1
        self._told(self.evaluations, what)
        return found

    def outcome(self, place: Sequence[float], what: str = "") -> FloatArray:
        """[B, F] features of the networks at a place, remembered; NaN where a network has nothing to measure."""
        key = tuple(round(float(at), 9) for at in place)
        if key not in self._outcomes:
            self._outcomes[key] = take_features(self.run(self.changed(key), what=what), self.features)
        return self._outcomes[key]

    def long_outcome(self, place: Sequence[float], what: str = "") -> FloatArray:
        """[B, F] features of networks that run as long as the file: how it scatters with its users and traffic."""
        return take_features(self.run(self.changed(place), long=True, what=what), self.features)

    def tried(self, centre: FloatArray, radius: float) -> tuple[FloatArray, FloatArray]:
        """The places [n, P] in a box that were tried so far, and their outcomes [n, B, F] without gaps."""
        places = np.array(list(self._outcomes))
        inside = np.all(np.abs(places - centre) <= radius + 1e-6, axis=1)
        outcomes = np.array(list(self._outcomes.values()))[inside]
        return places[inside], fill_gaps(outcomes.reshape(-1, len(self.features))).reshape(outcomes.shape)

    def units(self, outcomes: FloatArray) -> FloatArray:
        """[F] the unit of each feature's deviation, as networks scatter in outcomes [n, B, F]."""
        between = np.sqrt(outcomes.var(axis=1, ddof=1).mean(axis=0))
        return self.units_of(between, self.observed, self.target)

    def units_of(self, between: FloatArray, observed: Series, target: FloatArray) -> FloatArray:
        """[F] the same of features [F] of other periods; between: their standard deviation between networks."""
        sample = between**2 * (1.0 / observed.num_networks + 1.0 / self.effort.networks)
        seconds = observed.num_periods * observed.period_s * observed.num_networks
        return np.asarray(np.sqrt(sample + tolerances(self.features, target, seconds) ** 2))


def _time_grid(observed: Series, effort: Effort, slot_s: float) -> tuple[int, int]:
    """Slots of a period and periods of a run: the file's own, in at most `effort.seconds`."""
    seconds = min(effort.seconds, observed.num_periods * observed.period_s)
    period_s = min(observed.period_s, seconds)
    return max(1, round(period_s / slot_s)), max(1, math.floor(seconds / period_s + 1e-6))


def _check_measured(scenario: Scenario, observed: Series) -> None:
    """Refuse a scenario in which cannot happen what the file has."""
    if not scenario.rrc.measure_rsrp and kpm.UE_RSRP.name in observed.ue:
        raise ConfigError("rrc.measure_rsrp", False, f"true where the file has {kpm.UE_RSRP.name}")
    started = observed.cell.get(kpm.HANDOVERS_OUT.name)
    if scenario.rrc.handover.event == "none" and started is not None and np.nansum(started) > 0.0:
        raise ConfigError("rrc.handover.event", "none", f"a3 or a5 where the file has {kpm.HANDOVERS_OUT.name} above 0")
