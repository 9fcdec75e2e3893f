"""The pages of learners name every parameter, default and metric, and their code runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from ranpilot.learning.dqn import DqnConfig
from ranpilot.learning.learners import LEARNERS, make_learner
from ranpilot.learning.mappo import MappoConfig
from ranpilot.learning.masac import MasacConfig
from ranpilot.learning.ppo import PpoConfig
from ranpilot.learning.sac import SacConfig

FOLDER = Path(__file__).parents[2] / "docs" / "learning"
CONFIGS = {"ppo": PpoConfig, "mappo": MappoConfig, "sac": SacConfig, "masac": MasacConfig, "dqn": DqnConfig}
ROW = re.compile(r"^\| (`\w+`(?:, `\w+`)*) \| ([^|]+) \|", re.M)


def page(name: str) -> str:
    """Its text, with that of the page it refers to for all that is the same."""
    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    follows = {"mappo": "ppo", "masac": "sac"}.get(name)
    return text + (page(follows) if follows else "")


@pytest.mark.parametrize("name", list(CONFIGS))
def test_every_parameter_stands_there_with_its_default(name: str) -> None:
    told: dict[str, str] = {}
    for names, defaults in ROW.findall(page(name).split("## Metrics")[0] + page(name)):
        for parameter, default in zip(re.findall(r"`(\w+)`", names), defaults.split(", "), strict=False):
            told.setdefault(parameter, default.strip().strip("`"))
    for parameter, field in CONFIGS[name].model_fields.items():
        assert parameter in told, parameter
        text = told[parameter].replace(" ", "").replace("−", "-")
        if isinstance(field.default, bool | str):
            assert text == str(field.default).lower(), parameter
        else:
            assert float(text) == pytest.approx(field.default), parameter


@pytest.mark.parametrize("name", LEARNERS)
def test_every_metric_stands_there(name: str) -> None:
    from ranpilot.envs.make import make_batch

    env = make_batch("slicing-small", "slicing", 2, 0)
    settings = {"learn_after": 4, "steps_per_update": 1, "minibatch": 6} if "sac" in name else {"rollout_steps": 2}
    learner = make_learner(name, settings)
    learner.reset(env.spec, 2, 0, None)
    for _ in range(4):
        learner.observe(env.step(learner.act(env.observation)))
    assert learner.metrics()["updates"] > 0
    missing = [metric for metric in learner.metrics() if f"`{metric}`" not in page(name).split("## Metrics")[-1]]
    assert missing == []


def test_the_code_of_the_page_runs() -> None:
    names: dict[str, Any] = {}
    for code in re.findall(r"```python\n(.*?)```", page("ppo"), re.S):
        exec(compile(code, "docs/learning/ppo.md", "exec"), names)
    assert names["learner"].metrics()["updates"] == 2
