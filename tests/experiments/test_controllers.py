"""Advisers that decide alone, and language models whose weights belong to a run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ranpilot.envs.make import make_batch
from ranpilot.errors import CheckpointError, UnknownNameError
from ranpilot.experiments import api
from ranpilot.experiments.controllers import Alone
from ranpilot.experiments.design import Row
from ranpilot.experiments.hashes import model_hashes
from ranpilot.experiments.rows import aura_experiment
from ranpilot.systems.aura.advisers import Delayed, make_adviser

SMALL = {"loads": ["high"], "seeds": 2, "train_episodes": 1, "test_episodes": 2}


def test_where_an_adviser_says_nothing_the_neutral_action_is_taken() -> None:
    env = make_batch("aura-paper", None, 3, 0)
    adviser = Delayed(make_adviser("rules"), latency_s=2 * env.spec.step_s)
    alone = Alone(adviser, "late rules")
    alone.reset(env.spec, 3, 0, None)
    for _ in range(2):
        assert (alone.act(env.observation) == env.spec.neutral_action).all()
        env.step(np.zeros((3, 2), dtype=np.int64))
    assert (alone.act(env.observation) != env.spec.neutral_action).any()
    assert [decision.adviser for decision in alone.explain(1)] == ["late rules"] * 2


def test_rules_as_adviser_alone_are_the_rules(tmp_path: Path) -> None:
    as_adviser = Row(label="alone", kind="adviser", name="alone", adviser="rules", block=4)
    as_heuristic = Row(label="rules", kind="heuristic", name="rules", block=4)
    report = api.run_experiment(
        aura_experiment("aura-paper", given=(as_adviser, as_heuristic), **SMALL), tmp_path / "run", title="both"
    )
    alone, rules = report.numbers["parts"][0]["rows"]
    assert alone["metrics"]["dropped"] == rules["metrics"]["dropped"]
    assert (alone["adviser"], rules["adviser"]) == ("rules", None)


def test_the_weights_of_every_language_model_belong_to_the_run(tmp_path: Path) -> None:
    out = tmp_path / "run"
    api.compare("aura", rows=["guided-untrained", "rules"], out=out, **SMALL)  # type: ignore[arg-type]
    config = json.loads((out / "config.json").read_text())
    assert list(config["model_hashes"]) == ["embedded"]
    session = json.loads((out / "provenance.json").read_text())[0]
    assert session["hashes"]["model embedded"] == config["model_hashes"]["embedded"]
    row = json.loads((out / "report.json").read_text())["parts"][0]["rows"][0]
    assert 0 <= row["agreement_with_rules"] <= 1
    config["model_hashes"]["embedded"] = "another one"
    (out / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match=r"model_hashes.embedded was .another one. and is now"):
        api.compare("aura", rows=["guided-untrained", "rules"], out=out, **SMALL)  # type: ignore[arg-type]


def test_rules_have_no_weights_and_an_unknown_adviser_is_told_before_anything_runs() -> None:
    assert model_hashes(aura_experiment("aura-paper", rows=["guided", "noisy-80", "kpm-rules"])) == {}
    unknown = Row(label="x", kind="aura", name="guided", adviser="ruels", block=0)
    with pytest.raises(UnknownNameError, match="did you mean 'rules'"):
        model_hashes(aura_experiment("aura-paper", given=(unknown,)))
