"""Recordings of the twin as files, tables and pictures."""

from __future__ import annotations

import dataclasses
import os
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ranpilot.errors import ConfigError
from ranpilot.experiments.kpm_files import read_kpms
from ranpilot.experiments.recording_views import MOST_COLUMNS, draw_recording, energy_sentence, recording_table
from ranpilot.experiments.twin_run import run_networks
from ranpilot.runs import SilentProgress
from ranpilot.twin.recording import Recording, cell_measurements
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.scenario_file import load_scenario


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario("two-cell").with_load("low")


def _wide_recording(cells: int) -> Recording:
    values = {measurement.name: np.arange(2.0 * cells).reshape(2, cells) for measurement in cell_measurements()}
    series = {name: np.stack([array, array]) for name, array in values.items()}
    names = tuple(f"c{cell}" for cell in range(cells))
    return Recording("x", "hash", None, 0, names, 1.0, 2.0, np.array([1.0, 2.0]), series, values)


def test_both_tables_hold_every_value_of_cells_and_users(scenario: Scenario, tmp_path: Path) -> None:
    tables = [tmp_path / "deep" / "run.csv", tmp_path / "run.parquet"]
    found = run_networks(
        scenario, seconds=0.2, num_networks=2, period_s=0.1, warm_up_s=0.0, kpms=tables, picture=tmp_path / "run.png"
    )
    text, binary = (read_kpms(path) for path in tables)
    pd.testing.assert_frame_equal(text, binary)
    assert set(text["scope"]) == {"cell", "ue"}
    assert set(text["end_s"]) == {0.1, 0.2}
    assert (binary.attrs["scenario"], binary.attrs["seed"], binary.attrs["period_s"]) == ("two-cell", 0, 0.1)
    use = text[(text["kpm"] == "RRU.PrbTotDl") & (text["cell_name"] == "urban")]
    np.testing.assert_allclose(use["value"], found.series["RRU.PrbTotDl"][:, :, 1].ravel())
    assert (tmp_path / "run.png").read_bytes().startswith(b"\x89PNG")


def test_ctrl_c_ends_at_the_next_period_and_keeps_what_was_simulated(scenario: Scenario, tmp_path: Path) -> None:
    class Interrupting(SilentProgress):
        def advance(self, amount: float, text: str) -> None:
            os.kill(os.getpid(), signal.SIGINT)

    tables = [tmp_path / "run.csv", tmp_path / "run.parquet"]
    found = run_networks(
        scenario, seconds=5.0, num_networks=1, period_s=0.1, warm_up_s=0.0, kpms=tables, progress=Interrupting()
    )
    assert found.recorded_s == pytest.approx(0.1)
    assert len(read_kpms(tables[0])) == len(read_kpms(tables[1])) > 0


@pytest.mark.parametrize(
    "files",
    [
        {"picture": Path("x.jpg")},
        {"kpms": [Path("x.txt")]},
        {"picture": Path("x.png"), "period_s": 0.3},
        {"histograms": True},
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_runs(
    files: dict[str, object], scenario: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError):
        run_networks(scenario, seconds=1.0, **files)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_table_shows_few_cells_side_by_side_and_sums_many_up() -> None:
    few, many = recording_table(_wide_recording(2)), recording_table(_wide_recording(MOST_COLUMNS + 1))
    assert few[0] == ["KPM", "unit", "c0", "c1", "what"]
    assert few[1][2:4] == ["1 ± 1.4", "2 ± 1.4"]
    assert many[0][2:5] == ["mean of cells", "least cell", "greatest cell"]
    assert many[1][2:5] == ["6.5 ± 4.9", "3.5 (c0)", "9.5 (c6)"]


def test_the_energy_of_whole_networks_is_said_in_joules_and_kwh() -> None:
    found = _wide_recording(2)
    kwh, watts = np.array([[1e-3, 3e-3], [1e-3, 3e-3]]), np.array([[100.0, 300.0], [100.0, 300.0]])
    mbit = np.array([[7.2, 7.2], [7.2, 7.2]])
    total = {**found.total, "PEE.Energy": kwh, "PEE.AvgPower": watts, "DRB.PdcpSduVolumeDL": mbit}
    sentence = energy_sentence(dataclasses.replace(found, total=total))
    assert sentence == "A network drew 14.4 ± 0 kJ (0.004 ± 0 kWh, 400 ± 0 W) and delivered 1000 ± 0 bit/J."


@pytest.mark.parametrize(("cells", "lines"), [(2, 2), (MOST_COLUMNS + 1, 1)])
def test_a_picture_draws_few_cells_as_a_line_each(cells: int, lines: int) -> None:
    figure = draw_recording(_wide_recording(cells))
    assert [len(axis.lines) for axis in figure.axes] == [lines] * 6
