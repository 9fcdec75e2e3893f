"""Mean and variance of everything seen so far, batch by batch (Chan, Golub and LeVeque 1979)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["RunningMoments"]


class RunningMoments:
    """Moments of a stream of numbers; before the first one they are 0 and 1."""

    def __init__(self) -> None:
        self._state = np.array([0.0, 0.0, 0.0])
        """Count, mean, sum of squared deviations."""

    @property
    def mean(self) -> float:
        """Mean of what was seen, 0 before."""
        return float(self._state[1])

    @property
    def deviation(self) -> float:
        """Standard deviation of what was seen; 1 where nothing was seen or all of it was equal."""
        count, _, squares = self._state
        return float(np.sqrt(squares / count)) if squares > 0.0 else 1.0

    def add(self, values: NDArray[np.floating]) -> None:
        """Take in more numbers, of any shape."""
        count, mean, squares = self._state
        more, shift = values.size, float(values.mean(dtype=np.float64)) - mean
        total = count + more
        own = float(values.var(dtype=np.float64)) * more
        self._state[:] = total, mean + shift * more / total, squares + own + shift**2 * count * more / total

    def arrays(self, name: str) -> dict[str, NDArray[Any]]:
        """What a checkpoint holds."""
        return {name: self._state}

    def restore(self, name: str, found: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what `arrays` gave."""
        self._state[:] = found[name]
