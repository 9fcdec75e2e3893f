"""Learners against heuristics, small: resumed after kill -9, spread over processes, refused when changed, reported."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import ranpilot as rp
from ranpilot.errors import CheckpointError, ConfigError, RanpilotError, UnknownNameError
from ranpilot.experiments import api
from ranpilot.experiments.trials import TrialsReport, plan_trials

BUDGET: dict[str, Any] = {
    "against": ["equal", "backlog"], "loads": ["high"], "seeds": 2, "networks": 2, "train_steps": 400,
    "test_episodes": 1,
}  # fmt: skip
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

api.compare("ppo", "slicing-small", **{budget}, out=sys.argv[1], progress=Deadly())
"""


def _compare(out: Path, **changes: object) -> TrialsReport:
    report = api.compare("ppo", "slicing-small", **{**BUDGET, "out": out, **changes})  # type: ignore[arg-type]
    assert isinstance(report, TrialsReport)
    return report


def _metrics(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out / "cells")): path.read_bytes() for path in sorted(out.rglob("metrics.jsonl"))}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("trials") / "run"
    _compare(out)
    return out


def test_every_trial_is_played(finished: Path) -> None:
    assert set(_metrics(finished)) == {
        f"{label}/seed-{seed}/metrics.jsonl" for label in ("ppo", "equal", "backlog") for seed in (0, 1)
    }
    records = [json.loads(line) for line in _metrics(finished)["ppo/seed-0/metrics.jsonl"].splitlines()]
    assert [(r["phase"], r["load"], r["episode"]) for r in records] == [
        ("train", "normal", 0), ("train", "normal", 1), ("test", "high", 2),
    ]  # fmt: skip
    assert records[1]["metrics"]["steps"] == 200


