"""Advantages against the sum written out, endings and time limits apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranpilot.learning.gae import advantages, explained_variance


def slow_advantage(reward, value, next_value, terminated, done, step, gamma, trace) -> float:
    """Σ_k (γλ)^k δ_{t+k} up to the end of the episode or of the rollout."""
    total, weight = 0.0, 1.0
    for t in range(step, len(reward)):
        following = 0.0 if terminated[t] else next_value[t]
        total += weight * (reward[t] + gamma * following - value[t])
        if done[t]:
            break
        weight *= gamma * trace
    return total


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**31), gamma=st.floats(0, 1), trace=st.floats(0, 1))
def test_they_are_the_sum_written_out(seed: int, gamma: float, trace: float) -> None:
    random = np.random.default_rng(seed)
    shape = (12, 3, 2)
    reward, value, next_value = (random.normal(size=shape) for _ in range(3))
    terminated = random.random(shape[:2]) < 0.15
    done = terminated | (random.random(shape[:2]) < 0.15)
    found = advantages(reward, value, next_value, terminated, done, gamma=gamma, trace=trace)
    for network in range(3):
        for agent in range(2):
            at = (slice(None), network, agent)
            for step in range(12):
                expected = slow_advantage(
                    reward[at], value[at], next_value[at], terminated[:, network], done[:, network], step, gamma, trace
                )
                assert found[step, network, agent] == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_a_time_limit_counts_the_successor_and_an_ending_does_not() -> None:
    one, yes, no = np.ones((1, 1, 1)), np.array([[True]]), np.array([[False]])
    assert advantages(one, 0 * one, 10 * one, no, yes, gamma=0.9, trace=0.5).item() == pytest.approx(1 + 0.9 * 10)
    assert advantages(one, 0 * one, 10 * one, yes, yes, gamma=0.9, trace=0.5).item() == pytest.approx(1)


def test_explained_variance_is_one_for_a_perfect_critic_and_zero_for_a_constant() -> None:
    target = np.array([1.0, 2.0, 5.0])
    assert explained_variance(target, target) == 1.0
    assert explained_variance(np.full(3, 7.0), target) == pytest.approx(0.0)
    assert np.isnan(explained_variance(target, np.ones(3)))
