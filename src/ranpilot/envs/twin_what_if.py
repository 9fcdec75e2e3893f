"""Actions tried on forks of the running networks: the only way from a controller to the twin.

One roll forks every picked network n x draws times, network-major: (network, option, draw). The forks of one draw share
the same fresh future whatever their option (common random numbers), and no draw is the true future.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, Self

import numpy as np

from ranpilot.envs.controller import Action, FloatArray, IntArray, Observation, Policy, TaskSpec
from ranpilot.errors import ActionError, ConfigError

__all__ = ["Forkable", "TwinWhatIf"]


class Forkable(Protocol):
    """What an environment must offer to be rolled."""

    spec: TaskSpec
    num_networks: int

    def fork(self, networks: IntArray, draw: IntArray, without_events: bool = False) -> Self:
        """Copies of the picked networks with their bookkeeping, `len(draw)` of each, network-major.

        draw: [k] index of the fresh future that fork j of every network gets; equal indices share it.
        without_events: those that have not started are called off.
        """
        ...

    def play(self, action: Action) -> FloatArray:
        """Execute an action without beginning a new episode at the cut; the reward [B, A]."""
        ...

    @property
    def observation(self) -> Observation:
        """What the next `act` should see."""
        ...


class TwinWhatIf:
    """`WhatIf` by forks of an environment on the twin."""

    def __init__(self, environment: Forkable) -> None:
        self._environment = environment

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
        """Team reward [B, n, draws] of n joint actions; see `WhatIf.roll`.

        A roll goes on beyond the last step of the episode: the cut there is a time limit, not an end.
        """
        weighted = self._play(actions, steps, draws, then, self._check_networks(networks), discount)
        total = sum((weight * reward.sum(axis=1) for weight, reward in weighted), start=np.zeros(1))
        return np.asarray(total).reshape(-1, np.shape(actions)[2], draws)

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
        """As `roll`, with the reward of every agent by itself: [B, A, n, draws]."""
        weighted = self._play(actions, steps, draws, then, self._check_networks(networks), discount)
        total = sum((weight * reward for weight, reward in weighted), start=np.zeros(1))
        by_option = np.asarray(total).reshape(-1, np.shape(actions)[2], draws, self._environment.spec.num_agents)
        return np.moveaxis(by_option, 3, 1)

    def _play(
        self, actions: Action, steps: int, draws: int, then: Policy | None, picked: IntArray, discount: float
    ) -> Iterator[tuple[float, FloatArray]]:
        """Of each step its weight and the reward [forks, A]; forks in the order (network, option, draw)."""
        self._check_numbers(steps, draws, discount)
        joint = np.asarray(actions)
        num_agents = self._environment.spec.num_agents
        size = self._environment.spec.action_size
        numbers = (size,) if size else ()
        fits = joint.ndim == 3 + len(numbers) and joint.shape[3:] == numbers
        if not fits or joint.shape[:2] != (len(picked), num_agents) or joint.shape[2] == 0:
            wanted = ", ".join(map(str, (len(picked), num_agents, "n", *numbers)))
            raise ActionError("shape", joint.shape, f"({wanted}) with n at least 1")
        num_options = joint.shape[2]
        forks = self._environment.fork(picked, np.tile(np.arange(draws), num_options))
        # [B, A, n, ...] -> (network, option, draw) flattened.
        action: Action = np.repeat(np.moveaxis(joint, 2, 1).reshape(-1, num_agents, *numbers), draws, axis=0)
        weight = 1.0
        for step in range(steps):
            if step > 0 and then is not None:
                action = then(forks.observation)
            yield weight, forks.play(action)
            weight *= discount

    def _check_networks(self, networks: IntArray | None) -> IntArray:
        count = self._environment.num_networks
        if networks is None:
            return np.arange(count)
        picked = np.asarray(networks)
        if picked.ndim != 1 or picked.dtype.kind not in "iu" or ((picked < 0) | (picked >= count)).any():
            raise ConfigError("what_if.networks", networks, f"a list of indices in 0..{count - 1}")
        return picked

    def _check_numbers(self, steps: int, draws: int, discount: float) -> None:
        for name, value in (("steps", steps), ("draws", draws)):
            if value < 1:
                raise ConfigError(f"what_if.{name}", value, "at least 1")
        if not 0.0 <= discount <= 1.0:
            raise ConfigError("what_if.discount", discount, "within 0..1")
