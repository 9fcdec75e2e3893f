"""A replay memory of whole network-steps: one ring for all networks, in arrays that are allocated once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Transitions"]

Arrays = Mapping[str, NDArray[Any]]


class Transitions:
    """The last `capacity` network-steps, laid out when the first ones say what there is."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._arrays: dict[str, NDArray[Any]] = {}
        self.added = 0
        """Network-steps ever added."""

    def __len__(self) -> int:
        return min(self.added, self._capacity)

    def add(self, steps: Arrays) -> None:
        """Remember one step of each of B networks, [B, ...] by name; the oldest are forgotten when the ring is full."""
        if not self._arrays:
            self._arrays = {name: np.zeros((self._capacity, *a.shape[1:]), a.dtype) for name, a in steps.items()}
        num = len(next(iter(steps.values())))
        place = (self.added + np.arange(num)) % self._capacity
        for name, array in steps.items():
            self._arrays[name][place] = array
        self.added += num

    def pick(self, numbers: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
        """A minibatch with replacement; numbers [N] within (0, 1) say which."""
        place = (numbers * len(self)).astype(np.int64)
        return {name: array[place] for name, array in self._arrays.items()}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What is remembered, for a checkpoint."""
        kept = {f"transitions.{name}": array[: len(self)] for name, array in self._arrays.items()}
        return {**kept, "transitions_added": np.array(self.added)}

    def restore(self, found: Arrays) -> None:
        """Remember what `arrays` gave."""
        self.added = int(found["transitions_added"])
        self._arrays = {}
        for key, array in found.items():
            if key.startswith("transitions."):
                whole = np.zeros((self._capacity, *array.shape[1:]), array.dtype)
                whole[: len(array)] = array
                self._arrays[key.removeprefix("transitions.")] = whole
