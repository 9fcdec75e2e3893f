from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ranpilot.envs.controller import Observation, TaskSpec
from ranpilot.envs.make import make_batch
from ranpilot.errors import CheckpointError, ConfigError
from ranpilot.heuristics import HEURISTICS

UP, DOWN, KEEP, MOVE = range(4)
GOOD, FAIR, POOR = 0.0, 0.1, 0.5
FREE, FULL = 0.0, 1.0


@pytest.fixture(scope="module")
def task() -> TaskSpec:
    return make_batch("aura-paper", None, 1, 0).spec


def look(local: list[list[float]], state: list[float] | None = None) -> Observation:
    """One network; local: (coverage, capacity) of either station."""
    features = np.array([[[0.5, coverage, capacity, 0.0] for coverage, capacity in local]])
    return Observation(
        local=features,
        state=np.array([state or [0.0] * 8]),
        slot=np.zeros(1, np.int64),
        first=np.ones(1, np.bool_),
        episode=np.zeros(1, np.int64),
        notice_ids=np.zeros((1, 0), np.int64),
    )


def ask(name: str, task: TaskSpec, obs: Observation) -> list[int]:
    controller = HEURISTICS.load(name)()
    controller.reset(task, len(obs.local), 0, None)
    return controller.act(obs)[0].tolist()


@pytest.mark.parametrize(
    ("own", "other_capacity", "expected"),
    [
        (GOOD, FREE, DOWN),
        (GOOD, FULL, DOWN),
        (FAIR, FREE, MOVE),
        (FAIR, FULL, KEEP),
        (POOR, FREE, MOVE),
        (POOR, FULL, UP),
    ],
)
def test_rules_follow_coverage_and_the_neighbours_room(
    task: TaskSpec, own: float, other_capacity: float, expected: int
) -> None:
    assert ask("rules", task, look([[own, FREE], [GOOD, other_capacity]])) == [expected, DOWN]


def test_inverted_rules_hand_over_into_full_stations_only(task: TaskSpec) -> None:
    assert ask("inverted-rules", task, look([[POOR, FREE], [POOR, FULL]])) == [MOVE, DOWN]


def test_maintain_and_always_handoff_do_one_thing(task: TaskSpec) -> None:
    assert ask("maintain", task, look([[POOR, FREE], [GOOD, FULL]])) == [KEEP, KEEP]
    assert ask("always-handoff", task, look([[POOR, FREE], [GOOD, FULL]])) == [MOVE, MOVE]


@pytest.mark.parametrize(
    ("requests", "is_due", "neighbour_free", "bad_share", "expected"),
    [
        (2, 0, 2, 0.5, MOVE),
        (2, 0, 1, 0.5, UP),
        (2, 1, 1, 0.5, MOVE),
        (2, 1, 0, 0.5, UP),
        (0, 0, 3, 0.30, UP),
        (0, 0, 3, 0.25, KEEP),
        (0, 0, 3, 0.20, KEEP),
        (0, 0, 3, 0.15, KEEP),
        (0, 0, 3, 0.10, DOWN),
    ],
)
def test_kpm_rules_follow_requests_places_and_bad_links(
    task: TaskSpec, requests: int, is_due: int, neighbour_free: int, bad_share: float, expected: int
) -> None:
    state = [requests / 3, is_due, 1.0, bad_share, 0.0, 0.0, neighbour_free / 3, 0.2]
    assert ask("kpm-rules", task, look([[GOOD, FREE]] * 2, state)) == [expected, KEEP]


def test_random_takes_every_option_equally_often_and_hangs_on_the_seed() -> None:
    env = make_batch("aura-paper", None, 500, 0)
    drawn = []
    for seed in (1, 1, 2):
        controller = HEURISTICS.load("random")()
        controller.reset(env.spec, 500, seed, None)
        drawn.append(np.array([controller.act(env.observation) for _ in range(20)]))
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])
    counts = np.bincount(drawn[0].ravel(), minlength=4)
    expected = drawn[0].size / 4
    assert (np.abs(counts - expected) < 4 * np.sqrt(expected)).all()


def test_random_goes_on_where_it_was_saved(tmp_path: Path) -> None:
    env = make_batch("aura-paper", None, 5, 0)
    first, second = HEURISTICS.load("random")(), HEURISTICS.load("random")()
    for controller in (first, second):
        controller.reset(env.spec, 5, 3, None)
    first.act(env.observation)
    first.save(tmp_path)
    second.load(tmp_path)
    np.testing.assert_array_equal(first.act(env.observation), second.act(env.observation))
    (tmp_path / "heuristic.json").write_text("{")
    with pytest.raises(CheckpointError, match="cannot be read"):
        second.load(tmp_path)


