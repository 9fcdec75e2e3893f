"""`stale-rules:20`: the rules, each answer kept for 20 steps: what an adviser is worth that answers too seldom."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import Observation, TaskSpec, WhatIf
from ranpilot.errors import ConfigError
from ranpilot.heuristics.rules import Rules
from ranpilot.runs.arrays import load_arrays, save_arrays

__all__ = ["PART", "StaleRules"]

DEFAULT_STEPS = 20


class StaleRules(Rules):
    """Rules that look again every so many steps, and when an episode begins."""

    def __init__(self, keep_steps: int = DEFAULT_STEPS) -> None:
        if keep_steps < 1:
            raise ConfigError("adviser.keep_steps", keep_steps, "at least 1")
        self.keep_steps = keep_steps
        self.name = f"rules, answers kept {keep_steps} steps"

    def reset(self, task: TaskSpec, num_networks: int, seed: int, what_if: WhatIf | None) -> None:
        """Begin without an answer."""
        super().reset(task, num_networks, seed, what_if)
        self._kept = np.zeros((num_networks, task.num_agents), dtype=np.int64)
        self._age_steps = np.full(num_networks, self.keep_steps, dtype=np.int64)

    def act(self, obs: Observation) -> NDArray[np.int64]:
        """The kept answer of each agent, [B, A]."""
        renewed = (self._age_steps >= self.keep_steps) | np.asarray(obs.first)
        self._kept[renewed] = super().act(obs)[renewed]
        self._age_steps[...] = np.where(renewed, 1, self._age_steps + 1)
        return self._kept.copy()

    def save(self, folder: Path) -> None:
        """Write the answers that are kept and for how long."""
        save_arrays(folder / "stale.npz", self._identity(), self._arrays())

    def load(self, folder: Path) -> None:
        """Go on from what `save` wrote, after a `reset`. Raises CheckpointError where it does not fit."""
        load_arrays(folder / "stale.npz", self._identity(), self._arrays())

    def _identity(self) -> dict[str, object]:
        return {"adviser": "stale rules", "keep_steps": self.keep_steps}

    def _arrays(self) -> dict[str, NDArray[np.int64]]:
        return {"kept": self._kept, "age_steps": self._age_steps}


def make_stale_rules(*, argument: str | None, train_episodes: int, first_network: int) -> StaleRules:
    """The rules that keep an answer so long. Raises ConfigError for what is no whole number from 1 on."""
    if argument is None:
        return StaleRules()
    if not argument.isdecimal() or int(argument) < 1:
        raise ConfigError("adviser", f"stale-rules:{argument}", "a number of steps from 1 on, such as stale-rules:20")
    return StaleRules(int(argument))


PART = make_stale_rules