def test_a_comparison_killed_with_signal_9_resumes_to_the_same_numbers(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    for ticks in ("2", "4"):
        command = [sys.executable, "-c", KILLED.format(budget=BUDGET), str(out), ticks]
        assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
        assert not (out / "report.json").exists()
    _compare(out)
    assert _metrics(out) == _metrics(finished)


def test_spreading_over_processes_changes_nothing(finished: Path, tmp_path: Path) -> None:
    _compare(tmp_path / "run", workers=2)
    assert _metrics(tmp_path / "run") == _metrics(finished)


def test_spreading_by_ray_changes_nothing(finished: Path, tmp_path: Path) -> None:
    _compare(tmp_path / "run", ray="local")
    assert _metrics(tmp_path / "run") == _metrics(finished)


def test_what_goes_wrong_in_a_worker_of_ray_is_told_in_its_sentence(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    shutil.copytree(finished, out)
    (out / "report.json").unlink()
    broken = out / "cells" / "equal" / "seed-0"
    (broken / "summary.json").unlink()
    (broken / "metrics.jsonl").write_bytes(b"")
    with pytest.raises(RanpilotError, match=r"metrics\.jsonl: has 0 bytes"):
        _compare(out, ray="local")


def test_everybody_is_tested_on_the_same_networks_and_seeds_differ(finished: Path, tmp_path: Path) -> None:
    _compare(tmp_path / "run", against=["equal"], seeds=1)
    kept = "equal/seed-0/metrics.jsonl"
    assert _metrics(tmp_path / "run")[kept] == _metrics(finished)[kept]
    assert _metrics(finished)["equal/seed-1/metrics.jsonl"] != _metrics(finished)[kept]


def test_another_budget_in_the_same_folder_is_refused(finished: Path) -> None:
    with pytest.raises(CheckpointError, match="networks"):
        _compare(finished, networks=3)


def test_the_report_shows_rows_curves_and_slices(finished: Path) -> None:
    report = json.loads((finished / "report.json").read_text(encoding="utf-8"))
    (part,) = report["parts"]
    assert [row["label"] for row in part["rows"]] == ["ppo", "equal", "backlog"]
    page = (finished / "report.html").read_text(encoding="utf-8")
    for words in (part["headline"], "Learning curves", "Slices under ppo", "Where the time goes", "illustration"):
        assert words in page
    shares = part["throughput"][0]["phases"]["train"]
    assert shares["simulator"] + shares["environment"] + shares["controller"] == pytest.approx(1.0)
    assert 0.0 < shares["simulator"] < 1.0


def test_every_number_is_in_the_flat_list(finished: Path, tmp_path: Path) -> None:
    report = _compare(finished)
    names = [record["name"] for record in report.flat(2)]
    assert len(set(names)) == len(names)
    for name in (
        "reward/slicing-small/high/ppo/iqm",
        "violated/slicing-small/high/backlog/iqm",
        "network_steps_per_s/train/slicing-small/ppo",
        "share/test/slicing-small/equal/simulator",
    ):
        assert name in names


def test_a_search_on_copies_enters_and_resumes_to_the_same_numbers(tmp_path: Path) -> None:
    budget = {**BUDGET, "against": ["sla-oracle"], "loads": ["normal", "high"], "seeds": 1, "networks": 1}
    budget = {**budget, "train_steps": 0}
    script = KILLED.replace('"ppo"', '"equal"').format(budget=budget)
    command = [sys.executable, "-c", script, str(tmp_path / "run"), "3"]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    for name in ("run", "whole"):
        api.compare("equal", "slicing-small", **{**budget, "out": tmp_path / name})
    assert _metrics(tmp_path / "run") == _metrics(tmp_path / "whole")
    report = json.loads((tmp_path / "run" / "report.json").read_text(encoding="utf-8"))
    rewards = {(row["label"], row["load"]): row["reward"]["estimate"] for row in report["parts"][0]["rows"]}
    assert rewards["sla-oracle", "high"] > rewards["equal", "high"]


def test_the_learner_of_a_comparison_can_be_had(finished: Path) -> None:
    trained = rp.load(finished)
    report = rp.evaluate(trained, "slicing-small", load="high", seeds=2, episodes=1, against=["equal"], first_episode=2)
    assert isinstance(report, TrialsReport)
    ((title, _),) = report.tables()
    assert title == "evaluation on slicing-small"
    # The same learner on the same networks and episode as in the comparison.
    played = json.loads((finished / "report.json").read_text(encoding="utf-8"))["parts"][0]["rows"]
    kept = {row["label"]: row["per_seed"] for row in report.numbers["parts"][0]["rows"]}
    assert kept["given"][0] == pytest.approx(played[0]["per_seed"][0], rel=1e-6)
    assert kept["equal"] == pytest.approx(played[1]["per_seed"], rel=1e-6)
    assert "This one training" in report.numbers["parts"][0]["headline"]
    assert "network-steps and tested" not in report.page


def test_nobody_is_evaluated_untaught_or_under_another_rule(finished: Path) -> None:
    trained = rp.load(finished)
    with pytest.raises(ConfigError, match="against = 'sac', but must be rules"):
        rp.evaluate(trained, "slicing-small", seeds=1, episodes=1, against=["sac"])
    with pytest.raises(ConfigError, match="whose action is 'soft', as in training"):
        rp.evaluate(trained, "slicing-small", seeds=1, episodes=1, against=["equal"], variant="intent-hard")


def test_an_unknown_rival_is_told() -> None:
    with pytest.raises(UnknownNameError, match="load-proportional"):
        plan_trials("ppo", "slicing-small", against=["load-proportionl"])


def test_an_unknown_system_is_told_with_learners_and_rules() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'masac'"):
        api.compare("masacc", "slicing-small")


def test_a_scenario_without_slices_is_refused() -> None:
    with pytest.raises(ConfigError, match="scenario = 'two-cell', but must be one with slices"):
        plan_trials("ppo", "two-cell")


@pytest.mark.parametrize(
    ("system", "setting"), [("ppo", {"train_episodes": 3}), ("aura", {"networks": 3}), ("equal", {"rows": ["equal"]})]
)
def test_a_setting_of_the_other_experiment_is_refused(system: str, setting: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"{next(iter(setting))} = .* left out for {system}"):
        api.compare(system, "slicing-small", **setting)


def test_training_is_rounded_up_to_whole_episodes() -> None:
    assert plan_trials("sac", "slicing-small", networks=4, train_steps=401).train_episodes == 2
    with pytest.raises(ConfigError, match="train_steps = -1, but must be at least 0"):
        plan_trials("sac", "slicing-small", train_steps=-1)
