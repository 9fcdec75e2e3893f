"""Where a policy of shares may begin: at shares proportional to what was offered, of which it learns the difference.

    a_s = log(v_s + ε) / scale − the mean of it over the taken seats,   within ±0.95

v_s is the offered volume of a slice in the last step in Mbit, scale that of the task's softmax; the softmax of
scale × a so is v_s / Σ v where the range of numbers allows it.
"""

from __future__ import annotations

import math

from torch import Tensor

from ranpilot.envs.controller import TaskSpec
from ranpilot.envs.tasks._slice_features import SEEN
from ranpilot.envs.tasks.slicing import Numbers
from ranpilot.errors import ConfigError
from ranpilot.learning.features import Features
from ranpilot.twin import kpm

__all__ = ["LoadLogits"]

LEAST_MBIT = 0.01
MOST_NUMBER = 0.95
"""Short of 1, so that a squashed policy can still go both ways."""


class LoadLogits:
    """Numbers in [-0.95, 0.95] that share in proportion to the offered volume."""

    def __init__(self, task: TaskSpec) -> None:
        name = kpm.SLICE_OFFERED.name
        if name not in task.slice_features:
            raise ConfigError("start", "load", f"'equal' for task {task.name!r}, which does not show {name}")
        self._column = task.slice_features.index(name)
        self._log_high = math.log1p(next(seen.high for seen in SEEN if seen.name == name))
        self._scale = Numbers().logit_scale

    def __call__(self, features: Features) -> Tensor:
        """[N, A, S], 0 at free seats."""
        volume = (features.slices[..., self._column] * self._log_high).expm1()
        number = (volume + LEAST_MBIT).log() / self._scale
        taken = features.mask.sum(dim=-1, keepdim=True).clamp(min=1.0)
        centred = number - (number * features.mask).sum(dim=-1, keepdim=True) / taken
        return centred.clamp(-MOST_NUMBER, MOST_NUMBER) * features.mask
