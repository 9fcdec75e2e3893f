"""Drops while something is announced, on events made by hand and on the running task."""

from __future__ import annotations

import numpy as np

from ranpilot.envs.controller import Outcome
from ranpilot.envs.tasks._announced import announced_counters, count_announced
from ranpilot.envs.tasks.power_handover import PowerHandover
from ranpilot.twin.scenario_file import load_scenario
from ranpilot.twin.views import EventView

NAMES = ("announced_steps", "dropped_announced", "dropped_during_surge", "dropped_during_calm")
NEVER = 2**60


def _events(*windows: tuple[int, int, int]) -> EventView:
    """One network's events from (kind, announced, stop)."""
    kind, announced, stop = (np.array([[window[i] for window in windows]]) for i in range(3))
    return EventView(kind, np.zeros_like(kind), announced, announced + 1, stop, kind)


def _counted(slots: tuple[int, int], *windows: tuple[int, int, int]) -> list[list[float]]:
    found = count_announced(NAMES, _events(*windows), slots, np.array([[2, 1]]))
    return [found[name][0].tolist() for name in NAMES]


def test_a_step_counts_from_the_announcement_to_the_end_of_the_event() -> None:
    nothing, surge = [[0, 0]] * 4, [[1, 0], [2, 1], [2, 1], [0, 0]]
    for slots, expected in (((0, 200), nothing), ((200, 400), surge), ((600, 800), surge), ((800, 1000), nothing)):
        assert _counted(slots, (0, 399, 800), (-1, NEVER, NEVER)) == expected


def test_kinds_that_overlap_both_count_and_the_whole_counts_once() -> None:
    assert _counted((0, 200), (0, 0, 900), (1, 100, 900)) == [[1, 0], [2, 1], [2, 1], [2, 1]]


def test_the_same_steps_are_announced_whatever_the_agents_do() -> None:
    scenario = load_scenario("two-cell").with_load("high").with_changes({"control": {"episode_steps": 30}})
    outcomes: list[list[Outcome]] = []
    for action in (2, 3):
        env = PowerHandover.make(scenario, 2, 5)
        outcomes.append([env.step(np.full((2, 2), action)) for _ in range(30)])
    known = [np.array([outcome.counts["announced_steps"] for outcome in of]) for of in outcomes]
    assert np.array_equal(*known)
    assert 0 < known[0].sum() < 60
    for outcome in outcomes[0]:
        counts = outcome.counts
        step_is_known = counts["announced_steps"][:, :1] > 0
        assert np.array_equal(counts["dropped_announced"], counts["dropped"] * step_is_known)


def test_without_events_nothing_is_counted() -> None:
    scenario = load_scenario("two-cell").with_changes({"events": None})
    assert announced_counters(scenario) == ()
    assert count_announced((), _events((0, 0, 9)), (0, 5), np.zeros((1, 2))) == {}
