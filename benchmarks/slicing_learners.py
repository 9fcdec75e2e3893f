"""Do the learners learn to share a cell out? Return against rules on the same networks and unseen episodes.

    python benchmarks/slicing_learners.py --learners ppo,masac --json results/slicing-learners.json

Prints for each learner the mean reward of an agent and step, while taught and then in test episodes without noise,
and the difference to each rule with its 95 % interval over networks (paired).
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from ranpilot.envs.controller import Controller, Environment
from ranpilot.envs.make import make_batch
from ranpilot.heuristics import HEURISTICS
from ranpilot.learning.learners import make_learner

TEST_FROM = 1_000_000
RULES = ("equal", "load-proportional", "max-min")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenario", default="slicing-small")
    parser.add_argument("--variant", default="intent")
    parser.add_argument("--load", default="high")
    parser.add_argument("--learners", default="ppo,mappo,sac,masac")
    parser.add_argument("--start", default="equal")
    parser.add_argument("--settings", default="{}", help="settings of all learners, as JSON")
    parser.add_argument("--networks", type=int, default=32)
    parser.add_argument("--episodes", type=int, default=10)
    parser.add_argument("--test-episodes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--json", type=Path, default=None, help="records are added; those that are there are not made again"
    )
    asked = parser.parse_args()
    kept = json.loads(asked.json.read_text(encoding="utf-8")) if asked.json and asked.json.exists() else []
    env = make_batch(asked.scenario, "slicing", asked.networks, asked.seed, load=asked.load, variant=asked.variant)
    wanted = [name for name in asked.learners.split(",") if not any(same(r, asked, name) for r in kept)]
    rules = {}
    for name in RULES if wanted else ():
        rules[name] = test(env, begin(env, HEURISTICS.load(name)(), asked.seed), asked.test_episodes)
        print(f"{name:<20} {rules[name].mean():+.4f}", flush=True)
    for name in wanted:
        record = teach(env, asked, name, rules)
        print(record, flush=True)
        kept.append(record)
        if asked.json:
            asked.json.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def same(record: dict[str, Any], asked: argparse.Namespace, learner: str) -> bool:
    fields = ("scenario", "variant", "load", "start", "settings", "networks", "episodes", "seed")
    return record["learner"] == learner and all(record[field] == getattr(asked, field) for field in fields)


def teach(env: Environment, asked: argparse.Namespace, name: str, rules: dict[str, np.ndarray]) -> dict[str, Any]:
    """A learner's record: taught for that many episodes, then tested."""
    settings = {"train_episodes": asked.episodes, "start": asked.start, **json.loads(asked.settings)}
    learner = begin(env, make_learner(name, settings), asked.seed)
    untaught = test(env, learner, asked.test_episodes)
    start = time.perf_counter()
    env.reset()
    curve = []
    for episode in range(asked.episodes):
        curve.append(round(float(play(env, learner).mean()), 4))
        shown = {key: round(value, 3) for key, value in learner.metrics().items()}
        print(f"{name:<20} {curve[-1]:+.4f} training, episode {episode}, {shown}", flush=True)
    wall_s = time.perf_counter() - start
    found = test(env, learner, asked.test_episodes)
    return {
        **{key: value for key, value in vars(asked).items() if key not in ("json", "learners")},
        "learner": name,
        "network_steps": asked.episodes * asked.networks * env.spec.episode_steps,
        "untaught": round(float(untaught.mean()), 4),
        "reward": round(float(found.mean()), 4),
        "curve": curve,
        "wall_s": round(wall_s),
        "against": {rule: interval(found - other) for rule, other in rules.items()},
    }


def begin(env: Environment, controller: Controller, seed: int) -> Controller:
    controller.reset(env.spec, env.num_networks, seed, env.what_if)
    return controller


def play(env: Environment, controller: Controller) -> np.ndarray:
    """One episode; mean reward of an agent and step, [B]."""
    total = np.zeros(env.num_networks)
    for _ in range(env.spec.episode_steps):
        outcome = env.step(controller.act(env.observation))
        controller.observe(outcome)
        total += outcome.reward.mean(axis=1)
    return total / env.spec.episode_steps


def test(env: Environment, controller: Controller, episodes: int) -> np.ndarray:
    """Mean reward of an agent and step over test episodes, [B]."""
    env.reset(first_episode=TEST_FROM)
    return np.mean([play(env, controller) for _ in range(episodes)], axis=0)


def interval(difference: np.ndarray) -> dict[str, float]:
    half_width = 1.96 * difference.std(ddof=1) / np.sqrt(len(difference))
    return {"mean": round(float(difference.mean()), 4), "half_width": round(float(half_width), 4)}


if __name__ == "__main__":
    main()
