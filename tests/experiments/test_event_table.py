"""The table of an inspected network's events."""

from __future__ import annotations

import numpy as np

from ranpilot.envs.announcements import text_kind
from ranpilot.envs.make import make_batch
from ranpilot.envs.tasks.power_handover import PowerHandover
from ranpilot.experiments.event_table import event_table
from ranpilot.twin import load_scenario
from ranpilot.twin.inspect import inspect_scenario
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.state import NEVER

QUICK = {"num_networks": 1, "duration_s": 0.1, "map_points": 8}


def low(**changes: object) -> Scenario:
    return load_scenario("two-cell").with_load("low").with_changes(changes)


def test_it_lists_every_event_with_what_the_task_tells_its_cell() -> None:
    scenario = low(events={"every_s": 0.5})
    assert scenario.events is not None
    found = inspect_scenario(scenario, 1, **QUICK)  # type: ignore[arg-type]
    header, *lines = event_table(scenario, found)
    env = make_batch(scenario, None, 1, 1)
    assert isinstance(env, PowerHandover)
    events = env.networks.events()
    there = np.flatnonzero(events.kind[0] >= 0).tolist()
    assert len(lines) == len(there) > 5 and all(len(line) == len(header) for line in lines)
    for e, (kind, cell, announced, in_force, text) in zip(there, lines, strict=True):
        assert kind == scenario.events.kinds[events.kind[0, e]].name
        assert cell == ("rural", "urban")[events.cell[0, e]]
        assert in_force.split(" to ")[0] == f"{events.start_slot[0, e] / 1000:.2f}"
        if events.announced_slot[0, e] == NEVER:
            assert (announced, text) == ("never", "–")
        else:
            assert announced == f"{events.announced_slot[0, e] / 1000:.2f}" and text_kind(text) == kind
    assert {line[2] == "never" for line in lines} == {True, False}
    told = {line[4] for line in lines}
    heard = set()
    for _ in range(30):
        obs = env.observation
        heard |= {obs.texts[notice] for notice in obs.notice_ids.ravel() if notice >= 0}
        env.play(np.full((1, 2), env.spec.neutral_action))
    assert len(told & heard) > 2


def test_a_scenario_without_events_has_only_the_header() -> None:
    scenario = low(events=None)
    assert len(event_table(scenario, inspect_scenario(scenario, 1, **QUICK))) == 1  # type: ignore[arg-type]


def test_kinds_without_wordings_are_listed_without_text() -> None:
    scenario = low(events={"share": 1, "kinds": [{"name": "flood", "arrival_factor": 2}]})
    lines = event_table(scenario, inspect_scenario(scenario, 1, **QUICK))[1:]  # type: ignore[arg-type]
    assert lines and {(line[0], line[4]) for line in lines} == {("flood", "–")}
