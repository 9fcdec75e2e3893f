"""What a calibration leaves: a scenario that can be run, and a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ranpilot.experiments.picture_files import save_picture
from ranpilot.experiments.twin_calibration import draw_levels, scenario_text, with_sites
from ranpilot.twin import kpm
from ranpilot.twin.calibrate import Calibration, Effort, Estimate, Level
from ranpilot.twin.calibrate.parameters import make_axes, pick_parameters
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.scenario_file import load_scenario, read_scenario, scenario_names

CSV = "name,x_m,y_m,height_m,propagation,power_dbm\nwest,0,0,25,UMa,46\neast,600,100,25,UMa,46\n"


def calibration(scenario: Scenario, values: dict[str, float]) -> Calibration:
    """One that a fit could have found."""
    axes = make_axes(pick_parameters(list(values)), scenario)
    fitted = scenario
    for axis, value in zip(axes, values.values(), strict=True):
        fitted = fitted.with_changes(axis.parameter.changes(fitted, value))
    cells = scenario.num_cells
    shown = np.linspace(1.0, 2.0, cells)
    return Calibration(
        scenario=fitted,
        given=scenario,
        source="kpm.csv",
        estimates=tuple(
            Estimate(axis, axis.parameter.read(scenario), value, 0.9 * value, 1.1 * value)
            for axis, value in zip(axes, values.values(), strict=True)
        ),
        error_before=3.0,
        error_after=1.0,
        num_features=9,
        levels=(
            Level(kpm.PRB_USE, "%", shown, np.stack([shown, shown + 1]), np.stack([shown, shown + 2])),
            Level(kpm.UE_RSRP, "dBm", np.array([-90.0]), np.full((2, 1), -95.0), np.array([[-91.0], [-89.0]])),
        ),
        periods=(18, 6),
        effort=Effort(),
        evaluations=40,
        seconds_per_evaluation=0.5,
    )


@pytest.mark.parametrize("name", scenario_names())
def test_the_fitted_scenario_that_is_written_is_the_one_that_was_fitted(name: str) -> None:
    scenario = load_scenario(name)
    values = {"path-loss": 4.5, "shadowing": 0.75, "speed": 12.0}
    found = calibration(scenario, values)
    text = scenario_text(found)
    read = read_scenario(text, source="fitted.yaml")
    kept = {"name": read.name}
    assert read.hash() == found.scenario.with_changes(kept).hash()
    assert read.radio.path_loss_offset_db == 4.5
    assert read.name == f"{scenario.name}-calibrated"
    assert read.loads == {}
    assert "# path-loss 4.5 dB (95 %: 4.05 to 4.95)" in text.splitlines()
    assert len(text) < 4000 + 250 * len(scenario.layout.sites)


def test_the_picture_has_a_panel_a_kpm(tmp_path: Path) -> None:
    found = calibration(load_scenario("reference"), {"load": 1.2})
    path = tmp_path / "fit.svg"
    save_picture(draw_levels(found), "fit", path)
    text = path.read_text(encoding="utf-8")
    for word in ("RRU.PrbTotDl, %", "L1M.SS-RSRP.UE, dBm", "median user", "north", "fitted"):
        assert word in text


def test_sites_of_a_file_stand_in_place_of_the_scenarios(tmp_path: Path) -> None:
    path = tmp_path / "sites.csv"
    path.write_text(CSV, encoding="utf-8")
    scenario = with_sites(load_scenario("urban-macro"), path)
    layout: Any = scenario.layout
    assert [site.name for site in layout.sites] == ["west", "east"]
    apart_m = np.hypot(600, 100)
    assert layout.area_m == pytest.approx((-apart_m, -apart_m, 600 + apart_m, 100 + apart_m))
    assert layout.placement == "uniform"
    path.write_text("\n".join(CSV.splitlines()[:2]), encoding="utf-8")
    assert with_sites(load_scenario("reference"), path).layout.area_m == (-250, -250, 250, 250)
