"""Plain Gymnasium environments as a batch: the same steps, episodes that end when they like."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import MultiBinary

from ranpilot.errors import CheckpointError, ConfigError
from ranpilot.learning.gymnasium_adapter import GymnasiumBatch


def test_every_copy_is_the_environment_step_by_step() -> None:
    batch = GymnasiumBatch(lambda: gymnasium.make("CartPole-v1"), 3, 5, episode_steps=500)
    alone = gymnasium.make("CartPole-v1").unwrapped
    random, ends = np.random.default_rng(0), 0
    for _ in range(80):
        obs = batch.observation
        action = random.integers(0, 2, (3, 1))
        outcome = batch.step(action)
        for network in range(3):
            alone.reset(seed=0)
            alone.state = obs.local[network, 0].astype(np.float64)
            seen, reward, terminated, _, _ = alone.step(int(action[network, 0]))
            np.testing.assert_allclose(outcome.next_obs.local[network, 0], seen, rtol=1e-5, atol=1e-6)
            assert (outcome.reward[network, 0], outcome.terminated[network]) == (reward, terminated)
            if terminated:
                ends += 1
                assert batch.observation.first[network]
                assert batch.observation.episode[network] == obs.episode[network] + 1
                assert np.abs(batch.observation.local[network]).max() < 0.06
    assert ends > 3


def test_numbers_are_scaled_to_the_box_and_time_limits_are_no_endings() -> None:
    batch = GymnasiumBatch(lambda: gymnasium.make("Pendulum-v1"), 1, 0, episode_steps=200)
    alone = gymnasium.make("Pendulum-v1").unwrapped
    alone.reset(seed=0)
    first = batch.observation.local[0, 0]
    alone.state = np.array([np.arctan2(first[1], first[0]), first[2]])
    for _ in range(200):
        outcome = batch.step(np.array([[[0.25]]]))
        _, reward, *_ = alone.step(np.array([0.5], dtype=np.float32))
        assert outcome.reward[0, 0] == pytest.approx(reward, rel=1e-3, abs=1e-4)
    assert (outcome.terminated[0], outcome.truncated[0]) == (False, True)
    assert batch.spec.action_size == 1


def test_an_episode_does_not_depend_on_the_batch() -> None:
    make = lambda: gymnasium.make("CartPole-v1")  # noqa: E731
    whole, part = (GymnasiumBatch(make, num, 5, episode_steps=500) for num in (3, 1))
    np.testing.assert_array_equal(whole.observation.local[:1], part.observation.local)
    np.testing.assert_array_equal(whole.reset(first_episode=7).local[:1], part.reset(first_episode=7).local)
    assert not np.array_equal(whole.observation.local[0], whole.observation.local[1])


def test_what_it_cannot_do_is_one_sentence() -> None:
    class Bits(gymnasium.Env):
        observation_space, action_space = MultiBinary(3), MultiBinary(3)

    with pytest.raises(ConfigError, match="observation_space = 'MultiBinary\\(3\\)', but must be a Box with one axis"):
        GymnasiumBatch(Bits, 1, 0, episode_steps=1)
    batch = GymnasiumBatch(lambda: gymnasium.make("CartPole-v1"), 1, 0, episode_steps=500)
    with pytest.raises(CheckpointError, match="CartPole-v1: has no snapshots"):
        batch.snapshot()


def test_ppo_balances_a_pole_longer_than_it_did() -> None:
    """The small version of `benchmarks/known_good.py`."""
    pytest.importorskip("torch")
    from ranpilot.learning.learners import make_learner

    settings = {"hidden": 64, "rollout_steps": 128, "epochs": 10, "minibatches": 16, "train_episodes": 10**9}
    learner = make_learner("ppo", settings)
    env = GymnasiumBatch(lambda: gymnasium.make("CartPole-v1"), 8, 0, episode_steps=500)
    learner.reset(env.spec, 8, 0, None)
    lengths = []
    for _ in range(1536):
        slot, outcome = env.observation.slot, env.step(learner.act(env.observation))
        learner.observe(outcome)
        lengths.extend(slot[outcome.done] + 1)
    assert np.mean(lengths[:40]) < 40
    assert np.mean(lengths[-20:]) > 100
