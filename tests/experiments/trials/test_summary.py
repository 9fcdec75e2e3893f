"""Tables of a comparison from given numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ranpilot.experiments.trials.design import make_trials
from ranpilot.experiments.trials.results import Found, Played
from ranpilot.experiments.trials.summary import flat_trials, summarise_trials, trials_table

AGENTS, STEPS = 2, 10
REWARDS = {"ppo": [0.9, 0.8, 0.9, 0.9, 0.7], "equal": [0.5, 0.6, 0.6, 0.5, 0.6], "backlog": [0.4, 0.4, 0.4, 0.4, 0.4],
           "sla-oracle": [0.95] * 5}  # fmt: skip
SPENT = {"environment_s": 3.0, "simulator_s": 2.0, "controller_s": 1.0, "network_steps": 100}


def _entrant(label: str) -> dict[str, Any]:
    return {"label": label, "kind": "learner" if label == "ppo" else "heuristic", "name": label}


@pytest.fixture
def found() -> Found:
    trials = make_trials(
        {"name": "made", "scenario": "made", "train_load": "high", "loads": ["high"], "seeds": 5, "networks": 1,
         "train_episodes": 2, "test_episodes": 1, "entrants": [_entrant(label) for label in REWARDS]}
    )  # fmt: skip
    played = {}
    for label, rewards in REWARDS.items():
        for seed, reward in enumerate(rewards):
            total = reward * AGENTS * STEPS
            counts = {"judged": [40], "violated": [10], "quality": [60.0]}
            training = [{"phase": "train", "load": "high", "reward": [total / 2]} for _ in range(2)]
            records = [*training, {"phase": "test", "load": "high", "reward": [total], "counts": counts}]
            played[label, seed] = Played(records, {"train": SPENT, "test": SPENT, "timelines": {}})
    return Found(trials, played, AGENTS, STEPS)


def test_rewards_are_of_an_agent_and_step(found: Found) -> None:
    assert found.per_seed("ppo", "high", "reward").tolist() == pytest.approx(REWARDS["ppo"])
    assert found.per_seed("ppo", "high", "violated").tolist() == [0.25] * 5
    assert found.per_seed("ppo", "high", "quality").tolist() == pytest.approx([1.5] * 5)
    assert found.curve("ppo")[1].tolist() == pytest.approx([0.4, 0.4])


def test_the_best_heuristic_is_no_oracle_and_differences_are_of_pairs(found: Found) -> None:
    summary = summarise_trials(found)
    assert summary["best_heuristic"] == {"high": "equal"}
    ppo, equal, _, oracle = summary["rows"]
    assert ppo["against"]["difference"]["estimate"] == pytest.approx((0.4 + 0.2 + 0.3 + 0.4 + 0.1) / 5)
    assert ppo["against"]["wins"] == 5
    assert equal["against"] is None
    assert oracle["kind"] == "oracle"
    assert summary["headline"].startswith("At high load ppo is better than the best heuristic, equal: +0.280 [")
    assert not summary["is_illustration"]


def test_the_share_of_each_part_of_the_time(found: Found) -> None:
    line = summarise_trials(found)["throughput"][0]["phases"]["train"]
    assert line == pytest.approx({"steps_per_s": 25.0, "simulator": 0.5, "environment": 0.25, "controller": 0.25})


def test_the_table_and_the_records_say_the_same(found: Found) -> None:
    summary = summarise_trials(found)
    lines = trials_table(summary)
    assert lines[2][1:] == ["equal", lines[2][2], lines[2][3], lines[2][4], "is the best heuristic"]
    records = {record["name"]: record for record in flat_trials(summary, 1)}
    assert records["gain/made/high/ppo/over-equal"]["value"] == pytest.approx(0.28)
    assert lines[1][2].startswith(f"{records['reward/made/high/ppo/iqm']['value']:.3f} [")


def test_few_seeds_make_no_claim(found: Found) -> None:
    few = replace(found, trials=found.trials.model_copy(update={"seeds": 1}))
    headline = summarise_trials(few)["headline"]
    assert headline == (
        "At high load ppo has +0.400 in reward over the best heuristic, equal; 1 seeds are too few for a claim."
    )
