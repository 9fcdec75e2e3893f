"""Plain Gymnasium environments as a batch with one agent, so that learners can be held against known results.

Observations are flat boxes, handed on as they are; actions are options, or boxes that numbers in [-1, 1] are scaled to.
Each copy ends its episodes when it likes and begins the next one in the same step. Episode e of network b is reset with
a seed drawn from (seed, b, e). There is nothing to try actions on and no snapshot.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium import Env
from gymnasium.spaces import Box, Discrete

from ranpilot.declare import Measurement
from ranpilot.envs.controller import Action, Feature, FloatArray, IntArray, Observation, Outcome, TaskSpec
from ranpilot.errors import CheckpointError, ConfigError
from ranpilot.twin.rng import STREAM_EPISODE, fold_seed

__all__ = ["GymnasiumBatch"]

SEED_LIMIT = 2**31


class GymnasiumBatch:
    """B copies of an environment, as `Environment`."""

    what_if = None

    def __init__(self, make: Callable[[], Env[Any, Any]], num: int, seed: int, *, episode_steps: int) -> None:
        self._copies = [make() for _ in range(num)]
        self._seed, self.num_networks = seed, num
        self.spec = _make_spec(self._copies[0], episode_steps)
        self._space = self._copies[0].action_space
        self.reset()

    def reset(self, *, first_episode: int = 0) -> Observation:
        """Begin episode `first_episode` in every copy."""
        self._episode = np.full(self.num_networks, first_episode)
        self._step = np.zeros(self.num_networks, dtype=np.int64)
        self._seen = np.stack([self._begin(network) for network in range(self.num_networks)])
        return self.observation

    @property
    def observation(self) -> Observation:
        """What the next `act` should see."""
        return self._observation(self._seen)

    def step(self, action: Action) -> Outcome:
        """Execute [B, 1] options or [B, 1, M] numbers."""
        given = np.asarray(action)
        reward: FloatArray = np.zeros((self.num_networks, 1))
        terminated, truncated = (np.zeros(self.num_networks, dtype=np.bool_) for _ in range(2))
        self._step = self._step + 1
        for network, copy in enumerate(self._copies):
            seen, paid, terminated[network], truncated[network], _ = copy.step(self._own(given[network, 0]))
            self._seen[network], reward[network, 0] = seen, float(paid)
        following = self._observation(self._seen.copy())
        for network in np.flatnonzero(terminated | truncated).tolist():
            self._episode[network] += 1
            self._step[network] = 0
            self._seen[network] = self._begin(network)
        return Outcome(action, reward, reward[:, :, None], following, terminated, truncated & ~terminated)

    def snapshot(self) -> bytes:
        """Raises CheckpointError: Gymnasium knows none."""
        raise CheckpointError(self.spec.scenario, "has no snapshots", "play whole episodes")

    def restore(self, data: bytes) -> None:
        """Raises CheckpointError: Gymnasium knows none."""
        raise CheckpointError(self.spec.scenario, "has no snapshots", "play whole episodes")

    def _begin(self, network: int) -> FloatArray:
        seed = int(fold_seed(self._seed, network, 0, int(self._episode[network]), STREAM_EPISODE)) % SEED_LIMIT
        return np.asarray(self._copies[network].reset(seed=seed)[0], dtype=np.float32)

    def _own(self, action: Any) -> Any:
        """The environment's own action."""
        if isinstance(self._space, Discrete):
            return int(action) + int(self._space.start)
        assert isinstance(self._space, Box)
        low, high = self._space.low, self._space.high
        return (low + (np.asarray(action, dtype=np.float64) + 1.0) / 2.0 * (high - low)).astype(self._space.dtype)

    def _observation(self, seen: FloatArray) -> Observation:
        num = self.num_networks
        slot: IntArray = self._step.copy()
        return Observation(
            seen[:, None, :].copy(), np.zeros((num, 0)), slot, slot == 0, self._episode.copy(),
            np.full((num, 0), -1, dtype=np.int64),
        )  # fmt: skip


def _make_spec(env: Env[Any, Any], episode_steps: int) -> TaskSpec:
    seen, does = env.observation_space, env.action_space
    if not isinstance(seen, Box) or len(seen.shape) != 1:
        raise ConfigError("observation_space", str(seen), "a Box with one axis")
    if not isinstance(does, Discrete) and not (isinstance(does, Box) and len(does.shape) == 1):
        raise ConfigError("action_space", str(does), "Discrete, or a Box with one axis")
    name = env.spec.id if env.spec else type(env).__name__
    measurements = [Measurement(f"x{index}", "1", "cell", 0, 1, "neither") for index in range(seen.shape[0])]
    return TaskSpec(
        name=name,
        scenario=name,
        agents=("agent",),
        features=tuple(Feature(m, ((0.5,),), (("low", "high"),), (0.0,), (1.0,)) for m in measurements),
        state_names=(),
        actions=tuple(f"option {index}" for index in range(int(does.n))) if isinstance(does, Discrete) else (),
        neutral_action=0,
        reward_terms=("reward",),
        counters=(),
        step_s=1.0,
        slots_per_step=1,
        episode_steps=episode_steps,
        neighbours=((),),
        action_size=0 if isinstance(does, Discrete) else does.shape[0],
    )
