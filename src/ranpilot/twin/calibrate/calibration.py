"""A scenario fitted to a file of KPMs: the fit on the first periods, the error on the last, which it never saw."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np

from ranpilot.declare import Measurement
from ranpilot.errors import ConfigError
from ranpilot.twin.calibrate.features import is_total, levels, take_features
from ranpilot.twin.calibrate.fit import Estimate, check_evidence, fit
from ranpilot.twin.calibrate.kpm_file import KpmFile
from ranpilot.twin.calibrate.objective import Effort, Objective, Told
from ranpilot.twin.calibrate.parameters import DEFAULT_FIT, make_axes, pick_parameters
from ranpilot.twin.calibrate.series import FloatArray
from ranpilot.twin.scenario import Scenario

__all__ = ["LEAST_PERIODS", "Calibration", "Level", "calibrate"]

LEAST_PERIODS = 8
"""Of a file that is fitted to."""


@dataclass(frozen=True)
class Level:
    """A KPM in the held-out periods: of the file, and of networks before and after the fit."""

    measurement: Measurement
    unit: str
    """Totals are a second."""
    file: FloatArray
    """[X] by cell (NaN where the file has none), or [1] the median over users"""
    before: FloatArray
    """[B, X]"""
    after: FloatArray
    """[B, X]"""


@dataclass(frozen=True)
class Calibration:
    """What a fit found."""

    scenario: Scenario
    """The fitted one."""
    given: Scenario
    """The one that was fitted."""
    source: str
    """The file."""
    estimates: tuple[Estimate, ...]
    error_before: float
    """Root mean square deviation of the unfitted scenario's features from those of the held-out periods."""
    error_after: float
    """The same of the fitted scenario; 1 is what other users and other traffic alone would make."""
    num_features: int
    levels: tuple[Level, ...]
    periods: tuple[int, int]
    """Fitted and held out."""
    effort: Effort
    evaluations: int
    seconds_per_evaluation: float
    """Of wall time."""

    def to_json(self) -> list[dict[str, Any]]:
        """A record for each parameter, for the error on the held-out periods, and for each KPM in them."""
        start = f"calibrate/{self.given.name}"
        run = {"seed": self.effort.seed, "threads": int(numba.config.NUMBA_NUM_THREADS)}
        records = []
        for estimate in self.estimates:
            parameter = estimate.axis.parameter
            name, n = f"{start}/{parameter.name}", self.effort.networks
            records.append(
                _record(name, estimate.value, parameter.unit, estimate.before, n=n)
                | run | {"low": _rounded(estimate.low), "high": _rounded(estimate.high)}
            )  # fmt: skip
        error = _record(f"{start}/held-out/error", self.error_after, "1", self.error_before, n=self.num_features)
        records.append(error | run)
        for level in self.levels:
            name = f"{start}/held-out/{level.measurement.name}"
            after, file = float(np.nanmean(level.after)), float(np.nanmean(level.file))
            record = _record(name, after, level.unit, file, n=self.periods[1])
            records.append(record | run | {"unfitted": _rounded(float(np.nanmean(level.before)))})
        cost = _record(f"{start}/evaluation", self.seconds_per_evaluation, "s", None, n=self.evaluations)
        return [*records, cost | run]

    def tables(self) -> dict[str, list[list[str]]]:
        """Header and lines: the parameters, and the KPMs in the held-out periods."""
        parameters = [["parameter", "stands in", "unit", "before", "fitted", "95 % interval"]]
        for estimate in self.estimates:
            parameter = estimate.axis.parameter
            numbers = [f"{estimate.before:.4g}", f"{estimate.value:.4g}", f"{estimate.low:.4g} to {estimate.high:.4g}"]
            parameters.append([parameter.name, parameter.field, parameter.unit, *numbers])
        kpms = [["KPM", "unit", "file", "before", "fitted"]]
        for level in self.levels:
            means = (float(np.nanmean(level.file)), float(np.nanmean(level.before)), float(np.nanmean(level.after)))
            kpms.append([level.measurement.name, level.unit, *(f"{mean:.4g}" for mean in means)])
        return {"parameters": parameters, "held-out periods": kpms}

    def summary(self) -> str:
        """The errors and the cost in two lines."""
        fitted, rest = self.periods
        networks, seconds = self.effort.networks, self.effort.seconds
        return (
            f"error on the {rest} periods held out: {self.error_before:.3g} before, {self.error_after:.3g} fitted "
            f"(root mean square of {self.num_features} deviations; 1 is what other users and traffic alone make)\n"
            f"{fitted} periods fitted, {self.evaluations} runs of {networks} networks x at most {seconds:g} s, "
            f"{self.seconds_per_evaluation:.2g} s each"
        )


