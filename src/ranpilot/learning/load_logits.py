"""Where a policy of shares may begin: at shares proportional to what was offered, of which it learns the difference."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import Observation, TaskSpec
from ranpilot.errors import ConfigError
from ranpilot.twin import kpm

__all__ = ["LoadLogits"]

LEAST_MBIT = 0.01
"""What a slice that offered nothing counts as, so that it keeps a share."""
MOST_NUMBER = 0.95
"""Short of 1, so that a squashed policy can still go both ways."""


class LoadLogits:
    """Numbers in [-0.95, 0.95] that the task turns into shares proportional to the offered volume of the last step."""

    def __init__(self, task: TaskSpec) -> None:
        name = kpm.SLICE_OFFERED.name
        names = [feature.name for feature in task.slice_features]
        if name not in names or task.share_action is None:
            raise ConfigError("start", "load", f"'equal' for task {task.name!r}, which shares nothing out by {name}")
        self._column = names.index(name)
        self._feature, self._rule = task.slice_features[self._column], task.share_action

    def __call__(self, obs: Observation) -> NDArray[Any]:
        """[B, A, S], 0 at free seats."""
        mask = obs.slice_mask
        volume = np.where(mask, self._feature.value(obs.slices[..., self._column]) + LEAST_MBIT, 0.0)
        share = volume / np.maximum(volume.sum(axis=-1, keepdims=True), LEAST_MBIT)
        number = self._rule.numbers(share, mask)
        return np.where(mask, np.clip(number, -MOST_NUMBER, MOST_NUMBER), 0.0)
