"""The validation as a run: finished checks are kept, and run again where they are stale."""

from __future__ import annotations

from pathlib import Path

import pytest

from ranpilot.errors import CheckpointError
from ranpilot.experiments import twin_validation
from ranpilot.experiments.twin_validation import run_validation
from ranpilot.twin.validate.line import Line, compared, reported


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two checks instead of the package's; the list of those that ran."""
    ran: list[str] = []

    def run(name: str, effort: str) -> list[Line]:
        ran.append(name)
        value = 2.0 if name == "wrong" else 1.0
        return [compared(f"{name}/a", value, 1.0, 0.1, "dB", "by hand"), reported(f"{name}/b", 5.0, "dB", "measured")]

    monkeypatch.setattr(twin_validation, "check_names", lambda only: list(only or ("right", "wrong")))
    monkeypatch.setattr(twin_validation, "run_check", run)
    return ran


def test_finished_checks_are_kept_and_new_ones_run(calls: list[str], tmp_path: Path) -> None:
    run_validation(["right"], out=tmp_path / "run")
    report = run_validation(out=tmp_path / "run")
    assert calls == ["right", "wrong"]
    assert report == run_validation(out=tmp_path / "run")
    assert calls == ["right", "wrong"]
    run_validation(out=tmp_path / "run", new=True)
    assert calls == ["right", "wrong", "right", "wrong"]


def test_a_check_that_stops_in_between_keeps_those_before(
    calls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = twin_validation.run_check

    def stop(name: str, effort: str) -> list[Line]:
        if name == "wrong":
            raise KeyboardInterrupt
        return right(name, "full")

    monkeypatch.setattr(twin_validation, "run_check", stop)
    with pytest.raises(KeyboardInterrupt):
        run_validation(out=tmp_path / "run")
    monkeypatch.setattr(twin_validation, "run_check", right)
    run_validation(out=tmp_path / "run")
    assert calls == ["right", "wrong"]


def test_other_code_or_tables_make_a_kept_check_stale(
    calls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_validation(["right"], out=tmp_path / "run")
    monkeypatch.setattr(twin_validation, "_sources", lambda: "other")
    run_validation(["right"], out=tmp_path / "run")
    assert calls == ["right", "right"]


def test_a_folder_holds_one_size_of_samples(calls: list[str], tmp_path: Path) -> None:
    run_validation(["right"], out=tmp_path / "run", effort="quick")
    with pytest.raises(CheckpointError, match='validation was "quick" and is now "full"'):
        run_validation(["right"], out=tmp_path / "run")


def test_the_report_shows_counts_the_tightest_line_and_failures_in_full(calls: list[str], tmp_path: Path) -> None:
    report = run_validation(out=tmp_path / "run")
    assert report.num_claims == 2
    assert report.table()[1:] == [
        ["right", "right", "1", "–", "1", "a", "1 dB", "+0", "1 ± 0.1"],
        ["wrong", "wrong", "–", "1", "1", "a", "2 dB", "+1", "1 ± 0.1"],
    ]
    assert report.failures()[1:] == [["wrong/a", "2 dB", "1 ± 0.1", "by hand"]]
    assert [record["name"] for record in report.flat()] == ["right/a", "right/b", "wrong/a", "wrong/b"]
    assert {"name", "value", "unit", "reference", "difference", "n", "seed", "check"} <= set(report.flat()[0])
