"""Benchmark records, and the loads that scenarios promise."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ranpilot import scenarios
from ranpilot.errors import ConfigError
from ranpilot.twin import bench
from ranpilot.twin.bench.costs import Sizes
from ranpilot.twin.bench.rates import macro_rates
from ranpilot.twin.bench.record import Case


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


def test_the_bench_writes_its_records(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sizes = Sizes(cell_slots=3000, copies=3)
    cases = bench.bench(tmp_path / "out" / "twin.json", batches=(1, 2), repeats=3, sizes=sizes)
    records = json.loads((tmp_path / "out" / "twin.json").read_text(encoding="utf-8"))
    names = [record["name"] for record in records]
    assert names[0] == "cell_slots_per_s/reference/batch-1/threads-1"
    assert len(set(names)) == len(names)
    assert {name.split("/")[0] for name in names} == {"cell_slots_per_s", "fork_us", "roll_ms", "state_kb", "start_s"}
    assert [record["value"] for record in records] == [round(case.median, 4) for case in cases]
    assert all(record["value"] > 0 for record in records)
    assert all(
        r["difference"] == pytest.approx(r["value"] - r["reference"], abs=1e-3) for r in records if "reference" in r
    )
    assert "batch" in capsys.readouterr().out


def test_a_network_of_fifty_seven_cells_is_timed() -> None:
    case = next(iter(macro_rates([1], 1, 1000)))
    assert case.name == "cell_slots_per_s/urban-macro-57/batch-1/threads-1"


def test_a_case_gives_median_and_half_the_range() -> None:
    case = Case("fork_us/reference", (10.0, 14.0, 11.0), "us", must=50.0)
    assert (case.median, case.spread) == (11.0, pytest.approx(4.0 / 22.0))
    assert case.record()["difference"] == -39.0
