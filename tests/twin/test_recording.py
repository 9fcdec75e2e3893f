"""Networks that run and are measured period by period."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from ranpilot.errors import ConfigError
from ranpilot.twin import Networks
from ranpilot.twin.kpm import (
    BLOCKS,
    CQI_HISTOGRAM,
    MCS_HISTOGRAM,
    PACKET_DELAY,
    PRB_MEAN,
    PRB_USE,
    UE_VOLUME,
    VOLUME,
)
from ranpilot.twin.recording import (
    Period,
    Recording,
    cell_measurements,
    kpm_table,
    measure_periods,
    record,
)
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.scenario_file import load_scenario


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario("two-cell").with_load("low")


@pytest.fixture(scope="module")
def found(scenario: Scenario) -> Recording:
    return record(scenario, seconds=0.6, num_networks=3, seed=5, period_s=0.2, warm_up_s=0.1)


def test_every_period_has_every_measurement_of_a_cell(found: Recording) -> None:
    assert found.cell_names == ("rural", "urban")
    np.testing.assert_allclose(found.end_s, [0.3, 0.5, 0.7])
    assert set(found.series) == set(found.total) == {measurement.name for measurement in cell_measurements()}
    for name, values in found.series.items():
        assert values.shape == (3, 3, 2), name
        assert found.total[name].shape == (3, 2), name
    assert (found.num_networks, found.recorded_s) == (3, pytest.approx(0.6))


def test_the_total_is_over_all_periods_together(found: Recording, scenario: Scenario) -> None:
    np.testing.assert_allclose(found.total[VOLUME.name], found.series[VOLUME.name].sum(axis=0))
    np.testing.assert_allclose(found.total[BLOCKS.name], found.series[BLOCKS.name].sum(axis=0))
    np.testing.assert_allclose(found.total[PRB_USE.name], found.series[PRB_USE.name].mean(axis=0))
    # A mean over packets is not the mean of the periods' means.
    assert not np.allclose(found.total[PACKET_DELAY.name], found.series[PACKET_DELAY.name].mean(axis=0))
    networks = Networks(scenario, 3, 5)
    networks.advance(100)
    networks.measure()
    networks.advance(600)
    np.testing.assert_array_equal(found.total[PACKET_DELAY.name], networks.measure()[PACKET_DELAY.name])


def test_a_mark_leaves_the_windows_of_measure_alone(scenario: Scenario) -> None:
    networks, plain = Networks(scenario, 1, 2), Networks(scenario, 1, 2)
    begin = networks.mark()
    for _ in range(2):
        networks.advance(100)
        networks.measure(since=begin)
        plain.advance(100)
    np.testing.assert_array_equal(networks.measure()[VOLUME.name], plain.measure()[VOLUME.name])
    networks.advance(100)
    assert networks.measure(since=begin)[VOLUME.name].sum() > networks.measure()[VOLUME.name].sum() > 0


def test_the_run_stops_where_it_is_told_to(scenario: Scenario) -> None:
    seen: list[Period] = []

    def stop_after_two(period: Period) -> bool:
        seen.append(period)
        return len(seen) < 2

    found = record(scenario, seconds=1.0, num_networks=1, period_s=0.1, warm_up_s=0.0, each=stop_after_two)
    assert [period.end_s for period in seen] == pytest.approx([0.1, 0.2])
    assert found.recorded_s == pytest.approx(0.2)
    assert found.asked_s == 1.0
    np.testing.assert_allclose(found.total[VOLUME.name], found.series[VOLUME.name].sum(axis=0))


def test_periods_follow_each_other_and_leave_the_windows_of_measure_alone(scenario: Scenario) -> None:
    networks, plain = Networks(scenario, 2, 3), Networks(scenario, 2, 3)
    networks.advance(50)
    periods = list(measure_periods(networks, 0.1, 3))
    np.testing.assert_allclose([[p.start_s, p.end_s] for p in periods], [[0.05, 0.15], [0.15, 0.25], [0.25, 0.35]])
    assert all(period.histograms is None for period in periods)
    plain.advance(350)
    whole = plain.measure()[VOLUME.name]
    np.testing.assert_array_equal(networks.measure()[VOLUME.name], whole)
    before = Networks(scenario, 2, 3)
    before.advance(50)
    summed = before.measure()[VOLUME.name] + sum(period.values[VOLUME.name] for period in periods)
    np.testing.assert_allclose(summed, whole)


def test_a_table_has_a_row_a_value_with_its_period_and_unit(scenario: Scenario) -> None:
    networks, twins = Networks(scenario, 2, 3, first_network=7), Networks(scenario, 2, 3, first_network=7)
    table = kpm_table(networks, 0.4, 0.2, histograms=True)
    periods = list(measure_periods(twins, 0.2, 2, histograms=True))
    assert list(table.columns) == [
        "start_s", "end_s", "network", "scope", "cell", "cell_name", "slice", "slice_name", "snssai", "ue", "kpm",
        "bin", "unit", "value",
    ]  # fmt: skip
    assert list(table[["start_s", "end_s"]].drop_duplicates().itertuples(index=False)) == [(0.0, 0.2), (0.2, 0.4)]
    assert not table.duplicated(["start_s", "network", "cell", "slice", "ue", "kpm", "bin"]).any()
    assert set(table["scope"]) == {"cell", "ue"}
    for number, period in enumerate(periods):
        rows = table[table["start_s"] == 0.2 * number]
        one = rows[(rows["kpm"] == VOLUME.name) & (rows["network"] == 8)].set_index("cell_name")["value"]
        assert one.to_dict() == dict(zip(("rural", "urban"), period.values[VOLUME.name][1], strict=True))
        user = rows[(rows["kpm"] == UE_VOLUME.name) & (rows["network"] == 7)].set_index("ue")["value"]
        np.testing.assert_array_equal(user, period.values[UE_VOLUME.name][0])
        assert period.histograms is not None
        cqi = rows[(rows["kpm"] == CQI_HISTOGRAM.name) & (rows["network"] == 7) & (rows["cell"] == 0)]
        held = period.histograms[CQI_HISTOGRAM.name][0, 0]
        assert dict(zip(cqi["bin"], cqi["value"], strict=True)) == {n: held[n] for n in np.flatnonzero(held)}
        prbs = rows[rows["kpm"] == MCS_HISTOGRAM.name].groupby(["network", "cell"])["value"].sum()
        mean = rows[rows["kpm"] == PRB_MEAN.name].groupby(["network", "cell"])["value"].sum()
        np.testing.assert_allclose(prbs.reindex(mean.index, fill_value=0.0), mean * 200)
    assert set(table.loc[table["bin"].isna(), "kpm"]).isdisjoint(table.loc[table["bin"].notna(), "kpm"])
    assert (table.loc[table["kpm"] == MCS_HISTOGRAM.name, "unit"] == "PRB").all()


def test_a_period_that_is_no_whole_number_of_slots_is_refused(scenario: Scenario) -> None:
    with pytest.raises(ConfigError, match=r"period_s = 0\.0015, but must be a whole number of slots of 0\.001 s"):
        next(measure_periods(Networks(scenario, 1, 0), 0.0015, 1))
    with pytest.raises(ConfigError, match=r"seconds = 0\.5, but must be a whole number of periods of 0\.2 s"):
        kpm_table(Networks(scenario, 1, 0), 0.5, 0.2)


def test_records_have_mean_and_spread_over_networks(found: Recording) -> None:
    records = {entry["name"]: entry for entry in json.loads(json.dumps(found.to_json(), allow_nan=False))}
    assert len(records) == 2 * len(cell_measurements()) + 3
    entry = records["RRU.PrbTotDl/two-cell/urban"]
    values = found.total["RRU.PrbTotDl"][:, 1]
    assert entry["value"] == pytest.approx(values.mean())
    assert entry["spread"] == pytest.approx(values.std(ddof=1))
    assert (entry["unit"], entry["n"], entry["seed"]) == ("%", 3, 5)
    cells = [records[f"PEE.Energy/two-cell/{name}"]["value"] for name in found.cell_names]
    assert records["PEE.Energy/two-cell"]["value"] == pytest.approx(sum(cells))
    assert records["RP.EnergyEfficiency/two-cell"]["unit"] == "bit/J"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"period_s": 0.0005}, "period_s = 0.0005, but must be 0.001 to 100000 seconds"),
        ({"period_s": 0.0015}, "period_s = 0.0015, but must be a whole number of slots of 0.001 s"),
        ({"seconds": 0.25, "period_s": 0.1}, "seconds = 0.25, but must be a whole number of periods of 0.1 s"),
        ({"seconds": 0.0}, "seconds = 0.0, but must be 1 to 100000 seconds"),
        ({"seconds": math.nan}, "seconds = nan, but must be"),
        ({"warm_up_s": -1.0}, "warm_up_s = -1.0, but must be 0 to"),
    ],
)
def test_times_that_do_not_fit_are_refused(wrong: dict[str, float], sentence: str, scenario: Scenario) -> None:
    with pytest.raises(ConfigError) as refused:
        record(scenario, **wrong)  # type: ignore[arg-type]
    assert str(refused.value).startswith(sentence)
