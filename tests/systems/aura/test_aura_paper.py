"""AURA on `aura-paper`, with the heuristics as advisers."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from ranpilot.envs.make import make_batch
from ranpilot.systems.aura import make

SEED = 5


def begin(configuration: str, load: str, num: int, *, first: int = 0, **settings):
    """A controller that is ready and its environment."""
    env = make_batch("aura-paper", None, num, SEED, load=load, first_network=first)
    controller = make(configuration, first_network=first, **settings)
    env.reset()
    controller.reset(env.spec, num, SEED, env.what_if)
    return controller, env


def drops(controller, env, episodes: int) -> np.ndarray:
    """Hand-off requests dropped by each network in each episode, [episodes, B]."""
    found = np.zeros((episodes, env.num_networks))
    for episode in range(episodes):
        for _ in range(env.spec.episode_steps):
            outcome = env.step(controller.act(env.observation))
            controller.observe(outcome)
            found[episode] += outcome.counts["dropped"].sum(axis=1)
    return found


def test_rules_as_adviser_halve_the_drops_at_high_load() -> None:
    alone = drops(*begin("marl-only", "high", 6, train_episodes=40), 50)[40:]
    guided = drops(*begin("aura", "high", 6, first=100, train_episodes=40), 50)[40:]
    assert guided.mean() < 0.5 * alone.mean()


def test_a_network_learns_the_same_alone_and_in_a_batch() -> None:
    whole, whole_env = begin("aura", "high", 4, train_episodes=6, credit_every=2)
    part, part_env = begin("aura", "high", 1, first=2, train_episodes=6, credit_every=2)
    np.testing.assert_array_equal(drops(whole, whole_env, 8)[:, 2], drops(part, part_env, 8)[:, 0])
    np.testing.assert_array_equal(whole._q.values[2], part._q.values[0])


@pytest.mark.parametrize("adviser", ["rules", "random"])
def test_training_goes_on_exactly_from_a_checkpoint(adviser: str, tmp_path: Path) -> None:
    settings = {"adviser": adviser, "train_episodes": 8, "credit_every": 3}
    straight, env = begin("aura", "normal", 3, **settings)
    drops(straight, env, 4)
    straight.save(tmp_path)
    frozen = env.snapshot()
    expected = drops(straight, env, 5)
    resumed, resumed_env = begin("aura", "normal", 3, **settings)
    resumed.load(tmp_path)
    resumed_env.restore(frozen)
    np.testing.assert_array_equal(drops(resumed, resumed_env, 5), expected)
    for name, array in resumed._arrays().items():
        np.testing.assert_array_equal(array, straight._arrays()[name], err_msg=name)


@cache
def drops_alone(load: str) -> float:
    """Mean drops of a test episode without advice."""
    return float(drops(*begin("marl-only", load, 20, first=1000, train_episodes=500), 600)[500:].mean())


@pytest.mark.slow
@pytest.mark.parametrize("load", ["normal", "high"])
def test_counterfactual_trust_neutralises_an_adviser_that_always_keeps_and_the_score_does_not(load: str) -> None:
    settings, alone = {"train_episodes": 500, "adviser": "maintain"}, drops_alone(load)
    safe = drops(*begin("guided", load, 20, first=2000, trust="counterfactual", **settings), 600)[500:].mean()
    fooled = drops(*begin("guided", load, 20, first=3000, trust="score", **settings), 600)[500:].mean()
    assert safe < 1.3 * alone
    assert fooled > 1.15 * alone


@pytest.mark.slow
@pytest.mark.parametrize("load", ["normal", "high"])
@pytest.mark.parametrize("adviser", ["inverted-rules", "turning-rules", "random"])
def test_trust_by_whole_episodes_neutralises_bad_advisers_without_copies(load: str, adviser: str) -> None:
    safe = begin("guided", load, 20, first=2000, trust="ab", adviser=adviser, train_episodes=500)
    assert drops(*safe, 600)[500:].mean() < 1.3 * drops_alone(load)


@pytest.mark.slow
@pytest.mark.parametrize("load", ["normal", "high"])
def test_trust_by_whole_episodes_follows_sensible_rules(load: str) -> None:
    guided = begin("guided", load, 20, first=2000, trust="ab", train_episodes=500)
    assert drops(*guided, 600)[500:].mean() < 0.5 * drops_alone(load)
