"""A hand-made task of two stations: small enough to know what is right, with the features and counters of the real."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from ranpilot.declare import Measurement
from ranpilot.envs.controller import Feature, Observation, Outcome, TaskSpec
from ranpilot.twin.rng import draw_uniform

UP, DOWN, KEEP, MOVE = range(4)
EPISODE_STEPS = 5


def make_feature(name: str, high: float, edges: tuple[tuple[float, ...], ...], words: tuple[tuple[str, ...], ...]):
    return Feature(Measurement(name, "1", "cell", 0, high, "neither"), edges, words, (0.0, 0.0), (high, high))


TASK = TaskSpec(
    name="toy",
    scenario="toy",
    agents=("rural", "urban"),
    features=(
        make_feature("power", 2, ((0.5, 1.5), (1.0,)), (("min", "mid", "max"), ("low", "high"))),
        make_feature("coverage", 2, ((0.5, 1.5),) * 2, (("good", "fair", "poor"),) * 2),
        make_feature("capacity", 1, ((0.5,),) * 2, (("free", "full"),) * 2),
        make_feature("drops", 2, ((0.5, 1.5),) * 2, (("none", "few", "many"),) * 2),
    ),
    state_names=(),
    actions=("up", "down", "keep", "move"),
    neutral_action=KEEP,
    reward_terms=("served",),
    counters=("requests", "dropped", "served", "power"),
    step_s=1.0,
    slots_per_step=1,
    episode_steps=EPISODE_STEPS,
    neighbours=((1,), (0,)),
)


def right_option(local: np.ndarray) -> np.ndarray:
    """What pays 1: keep where coverage is good, move where it is poor and the other is free, else lower the power."""
    poor, good, full = local[:, :, 1] > 0.8, local[:, :, 1] < 0.2, local[:, :, 2] > 0.5
    return np.where(good, KEEP, np.where(poor & ~full[:, ::-1], MOVE, DOWN))


@dataclass
class Toy:
    """The environment: every step's state is drawn afresh, the right option pays 1, any other 0."""

    num_networks: int
    first_network: int = 0
    seed: int = 0
    time: int = 0
    asked: list[tuple[np.ndarray, np.ndarray | None, int, int, float]] = field(default_factory=list)

    def look(self, networks: np.ndarray, time: int, future: int = 0) -> Observation:
        local = np.zeros((len(networks), 2, 4))
        for row, network in enumerate(networks):
            for agent in range(2):
                for d, num_levels in enumerate((3, 3, 2, 3)):
                    number = draw_uniform(self.seed + future, network, agent * 8 + d, time, 99)
                    local[row, agent, d] = int(number * num_levels) / (num_levels - 1)
        num = len(networks)
        episode, slot = np.full(num, time // EPISODE_STEPS), np.full(num, time % EPISODE_STEPS)
        return Observation(local, np.zeros((num, 0)), slot, slot == 0, episode, np.full((num, 0), -1))

    @property
    def ids(self) -> np.ndarray:
        return self.first_network + np.arange(self.num_networks)

    @property
    def observation(self) -> Observation:
        return self.look(self.ids, self.time)

    def step(self, action: np.ndarray) -> Outcome:
        reward = (action == right_option(self.observation.local)).astype(float)
        power = self.observation.local[:, :, 0]
        self.time += 1
        ended = np.full(self.num_networks, self.time % EPISODE_STEPS == 0)
        counts = {"requests": np.ones_like(reward), "dropped": 1 - reward, "served": reward, "power": power}
        return Outcome(action, reward, reward[:, :, None], self.observation, ended & False, ended, counts)

    def roll(self, actions, steps, draws, *, then=None, networks=None, discount=1.0):
        """`WhatIf.roll`; the states after the first step are another future for each draw."""
        self.asked.append((actions.copy(), networks, steps, draws, discount))
        picked = self.ids if networks is None else self.ids[networks]
        num_options = actions.shape[2]
        action = np.repeat(np.moveaxis(actions, 2, 1).reshape(-1, 2), draws, axis=0)
        obs, total = self.look(np.repeat(picked, num_options * draws), self.time), 0.0
        for step in range(steps):
            if step > 0:
                looks = [self.look(picked, self.time + step, future=7919 * (draw + 1)).local for draw in range(draws)]
                local = np.repeat(np.stack(looks, axis=1)[:, None], num_options, axis=1)
                obs = replace(obs, local=local.reshape(obs.local.shape))
                action = then(obs)
            total = total + discount**step * (action == right_option(obs.local)).sum(axis=1)
        return total.reshape(len(picked), num_options, draws)


class FixedAdviser:
    """An adviser that computes its advice from the observation by a function."""

    name = "fixed"

    def __init__(self, advise) -> None:
        self.advise = advise
        self.num_observed = 0

    def reset(self, task, num_networks, seed, what_if) -> None:
        self.num_observed = 0

    def act(self, obs):
        return self.advise(obs.local)

    def observe(self, outcome) -> None:
        self.num_observed += 1

    def explain(self, network):
        return ()

    def save(self, folder) -> None: ...


def play(controller, toy: Toy, episodes: int) -> np.ndarray:
    """Mean reward a step of every network in each episode, [episodes, B]."""
    rewards = []
    for _ in range(episodes * EPISODE_STEPS):
        outcome = toy.step(controller.act(toy.observation))
        controller.observe(outcome)
        rewards.append(outcome.reward.mean(axis=1))
    return np.array(rewards).reshape(episodes, EPISODE_STEPS, -1).mean(axis=1)


@dataclass(frozen=True)
class Hands:
    """What the tests take from here."""

    task = TASK
    Toy = Toy
    play = staticmethod(play)
    good = staticmethod(lambda: FixedAdviser(right_option))
    bad = staticmethod(lambda: FixedAdviser(lambda local: np.full(local.shape[:2], UP)))
    adviser = FixedAdviser


@pytest.fixture
def hands() -> Hands:
    return Hands()
