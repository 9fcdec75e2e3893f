"""Every environment: what the protocol in `envs/controller.py` promises."""

from __future__ import annotations

from dataclasses import fields
from functools import cache

import numpy as np
import pytest

from ranpilot.envs.controller import Environment, Observation, Outcome
from ranpilot.envs.make import make_batch
from ranpilot.envs.words import level_counts, levels
from ranpilot.errors import ActionError

ENVIRONMENTS = ("aura-paper", "two-cell")
NUM, SEED = 2, 3


@cache
def environment(scenario: str) -> Environment:
    return make_batch(scenario, "power-handover", NUM, SEED, load="high")


@pytest.fixture(params=ENVIRONMENTS)
def env(request: pytest.FixtureRequest) -> Environment:
    made = environment(request.param)
    made.reset()
    return made


def draw_actions(env: Environment, steps: int) -> np.ndarray:
    shape = (steps, env.num_networks, env.spec.num_agents)
    return np.random.default_rng(0).integers(0, env.spec.num_actions, shape)


def same(first: Observation, second: Observation) -> bool:
    return all(np.array_equal(getattr(first, field.name), getattr(second, field.name)) for field in fields(Observation))


def test_the_spec_is_complete(env: Environment) -> None:
    spec = env.spec
    assert len(set(spec.agents)) == spec.num_agents == len(spec.neighbours)
    assert spec.actions == ("up", "down", "keep", "move") and spec.actions[spec.neutral_action] == "keep"
    assert [feature.measurement.name for feature in spec.features] == ["power", "coverage", "capacity", "drops"]
    for feature in spec.features:
        assert len(feature.edges) == len(feature.words) == len(feature.low) == len(feature.high) == spec.num_agents
        for edges, words in zip(feature.edges, feature.words, strict=True):
            assert len(words) == len(edges) + 1 and list(edges) == sorted(edges)
    for agent in spec.agents:
        for name in ("eligible_requests", "oldest_due", "free_places", "bad_share"):
            assert f"{agent}.{name}" in spec.state_names
    assert "dropped" in spec.counters and "failures" in spec.counters


def test_observations_and_outcomes_have_the_shapes_they_promise(env: Environment) -> None:
    spec, shape = env.spec, (env.num_networks, env.spec.num_agents)
    assert env.observation.first.all()
    for action in draw_actions(env, 4):
        outcome = env.step(action)
        for obs in (outcome.next_obs, env.observation):
            assert obs.local.shape == (*shape, len(spec.features))
            assert obs.state.shape == (env.num_networks, len(spec.state_names))
            for values in (obs.local, obs.state):
                assert np.isfinite(values).all() and values.min() >= 0.0 and values.max() <= 1.0
            assert (levels(spec, obs) < level_counts(spec)).all()
        np.testing.assert_array_equal(outcome.action, action)
        assert outcome.terms.shape == (*shape, len(spec.reward_terms))
        np.testing.assert_allclose(outcome.terms.sum(axis=2), outcome.reward)
        assert outcome.terminated.shape == outcome.truncated.shape == (env.num_networks,)
        assert tuple(outcome.counts) == spec.counters
        for counts in outcome.counts.values():
            assert counts.shape == shape and (counts >= 0).all()


def test_what_is_counted_fits_together(env: Environment) -> None:
    for action in draw_actions(env, 6):
        counts = env.step(action).counts
        assert (counts["dropped"] >= counts["refused"] + counts["timed_out"]).all()
        any_drop = counts["dropped"].sum(axis=1) > 0
        np.testing.assert_array_equal(counts["failures_handover"][:, 0], any_drop)
        np.testing.assert_array_equal(counts["failures"][:, 0], any_drop | (counts["blocked"].sum(axis=1) > 0))
        assert not counts["failures"][:, 1:].any()


def test_a_reset_repeats_an_episode_and_another_one_differs(env: Environment) -> None:
    actions = draw_actions(env, 3)
    first = env.reset(first_episode=2)
    rewards = [env.step(action).reward for action in actions]
    assert same(env.reset(first_episode=2), first)
    np.testing.assert_array_equal([env.step(action).reward for action in actions], rewards)
    assert not same(env.reset(first_episode=1), first)


def test_a_snapshot_goes_on_exactly(env: Environment) -> None:
    actions = draw_actions(env, 4)
    env.step(actions[0])
    data = env.snapshot()

    def go_on() -> tuple[list[np.ndarray], Observation]:
        return [env.step(action).reward for action in actions[1:]], env.observation

    rewards, last = go_on()
    env.restore(data)
    again, last_again = go_on()
    np.testing.assert_array_equal(rewards, again)
    assert same(last, last_again)


def test_what_if_leaves_no_trace_and_shares_its_draws(env: Environment) -> None:
    what_if = env.what_if
    assert what_if is not None
    actions = draw_actions(env, 3)
    options = np.repeat(actions[0][:, :, None], 2, axis=2)
    env.step(actions[0])
    data = env.snapshot()
    returns = what_if.roll(options, 2, 2)
    assert returns.shape == (NUM, 2, 2)
    np.testing.assert_array_equal(returns[:, 0], returns[:, 1])
    after: Outcome = env.step(actions[1])
    env.restore(data)
    np.testing.assert_array_equal(env.step(actions[1]).reward, after.reward)


def test_bad_actions_are_refused_and_step_nothing(env: Environment) -> None:
    num_agents = env.spec.num_agents
    good = np.zeros((NUM, num_agents), int)
    unknown, negative, nan = good.copy(), good.copy(), good.astype(float)
    unknown[0, 0], negative[-1, -1], nan[0, 0] = env.spec.num_actions, -1, np.nan
    for action in (unknown, negative, nan, good[:1], good[:, :1], good[0]):
        with pytest.raises(ActionError, match="but must be"):
            env.step(action)
        assert env.observation.slot.tolist() == [0] * NUM
