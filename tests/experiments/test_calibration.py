"""Reliability of trust, on sums made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from ranpilot.experiments.calibration import BINS, calibration_error, measure_calibration
from ranpilot.experiments.design import Row
from ranpilot.experiments.results import CellResult

ROW = Row(label="guided", kind="aura", name="guided", block=0)


def _sums(**bins: tuple[float, float, float]) -> np.ndarray:
    """[3, BINS] from number, sum of trust and wins of the bins named `b<index>`."""
    sums = np.zeros((3, BINS))
    for name, values in bins.items():
        sums[:, int(name[1:])] = values
    return sums


def _cell(episodes: list[np.ndarray]) -> CellResult:
    records = [{"phase": "test", "calibration": sums.tolist()} for sums in episodes]
    return CellResult(ROW, "high", records, {})


def test_the_error_is_the_distance_of_trust_and_wins_weighted_by_answers() -> None:
    # 10 answers at trust 0.25 of which 4 won, 30 at trust 0.9 of which 15 won: (10 * 0.15 + 30 * 0.4) / 40
    assert calibration_error(_sums(b2=(10, 2.5, 4), b9=(30, 27, 15))) == pytest.approx(0.3375)
    assert calibration_error(_sums(b5=(8, 4.4, 4.4))) == pytest.approx(0.0)


def test_bins_hold_mean_trust_and_share_of_wins() -> None:
    found = measure_calibration(_cell([_sums(b2=(4, 1.0, 2)), _sums(b2=(6, 1.5, 2), b9=(30, 27, 15))]))
    assert found is not None
    assert found.answers == 40
    assert (found.bin_trust[2], found.bin_won[2]) == (0.25, 0.4)
    assert (found.bin_trust[9], found.bin_won[9]) == (0.9, 0.5)
    assert found.bin_trust[0] is None
    assert found.error.estimate == pytest.approx(0.3375)


def test_the_interval_covers_the_error_of_a_trust_that_is_too_sure() -> None:
    """Trust 0.9, true chance 0.6: the error is 0.3, and 60 episodes of 20 answers tell it to within 0.05."""
    rng = np.random.default_rng(3)
    wins = rng.binomial(20, 0.6, size=60)
    found = measure_calibration(_cell([_sums(b9=(20, 18, won)) for won in wins]))
    assert found is not None
    assert found.error.low < 0.3 < found.error.high
    assert found.error.high - found.error.low < 0.1


def test_a_cell_that_asked_nothing_has_no_calibration() -> None:
    assert measure_calibration(CellResult(ROW, "high", [{"phase": "test"}], {})) is None
    assert measure_calibration(_cell([_sums()])) is None
