"""The loop every experiment runs: a controller acts in an environment, episode after episode."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from ranpilot.envs.controller import (
    Action,
    Controller,
    Decision,
    Environment,
    FloatArray,
    IntArray,
    Policy,
    WhatIf,
    WhatIfEach,
)
from ranpilot.systems.aura.usage import Usage

__all__ = ["CountsCalibration", "CountsUsage", "CurrentWhatIf", "Episode", "PhaseTimes", "follow_what_if", "play"]


@dataclass(frozen=True)
class Episode:
    """What happened in one episode, summed over its steps."""

    index: int
    reward: FloatArray
    """[B] summed over agents."""
    terms: Mapping[str, FloatArray]
    """[B] each weighted reward term, summed over agents."""
    counts: Mapping[str, FloatArray]
    """[B, A] each counter of the task."""
    usage: Usage | None
    """How advice was used, [B, A]; None for controllers that take none."""
    decisions: tuple[Decision, ...] = ()
    calibration: FloatArray | None = None
    """How often advice won beside the trust in it, see `CountsCalibration`; None for controllers without trust."""


@dataclass
class PhaseTimes:
    """Wall seconds spent in the simulator and in the controller, and the slots that were simulated."""

    environment_s: float = 0.0
    controller_s: float = 0.0
    slots: int = 0


@runtime_checkable
class CountsUsage(Protocol):
    """A controller that counts how it used advice."""

    def take_usage(self) -> Usage | None:
        """Shares [B, A] since the last call."""
        ...


@runtime_checkable
class CountsCalibration(Protocol):
    """A controller that finds out, at a small share of disagreements, whether the trusted advice was better."""

    def take_calibration(self) -> FloatArray | None:
        """[3, 10] since the last call, by ten equal bins of trust: number, sum of trust, wins of the advice."""
        ...


class CurrentWhatIf:
    """The what-if of whichever environment is running now: training and held-out episodes have different ones."""

    def __init__(self) -> None:
        self.inner: WhatIf | None = None

    def roll(
        self,
        actions: Action,
        steps: int,
        draws: int,
        *,
        then: Policy | None = None,
        networks: IntArray | None = None,
        discount: float = 1.0,
    ) -> FloatArray:
        """As `WhatIf.roll`, on the running networks."""
        assert self.inner is not None
        return self.inner.roll(actions, steps, draws, then=then, networks=networks, discount=discount)


class CurrentWhatIfEach(CurrentWhatIf):
    """The same where it also tells agents' rewards apart."""

    def roll_each(
        self,
        actions: Action,
        steps: int,
        draws: int,
        *,
        then: Policy | None = None,
        networks: IntArray | None = None,
        discount: float = 1.0,
    ) -> FloatArray:
        """As `WhatIfEach.roll_each`, on the running networks."""
        assert isinstance(self.inner, WhatIfEach)
        return self.inner.roll_each(actions, steps, draws, then=then, networks=networks, discount=discount)


def follow_what_if(inner: WhatIf | None) -> CurrentWhatIf | None:
    """A what-if that can be pointed at the next environment, and can do what this one can; None where there is none."""
    if inner is None:
        return None
    current = CurrentWhatIfEach() if isinstance(inner, WhatIfEach) else CurrentWhatIf()
    current.inner = inner
    return current


def play(
    env: Environment, controller: Controller, episodes: range, times: PhaseTimes, *, explain: int | None = None
) -> Iterator[Episode]:
    """Play `episodes` in lockstep from the environment's current observation, yielding each one as it ends.

    explain: a network whose decisions are kept in every episode's record. Time is added to `times`.
    """
    spec = env.spec
    for index in episodes:
        reward = np.zeros(env.num_networks)
        terms = np.zeros((env.num_networks, len(spec.reward_terms)))
        counts = {name: np.zeros((env.num_networks, spec.num_agents)) for name in spec.counters}
        decisions: list[Decision] = []
        for _ in range(spec.episode_steps):
            start = time.perf_counter()
            action = controller.act(env.observation)
            acted = time.perf_counter()
            outcome = env.step(action)
            stepped = time.perf_counter()
            controller.observe(outcome)
            times.environment_s += stepped - acted
            times.controller_s += (acted - start) + (time.perf_counter() - stepped)
            times.slots += env.num_networks * spec.slots_per_step
            reward += outcome.reward.sum(axis=1)
            terms += outcome.terms.sum(axis=1)
            for name, total in counts.items():
                total += outcome.counts[name]
            if explain is not None:
                decisions.extend(controller.explain(explain))
        usage = controller.take_usage() if isinstance(controller, CountsUsage) else None
        calibration = controller.take_calibration() if isinstance(controller, CountsCalibration) else None
        named_terms = {name: terms[:, k] for k, name in enumerate(spec.reward_terms)}
        yield Episode(index, reward, named_terms, counts, usage, tuple(decisions), calibration)
