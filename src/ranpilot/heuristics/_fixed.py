"""What controllers without learning share: they remember the task, ignore outcomes and have nothing to save."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import Decision, IntArray, Observation, Outcome, TaskSpec, WhatIf
from ranpilot.envs.words import levels
from ranpilot.errors import CheckpointError, ConfigError

__all__ = [
    "NO_NEIGHBOUR",
    "ByLevels",
    "Fixed",
    "feature_index",
    "nearest_neighbours",
    "option",
    "state_columns",
    "word_level",
]

NO_NEIGHBOUR = -1


class Fixed:
    """A controller whose policy is written down; parts add `act`."""

    def reset(self, task: TaskSpec, num_networks: int, seed: int, what_if: WhatIf | None) -> None:
        """Remember the task."""
        self.task, self.num_networks, self.seed, self.what_if = task, num_networks, seed, what_if

    def observe(self, outcome: Outcome) -> None:
        """Nothing: the policy does not change."""

    def explain(self, network: int) -> tuple[Decision, ...]:
        """Nothing: the policy is its own explanation."""
        return ()

    def save(self, folder: Path) -> None:
        """Write which controller it is, and for which task and seed. Raises CheckpointError where it cannot."""
        name = type(self).__module__.rsplit(".", 1)[-1].replace("_", "-")
        text = json.dumps({"heuristic": name, "task": self.task.name, "seed": self.seed, **self.progress()})
        path = folder / "heuristic.json"
        temporary = folder / f".heuristic.json.{os.getpid()}.tmp"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            temporary.write_text(text + "\n", encoding="utf-8")
            os.replace(temporary, path)
        except OSError as error:
            problem = f"could not be written ({error.strerror or error})"
            with suppress(OSError):
                temporary.unlink()
            raise CheckpointError(str(path), problem, "make room or choose another folder") from error

    def progress(self) -> dict[str, int]:
        """What changes while it runs; nothing for most."""
        return {}

    def everywhere(self, name: str, obs: Observation) -> NDArray[np.int64]:
        """The same option for every agent, [B, A]."""
        return np.full(obs.local.shape[:2], option(self.task, name), dtype=np.int64)


class ByLevels(Fixed):
    """A policy on words: own coverage, and whether the nearest neighbour is full."""

    def reset(self, task: TaskSpec, num_networks: int, seed: int, what_if: WhatIf | None) -> None:
        """Find the words in the task. Raises ConfigError where it has others."""
        super().reset(task, num_networks, seed, what_if)
        self._coverage, self._capacity = feature_index(task, "coverage"), feature_index(task, "capacity")
        self._good = word_level(task, self._coverage, "good")
        self._poor = word_level(task, self._coverage, "poor")
        self._full = word_level(task, self._capacity, "full")
        self._neighbour = nearest_neighbours(task)

    def read(self, obs: Observation) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
        """Whether own coverage is good, whether it is poor, whether the nearest neighbour is full or absent, [B, A]."""
        seen = levels(self.task, obs)
        coverage = seen[:, :, self._coverage]
        is_full = seen[:, self._neighbour, self._capacity] == self._full
        return coverage == self._good, coverage == self._poor, is_full | (self._neighbour == NO_NEIGHBOUR)


def option(task: TaskSpec, name: str) -> int:
    """Index of the option called `name`. Raises ConfigError where the task has none."""
    if name not in task.actions:
        raise ConfigError(f"actions of task {task.name!r}", task.actions, f"such that {name!r} is among them")
    return task.actions.index(name)


def feature_index(task: TaskSpec, name: str) -> int:
    """Place of the feature called `name`. Raises ConfigError where the task has none."""
    names = tuple(feature.measurement.name for feature in task.features)
    if name not in names:
        raise ConfigError(f"features of task {task.name!r}", names, f"such that {name!r} is among them")
    return names.index(name)


def word_level(task: TaskSpec, feature: int, word: str) -> int:
    """Level that every agent calls `word`. Raises ConfigError where one does not."""
    places = {words.index(word) if word in words else None for words in task.features[feature].words}
    place = places.pop() if len(places) == 1 else None
    if place is None:
        name = task.features[feature].measurement.name
        raise ConfigError(f"words of feature {name!r}", task.features[feature].words[0], f"with {word!r} in one place")
    return place


def nearest_neighbours(task: TaskSpec) -> IntArray:
    """For each agent its nearest neighbour, [A], NO_NEIGHBOUR where it has none."""
    return np.array([near[0] if near else NO_NEIGHBOUR for near in task.neighbours])


def state_columns(task: TaskSpec, name: str) -> IntArray:
    """Columns of the central state that hold `name` of each agent, [A]. Raises ConfigError where one is missing."""
    wanted = [f"{agent}.{name}" for agent in task.agents]
    missing = [column for column in wanted if column not in task.state_names]
    if missing:
        raise ConfigError(f"state of task {task.name!r}", task.state_names, f"such that {missing[0]!r} is among them")
    return np.array([task.state_names.index(column) for column in wanted])
