"""What is measured of a slice is its own: from when it came until it left, by its name and S-NSSAI, never of two."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ranpilot.experiments.kpm_files import read_kpms, write_kpms
from ranpilot.twin import Networks, kpm, slice_columns, state
from ranpilot.twin.calibrate.kpm_file import read_kpm_file
from ranpilot.twin.recording import kpm_table, measure_periods
from ranpilot.twin.scenario import Scenario

MakeScenario = Callable[..., Scenario]

BLOCK = 1000
SNSSAIS = {"films": "1", "cranes": "2-00abcd", "meters": "3"}
OF_SLICES = [measurement for measurement in kpm.MEASUREMENTS if measurement.scope == "slice"]


def changing(make_scenario: MakeScenario, **turnover: Any) -> Scenario:
    """Two cells; tenants take turns on one seat, each for about a second."""
    tenants = [
        {"name": "films", "share": 0.4, "traffic": ["web"]},
        {"name": "cranes", "sst": 2, "sd": "00abcd", "share": 0.3, "traffic": ["web"], "sla": {"delay_ms": 3}},
        {"name": "meters", "sst": 3, "share": 0.2, "traffic": ["web"]},
    ]
    calm = {"least": 0, "most": 1, "first": 1, "mean_stay_s": 1.0, "mean_gap_s": 0.5, **turnover}
    return make_scenario(
        {
            "users": {"population": {"kind": "static", "ues_per_cell": 10}},
            "radio": {"shadowing": False, "line_of_sight": "always", "fading": False},
            "traffic": {"mix": [{"name": "web", "kind": "poisson", "mean_rate_bps": 5e5}]},
            "slices": {"tenants": tenants, "turnover": calm},
        }
    )


def blockwise(networks: Networks, blocks: int) -> list[Any]:
    """Counters at the begin of each block and at the end."""
    seen = [networks.counters()]
    for _ in range(blocks):
        networks.advance(BLOCK)
        seen.append(networks.counters())
    return seen


def test_a_window_over_a_change_of_hands_is_of_who_came_since_it_came(make_scenario: MakeScenario) -> None:
    networks = Networks(changing(make_scenario), 12, seed=5)
    seen = blockwise(networks, 6)
    since, tenant = networks.slices.since_slot[:, 0], networks.slices.tenant[:, 0]
    stays, values = networks.stays(), networks.measure()
    has_come = (since > 0) & (tenant >= 0)
    assert has_come.sum() > 3 and (tenant < 0).any()
    np.testing.assert_array_equal(stays.start_s[:, 0], since * 1e-3)
    np.testing.assert_array_equal(stays.end_s, 6.0)
    serving = networks.ues.serving_cell
    for b in np.nonzero(has_come)[0]:
        slots = 6 * BLOCK - since[b]
        then = seen[since[b] // BLOCK]
        counted = (seen[-1].slices - then.slices)[b, :, 0]
        assert then.slices[b, :, 0, slice_columns.SLICE_BITS_OUT].sum() > 0, "somebody had the seat before"
        for of, column, scale in (
            (kpm.SLICE_VOLUME, slice_columns.SLICE_BITS_OUT, 1e-6),
            (kpm.SLICE_OFFERED, slice_columns.SLICE_BITS_IN, 1e-6),
            (kpm.SLICE_PRB_MEAN, slice_columns.SLICE_PRBS, 1.0 / slots),
            (kpm.SLICE_CONNECTED_MEAN, slice_columns.SLICE_CONNECTED_SUM, 1.0 / slots),
        ):
            np.testing.assert_allclose(values[of.name][b, :, 0], counted[:, column] * scale, err_msg=of.name)
        members = networks.slices.num_members[b, 0]
        np.testing.assert_allclose(values[kpm.SLICE_CONNECTED_MEAN.name][b].sum(), members)
        of_ue = (seen[-1].ue - then.ue)[b]
        rate = of_ue[:, state.UE_BITS_OUT] / np.maximum(of_ue[:, state.UE_BUSY_SLOTS], 1)
        mine = (networks.ues.seat[b] == 0) & (of_ue[:, state.UE_BUSY_SLOTS] > 0)
        for cell in range(2):
            if (mine & (serving[b] == cell)).any():
                least = rate[mine & (serving[b] == cell)].min()
                np.testing.assert_allclose(values[kpm.SLICE_THROUGHPUT_P5.name][b, cell, 0], least)
    for measurement in OF_SLICES:
        assert (values[measurement.name][tenant < 0] == 0).all(), measurement.name


def test_the_delays_of_a_slice_are_of_its_own_packets(make_scenario: MakeScenario) -> None:
    """Who comes after one that waited long has none of its delays."""
    networks = Networks(changing(make_scenario), 12, seed=5)
    networks._state.slice_delay[:, :, 0, 200] += 1_000_000
    networks.advance(6 * BLOCK)
    has_come = (networks.slices.since_slot[:, 0] > 0) & (networks.slices.tenant[:, 0] >= 0)
    slow = networks.measure()[kpm.SLICE_DELAY_P95.name][:, :, 0]
    assert (slow[has_come] < 1000).all() and (slow[~has_come & (networks.slices.since_slot[:, 0] == 0)] > 1e4).all()


def test_a_frame_names_tenants_and_leaves_free_seats_out(make_scenario: MakeScenario) -> None:
    networks = Networks(changing(make_scenario), 12, seed=5, first_network=3)
    networks.advance(3 * BLOCK)
    stays = networks.stays()
    frame = networks.measure_frame()
    rows = frame[frame["scope"] == "slice"]
    tenant = networks.slices.tenant[:, 0]
    assert (tenant >= 0).any() and (tenant < 0).any()
    assert set(rows["network"]) == {3 + b for b in np.nonzero(tenant >= 0)[0]}
    names = list(SNSSAIS)
    for b in np.nonzero(tenant >= 0)[0]:
        own = rows[rows["network"] == 3 + b]
        assert set(own["slice_name"]) == {names[tenant[b]]} and set(own["snssai"]) == {SNSSAIS[names[tenant[b]]]}
        assert set(own["start_s"]) == {stays.start_s[b, 0]} and set(own["end_s"]) == {3.0}
        assert len(own) == 2 * len(OF_SLICES)
    others = frame[frame["scope"] != "slice"]
    assert set(others["slice_name"]) == set(others["snssai"]) == {""}
    assert set(others["start_s"]) == {0.0} and set(others["slice"]) == {-1}


@pytest.fixture
def table(make_scenario: MakeScenario) -> pd.DataFrame:
    return kpm_table(Networks(changing(make_scenario), 12, seed=5), seconds=7.0, period_s=3.5)


def test_a_table_has_a_row_for_each_stay_with_its_own_times(make_scenario: MakeScenario, table: pd.DataFrame) -> None:
    rows = table[table["kpm"] == kpm.SLICE_VOLUME.name]
    networks = Networks(changing(make_scenario), 12, seed=5)
    there: dict[tuple[int, str, float], float] = {}
    for block in range(7):
        # In the middle of each block, between which seats turn; a period ends in the middle of the fourth.
        networks.advance(500)
        for b in range(12):
            who = networks.slices.tenant[b, 0]
            since = networks.slices.since_slot[b, 0] * 1e-3
            if who >= 0:
                for first, last in ((0.0, 3.5), (3.5, 7.0)):
                    start, end = max(since, first, block), min(last, block + 1.0)
                    if start < end:
                        key = (b, list(SNSSAIS)[who], max(since, first))
                        there[key] = end
        networks.advance(500)
    found = rows.drop_duplicates(["network", "start_s"]).set_index(["network", "slice_name", "start_s"])["end_s"]
    assert found.to_dict() == there
    assert not rows.duplicated(["network", "cell", "start_s"]).any()
    assert (found != 3.5).sum() - (found == 7.0).sum() > 3, "slices that left within a period"
    # All that was delivered was of a slice, and each bit of one.
    of_cells = table[table["kpm"] == kpm.VOLUME.name]
    np.testing.assert_allclose(
        rows.groupby(["network", "cell"])["value"].sum(), of_cells.groupby(["network", "cell"])["value"].sum()
    )


def test_a_mean_of_a_part_of_a_period_is_over_that_part(make_scenario: MakeScenario, table: pd.DataFrame) -> None:
    rows = table[table["kpm"] == kpm.SLICE_CONNECTED_MEAN.name]
    members = rows.groupby(["network", "slice_name", "start_s"])["value"].sum()
    expected = {"films": 8, "cranes": 6, "meters": 4}
    for (_, name, _), value in members.items():
        assert value == pytest.approx(expected[name])


def test_a_table_with_slices_survives_its_files_and_is_one_to_calibrate_by(
    make_scenario: MakeScenario, table: pd.DataFrame, tmp_path: Path
) -> None:
    for name in ("a.csv", "a.parquet"):
        write_kpms(table, tmp_path / name)
        pd.testing.assert_frame_equal(read_kpms(tmp_path / name), table, check_exact=True)
        cells = [cell.name for cell in changing(make_scenario).cells]
        read = read_kpm_file(tmp_path / name, cells)
        np.testing.assert_allclose(read.series.end_s, [3.5, 7.0])


def test_copies_and_resumed_networks_measure_the_same(make_scenario: MakeScenario) -> None:
    networks = Networks(changing(make_scenario), 6, seed=5)
    networks.advance(3 * BLOCK + 200)
    fork, resumed = networks.fork(1), Networks(networks.scenario, 6, seed=1)
    resumed.restore(networks.snapshot())
    values = [each.measure() for each in (networks, fork, resumed)]
    for measurement in OF_SLICES:
        for other in values[1:]:
            np.testing.assert_array_equal(other[measurement.name], values[0][measurement.name])
    networks.reset()
    networks.advance(100)
    assert (networks.stays().start_s == 0.0).all()


def test_slices_that_stay_are_measured_over_the_whole_period(make_scenario: MakeScenario) -> None:
    scenario = changing(make_scenario, mean_stay_s=80_000.0)
    networks = Networks(scenario, 2, seed=1)
    for period in measure_periods(networks, 1.5, 2):
        assert period.left == ()
        np.testing.assert_array_equal(period.stays.start_s, period.start_s)
