"""Numbers and texts that nobody may change without noticing. `make golden` rewrites them; the diff is reviewed.

They hold integers and texts, and short runs: other processors may round logarithms differently in the last bit.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from ranpilot import scenarios
from ranpilot.envs.controller import Environment
from ranpilot.envs.make import make_batch
from ranpilot.envs.tasks.power_handover import PowerHandover
from ranpilot.heuristics import HEURISTICS
from ranpilot.systems.aura.advisers import CachedPolicy
from ranpilot.systems.aura.situations import choose_prompt
from ranpilot.twin import Networks


class ListensOnly:
    """Stands where a model would, and writes down what it is asked."""

    name = "listener"

    def __init__(self) -> None:
        self.prompts: list[str] = []

    def choose(self, prompts: list[str], options: list[str]) -> np.ndarray:
        self.prompts += prompts
        return np.zeros((len(prompts), len(options)))


def test_the_counters_of_the_twin_after_fifty_slots(check_golden: Callable[[str, str], None]) -> None:
    records = {}
    for name in ("reference", "two-cell"):
        networks = Networks(scenarios.load(name), num=2, seed=1, threads=1)
        networks.advance(50)
        counters = networks.counters()
        records[name] = {"cell": counters.cell.tolist(), "serving_cell": networks.ues.serving_cell.tolist()}
    check_golden("twin_counters.json", _lines(records))


@pytest.mark.parametrize("fading", ["bank", "exact"])
def test_the_counters_of_the_twin_with_rician_links(fading: str, check_golden: Callable[[str, str], None]) -> None:
    radio = {"fading": fading, "rice_factor": "model", "delay_spread_ns": "model"}
    small = {"population": {"ues_per_cell": 4}}
    networks = Networks(scenarios.load("reference").with_changes({"radio": radio, "users": small}), num=1, seed=1)
    networks.advance(50)
    counters = networks.counters()
    record = {"cell": counters.cell.tolist(), "trace": networks._state.trace.tolist()}
    check_golden(f"twin_rician_{fading}.json", _lines({fading: record}))


def test_the_events_of_two_cell_and_what_is_told_of_them(check_golden: Callable[[str, str], None]) -> None:
    env = make_batch("two-cell", None, 6, 1, load="low")
    assert isinstance(env, PowerHandover)
    record: dict[str, object] = {name: column.tolist() for name, column in env.networks.events()._asdict().items()}
    fork = env.fork(np.array([0, 3]), np.array([2]))
    record["fork"] = fork.networks.events().announced_slot.tolist()
    told = [env.observation.notice_ids.tolist()]
    for _ in range(8):
        env.step(np.full((6, 2), env.spec.neutral_action))
        told.append(env.observation.notice_ids.tolist())
    check_golden("two_cell_events.json", _lines({**record, "told": told}))


def test_an_episode_of_aura_paper_under_the_rules(check_golden: Callable[[str, str], None]) -> None:
    env = make_batch("aura-paper", None, 3, 5, load="high")
    rules = HEURISTICS.load("rules")()
    rules.reset(env.spec, 3, 5, env.what_if)
    totals = {name: np.zeros((3, 2)) for name in ("requests", "refused", "timed_out", "blocked", "pingpong")}
    for _ in range(env.spec.episode_steps):
        outcome = env.step(rules.act(env.observation))
        for name, total in totals.items():
            total += outcome.counts[name]
    check_golden("aura_paper_rules.json", _lines({name: total.astype(int).tolist() for name, total in totals.items()}))


def test_every_prompt_of_the_adviser(check_golden: Callable[[str, str], None]) -> None:
    env: Environment = make_batch("aura-paper", None, 1, 0)
    lines = []
    for version in (2, 3):
        listener = ListensOnly()
        CachedPolicy(listener, choose_prompt(version)).reset(env.spec, 1, 0, None)
        distinct = sorted(set(listener.prompts))
        assert len(distinct) > 1000
        lines += [*distinct[::40], f"{len(distinct)} distinct prompts of version {version}"]
    check_golden("adviser_prompts.txt", "\n".join(lines) + "\n")


def _lines(records: dict[str, object]) -> str:
    return json.dumps(records, indent=0, separators=(",", ":")).replace(",\n", ",") + "\n"
