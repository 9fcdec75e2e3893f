"""A replay memory for many learners at once: one ring of steps, in arrays that are allocated once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

__all__ = ["Replay"]

Float32 = NDArray[np.float32]
Int64 = NDArray[np.int64]
Steps = tuple[Float32, Int64, Float32, Float32, Float32]
"""State [N, M, D], option, reward, discount [N, M], next state [N, M, D]."""


class Replay:
    """The last `capacity` steps of N learners with D features each."""

    def __init__(self, capacity: int, num_learners: int, num_features: int) -> None:
        steps = (capacity, num_learners)
        self._state = np.zeros((*steps, num_features), np.float32)
        self._option = np.zeros(steps, np.int64)
        self._reward = np.zeros(steps, np.float32)
        self._discount = np.zeros(steps, np.float32)
        self._next_state = np.zeros((*steps, num_features), np.float32)
        self._learner = np.arange(num_learners)[:, None]
        self.added = 0
        """Steps ever added."""

    def __len__(self) -> int:
        return min(self.added, len(self._state))

    def add(self, state: Float32, option: Int64, reward: Float32, discount: Float32, next_state: Float32) -> None:
        """Remember one step of every learner ([N], states [N, D]); the oldest is forgotten when the ring is full.

        discount: factor of the successor's value, 0 where the episode terminated.
        """
        place = self.added % len(self._state)
        self._state[place], self._option[place], self._reward[place] = state, option, reward
        self._discount[place], self._next_state[place] = discount, next_state
        self.added += 1

    def pick(self, numbers: NDArray[np.float64]) -> Steps:
        """A minibatch for each learner, with replacement; numbers [N, M] within (0, 1) say which steps."""
        place = (numbers * len(self)).astype(np.int64)
        at = (place, self._learner)
        return self._state[at], self._option[at], self._reward[at], self._discount[at], self._next_state[at]

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What is remembered, by name; for a checkpoint."""
        filled = {f"replay.{name}": array[: len(self)] for name, array in self._memory().items()}
        return {**filled, "replay.added": np.array(self.added)}

    def restore(self, found: Mapping[str, NDArray[np.generic]]) -> None:
        """Remember what `arrays` gave."""
        self.added = int(found["replay.added"])
        for name, array in self._memory().items():
            array[: len(self)] = found[f"replay.{name}"]

    def _memory(self) -> dict[str, NDArray[np.generic]]:
        return {
            "state": self._state,
            "option": self._option,
            "reward": self._reward,
            "discount": self._discount,
            "next_state": self._next_state,
        }
