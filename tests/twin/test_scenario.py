"""Scenarios: what ships loads, and every mistake is told in one sentence with its line."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from ranpilot import scenarios
from ranpilot.errors import ConfigError, UnknownNameError
from ranpilot.twin.scenario_file import read_scenario

TEXT = """\
name: small
carrier:
  frequency_ghz: 2.0
  subcarrier_spacing_khz: 15
  num_prbs: 52
  prbs_per_group: 4
layout:
  area_m: [0, 0, 1000, 1000]
  sites:
    - {name: a, x_m: 0, y_m: 0, height_m: 25, propagation: UMa, power_dbm: 40}
    - name: b
      x_m: 500
      y_m: 0
      height_m: 25
      propagation: UMa
      power_dbm: 40
users:
  population: {kind: static, ues_per_cell: 2}
  mobility: {kind: lines, min_speed_kmh: 3, max_speed_kmh: 30}
traffic:
  mix:
    - {kind: poisson, share: 0.5, mean_rate_bps: 1.0e6}
    - {kind: poisson, share: 0.5, mean_rate_bps: 2.0e6, deadline_ms: 50}
link:
  cqi_period_slots: 10
  cqi_delay_slots: 4
loads:
  high: {traffic: {rate_scale: 2.0}}
splits:
  heldout: {placement_seed_offset: 7}
