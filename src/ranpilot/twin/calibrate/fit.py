"""The fit: the place of least deviation, how well the file pins it down, and what it cannot tell.

With A = (J'WJ)^-1 J'W at the estimate (J slopes of the features, W their weights) a deviation d of the features moves
the estimate by A d. So the features of each of the networks, run as long as the file, less their mean, give as many
draws of how the estimate scatters when users and traffic are others; the same with the file's own blocks of time; the
larger counts, with what the number of networks leaves, times Student's quantile.
A parameter is refused where no slope of it is clear of scatter, or where its interval covers most of its range.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t

from ranpilot.errors import IdentificationError
from ranpilot.twin.calibrate.features import fill_gaps, take_features
from ranpilot.twin.calibrate.objective import Objective
from ranpilot.twin.calibrate.parameters import Axis
from ranpilot.twin.calibrate.search import search
from ranpilot.twin.calibrate.series import FloatArray

__all__ = ["Estimate", "check_evidence", "deviations", "fit"]

WIDEST = 0.7
"""An interval that covers more of the range tells nothing."""
CONFIDENCE = 0.95
MOST_BLOCKS = 8


@dataclass(frozen=True)
class Estimate:
    """A fitted parameter with its interval."""

    axis: Axis
    before: float
    """In the scenario as it was given."""
    value: float
    low: float
    high: float


def check_evidence(axes: Sequence[Axis], names: Sequence[str], source: str) -> None:
    """Refuse a parameter of which the file holds no KPM that could tell it. Raises IdentificationError."""
    for axis in axes:
        wanted = [measurement.name for measurement in axis.parameter.evidence]
        if not set(wanted) & set(names):
            raise IdentificationError(axis.parameter.name, source, "it holds no KPM that does", _remedy(axis, axes))


def fit(objective: Objective, source: str) -> list[Estimate]:
    """The parameters with which networks come closest to the file. Raises IdentificationError."""
    axes = objective.axes
    before = [axis.parameter.read(objective.scenario) for axis in axes]
    found = search(objective, np.array([axis.place(value) for axis, value in zip(axes, before, strict=True)]))
    outcome = objective.outcome(found.place.tolist(), "estimate")
    as_long = objective.long_outcome(found.place.tolist(), "as long as the file")
    blocks, file_networks = _block_features(objective), objective.observed.num_networks
    half = deviations(found.slopes, found.weight, outcome, as_long, blocks, file_networks)
    half *= float(t.ppf(0.5 + 0.5 * CONFIDENCE, objective.effort.networks - 1))
    told = np.abs(found.slopes * found.weight[:, None]).sum(axis=0) > 0.0
    estimates = []
    for axis, old, at, wide, has in zip(axes, before, found.place, half, told, strict=True):
        low, high = axis.value(max(at - wide, 0.0)), axis.value(min(at + wide, 1.0))
        estimates.append(Estimate(axis, old, axis.value(float(at)), low, high))
        _check_told(estimates[-1], bool(has), float(wide), source, axes)
    return estimates


def deviations(
    slopes: FloatArray, weight: FloatArray, outcome: FloatArray, as_long: FloatArray, blocks: FloatArray,
    file_networks: int,
) -> FloatArray:  # fmt: skip
    """[P] standard deviation of the estimate.

    slopes: [F, P]; weight: [F]; outcome: [B, F] of the networks; as_long: [B, F] of networks that ran as long as the
    file; blocks: [K, F] of the file's blocks of time.
    """
    moves = np.linalg.pinv(slopes * np.sqrt(weight)[:, None]) * np.sqrt(weight)  # [P, F]

    def variance(features: FloatArray) -> FloatArray:
        return np.asarray((fill_gaps(features) @ moves.T).var(axis=0, ddof=1))

    of_file = variance(as_long) / file_networks
    if len(blocks) > 1:
        of_file = np.maximum(of_file, variance(blocks) / len(blocks))
    return np.asarray(np.sqrt(of_file + variance(outcome) / len(outcome)))


def _check_told(estimate: Estimate, has: bool, half: float, source: str, axes: Sequence[Axis]) -> None:
    """Refuse an estimate that the file does not carry. Raises IdentificationError."""
    axis, parameter = estimate.axis, estimate.axis.parameter
    if not has:
        reason = "what it holds does not change with it"
    elif 2.0 * half > WIDEST:
        unit = f" {parameter.unit}".removesuffix(" 1")
        reason = f"anything from {estimate.low:.3g} to {estimate.high:.3g}{unit} fits"
    else:
        return
    raise IdentificationError(parameter.name, source, reason, _remedy(axis, axes))


def _block_features(objective: Objective) -> FloatArray:
    """[K, F] of the file's blocks of time, networks averaged."""
    observed = objective.observed
    num_blocks = min(MOST_BLOCKS, observed.num_periods // 2)
    edges = np.linspace(0, observed.num_periods, num_blocks + 1).astype(int)
    blocks = [observed.part(slice(low, high)) for low, high in itertools.pairwise(edges)]
    return np.array([take_features(block, objective.features).mean(axis=0) for block in blocks])


def _remedy(axis: Axis, axes: Sequence[Axis]) -> str:
    """What the file would have to hold, or what to leave out."""
    names = [measurement.name for measurement in axis.parameter.evidence]
    wanted = f"it would have to hold {', '.join(names[:-1])} or {names[-1]}"
    rest = [other.parameter.name for other in axes if other is not axis]
    return f"{wanted}, more of it, or the fit leave it out" + (f" (--fit {','.join(rest)})" if rest else "")
