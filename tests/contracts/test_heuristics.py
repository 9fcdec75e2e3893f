"""Every heuristic is a controller: it can be reset, asked, told and saved, on every environment."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ranpilot.envs.controller import Controller
from ranpilot.envs.make import make_batch
from ranpilot.heuristics import HEURISTICS

NAMES = HEURISTICS.names()


def test_the_folder_holds_what_comparisons_need() -> None:
    needed = {"always-handoff", "inverted-rules", "kpm-rules", "lookahead-oracle", "maintain", "random", "rules"}
    assert needed <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_a_controller(name: str, tmp_path: Path) -> None:
    num = 6
    env = make_batch("aura-paper", None, num, 0, load="high")
    controller = HEURISTICS.load(name)()
    assert isinstance(controller, Controller)
    controller.reset(env.spec, num, 5, env.what_if)
    for _ in range(4):
        before = env.observation.local.copy()
        action = controller.act(env.observation)
        assert action.shape == (num, env.spec.num_agents) and action.dtype.kind == "i"
        assert action.min() >= 0 and action.max() < env.spec.num_actions
        np.testing.assert_array_equal(env.observation.local, before)
        controller.observe(env.step(action))
    assert controller.explain(0) == ()
    controller.save(tmp_path)
    assert json.loads((tmp_path / "heuristic.json").read_text())["heuristic"] == name


@pytest.mark.parametrize("name", NAMES)
def test_it_decides_the_same_again(name: str) -> None:
    chosen = []
    for _ in range(2):
        env = make_batch("aura-paper", None, 4, 0, load="high")
        controller = HEURISTICS.load(name)()
        controller.reset(env.spec, 4, 5, env.what_if)
        chosen.append([])
        for _ in range(5):
            action = controller.act(env.observation)
            chosen[-1].append(action)
            env.step(action)
    np.testing.assert_array_equal(chosen[0], chosen[1])


@pytest.mark.parametrize("name", [name for name in NAMES if name != "lookahead-oracle"])
def test_it_runs_on_the_twin_unchanged(name: str) -> None:
    env = make_batch("two-cell", "power-handover", 1, 0)
    controller = HEURISTICS.load(name)()
    controller.reset(env.spec, 1, 5, env.what_if)
    action = controller.act(env.observation)
    assert env.step(action).reward.shape == (1, 2)
