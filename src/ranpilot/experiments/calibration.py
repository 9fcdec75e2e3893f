"""Is trust what it says? Trust in advice beside how often that advice was better than the own choice.

At a small share of the disagreements of the test a what-if finds out which of the two was better (`CountsCalibration`).
The calibration error is the mean distance between trust and share of wins over the bins, weighted by their numbers
(Naeini et al., "Obtaining well calibrated probabilities using Bayesian binning", AAAI 2015). Its interval is a
bootstrap over test episodes; an error of few answers is biased upwards, so the number of answers stands beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ranpilot.envs.controller import FloatArray
from ranpilot.experiments.results import CellResult
from ranpilot.experiments.statistics import RESAMPLES, Interval, divide, percentile_interval

__all__ = ["BINS", "Calibration", "calibration_error", "measure_calibration"]

BINS = 10
COUNT, TRUST, WINS = range(3)


@dataclass(frozen=True)
class Calibration:
    """Trust of one row at one load against what the advice was worth."""

    answers: int
    """What-ifs without a tie."""
    error: Interval
    bin_count: list[int]
    bin_trust: list[float | None]
    """Mean trust in each bin; None where it is empty."""
    bin_won: list[float | None]
    """Share of the advice in each bin that was better than the own choice."""


def measure_calibration(cell: CellResult) -> Calibration | None:
    """Reliability of the trust in a cell's test episodes; None where nothing was found out."""
    sums = cell.calibration()
    if sums is None or sums[:, COUNT].sum() == 0:
        return None
    total = sums.sum(axis=0)
    picked = np.random.default_rng(0).integers(0, len(sums), size=(RESAMPLES, len(sums)))
    drawn = np.array([calibration_error(sums[rows].sum(axis=0)) for rows in picked])
    count = total[COUNT]
    return Calibration(
        answers=int(count.sum()),
        error=percentile_interval(calibration_error(total), drawn[np.isfinite(drawn)], len(sums)),
        bin_count=[int(number) for number in count],
        bin_trust=_or_none(divide(total[TRUST], count)),
        bin_won=_or_none(divide(total[WINS], count)),
    )


def calibration_error(sums: FloatArray) -> float:
    """Mean distance between trust and share of wins, over the answers of [3, BINS] sums; NaN without any."""
    return float(divide(np.abs(sums[WINS] - sums[TRUST]).sum(), sums[COUNT].sum()))


def _or_none(values: FloatArray) -> list[float | None]:
    return [None if np.isnan(value) else round(float(value), 4) for value in values]
