"""What an on-policy learner keeps of the last T steps of B networks, in arrays that are allocated once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Rollout"]

Arrays = Mapping[str, NDArray[Any]]


class Rollout:
    """T steps, filled one by one; the arrays are laid out when the first step says what there is."""

    def __init__(self, num_steps: int) -> None:
        self._num_steps = num_steps
        self._arrays: dict[str, NDArray[Any]] = {}
        self.filled = 0
        """Steps since the last `clear`."""

    @property
    def is_full(self) -> bool:
        """Whether every step is filled."""
        return self.filled == self._num_steps

    def add(self, step: Arrays) -> None:
        """Keep one step, [B, ...] by name."""
        if not self._arrays:
            self._arrays = {name: np.zeros((self._num_steps, *a.shape), a.dtype) for name, a in step.items()}
        for name, array in step.items():
            self._arrays[name][self.filled] = array
        self.filled += 1

    def clear(self) -> None:
        """Begin again."""
        self.filled = 0

    def __getitem__(self, name: str) -> NDArray[Any]:
        """[T, B, ...]"""
        return self._arrays[name]

    def flat(self, *names: str) -> dict[str, NDArray[Any]]:
        """[T·B, ...] of those names."""
        whole = {name: self._arrays[name] for name in names}
        return {name: a.reshape(a.shape[0] * a.shape[1], *a.shape[2:]) for name, a in whole.items()}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The filled steps, for a checkpoint."""
        return {f"rollout.{name}": array[: self.filled] for name, array in self._arrays.items()}

    def restore(self, found: Arrays) -> None:
        """Go on from what `arrays` gave."""
        kept = {name.removeprefix("rollout."): a for name, a in found.items() if name.startswith("rollout.")}
        self.clear()
        for step in range(len(next(iter(kept.values()), ()))):
            self.add({name: array[step] for name, array in kept.items()})