def test_saving_says_which_controller_it_is(task: TaskSpec, tmp_path: Path) -> None:
    controller = HEURISTICS.load("always-handoff")()
    controller.reset(task, 3, 7, None)
    controller.save(tmp_path / "deep" / "folder")
    saved = json.loads((tmp_path / "deep" / "folder" / "heuristic.json").read_text())
    assert saved == {"heuristic": "always-handoff", "task": "power-handover", "seed": 7}
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="could not be written"):
        controller.save(tmp_path / "file")


def test_the_oracle_executes_the_joint_action_with_the_best_rolls(task: TaskSpec) -> None:
    class Rolls:
        def roll(self, actions, steps, draws, *, then, networks=None, discount):
            assert (steps, draws, discount, actions.shape) == (6, 2, 0.95, (1, 2, 16))
            assert then(look([[GOOD, FREE]] * 2, [1 / 3, 0, 1, 0.2, 0, 0, 1, 0.3])).tolist() == [[MOVE, UP]]
            # Two draws that agree only in the mean.
            wanted = (actions[:, 0] == DOWN) & (actions[:, 1] == MOVE)
            return np.stack([wanted * 3.0 - 1, 1.0 - 0 * wanted], axis=2)

    oracle = HEURISTICS.load("lookahead-oracle")()
    oracle.reset(task, 1, 0, Rolls())
    assert oracle.act(look([[GOOD, FREE]] * 2)).tolist() == [[DOWN, MOVE]]


def test_the_oracle_wants_copies_and_few_joint_actions(task: TaskSpec) -> None:
    oracle = HEURISTICS.load("lookahead-oracle")()
    with pytest.raises(ConfigError, match="what_if = None, but must be one, since lookahead-oracle"):
        oracle.reset(task, 1, 0, None)


def test_a_task_without_the_words_or_numbers_is_refused(task: TaskSpec) -> None:
    from dataclasses import replace

    nameless = replace(task, state_names=(), actions=("stay",) * 4)
    for name in ("kpm-rules",):
        with pytest.raises(ConfigError, match="eligible_requests"):
            HEURISTICS.load(name)().reset(nameless, 1, 0, None)
    for name in ("rules", "inverted-rules"):
        with pytest.raises(ConfigError, match="'coverage' is among them"):
            HEURISTICS.load(name)().reset(replace(task, features=task.features[:1]), 1, 0, None)


def test_an_agent_without_a_neighbour_never_hands_over(task: TaskSpec) -> None:
    from dataclasses import replace

    alone = replace(task, neighbours=((), ()))
    state = [1.0, 1.0, 1.0, 0.5] * 2
    for name, expected in (("rules", UP), ("inverted-rules", DOWN), ("kpm-rules", UP)):
        assert ask(name, alone, look([[POOR, FULL], [POOR, FULL]], state)) == [expected] * 2


def drops_per_episode(name: str, load: str, num: int, episodes: int) -> tuple[float, float]:
    """Mean over networks and its standard error."""
    env = make_batch("aura-paper", None, num, 1, load=load)
    controller = HEURISTICS.load(name)()
    controller.reset(env.spec, num, 1, env.what_if)
    total = np.zeros(num)
    for _ in range(episodes * env.spec.episode_steps):
        total += env.step(controller.act(env.observation)).counts["dropped"].sum(axis=1)
    per_episode = total / episodes
    return float(per_episode.mean()), float(per_episode.std(ddof=1) / np.sqrt(num))


@pytest.mark.parametrize(
    ("name", "load", "prototype", "slack"),
    [
        ("rules", "low", 0.0, 0.02),
        ("rules", "normal", 0.33, 0.08),
        ("rules", "high", 6.40, 0.35),
        ("kpm-rules", "normal", 0.08, 0.04),
        ("kpm-rules", "high", 5.57, 0.35),
        ("always-handoff", "normal", 1.13, 0.2),
        ("always-handoff", "high", 20.6, 0.7),
    ],
)
def test_heuristics_drop_as_many_requests_as_in_the_prototype(
    name: str, load: str, prototype: float, slack: float
) -> None:
    """The prototype's 20 seeds have an error of their own, of about half the slack."""
    mean, standard_error = drops_per_episode(name, load, num=100, episodes=20)
    assert abs(mean - prototype) < slack
    assert standard_error < slack / 2


def test_the_urban_station_is_full_half_the_time_at_high_load_only() -> None:
    shares = []
    for load in ("low", "normal", "high"):
        env = make_batch("aura-paper", None, 100, 1, load=load)
        controller = HEURISTICS.load("rules")()
        controller.reset(env.spec, 100, 1, None)
        steps = [env.step(controller.act(env.observation)).next_obs.local[:, 1, 2].mean() for _ in range(500)]
        shares.append(np.mean(steps))
    np.testing.assert_allclose(shares, [0.0, 0.04, 0.5], atol=0.03)


@pytest.mark.slow
def test_the_oracle_drops_fewer_requests_than_the_rules_at_high_load() -> None:
    mean, standard_error = drops_per_episode("lookahead-oracle", "high", num=40, episodes=5)
    assert abs(mean - 4.83) < 0.8
    assert standard_error < 0.4
