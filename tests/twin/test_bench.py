"""Benchmark records, and the loads that scenarios promise."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ranpilot import scenarios
from ranpilot.errors import ConfigError
from ranpilot.twin import bench


def test_the_reference_uses_seventy_percent_of_its_prbs() -> None:
    assert bench.prb_use(scenarios.load("reference"), num=96, seed=11, seconds=1.0) == pytest.approx(70.0, abs=5.0)


@pytest.mark.parametrize(("load", "use_percent"), [("low", 30.0), ("normal", 60.0), ("high", 95.0)])
@pytest.mark.parametrize("split", ["train", "heldout"])
def test_two_cell_uses_the_prbs_that_its_loads_promise(load: str, use_percent: float, split: str) -> None:
    scenario = getattr(scenarios.load("two-cell").with_load(load), split)
    assert bench.prb_use(scenario, num=96, seed=11, seconds=5.0) == pytest.approx(use_percent, abs=6.0)


def test_calibration_finds_the_scale_of_a_load() -> None:
    scenario = scenarios.load("reference").with_changes({"traffic": {"rate_scale": 0.2}})
    scale, use = bench.calibrate_load(scenario, 50.0, num=4, seconds=1.0, tries=5)
    assert use == pytest.approx(50.0, rel=0.05)
    assert 0.5 < scale < 1.0


def test_a_wrong_target_is_refused() -> None:
    with pytest.raises(ConfigError, match="target_percent = 100, but must be above 0 and below 100"):
        bench.calibrate_load(scenarios.load("reference"), 100)


def test_the_bench_writes_its_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "LEAST_CELL_SLOTS", 3000)
    rates = bench.bench(tmp_path / "out" / "twin.json", batches=(1, 2), repeats=3)
    records = json.loads((tmp_path / "out" / "twin.json").read_text(encoding="utf-8"))
    assert records[0]["name"] == "cell_slots_per_s/reference/batch-1/threads-1"
    assert [record["value"] for record in records] == [round(rate.median, 1) for rate in rates]
    assert {record["unit"] for record in records} == {"cell-slots/s"}
    assert all(abs(r["difference"] - (r["value"] - r["reference"])) < 0.2 for r in records)
    assert "batch" in capsys.readouterr().out
