"""Learners of other libraries train on the views as they are: Stable-Baselines3, and SuperSuit on PettingZoo's."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import supersuit
from stable_baselines3 import PPO
from stable_baselines3.common.env_checker import check_env

import ranpilot as rp

BUDGET: dict[str, Any] = {"n_steps": 64, "batch_size": 64, "n_epochs": 2, "seed": 0, "device": "cpu"}
STEPS = 256


def test_stable_baselines3_learns_on_shares_of_slices() -> None:
    env = rp.make("slicing-small", task="slicing", seed=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Recommendations for policies that know images and vectors alone; `MultiInputPolicy` flattens what it gets.
        warnings.filterwarnings("ignore", message=".*(unconventional shape|image)")
        check_env(env)
    model = PPO("MultiInputPolicy", env, **BUDGET)
    before = _weights(model)
    model.learn(STEPS)
    assert model.num_timesteps == STEPS
    assert np.abs(_weights(model) - before).max() > 0.0
    observation, _ = env.reset(seed=1)
    action, _ = model.predict(observation, deterministic=True)
    assert env.action_space.contains(action)


def test_stable_baselines3_learns_on_handovers() -> None:
    model = PPO("MlpPolicy", rp.make("aura-paper", seed=0), **BUDGET)
    before = _weights(model)
    model.learn(STEPS)
    assert np.abs(_weights(model) - before).max() > 0.0


def test_supersuit_makes_a_vector_of_agents_that_share_a_policy() -> None:
    parallel = rp.make("aura-paper", view="parallel", seed=0)
    agents = len(parallel.possible_agents)
    vector = supersuit.concat_vec_envs_v1(
        supersuit.pettingzoo_env_to_vec_env_v1(parallel), 2, num_cpus=1, base_class="stable_baselines3"
    )
    assert vector.num_envs == 2 * agents
    # SuperSuit's vector cannot be seeded.
    model = PPO("MlpPolicy", vector, **{**BUDGET, "seed": None})
    before = _weights(model)
    model.learn(STEPS)
    assert np.abs(_weights(model) - before).max() > 0.0


def _weights(model: PPO) -> np.ndarray:
    return np.concatenate([weight.detach().numpy().ravel() for weight in model.policy.parameters()])
