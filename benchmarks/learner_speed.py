"""How fast do learners learn on oran-slicing? Network-steps a second, and how they split between twin and learner.

python benchmarks/learner_speed.py
"""

from __future__ import annotations

import argparse
import time

from ranpilot.envs.make import make_batch
from ranpilot.learning.learners import LEARNERS, make_learner


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenario", default="oran-slicing")
    parser.add_argument("--networks", type=int, default=32)
    parser.add_argument("--steps", type=int, default=200)
    asked = parser.parse_args()
    env = make_batch(asked.scenario, "slicing", asked.networks, 0)
    print(f"{'learner':<10}{'network-steps/s':>18}{'twin, share':>14}{'learner, share':>17}{'learner, ms a step':>21}")
    for name in LEARNERS:
        learner = make_learner(name, {"train_episodes": 10**6})
        env.reset()
        learner.reset(env.spec, env.num_networks, 0, None)
        twin_s = learner_s = 0.0
        for step in range(asked.steps + env.spec.episode_steps):
            start = time.perf_counter()
            action = learner.act(env.observation)
            acted = time.perf_counter()
            outcome = env.step(action)
            stepped = time.perf_counter()
            learner.observe(outcome)
            if step >= env.spec.episode_steps:  # an episode to warm up, and for replays to begin
                twin_s += stepped - acted
                learner_s += acted - start + time.perf_counter() - stepped
        whole_s = twin_s + learner_s
        print(
            f"{name:<10}{asked.steps * asked.networks / whole_s:>18.0f}{twin_s / whole_s:>14.2f}"
            f"{learner_s / whole_s:>17.2f}{1e3 * learner_s / asked.steps:>21.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
