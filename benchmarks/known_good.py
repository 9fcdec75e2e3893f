"""Do our learners reach what is known of classic control, and what Stable-Baselines3 reaches with the same budget?

    python benchmarks/known_good.py                    # all that results/known-good.json lacks, then the table
    python benchmarks/known_good.py --library ranpilot --seeds 1

Each run is one (task, library, seed): trained for the budget, then 20 episodes without noise. Both libraries get the
same hyper-parameters, networks and number of environments. A finished run is kept at once, so the same command goes on.
Needs gymnasium, and stable-baselines3 for its rows (`pip install stable-baselines3`).
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from ranpilot.learning.gymnasium_adapter import GymnasiumBatch
from ranpilot.learning.learner import Learner
from ranpilot.learning.learners import make_learner

RESULTS = Path(__file__).parent.parent / "results" / "known-good.json"
FOR_EVER = 10**9
TEST_EPISODES = 20

TASKS: dict[str, dict[str, Any]] = {
    "ppo CartPole-v1": {
        "env": "CartPole-v1", "num": 8, "steps": 50_000, "episode_steps": 500, "published": "500 (most there is)",
        "ours": {"hidden": 64, "rollout_steps": 256, "epochs": 10, "minibatches": 32, "normalises_returns": False},
        "theirs": {"n_steps": 256, "n_epochs": 10, "batch_size": 64},
    },
    "sac Pendulum-v1": {
        "env": "Pendulum-v1", "num": 1, "steps": 10_000, "episode_steps": 200, "published": "-150 ± 50",
        "ours": {
            "hidden": 64, "learning_rate": 1e-3, "learn_after": 100, "steps_per_update": 1.0, "first_alpha": 1.0,
        },
        "theirs": {"learning_rate": 1e-3, "learning_starts": 100, "policy_kwargs": {"net_arch": [64, 64]}},
    },
}  # fmt: skip
"""Otherwise the defaults of Stable-Baselines3, which are ours too."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--library", choices=["ranpilot", "stable-baselines3"])
    asked = parser.parse_args()
    libraries = [asked.library] if asked.library else ["ranpilot", "stable-baselines3"]
    for task in TASKS:
        for seed in range(asked.seeds):
            for library in libraries:
                run_once(task, library, seed)
    print(table(read()))


def run_once(task: str, library: str, seed: int) -> None:
    """Run and keep it, unless it is kept already."""
    records = read()
    if any((r["task"], r["library"], r["seed"]) == (task, library, seed) for r in records):
        return
    start = time.perf_counter()
    train = train_ours if library == "ranpilot" else train_theirs
    returns = train(task, seed)
    record = {
        "task": task, "library": library, "seed": seed, "steps": TASKS[task]["steps"],
        "test_return": round(float(np.mean(returns)), 2), "wall_s": round(time.perf_counter() - start, 1),
    }  # fmt: skip
    print(record, flush=True)
    RESULTS.write_text(json.dumps([*records, record], indent=1) + "\n", encoding="utf-8")


def read() -> list[dict[str, Any]]:
    """What is kept."""
    if not RESULTS.exists():
        return []
    runs: list[dict[str, Any]] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return runs


def train_ours(task: str, seed: int) -> list[float]:
    what = TASKS[task]
    learner = make_learner(task.split()[0], {"train_episodes": FOR_EVER, **what["ours"]})

    def batch(num: int, seed: int) -> GymnasiumBatch:
        return GymnasiumBatch(lambda: gymnasium.make(what["env"]), num, seed, episode_steps=what["episode_steps"])

    env = batch(what["num"], seed)
    learner.reset(env.spec, env.num_networks, seed, None)
    for _ in range(what["steps"] // what["num"]):
        learner.observe(env.step(learner.act(env.observation)))
    return first_episodes(batch(TEST_EPISODES, seed + 1000), learner)


def first_episodes(env: GymnasiumBatch, learner: Learner) -> list[float]:
    """Return of the first episode of every copy, without noise."""
    env.reset(first_episode=FOR_EVER)
    returns, is_running = np.zeros(env.num_networks), np.ones(env.num_networks, dtype=bool)
    while is_running.any():
        outcome = env.step(learner.act(env.observation))
        returns += outcome.reward[:, 0] * is_running
        is_running &= ~outcome.done
    return [float(value) for value in returns]


def train_theirs(task: str, seed: int) -> list[float]:
    from stable_baselines3 import PPO, SAC
    from stable_baselines3.common.env_util import make_vec_env
    from stable_baselines3.common.evaluation import evaluate_policy

    what = TASKS[task]
    algorithm: Any = PPO if task.startswith("ppo") else SAC
    env = make_vec_env(what["env"], n_envs=what["num"], seed=seed)
    model = algorithm("MlpPolicy", env, seed=seed, device="cpu", **what["theirs"])
    model.learn(what["steps"])
    test = make_vec_env(what["env"], n_envs=1, seed=seed + 1000)
    returns, _ = evaluate_policy(model, test, n_eval_episodes=TEST_EPISODES, return_episode_rewards=True)
    return [float(value) for value in returns]


def table(records: list[dict[str, Any]]) -> str:
    """Mean over seeds, the least and the greatest."""
    lines = [
        "| task | steps | library | test return, mean [least, greatest] of seeds | seeds | wall s a run | published |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for task, what in TASKS.items():
        for library in ("ranpilot", "stable-baselines3"):
            runs = [r for r in records if (r["task"], r["library"]) == (task, library)]
            if runs:
                found = np.array([r["test_return"] for r in runs])
                spread = f"{found.mean():.0f} [{found.min():.0f}, {found.max():.0f}]"
                wall = f"{np.median([r['wall_s'] for r in runs]):.0f}"
                cells = (task, what["steps"], library, spread, len(runs), wall, what["published"])
                lines.append(f"| {' | '.join(str(cell) for cell in cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
