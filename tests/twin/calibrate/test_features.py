"""What of KPMs is compared, on series made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from ranpilot.twin import kpm
from ranpilot.twin.calibrate import Series
from ranpilot.twin.calibrate.features import COUNT_UNIT, Feature, find_features, is_total, levels, take_features


def series(period_s: float = 0.5, **changes: np.ndarray) -> Series:
    """One network, two cells, two users, four periods with one left out before the last."""
    values = {
        kpm.PRB_USE.name: np.array([[[10.0, 50.0]], [[20.0, 60.0]], [[30.0, np.nan]], [[40.0, np.nan]]]),
        kpm.HANDOVERS_OUT.name: np.array([[[0.0, 2.0]], [[4.0, 0.0]], [[0.0, 0.0]], [[0.0, 0.0]]]),
        kpm.CQI_MEAN.name: np.array([[[9.0, 9.0]], [[11.0, 9.0]], [[8.0, 9.0]], [[1.0, 9.0]]]),
    } | changes
    users = {
        kpm.UE_SINR.name: np.array([[[5.0, np.nan]], [[6.0, 10.0]], [[8.0, 10.0]], [[20.0, 10.0]]]),
        kpm.UE_THROUGHPUT.name: np.array([[[0.0, 0.0]], [[100.0, 0.0]], [[300.0, 0.0]], [[100.0, 0.0]]]),
    }
    return Series(period_s, np.array([1.0, 1.5, 2.0, 3.0]), values, users)


def test_features_are_means_percentiles_and_changes_on_their_scales() -> None:
    found = series()
    features = find_features(found, changes=True)
    values = dict(zip(features, take_features(found, features)[0], strict=True))
    assert values[Feature(kpm.PRB_USE, 0, "mean")] == 25
    assert values[Feature(kpm.PRB_USE, 1, "mean")] == 55
    # A mean of 1 a period in one cell and of 0.5 in the other, periods of half a second.
    assert values[Feature(kpm.HANDOVERS_OUT, None, "mean")] == pytest.approx(np.sqrt(0.75 / 0.5))
    # The last period is two periods after the one before: no change is seen across the gap.
    assert values[Feature(kpm.CQI_MEAN, 0, "change1")] == pytest.approx(np.median([2, 3]))
    assert values[Feature(kpm.UE_SINR, None, "change1")] == pytest.approx(np.median([1, 2, 0]))
    assert values[Feature(kpm.UE_SINR, None, "p50")] == 10
    # The second user is not there in the first period: all that is known of it is zero or not known.
    assert values[Feature(kpm.UE_THROUGHPUT, None, "p50")] == pytest.approx(np.log1p(0.0))
    assert values[Feature(kpm.UE_THROUGHPUT, None, "p90")] == pytest.approx(
        np.log1p(np.percentile([0, 100, 300, 100, 0, 0, 0], 90))
    )
    assert np.isnan(values[Feature(kpm.UE_SINR, None, "change4")]), "no two values are four periods apart"
    assert {feature.kind for feature in find_features(found, changes=False)} == {"mean", "p10", "p50", "p90"}


def test_a_duration_of_zero_is_one_of_nothing() -> None:
    times = np.array([[[0.0, 20.0]], [[0.0, 40.0]], [[60.0, 0.0]], [[0.0, 0.0]]])
    found = series(**{kpm.HANDOVER_TIME.name: times, kpm.REESTABLISHMENT_TIME.name: 0.0 * times})
    features = [Feature(kpm.HANDOVER_TIME, cell, "mean") for cell in (0, 1)]
    np.testing.assert_allclose(take_features(found, features)[0], np.log1p([60.0, 30.0]))
    assert np.isnan(take_features(found, [Feature(kpm.REESTABLISHMENT_TIME, 0, "mean")])).all()
    assert levels(found)[kpm.HANDOVER_TIME].tolist() == [[60.0, 30.0]]


def test_totals_do_not_depend_on_the_period() -> None:
    twice = {kpm.HANDOVERS_OUT.name: 2 * series().cell[kpm.HANDOVERS_OUT.name]}
    short, long = levels(series(0.5)), levels(series(1.0, **twice))
    np.testing.assert_allclose(short[kpm.HANDOVERS_OUT], long[kpm.HANDOVERS_OUT])
    np.testing.assert_allclose(short[kpm.PRB_USE], long[kpm.PRB_USE])


def test_what_adds_up_over_time_is_known_by_its_unit() -> None:
    totals = {measurement.name for measurement in kpm.MEASUREMENTS if is_total(measurement)}
    assert {"DRB.PdcpSduVolumeDL", "MM.HoExeInterSucc", "TB.TotNbrDl", "RP.RadioLinkFailures.UE"} <= totals
    assert not totals & {"RRU.PrbTotDl", "DRB.UEThpDl", "RRC.ConnMean", "DRB.RlcPacketDropRateDl"}
    assert all(m.unit != COUNT_UNIT or m.low == 0.0 for m in kpm.MEASUREMENTS)
