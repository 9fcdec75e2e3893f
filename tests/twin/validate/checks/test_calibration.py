"""The calibration drops: the assumptions of the table, all claims, and every percentile by its name."""

from __future__ import annotations

import numpy as np
import pytest

from ranpilot.twin import Networks
from ranpilot.twin.validate.checks import calibration
from ranpilot.twin.validate.drops import CALIBRATIONS, Drops, calibration_scenario
from ranpilot.twin.validate.line import Line


@pytest.fixture(scope="module")
def lines() -> dict[str, Line]:
    return {line.name: line for line in calibration.lines("quick")}


def test_all_claims_hold(lines: dict[str, Line]) -> None:
    assert {name: line.value for name, line in lines.items() if not line.holds} == {}
    assert sum(line.is_claim for line in lines.values()) == 3 * 91 + 3


def test_every_percentile_of_every_scenario_is_there_and_they_rise(lines: dict[str, Line]) -> None:
    for name in CALIBRATIONS:
        for quantity in Drops._fields:
            values = [lines[f"cdf/{name}/{quantity}/{percent}"].value for percent in range(101)]
            assert (np.diff(values) >= 0).all()
            assert np.isfinite(values).all()


@pytest.mark.parametrize(
    ("name", "cells", "power_dbm"), [("UMa-6GHz", 57, 49), ("UMi-6GHz", 57, 44), ("InH-6GHz", 36, 24)]
)
def test_the_scenarios_are_those_of_table_7_8_1(name: str, cells: int, power_dbm: float) -> None:
    scenario = calibration_scenario(name)
    assert (scenario.num_cells, scenario.num_places) == (cells, 10 * cells)
    assert {cell.azimuth_deg for cell in scenario.cells} == {30.0, 150.0, 270.0}
    assert {cell.power_dbm for cell in scenario.cells} == {power_dbm}
    networks = Networks(scenario, 2, seed=3)
    ues, gain_db = networks.ues, networks.coupling_gain_db()
    assert (ues.serving_cell == gain_db.argmax(axis=2)).all()
    share = float((ues.indoor_m > 0).mean())
    assert share == 0.0 if name == "InH-6GHz" else abs(share - 0.8) < 0.05
    assert (ues.height_m[ues.indoor_m == 0] == (1.0 if name == "InH-6GHz" else 1.5)).all()


def test_the_claims_are_sharp_enough_to_fail(lines: dict[str, Line]) -> None:
    """Curves that are 3 dB lower leave the bounds, even those that few users widen."""
    moved = [line for name, line in lines.items() if name.startswith("cdf/UMa-6GHz/sinr_db/") and line.is_claim]
    assert sum(not line.low <= line.value - 3.0 for line in moved if line.low is not None) > 45
