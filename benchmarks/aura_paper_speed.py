"""How many network-steps a millisecond does `aura-paper` take, at each load and batch size, on one thread?

python benchmarks/aura_paper_speed.py [FILE.json]

Whole `env.step` calls with random actions, checks of the action and copies of the results included; compilation and
the first hundred steps excluded. Medians of repeats with their spread; the reference is what the project asks for.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np

from ranpilot.envs.aura_paper.config import LOADS, AuraPaperConfig
from ranpilot.envs.aura_paper.environment import AuraPaper

BATCHES = (1, 16, 64, 256)
REPEATS = 7
REFERENCE = 150.0
STEPS_OF_ALL = 32_000


def steps_per_ms(load: str, batch: int) -> list[float]:
    """Network-steps in a millisecond of wall time, once for each repeat."""
    env = AuraPaper(AuraPaperConfig().with_load(load), batch, 0)
    num_steps = max(200, STEPS_OF_ALL // batch)
    actions = np.random.default_rng(0).integers(0, 4, (num_steps, batch, 2))
    for action in actions[:100]:
        env.step(action)
    measured = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        for action in actions:
            env.step(action)
        measured.append(num_steps * batch / (time.perf_counter() - start) / 1e3)
    return measured


def rolls_per_ms(load: str) -> list[float]:
    """Network-steps of `what_if` in a millisecond: 64 networks, 16 joint actions, 2 draws, 6 steps."""
    env = AuraPaper(AuraPaperConfig().with_load(load), 64, 0)
    for _ in range(20):
        env.step(np.full((64, 2), 3))
    joint = np.stack(np.meshgrid(range(4), range(4))).reshape(2, 16)
    actions = np.broadcast_to(joint, (64, 2, 16))
    env.what_if.roll(actions, 6, 2)
    measured = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        env.what_if.roll(actions, 6, 2)
        measured.append(64 * 16 * 2 * 6 / (time.perf_counter() - start) / 1e3)
    return measured


def main() -> None:
    cells = {f"{load}/batch-{batch}": steps_per_ms(load, batch) for load in LOADS for batch in BATCHES}
    cells |= {f"{load}/what-if": rolls_per_ms(load) for load in LOADS}
    rows = []
    print(f"{'network-steps/ms':20} {'median':>8} {'least':>8} {'most':>8}")
    for name, measured in cells.items():
        median = statistics.median(measured)
        print(f"{name:20} {median:8.0f} {min(measured):8.0f} {max(measured):8.0f}")
        reference = REFERENCE if "batch-64" in name else None
        row = {"name": f"steps_per_ms/aura-paper/{name}/threads-1", "value": median, "unit": "1/ms", "n": REPEATS}
        rows.append({**row, "threads": 1, "reference": reference, "least": min(measured), "most": max(measured)})
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
