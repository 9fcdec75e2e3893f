"""Tune the learners that advice is compared with: `python scripts/tune_marl.py`, a quarter of a CPU hour, resumable.

Every row gets one setting for all loads: the one with the fewest drops relative to the best setting, mean over loads.
Training and evaluation run on training networks of `aura-paper` under a base seed that no experiment uses. Tables: the
learning rate with Q-values that begin at 0, then the best rate with values that begin at 15, about where they end.
Deep Q-networks: the learning rate; own features at normal load (at high load they tell nothing that helps, whatever the
rate), with the neighbour's at high load. Each finished piece is written to results/marl-tuning.json at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ranpilot.envs.controller import Controller, Environment
from ranpilot.envs.make import make_batch
from ranpilot.learning.dqn import Dqn, make_config
from ranpilot.runs import read_json, write_json
from ranpilot.systems.aura import make

RESULTS = Path(__file__).parent.parent / "results" / "marl-tuning.json"
COMMAND = "python scripts/tune_marl.py"
BASE_SEED, NETWORKS = 7919, 6
TRAIN_EPISODES, TEST_EPISODES = 500, 100

Settings = Mapping[str, object]
RATES: tuple[Settings, ...] = ({"alpha": 0.03}, {"alpha": 0.1}, {"alpha": 0.3}, {"alpha_rule": "visits"})
FIRST_VALUES: tuple[Settings, ...] = ({}, {"initial_value": 15.0})
DEEP_RATES: tuple[Settings, ...] = tuple({"learning_rate": rate} for rate in (1e-4, 3e-4, 1e-3, 3e-3))


@dataclass(frozen=True)
class Learner:
    """A row to tune: what it is, how long it trains, where it is judged, what is tried one after the other."""

    fixed: Settings
    loads: tuple[str, ...]
    grids: tuple[tuple[Settings, ...], ...]
    train_factor: int = 1
    is_deep: bool = False


NEIGHBOURS: Settings = {"neighbour_features": True}
BUSY = ("normal", "high")
LEARNERS = {
    "marl-only": Learner({}, BUSY, (RATES, FIRST_VALUES)),
    "marl-neighbours": Learner(NEIGHBOURS, BUSY, (RATES, FIRST_VALUES)),
    "dqn": Learner({}, ("normal",), (DEEP_RATES,), is_deep=True),
    "dqn-neighbours": Learner(NEIGHBOURS, ("high",), (DEEP_RATES,), is_deep=True),
    "marl-only-10x": Learner({}, BUSY, (RATES, FIRST_VALUES), train_factor=10),
    "marl-neighbours-10x": Learner(NEIGHBOURS, BUSY, (RATES, FIRST_VALUES), train_factor=10),
}


def main() -> None:
    found = read_json(RESULTS) if RESULTS.exists() else {}
    pieces: list[dict[str, object]] = found.get("pieces", [])
    chosen: dict[str, Settings] = {}
    for name, learner in LEARNERS.items():
        chosen[name] = tune(name, learner, pieces)
        write(pieces, chosen)
        print(name, json.dumps(chosen[name]), flush=True)


def tune(name: str, learner: Learner, pieces: list[dict[str, object]]) -> Settings:
    """The best settings, one grid after the other; finished pieces are taken from `pieces`, new ones added there."""
    best: Settings = {}
    for grid in learner.grids:
        tried = [{**best, **settings} for settings in grid]
        drops = np.array([[measure(name, learner, load, s, pieces) for load in learner.loads] for s in tried])
        best = tried[int(np.argmin((drops / drops.min(axis=0)).mean(axis=1)))]
    return {**learner.fixed, **best}


def measure(name: str, learner: Learner, load: str, settings: Settings, pieces: list[dict[str, object]]) -> float:
    """Mean dropped requests an episode after the training."""
    key = {"row": name, "load": load, "settings": {**learner.fixed, **settings}}
    for piece in pieces:
        if all(piece[field] == value for field, value in key.items()):
            return float(str(piece["drops"]))
    episodes = TRAIN_EPISODES * learner.train_factor
    env = make_batch("aura-paper", None, NETWORKS, BASE_SEED, load=load)
    values = {**key["settings"], "train_episodes": episodes}
    controller: Controller = Dqn(make_config(values)) if learner.is_deep else make("marl-only", adviser=None, **values)
    controller.reset(env.spec, NETWORKS, BASE_SEED, None)
    dropped = np.array(list(play(env, controller, episodes + TEST_EPISODES)))[episodes:].mean(axis=0)
    drops = float(f"{dropped.mean():.4g}")
    pieces.append({**key, "drops": drops, "each": [float(f"{d:.4g}") for d in dropped]})
    write(pieces, {})
    return drops


def play(env: Environment, controller: Controller, episodes: int) -> Iterator[np.ndarray]:
    """Requests dropped in each network, episode after episode."""
    for _ in range(episodes):
        dropped = np.zeros(NETWORKS)
        for _ in range(env.spec.episode_steps):
            outcome = env.step(controller.act(env.observation))
            controller.observe(outcome)
            dropped += outcome.counts["dropped"].sum(axis=1)
        yield dropped


def write(pieces: list[dict[str, object]], chosen: Mapping[str, Settings]) -> None:
    head = {"command": COMMAND, "base_seed": BASE_SEED, "networks": NETWORKS, "train_episodes": TRAIN_EPISODES}
    write_json(RESULTS, {**head, "chosen": dict(chosen), "pieces": pieces})


if __name__ == "__main__":
    main()
