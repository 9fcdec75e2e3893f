"""Every agent draws one of its options, each as likely as the other, anew in every step.

Where an action is numbers it draws each of them uniformly from [-1, 1). What is drawn hangs on (seed, place in the
batch, agent, call of `act`), not on the situation.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ranpilot.envs.controller import Action, Observation, TaskSpec, WhatIf
from ranpilot.errors import CheckpointError
from ranpilot.heuristics._fixed import Fixed

__all__ = ["PART", "Random"]


class Random(Fixed):
    """A uniformly random action."""

    def reset(self, task: TaskSpec, num_networks: int, seed: int, what_if: WhatIf | None) -> None:
        """Begin the sequence of draws."""
        super().reset(task, num_networks, seed, what_if)
        self._calls = 0

    def act(self, obs: Observation) -> Action:
        """One option for each agent, [B, A], or its numbers, [B, A, M]."""
        from ranpilot.heuristics._draw import draw_numbers, draw_options

        call, self._calls = self._calls, self._calls + 1
        shape = obs.local.shape[:2]
        if self.task.action_size:
            numbers = np.empty((*shape, self.task.action_size))
            draw_numbers(self.seed, call, numbers)
            return numbers
        options = np.empty(shape, dtype=np.int64)
        draw_options(self.seed, call, self.task.num_actions, options)
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
