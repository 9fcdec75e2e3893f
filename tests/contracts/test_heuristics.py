"""Every heuristic is a controller: it can be reset, asked, told and saved, on every environment."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ranpilot.envs.controller import Controller, Environment
from ranpilot.envs.make import make_batch
from ranpilot.errors import ConfigError
from ranpilot.heuristics import HEURISTICS
from ranpilot.heuristics._shares import Shares

NAMES = HEURISTICS.names()
SHARING = [name for name in NAMES if issubclass(HEURISTICS.load(name), Shares)]
"""Those that share cells out among slices; `random` can do anything, the others take options."""
CHOOSING = [name for name in NAMES if name not in SHARING]
PLACES = [(name, "aura-paper", None) for name in CHOOSING]
PLACES += [(name, "slicing-small", "slicing") for name in [*SHARING, "random"]]


def started(name: str, scenario: str, task: str | None, num: int) -> tuple[Environment, Controller]:
    env = make_batch(scenario, task, num, 0, load="high")
    controller = HEURISTICS.load(name)()
    controller.reset(env.spec, num, 5, env.what_if)
    return env, controller


def test_the_folder_holds_what_comparisons_need() -> None:
    needed = {"always-handoff", "inverted-rules", "kpm-rules", "lookahead-oracle", "maintain", "random", "rules"}
    sharing = {"equal", "load-proportional", "max-min", "pf-shares", "backlog", "deadline", "sla-oracle"}
    assert needed <= set(CHOOSING) and sharing <= set(SHARING)


@pytest.mark.parametrize(("name", "scenario", "task"), PLACES)
def test_it_is_a_controller(name: str, scenario: str, task: str | None, tmp_path: Path) -> None:
    num = 2
    env, controller = started(name, scenario, task, num)
    assert isinstance(controller, Controller)
    for _ in range(3):
        before = env.observation.local.copy()
        action = controller.act(env.observation)
        assert action.shape[:2] == (num, env.spec.num_agents)
        if env.spec.action_size:
            assert action.shape[2:] == (env.spec.action_size,) and np.abs(action).max() <= 1.0
        else:
            assert action.dtype.kind == "i" and action.min() >= 0 and action.max() < env.spec.num_actions
        np.testing.assert_array_equal(env.observation.local, before)
        controller.observe(env.step(action))
    assert controller.explain(0) == ()
    controller.save(tmp_path)
    assert json.loads((tmp_path / "heuristic.json").read_text())["heuristic"] == name


@pytest.mark.parametrize(("name", "scenario", "task"), PLACES)
def test_it_decides_the_same_again(name: str, scenario: str, task: str | None) -> None:
    chosen: list[list[np.ndarray]] = []
    for _ in range(2):
        env, controller = started(name, scenario, task, 2)
        chosen.append([])
        for _ in range(3):
            action = controller.act(env.observation)
            chosen[-1].append(action)
            env.step(action)
    np.testing.assert_array_equal(chosen[0], chosen[1])


@pytest.mark.parametrize("name", [name for name in CHOOSING if name != "lookahead-oracle"])
def test_it_runs_on_the_twin_unchanged(name: str) -> None:
    env = make_batch("two-cell", "power-handover", 1, 0)
    controller = HEURISTICS.load(name)()
    controller.reset(env.spec, 1, 5, env.what_if)
    action = controller.act(env.observation)
    assert env.step(action).reward.shape == (1, 2)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "random"])
def test_a_task_that_it_does_not_fit_is_refused_in_a_sentence(name: str) -> None:
    scenario, task = ("aura-paper", None) if name in SHARING else ("slicing-small", "slicing")
    with pytest.raises(ConfigError, match=r"of task '(power-handover|slicing)'"):
        started(name, scenario, task, 1)
