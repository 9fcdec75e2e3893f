"""The look at a scenario that reports draw from."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ranpilot.errors import ConfigError
from ranpilot.twin import Networks
from ranpilot.twin.inspect import Inspection, inspect_scenario
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.scenario_file import load_scenario


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario("two-cell")


@pytest.fixture(scope="module")
def seen(scenario: Scenario) -> Inspection:
    return inspect_scenario(scenario, 3, num_networks=2, duration_s=0.4, map_points=22)


def test_the_map_covers_the_area_with_square_tiles(seen: Inspection, scenario: Scenario) -> None:
    left, bottom, right, top = scenario.layout.area_m
    assert seen.best_server.shape == (len(seen.grid_y_m), len(seen.grid_x_m))
    assert left < seen.grid_x_m[0] < seen.grid_x_m[-1] < right
    assert bottom < seen.grid_y_m[0] < seen.grid_y_m[-1] < top
    assert np.isclose(np.diff(seen.grid_x_m)[0], np.diff(seen.grid_y_m)[0], rtol=0.2)
    assert set(np.unique(seen.best_server)) == {0, 1}


def test_a_site_serves_the_tile_it_stands_on(seen: Inspection) -> None:
    for cell, (x_m, y_m) in enumerate(zip(seen.cell_x_m, seen.cell_y_m, strict=True)):
        column = np.argmin(np.abs(seen.grid_x_m - x_m))
        row = np.argmin(np.abs(seen.grid_y_m - y_m))
        assert seen.best_server[row, column] == cell


def test_users_and_samples_belong_to_cells(seen: Inspection) -> None:
    assert len(seen.ue_x_m) == len(seen.ue_y_m) == len(seen.ue_cell) > 0
    assert len(seen.sinr_db) == len(seen.sinr_cell) > len(seen.ue_cell)
    assert np.isfinite(seen.sinr_db).all()
    assert set(np.unique(seen.sinr_cell)) <= {0, 1}
    assert seen.delay_packets.shape == (2, len(seen.delay_edge_ms))
    assert seen.delay_packets.sum() > 0
    assert (np.diff(seen.delay_edge_ms) >= 0).all()


def test_coupling_gain_is_that_of_the_serving_cell_of_every_user(seen: Inspection, scenario: Scenario) -> None:
    assert len(seen.coupling_gain_db) == len(seen.gain_cell) > len(seen.ue_cell)
    assert (seen.coupling_gain_db < -40.0).all()
    networks = Networks(scenario, 2, 3)
    networks.advance(10)
    gain_db, serving = networks.coupling_gain_db(), networks.ues.serving_cell
    assert gain_db.shape == (*serving.shape, 2)
    assert (np.isnan(gain_db).all(axis=-1) == (serving < 0)).all()
    power_dbm = networks.cells.tx_power_dbm
    strongest = np.argmax(np.nan_to_num(gain_db, nan=-999.0) + power_dbm[:, None, :], axis=-1)
    assert (strongest == serving)[serving >= 0].mean() > 0.8


def test_the_events_are_those_of_the_network_on_the_map(seen: Inspection, scenario: Scenario) -> None:
    table = Networks(scenario, 1, 3).events()
    assert all(np.array_equal(ours, theirs) for ours, theirs in zip(seen.events, table, strict=True))
    listed = seen.to_json()["events"]
    assert listed["kind"] == table.kind[table.kind >= 0].tolist()
    assert 0 < len(listed["start_slot"]) <= table.kind.shape[1]


def test_it_repeats_and_is_plain_json(seen: Inspection, scenario: Scenario) -> None:
    again = inspect_scenario(scenario, 3, num_networks=2, duration_s=0.4, map_points=22)
    assert json.dumps(seen.to_json()) == json.dumps(again.to_json())
    assert json.loads(json.dumps(seen.to_json()))["cell_names"] == ["rural", "urban"]


def test_numbers_out_of_range_are_refused(scenario: Scenario) -> None:
    with pytest.raises(ConfigError, match="duration_s"):
        inspect_scenario(scenario, 0, duration_s=0.0)
    with pytest.raises(ConfigError, match="map_points"):
        inspect_scenario(scenario, 0, map_points=1)


def test_a_hexagonal_layout_with_sectors_is_looked_at_like_any_other() -> None:
    found = inspect_scenario(load_scenario("urban-macro"), 1, num_networks=1, duration_s=0.1, map_points=30)
    assert len(found.cell_names) == 21
    assert found.cell_names[:3] == ("site-1-1", "site-1-2", "site-1-3")
    assert found.cell_azimuth_deg[:3] == (30.0, 150.0, 270.0)
    # Wrapped around, no cell is at the border: each serves somewhere.
    assert len(np.unique(found.best_server)) > 18
    assert json.dumps(found.to_json())
