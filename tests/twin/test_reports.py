"""Stale and missing reports: what controllers get, how old they know it to be, and that the truth stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ranpilot.twin import Networks, kpm
from ranpilot.twin.controls import FORCED_HANDOVER
from ranpilot.twin.reports import FINE, MISSING, STALE, Reports, report_faults
from ranpilot.twin.scenario import Scenario

MakeScenario = Callable[..., Scenario]


def failing(make_scenario: MakeScenario, *events: tuple[str, str, float, float]) -> Scenario:
    """Kind, cell, start and duration of each event."""
    schedule = [{"kind": k, "cell": c, "start_s": start_s, "duration_s": s} for k, c, start_s, s in events]
    return make_scenario({"events": {"schedule": schedule}})


def test_a_stale_report_is_the_last_from_before_the_event_once_more(make_scenario: MakeScenario) -> None:
    networks = Networks(failing(make_scenario, ("stale-kpm", "a", 0.25, 0.25)), 3, seed=1)
    reports, plain = Reports(networks), networks.fork(1)
    seen = []
    for _ in range(6):
        networks.advance(100)
        plain.advance(100)
        seen.append(reports.measure())
        for name, value in plain.measure().items():
            np.testing.assert_array_equal(seen[-1].truth[name], value)
    faults = [STALE if ms in (300, 400) else FINE for ms in range(100, 700, 100)]
    assert [report.fault[0, 0] for report in seen] == faults
    assert all((report.fault[:, 1] == FINE).all() for report in seen)
    np.testing.assert_allclose([report.age_s[0] for report in seen], [[a, 0] for a in (0, 0, 0.1, 0.2, 0, 0)])
    for now, fault in enumerate(faults):
        then = 1 if fault == STALE else now
        for measurement in kpm.MEASUREMENTS:
            reported, truth, old = (
                values[measurement.name] for values in (seen[now].values, seen[now].truth, seen[then].truth)
            )
            if measurement.scope in ("cell", "slice"):
                np.testing.assert_array_equal(reported[:, 0], old[:, 0])
                np.testing.assert_array_equal(reported[:, 1], truth[:, 1])
            else:
                in_a = networks.ues.serving_cell == 0
                np.testing.assert_array_equal(reported[in_a], old[in_a])
                np.testing.assert_array_equal(reported[~in_a], truth[~in_a])
    assert not np.array_equal(seen[2].values[kpm.VOLUME.name][:, 0], seen[2].truth[kpm.VOLUME.name][:, 0])


def test_a_missing_report_is_nan_for_the_cell_and_its_users_and_for_nobody_else(make_scenario: MakeScenario) -> None:
    networks = Networks(failing(make_scenario, ("missing-kpm", "b", 0.0, 0.2), ("stale-kpm", "b", 0.0, 0.3)), 2, seed=1)
    reports = Reports(networks)
    for ms, fault, age_s in ((100, MISSING, np.inf), (200, STALE, np.inf), (300, FINE, 0.0), (400, FINE, 0.0)):
        networks.advance(100)
        report = reports.measure()
        assert (report.fault[:, 1] == fault).all() and (report.age_s[:, 1] == age_s).all(), ms
        in_b = networks.ues.serving_cell == 1
        for measurement in kpm.MEASUREMENTS:
            value, truth = report.values[measurement.name], report.truth[measurement.name]
            is_b = in_b if measurement.scope in ("ue", "link") else np.broadcast_to([False, True], (2, 2))
            np.testing.assert_array_equal(value[~is_b], truth[~is_b])
            # Before the first report there is nothing to repeat.
            if fault == FINE:
                np.testing.assert_array_equal(value[is_b], truth[is_b])
            else:
                assert np.isnan(value[is_b]).all()


def test_a_user_who_was_not_in_the_stale_report_is_not_in_it_again(make_scenario: MakeScenario) -> None:
    networks = Networks(failing(make_scenario, ("stale-kpm", "a", 0.15, 0.6)), 2, seed=1)
    reports = Reports(networks)
    networks.advance(100)
    reports.measure()
    moved = networks.ues.serving_cell == 1
    networks.apply({FORCED_HANDOVER: np.where(moved, 0, -1)})
    networks.advance(200)
    report = reports.measure()
    stayed = ~moved & (networks.ues.serving_cell == 0)
    moved &= networks.ues.serving_cell == 0
    assert moved.any() and stayed.any()
    throughput = report.values[kpm.UE_THROUGHPUT.name]
    assert np.isnan(throughput[moved]).all() and not np.isnan(throughput[stayed]).any()
    assert (report.truth[kpm.UE_THROUGHPUT.name][moved] >= 0).all()


def test_faults_are_only_those_in_force_and_copies_have_reports_of_their_own(make_scenario: MakeScenario) -> None:
    networks = Networks(failing(make_scenario, ("missing-kpm", "a", 0.2, 0.1)), 2, seed=1)
    reports = Reports(networks)
    networks.advance(150)
    reports.measure()
    forks = networks.fork(2)
    copies = reports.of(forks, np.array([0, 0, 1, 1]))
    for slot, fault in ((150, FINE), (199, FINE), (200, MISSING), (299, MISSING), (300, FINE)):
        networks.advance(slot - networks.slot)
        assert (report_faults(networks) == [fault, FINE]).all()
    forks.advance(100)
    report = copies.measure()
    np.testing.assert_allclose(report.age_s, [[0.1, 0.0]] * 4)
    assert np.isnan(report.values[kpm.PRB_USE.name][:, 0]).all()
    # A copy with a fresh future does not know that reports will fail.
    unaware: Any = Networks(networks.scenario, 1, seed=1).fork(1, future="fresh")
    unaware.advance(250)
    assert (report_faults(unaware) == FINE).all()
