"""A task with a known best: each slice wishes for a number, and what is paid is how near the action comes to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ranpilot.declare import Measurement
from ranpilot.envs.controller import Feature, Observation, Outcome, TaskSpec
from ranpilot.envs.slice_feature import SliceFeature

AGENTS, SEATS = 2, 4


def make_task(agents: int = AGENTS, seats: int = SEATS, episode_steps: int = 10) -> TaskSpec:
    load = Measurement("load", "1", "cell", 0, 1, "neither")
    return TaskSpec(
        name="toy-slices",
        scenario="toy",
        agents=tuple(f"cell-{agent}" for agent in range(agents)),
        features=(Feature(load, ((0.5,),) * agents, (("a", "b"),) * agents, (0.0,) * agents, (1.0,) * agents),),
        state_names=(),
        actions=(),
        neutral_action=0,
        reward_terms=("near",),
        counters=(),
        step_s=1.0,
        slots_per_step=1,
        episode_steps=episode_steps,
        neighbours=((),) * agents,
        action_size=seats,
        num_slices=seats,
        slice_features=(SliceFeature("share", "1", 1.0), SliceFeature("wish", "1", 1.0)),
    )


@dataclass
class ToySlices:
    """Every step's wishes and seats are drawn afresh; what is done changes nothing of what follows."""

    num: int
    agents: int = AGENTS
    seats: int = SEATS
    sees_wish: bool = True
    """Otherwise only the text of a slice tells its wish."""
    pays_neighbour: bool = False
    """Whether an agent's reward is for what the next agent does."""
    garbage: float = 0.0
    """What stands in the features of free seats."""
    episode_steps: int = 10
    time: int = 0

    @property
    def spec(self) -> TaskSpec:
        return make_task(self.agents, self.seats, self.episode_steps)

    @property
    def observation(self) -> Observation:
        random = np.random.default_rng(self.time)
        shape = self.num, self.agents, self.seats
        self.wish_id = random.integers(0, 3, shape)
        mask = random.random(shape) < 0.7
        slices = np.stack([np.zeros(shape), self.wish_id / 2.0 * self.sees_wish], axis=-1)
        episode, slot = (np.full(self.num, n) for n in divmod(self.time, self.episode_steps))
        return Observation(
            local=random.random((self.num, self.agents, 1)),
            state=np.zeros((self.num, 0)),
            slot=slot,
            first=slot == 0,
            episode=episode,
            notice_ids=np.full((self.num, 0), -1),
            texts=("low", "middle", "high"),
            slices=np.where(mask[..., None], slices, self.garbage),
            slice_mask=mask,
            slice_text_ids=np.where(mask, self.wish_id, -1),
        )

    def step(self, action: np.ndarray, *, terminates: bool = False) -> Outcome:
        mask, wanted = self.observation.slice_mask, (self.wish_id - 1) * 0.6
        far = np.where(mask, np.square(action - wanted), 0.0).sum(axis=2) / np.maximum(mask.sum(axis=2), 1)
        reward = -np.roll(far, -1, axis=1) if self.pays_neighbour else -far
        self.time += 1
        ended = np.full(self.num, self.time % self.episode_steps == 0)
        return Outcome(action, reward, reward[..., None], self.observation, ended & terminates, ended & ~terminates)


def play(learner, toy: ToySlices, steps: int, *, terminates: bool = False) -> float:
    """Mean reward of an agent and step."""
    total = 0.0
    for _ in range(steps):
        outcome = toy.step(learner.act(toy.observation), terminates=terminates)
        learner.observe(outcome)
        total += outcome.reward.mean()
    return total / steps


def best_reward(learner, toy: ToySlices, steps: int = 20) -> float:
    """Mean reward without noise, in episodes after the training."""
    toy.time = 10_000 * toy.episode_steps
    return play(learner, toy, steps)


def begin(module, settings: dict, num: int, seed: int, toy: ToySlices | None, codes=None):
    """A learner of that file with those settings, reset for a toy of `num` networks, and the toy."""
    toy = toy or ToySlices(num)
    learner = module.make(settings, codes)
    learner.reset(toy.spec, num, seed, None)
    return learner, toy