def calibrate(
    scenario: Scenario, file: KpmFile, *, names: Sequence[str] = DEFAULT_FIT, effort: Effort | None = None,
    held_out: float = 0.25, told: Told | None = None,
) -> Calibration:  # fmt: skip
    """Fit parameters of a scenario to a file and hold the result against periods that the fit did not see.

    held_out: share of the periods, the last ones. Raises ConfigError for what cannot be, IdentificationError for a
    parameter that the file cannot tell.
    """
    effort = effort or Effort()
    effort.check()
    fitted_periods = _split(file, held_out)
    axes = make_axes(pick_parameters(names), scenario)
    check_evidence(axes, file.series.names, file.source)
    objective = Objective(scenario, axes, file.series.part(slice(0, fitted_periods)), effort, told)
    estimates = fit(objective, file.source)
    fitted = _fitted(scenario, estimates)
    return _held_out(objective, file, fitted_periods, fitted, estimates)


def _split(file: KpmFile, held_out: float) -> int:
    """Periods that are fitted. Raises ConfigError."""
    if not 0.05 <= held_out <= 0.75:
        raise ConfigError("held_out", held_out, "0.05 to 0.75")
    total = file.series.num_periods
    if total < LEAST_PERIODS:
        raise ConfigError(
            "periods", total, f"at least {LEAST_PERIODS} to fit to some and hold out others", source=file.source
        )
    return total - max(2, round(held_out * total))


def _fitted(scenario: Scenario, estimates: Sequence[Estimate]) -> Scenario:
    changed = scenario
    for estimate in estimates:
        changed = changed.with_changes(estimate.axis.parameter.changes(changed, estimate.value))
    return changed


def _held_out(
    objective: Objective, file: KpmFile, fitted_periods: int, fitted: Scenario, estimates: list[Estimate]
) -> Calibration:
    """Both scenarios in networks that the fit never ran, against periods that it never saw."""
    rest = file.series.part(slice(fitted_periods, None))
    runs = [objective.run(each, fresh=True, what="held-out periods") for each in (objective.scenario, fitted)]
    before, after = (take_features(run, objective.features) for run in runs)  # [B, F]
    target = take_features(rest, objective.features).mean(axis=0)
    has = np.isfinite(target) & np.isfinite(before).all(axis=0) & np.isfinite(after).all(axis=0)
    unit = objective.units_of(after.std(axis=0, ddof=1), rest, target)
    errors = [_root_mean_square(((values.mean(axis=0) - target) / unit)[has]) for values in (before, after)]
    shown = (levels(rest), *(levels(run) for run in runs))
    return Calibration(
        scenario=fitted,
        given=objective.scenario,
        source=file.source,
        estimates=tuple(estimates),
        error_before=errors[0],
        error_after=errors[1],
        num_features=int(has.sum()),
        levels=tuple(
            Level(kpm, _unit(kpm), values.mean(axis=0), shown[1][kpm], shown[2][kpm])
            for kpm, values in shown[0].items()
            if all(np.isfinite(part).any() for part in (values.mean(axis=0), shown[1][kpm], shown[2][kpm]))
        ),
        periods=(fitted_periods, rest.num_periods),
        effort=objective.effort,
        evaluations=objective.evaluations,
        seconds_per_evaluation=objective.wall_s / objective.simulated,
    )


def _unit(measurement: Measurement) -> str:
    return f"{measurement.unit}/s" if is_total(measurement) else measurement.unit


def _root_mean_square(deviation: FloatArray) -> float:
    return math.sqrt(float((deviation**2).mean()))


def _record(name: str, value: float, unit: str, reference: float | None, *, n: int) -> dict[str, Any]:
    difference = None if reference is None else _rounded(value - reference)
    known = None if reference is None else _rounded(reference)
    return {"name": name, "value": _rounded(value), "unit": unit, "reference": known, "difference": difference, "n": n}


def _rounded(value: float) -> float:
    """Six digits: more would differ between machines."""
    return float(f"{value:.6g}")
