"""Every agent draws one of its options, each as likely as the other, anew in every step.

The number hangs on (seed, place in the batch, agent, call of `act`), not on the situation.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import Observation, TaskSpec, WhatIf
from ranpilot.errors import CheckpointError
from ranpilot.heuristics._fixed import Fixed

__all__ = ["PART", "Random"]


class Random(Fixed):
    """A uniformly random option."""

    def reset(self, task: TaskSpec, num_networks: int, seed: int, what_if: WhatIf | None) -> None:
        """Begin the sequence of draws."""
        super().reset(task, num_networks, seed, what_if)
        self._calls = 0

    def act(self, obs: Observation) -> NDArray[np.int64]:
        """One option for each agent, [B, A]."""
        from ranpilot.heuristics._draw import draw_options

        options = np.empty(obs.local.shape[:2], dtype=np.int64)
        draw_options(self.seed, self._calls, self.task.num_actions, options)
        self._calls += 1
        return options

    def progress(self) -> dict[str, int]:
        """How many draws were made."""
        return {"calls": self._calls}

    def load(self, folder: Path) -> None:
        """Go on from what `save` wrote, after a `reset`. Raises CheckpointError where it is missing or damaged."""
        path = folder / "heuristic.json"
        try:
            self._calls = int(json.loads(path.read_text(encoding="utf-8"))["calls"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CheckpointError(str(path), f"cannot be read ({error})", "start again") from error


PART = Random