"""

MISTAKES = [
    (
        "spacing_khz: 15",
        "spacing_khz: 20",
        "small.yaml:4: carrier.subcarrier_spacing_khz = 20, but must be one of 15, 30, 60, 120.",
    ),
    (
        "num_prbs: 52",
        "num_prb: 52",
        "small.yaml:5: carrier.num_prb = 52, but must be left out (no such key; did you mean 'num_prbs'; known: "
        "frequency_ghz, subcarrier_spacing_khz, bandwidth_mhz, num_prbs, group_configuration, prbs_per_group).",
    ),
    ("num_prbs: 52", "num_prbs: 5.5", "small.yaml:5: carrier.num_prbs = 5.5, but must be a whole number."),
    ("num_prbs: 52", "num_prbs: 500", "small.yaml:5: carrier.num_prbs = 500, but must be at most 275."),
    ("num_prbs: 52\n", "frequency_hz: 1\n", None),
    (
        "prbs_per_group: 4",
        "prbs_per_group: .nan",
        "small.yaml:6: carrier.prbs_per_group = nan, but must be a finite number.",
    ),
    (
        "num_prbs: 52\n  prbs_per_group: 4",
        "num_prbs: 270\n  prbs_per_group: 4",
        "small.yaml:6: carrier.prbs_per_group = 4, but must be at least 5 for 270 PRBs.",
    ),
    (
        "frequency_ghz: 2.0",
        "frequency_ghz: 2 GHz",
        "small.yaml:3: carrier.frequency_ghz = '2 GHz', but must be a number.",
    ),
    ("  frequency_ghz: 2.0\n", "", "small.yaml:2: carrier.frequency_ghz = None, but must be given."),
    (
        "[0, 0, 1000, 1000]",
        "[0, 0, 5, 1000]",
        "small.yaml:8: layout.area_m = [0.0, 0.0, 5.0, 1000.0], but must be left, bottom, right, top with sides of at "
        "least 10 m.",
    ),
    ("name: b", "name: a", "small.yaml:9: layout.sites.name = 'a', but must be different for every site."),
    (
        "      propagation: UMa\n",
        "      propagation: Uma\n",
        "small.yaml:15: layout.sites.1.propagation = 'Uma', but must be one of RMa, UMa, UMi, InH, InH-open.",
    ),
    (
        "      power_dbm: 40\n",
        "      power_dbm: 40\n      max_power_dbm: 38\n",
        "small.yaml:16: layout.sites.1.power_dbm = 40.0, but must be within min_power_dbm..max_power_dbm (40..38).",
    ),
    (
        "{kind: static,",
        "{kind: fixed,",
        "small.yaml:18: users.population.kind = 'fixed', but must be one of static, arrivals.",
    ),
    (
        "ues_per_cell: 2}",
        "ues_per_cell: -2}",
        "small.yaml:18: users.population.ues_per_cell = -2, but must be at least 1.",
    ),
    (
        "min_speed_kmh: 3,",
        "min_speed_kmh: 40,",
        "small.yaml:19: users.mobility.min_speed_kmh = 40.0, but must be at most max_speed_kmh (30).",
    ),
    (
        "{kind: poisson, share: 0.5, mean_rate_bps: 1.0e6}",
        "{kind: poison, share: 0.5, mean_rate_bps: 1.0e6}",
        None,
    ),
    (
        "mean_rate_bps: 1.0e6}",
        "mean_rate: 1.0e6}",
        "small.yaml:22: traffic.mix.0.mean_rate = 1000000.0, but must be left out (no such key; "
        "did you mean 'mean_rate_bps'; known: kind, mean_rate_bps, "
        "packet_bits).",
    ),
    (
        "deadline_ms: 50",
        "deadline_ms: -50",
        "small.yaml:23: traffic.mix.1.deadline_ms = -50, but must be at least 0.5.",
    ),
    (
        "share: 0.5, mean_rate_bps: 1.0e6",
        "share: 0.7, mean_rate_bps: 1.0e6",
        "small.yaml:21: traffic.mix.share = [0.7, 0.5], but must be shares that sum to 1 (not 1.2).",
    ),
    (
        "cqi_delay_slots: 4",
        "cqi_delay_slots: 10",
        "small.yaml:26: link.cqi_delay_slots = 10, but must be below cqi_period_slots (10).",
    ),
    (
        "rate_scale: 2.0",
        "rate_scale: 0",
        "small.yaml:28: loads.high.traffic.rate_scale = 0, but must be at least 1e-06.",
    ),
    (
        "splits:\n  heldout",
        "splits:\n  held-out",
        "small.yaml:30: splits.held-out = 'held-out', but must be one of train, validation, heldout, reworded.",
    ),
    (
        "name: small",
        "name: small\nload: high",
        "small.yaml:2: load = 'high', but must be left out (it is chosen when loading).",
    ),
    ("name: small", "name: [", None),
]


@pytest.mark.parametrize(("right", "wrong", "sentence"), MISTAKES, ids=range(len(MISTAKES)))
def test_every_mistake_in_a_file_is_one_sentence(right: str, wrong: str, sentence: str | None) -> None:
    assert TEXT.count(right) == 1, "the mistake must be made in one place"
    with pytest.raises(ConfigError) as caught:
        read_scenario(TEXT.replace(right, wrong), source="small.yaml")
    if sentence is not None:
        assert str(caught.value) == sentence
    assert str(caught.value).startswith("small.yaml:")


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^empty.yaml:1: text = None, but must be a mapping of scenario fields"):
        read_scenario("", source="empty.yaml")


def test_a_missing_file_and_an_unknown_name_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"scenario = 'nowhere.yaml', but must be a YAML file that exists"):
        scenarios.load("nowhere.yaml")
    with pytest.raises(UnknownNameError, match="did you mean 'two-cell'"):
        scenarios.load("twocell")
    with pytest.raises(UnknownNameError, match="No load of scenario 'two-cell' is called 'hihg'; did you mean 'high'"):
        scenarios.load("two-cell").with_load("hihg")


def test_a_file_of_the_users_own_loads(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(TEXT, encoding="utf-8")
    assert scenarios.load(path) == scenarios.load(str(path))
    assert scenarios.load(path).num_places == 4


@pytest.mark.parametrize("name", scenarios.names())
def test_shipped_scenarios_have_three_loads_and_disjoint_splits(name: str) -> None:
    scenario = scenarios.load(name)
    assert list(scenario.loads) == ["low", "normal", "high"]
    assert scenario.train.placement_seed_offset != scenario.heldout.placement_seed_offset
    hashes = {scenario.with_load(load).hash() for load in scenario.loads}
    assert len(hashes | {scenario.heldout.with_load(load).hash() for load in scenario.loads}) == 6
    assert scenario.with_load("high").heldout == scenario.heldout.with_load("high")


def test_the_reference_and_two_cell_have_the_numbers_of_the_design() -> None:
    reference, two_cell = scenarios.load("reference"), scenarios.load("two-cell")
    assert (reference.carrier.num_prbs, reference.carrier.num_groups, reference.num_places) == (106, 14, 60)
    assert (two_cell.carrier.num_prbs, two_cell.carrier.num_groups, two_cell.num_places) == (52, 13, 80)
    assert [site.power_range_dbm for site in two_cell.layout.sites] == [(43, 46), (30, 37)]
    assert two_cell.slots_per_step == 200
    arrivals = [two_cell.with_load(load).users.population.arrivals_per_s for load in two_cell.loads]
    assert [rate * 0.2 for rate in arrivals] == pytest.approx([0.5, 1.5, 3.0])


def test_the_hash_knows_what_changes_the_network_and_only_that() -> None:
    scenario = read_scenario(TEXT, source="small.yaml")
    assert scenario.hash() == read_scenario(TEXT + "description: words\n", source="small.yaml").hash()
    assert scenario.hash() != scenario.with_changes({"rrc": {"link_failure": {"qout_db": -7.0}}}).hash()


def test_the_scenario_files_are_in_the_package() -> None:
    assert (files("ranpilot.twin.scenarios") / "two-cell.yaml").is_file()
