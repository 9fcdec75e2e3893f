"""The task on the two-cell twin, and on a larger made-up network."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ranpilot.envs.controller import Environment, Observation
from ranpilot.envs.tasks import TASKS
from ranpilot.envs.tasks._spec import DOWN, KEEP, MOVE, UP
from ranpilot.envs.tasks.power_handover import PowerHandover
from ranpilot.envs.words import level_counts, levels, state_words
from ranpilot.errors import ActionError, CheckpointError, ConfigError, UnknownNameError
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.scenario_file import load_scenario

SHORT = {"control": {"episode_steps": 4}}


def scenario(**changes: Any) -> Scenario:
    """The two-cell network at high load, with four steps an episode."""
    return load_scenario("two-cell").with_load("high").with_changes(SHORT | changes)


def make(num: int = 2, **keywords: Any) -> PowerHandover:
    return PowerHandover.make(scenario(), num, 5, **keywords)


def play(env: PowerHandover, steps: int, seed: int = 0) -> list[np.ndarray]:
    """Random joint actions, the same for every network; rewards [B, A] of every step."""
    actions = np.random.default_rng(seed).integers(0, 4, (steps, 1, env.spec.num_agents))
    return [env.step(np.repeat(action, env.num_networks, axis=0)).reward for action in actions]


def equal(one: Observation, other: Observation, rows: slice = slice(None)) -> bool:
    arrays = ("local", "state", "slot", "first", "episode")
    return all(np.array_equal(getattr(one, name)[rows], getattr(other, name)) for name in arrays)


def test_the_task_is_found_by_its_name_and_is_an_environment() -> None:
    assert TASKS.names() == ["power-handover", "slicing", "slicing-two-level"]
    assert TASKS.load("power-handover") is PowerHandover
    env: Environment = make(1)
    assert env.what_if is not None


def test_the_spec_says_what_agents_see_and_do() -> None:
    spec = make(1).spec
    assert spec.agents == ("rural", "urban")
    assert [feature.measurement.name for feature in spec.features] == ["power", "coverage", "capacity", "drops"]
    assert spec.actions == ("up", "down", "keep", "move")
    assert spec.actions[spec.neutral_action] == "keep"
    assert level_counts(spec).tolist() == [[4, 3, 2, 3], [8, 3, 2, 3]]
    assert spec.neighbours == ((1,), (0,))
    assert (spec.step_s, spec.slots_per_step) == (0.2, 200)
    assert load_scenario("two-cell").control.episode_steps == 50


def test_the_first_observation_is_a_running_network_at_random_powers() -> None:
    obs = make(4).observation
    assert obs.local.shape == (4, 2, 4)
    assert obs.state.shape == (4, len(make(1).spec.state_names))
    assert obs.first.all()
    assert (obs.slot == 0).all()
    assert obs.notice_ids.shape == (4, 2)
    assert len(obs.texts) > 9 * 18
    assert len(np.unique(obs.local[:, :, 0])) > 2
    assert ((obs.local >= 0) & (obs.local <= 1)).all()


def test_powers_move_by_one_db_within_the_range_of_the_cell() -> None:
    env = make(1)
    for action, change in ((UP, 1), (DOWN, -1), (KEEP, 0), (MOVE, 0)):
        before = env.networks.cells.set_power_dbm
        env.play(np.full((1, 2), action))
        expected = np.clip(before + change, [43, 30], [46, 37])
        assert env.networks.cells.set_power_dbm.tolist() == expected.tolist()
    for _ in range(8):
        env.play(np.full((1, 2), UP))
    assert env.networks.cells.set_power_dbm.tolist() == [[46.0, 37.0]]


def test_levels_and_words_of_the_observation_are_those_of_the_network() -> None:
    env = make(3)
    found = levels(env.spec, env.observation)
    power = env.networks.cells.tx_power_dbm
    assert found[:, :, 0].tolist() == (power - [43, 30]).astype(int).tolist()
    for network in range(3):
        for agent in range(2):
            words = state_words(env.spec, agent, found[network, agent])
            assert words[0] == env.spec.features[0].words[agent][round(power[network, agent] - (43, 30)[agent])]
            assert words[1] in ("good", "fair", "poor")
            assert words[2] == ("full" if found[network, agent, 2] else "free")


def test_reward_is_the_sum_of_its_named_terms_and_they_follow_from_the_counts() -> None:
    env = make(2)
    for _ in range(3):
        outcome = env.step(np.full((2, 2), MOVE))
        counts = outcome.counts
        assert set(counts) == set(env.spec.counters)
        assert np.array_equal(outcome.reward, outcome.terms.sum(axis=2))
        assert np.array_equal(outcome.terms[:, :, 0], counts["served"])
        assert np.array_equal(outcome.terms[:, :, 1], -counts["dropped"])
        assert np.allclose(outcome.terms[:, :, 2], -0.1 * counts["power"])
        assert np.allclose(outcome.terms[:, :, 3], -0.05 * counts["pingpong"])
        assert (counts["dropped"] >= counts["refused"] + counts["timed_out"]).all()
        assert (counts["failures"][:, 1:] == 0).all()
        assert ((counts["served"] >= 0) & (counts["served"] <= 1)).all()


def test_the_variant_power_weighs_power_less() -> None:
    outcome = make(1, variant="power").step(np.full((1, 2), UP))
    assert np.allclose(outcome.terms[:, :, 2], -0.03 * outcome.counts["power"])


def test_an_episode_is_cut_and_the_next_begins_in_the_same_call() -> None:
    env = make(1)
    for step in range(4):
        outcome = env.step([[KEEP, KEEP]])
        assert outcome.truncated.all() == (step == 3)
        assert not outcome.terminated.any()
    assert outcome.next_obs.slot.tolist() == [4 * 200]
    assert outcome.next_obs.episode.tolist() == [0]
    assert env.observation.first.all()
    assert env.observation.episode.tolist() == [1]
    assert not np.array_equal(env.observation.local, outcome.next_obs.local)


def test_a_network_does_not_depend_on_the_batch_it_is_in() -> None:
    together = make(3, first_network=7)
    rewards = play(together, 5)
    for row in (0, 2):
        alone = make(1, first_network=7 + row)
        assert all(np.array_equal(a[row : row + 1], b) for a, b in zip(rewards, play(alone, 5), strict=True))
        assert equal(together.observation, alone.observation, slice(row, row + 1))


def test_the_same_episode_repeats_and_others_differ() -> None:
    env = make(2)
    first = env.reset(first_episode=3)
    rewards = play(env, 3)
    assert equal(first, env.reset(first_episode=3))
    assert all(np.array_equal(a, b) for a, b in zip(rewards, play(env, 3), strict=True))
    assert not equal(first, env.reset(first_episode=4))


def test_the_held_out_split_is_another_network() -> None:
    train, heldout = make(1), make(1, split="heldout")
    assert train.networks.fingerprint() != heldout.networks.fingerprint()


def test_a_snapshot_in_the_middle_of_an_episode_goes_on_exactly() -> None:
    env = make(2)
    play(env, 2)
    data = env.snapshot()
    rewards = play(env, 4, seed=1)
    other = make(2)
    other.restore(data)
    assert all(np.array_equal(a, b) for a, b in zip(rewards, play(other, 4, seed=1), strict=True))
    assert equal(env.observation, other.observation)
    assert env.networks.fingerprint() == other.networks.fingerprint()


def test_a_snapshot_that_does_not_fit_is_refused_and_changes_nothing() -> None:
    env = make(2)
    before = env.networks.fingerprint()
    for data in (b"nonsense", b"", env.snapshot()[:-200], make(1).snapshot()):
        with pytest.raises(CheckpointError):
            env.restore(data)
    for other in (make(2, load="low"), make(2, variant="power"), make(2, first_network=1)):
        with pytest.raises(CheckpointError, match="another environment"):
            env.restore(other.snapshot())
    assert env.networks.fingerprint() == before


def test_what_if_leaves_the_networks_untouched_and_equal_actions_give_equal_rewards() -> None:
    env = make(2)
    play(env, 1)
    fingerprint, snapshot = env.networks.fingerprint(), env.snapshot()
    actions = np.zeros((2, 2, 3), int)
    actions[:, :, 2] = UP
    rolled = env.what_if.roll(actions, 2, 2)
    assert rolled.shape == (2, 3, 2)
    assert np.array_equal(rolled[:, 0], env.what_if.roll(actions[:, :, :1], 2, 2)[:, 0])
    actions[:, :, 1] = DOWN
    rolled = env.what_if.roll(actions, 2, 2)
    assert env.networks.fingerprint() == fingerprint
    assert env.snapshot() == snapshot


def test_options_that_are_the_same_share_their_futures_and_draws_differ() -> None:
    env = make(1)
    rolled = env.what_if.roll(np.full((1, 2, 2), KEEP), 4, 3)
    assert np.array_equal(rolled[:, 0], rolled[:, 1])
    assert len(np.unique(rolled[0, 0])) > 1


def test_a_roll_carries_the_bookkeeping_and_goes_on_beyond_the_cut() -> None:
    env = make(1)
    play(env, 3)
    seen: list[tuple[int, int]] = []

    def then(obs: Observation) -> np.ndarray:
        seen.append((int(obs.slot[0]), int(obs.episode[0])))
        return np.full((len(obs.slot), 2), KEEP)

    env.what_if.roll(np.full((1, 2, 1), MOVE), 3, 1, then=then)
    assert seen == [(800, 0), (1000, 0)]
    fork = env.fork(np.array([0]), np.array([0]))
    assert equal(env.observation, fork.observation)


@pytest.mark.parametrize(
    ("action", "problem"),
    [
        ([[0, 1]] * 3, "shape"),
        ([0, 1], "shape"),
        ([[0, 4]] * 2, "must be one of 0 'up'"),
        ([[0, -1]] * 2, "must be one of 0 'up'"),
        ([[0.0, float("nan")]] * 2, "must be one of 0 'up'"),
        ([[0.5, 1.0]] * 2, "must be one of 0 'up'"),
    ],
)
def test_a_wrong_action_is_refused_and_changes_nothing(action: Any, problem: str) -> None:
    env = make(2)
    before = env.networks.fingerprint()
    with pytest.raises(ActionError, match=problem):
        env.step(np.array(action))
    assert env.networks.fingerprint() == before


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'power'"):
        make(1, variant="powr")
    with pytest.raises(UnknownNameError, match="split"):
        make(1, split="test")
    with pytest.raises(UnknownNameError):
        make(1, load="extreme")
    with pytest.raises(ConfigError, match="first_episode"):
        make(1).reset(first_episode=-1)


def test_a_step_that_is_no_multiple_of_the_rrc_period_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"control\.step_ms"):
        PowerHandover.make(scenario(control={"step_ms": 195, "episode_steps": 2}), 1, 5)


def test_calls_and_drops_are_in_balance_with_the_network() -> None:
    """What the task counts as released is what the twin released, and calls are where both say."""
    env = make(3)
    dropped = np.zeros((3, 2))
    for _ in range(3):
        counts = env.step(np.full((3, 2), MOVE)).counts
        dropped += counts["refused"] + counts["timed_out"]
        serving = env.networks.ues.serving_cell
        per_cell = np.stack([(serving == cell).sum(axis=1) for cell in range(2)], axis=1)
        assert np.array_equal(per_cell, env.networks.cells.connected_ues)
        assert (per_cell <= [50, 30]).all()
    released = env.networks.measure()["RP.Releases"]
    assert np.array_equal(released, dropped)


def test_moving_to_a_full_neighbour_is_refused_and_the_call_is_lost() -> None:
    layout = scenario().model_dump(mode="json")["layout"]
    layout["sites"][1]["capacity"] = 1
    env = PowerHandover.make(scenario(layout=layout, control={"episode_steps": 12}), 8, 5)
    refused = np.zeros((8, 2))
    for _ in range(11):
        refused += env.step(np.full((8, 2), MOVE)).counts["refused"]
        assert (env.networks.cells.connected_ues[:, 1] <= 1).all()
    assert refused[:, 0].sum() > 0
    assert np.array_equal(env.networks.measure()["RP.Releases"] >= refused, np.full((8, 2), True))


def test_it_runs_on_fifty_seven_cells_and_advisers_see_the_six_nearest() -> None:
    columns, spacing_m = 8, 500.0
    site = {"height_m": 25, "propagation": "UMa", "power_dbm": 43, "min_power_dbm": 40, "capacity": 3}
    sites = [
        {"name": f"s{index}", "x_m": spacing_m * (index % columns), "y_m": spacing_m * (index // columns), **site}
        for index in range(57)
    ]
    large = scenario(layout={"area_m": [-250, -250, 3750, 3750], "sites": sites}, control={"episode_steps": 3})
    env = PowerHandover.make(large, 1, 5, split="heldout")
    requests = 0.0
    for _ in range(2):
        outcome = env.step(np.full((1, 57), MOVE))
        requests += outcome.counts["requests"].sum()
    assert outcome.reward.shape == (1, 57)
    assert env.observation.state.shape == (1, 57 * 4)
    assert requests > 0
    assert env.spec.neighbours[9][:4] == (1, 8, 10, 17)
    assert all(len(nearest) == 6 for nearest in env.spec.neighbours)
    assert env.what_if.roll(np.full((1, 57, 2), KEEP), 1, 1).shape == (1, 2, 1)
