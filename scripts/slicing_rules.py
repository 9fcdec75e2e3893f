"""Play the rules and the oracle of task `slicing` and write results/slicing-rules.json, for a table of docs/slicing.md.

`python scripts/slicing_rules.py` plays what is missing, one row (load, rule) after the other, so that it can be stopped
and given again; `--again` plays everything anew. The same networks and seeds for every rule. After that `make docs`
writes the table.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from ranpilot.envs.make import make_batch
from ranpilot.errors import RanpilotError
from ranpilot.heuristics import HEURISTICS
from ranpilot.runs import write_atomic
from ranpilot.twin.scenario import Scenario

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "results" / "slicing-rules.json"
SCENARIO, SPLIT = "oran-slicing", "heldout"
LOADS = ("low", "normal", "high")
VARIANTS = ("intent", "intent-hard")
RULES = ("random", "equal", "load-proportional", "backlog", "max-min", "pf-shares", "deadline", "sla-oracle")
NETWORKS, SEED, STEPS = 5, 0, 20
"""Networks of a row, and the steps that are played; the oracle takes a second for each of a network."""


def main() -> int:
    """Play what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rules", nargs="*", default=RULES, help="rules; all where none is given")
    parser.add_argument("--again", action="store_true", help="play also what is there")
    asked = parser.parse_args()
    try:
        for variant in VARIANTS:
            for load in LOADS:
                for rule in asked.rules:
                    print(f"{variant} {load} {rule}: {make(variant, load, rule, again=asked.again)}", flush=True)
    except RanpilotError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def make(variant: str, load: str, rule: str, *, again: bool) -> str:
    """Play a row, where that is needed; what was done, in words."""
    records: list[dict[str, Any]] = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else []
    name = f"slicing-reward/{variant}/{load}/{rule}"
    begin = time.process_time()
    environment = make_batch(SCENARIO, "slicing", NETWORKS, SEED, load=load, split=SPLIT, variant=variant)
    scenario: Scenario = environment.networks.scenario  # type: ignore[attr-defined]
    now = {"scenario_hash": scenario.hash(), "n": NETWORKS, "steps": STEPS}
    old = [record for record in records if record["name"] == name]
    if old and all(old[0][key] == value for key, value in now.items()) and not again:
        return "as it was"
    controller = HEURISTICS.load(rule)()
    controller.reset(environment.spec, NETWORKS, SEED, environment.what_if)
    outcomes = [environment.step(controller.act(environment.observation)) for _ in range(STEPS)]
    reward = np.mean([outcome.reward.mean(axis=1) for outcome in outcomes], axis=0)  # [B]
    judged, violated = (sum(o.counts[count].sum() for o in outcomes) for count in ("judged", "violated"))
    record = {
        "name": name,
        "value": round(float(reward.mean()), 4),
        "unit": "reward of an agent and step",
        "violated": round(float(violated / judged), 4),
        "seed": SEED,
        "per_network": [round(float(value), 4) for value in reward],
        **now,
    }
    kept = [other for other in records if other["name"] != name]
    text = json.dumps(sorted([*kept, record], key=lambda entry: str(entry["name"])), indent=1)
    write_atomic(RESULTS, f"{text}\n".encode())
    return f"{record['value']}, {time.process_time() - begin:.0f} CPU seconds"


if __name__ == "__main__":
    sys.exit(main())
