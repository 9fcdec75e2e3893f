"""What a run refuses: an edited scenario, an unfinished run, options that would do nothing, workers told to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import ranpilot as rp
from ranpilot.errors import CheckpointError, ConfigError

SMALL = {"seeds": 2, "train_episodes": 1, "test_episodes": 1}
SCENARIO = Path(rp.__file__).parent / "twin" / "scenarios" / "two-cell.yaml"


def test_a_scenario_file_that_was_edited_after_the_run_began_is_told(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    text = SCENARIO.read_text(encoding="utf-8")
    file.write_text(text, encoding="utf-8")
    arguments = {"rows": ["rules"], "loads": ["low"], "out": tmp_path / "run", "seeds": 1, "test_episodes": 1}
    rp.compare("aura", str(file), **arguments)
    file.write_text(text.replace("arrivals_per_s: 2.5", "arrivals_per_s: 3.5"), encoding="utf-8")
    with pytest.raises(CheckpointError, match="scenario_hash was"):
        rp.compare("aura", str(file), **arguments)


def test_a_run_that_is_not_finished_cannot_be_loaded(tmp_path: Path) -> None:
    rp.run("aura", "aura-paper", loads=["normal"], out=tmp_path / "run", **SMALL)
    assert rp.load(tmp_path / "run").task.agents == ("rural", "urban")
    (tmp_path / "run" / "cells" / "trained" / "normal" / "summary.json").unlink()
    with pytest.raises(CheckpointError, match="is not finished"):
        rp.load(tmp_path / "run")


@pytest.mark.parametrize("option", ["adviser", "trust"])
def test_an_option_that_would_do_nothing_is_refused(option: str, tmp_path: Path) -> None:
    given = {option: "rules" if option == "adviser" else "score"}
    with pytest.raises(ConfigError, match=f"{option} = .* takes no advice"):
        rp.run("aura", "aura-paper", configuration="marl-only", out=tmp_path / "run", **given, **SMALL)


def test_evaluation_shows_who_advised_and_how_much_was_used(tmp_path: Path) -> None:
    env = rp.make_vec("aura-paper", num_envs=2, seed=0)
    controller = rp.train("aura", env, budget_steps=200)
    report = rp.evaluate(controller, "aura-paper", load="normal", seeds=2, episodes=1)
    row = report.numbers["parts"][0]["rows"][0]
    assert row["adviser"] == "rules"
    assert "used" in row["metrics"]


def test_a_comparison_whose_workers_are_told_to_end_ends_too(tmp_path: Path) -> None:
    options = ["--rows", "marl-only,guided", "--loads", "normal,high", "--workers", "2", "--seeds", "20"]
    script = str(Path(sys.executable).parent / "ranpilot")
    command = [script, "compare", "aura", *options, "--out", str(tmp_path / "run")]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    workers: list[int] = []
    deadline = time.monotonic() + 120
    while not workers and running.poll() is None and time.monotonic() < deadline:
        begun = list((tmp_path / "run").glob("cells/*/*/metrics.jsonl"))
        workers = _workers(running.pid) if len(begun) == 2 else []
    assert len(workers) == 2
    for worker in workers:
        os.kill(worker, signal.SIGTERM)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 2
    assert "a worker process was stopped; repeat the command to go on." in said


def _workers(parent: int) -> list[int]:
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="utf-8").split()
    commands = {int(pid): Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children}
    return [pid for pid, command in commands.items() if b"spawn_main" in command]
