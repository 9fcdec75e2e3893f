"""Who controls the networks of a row: one way to make the controller for each kind of row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ranpilot.envs.controller import Action, Controller, Decision, Observation, Outcome, TaskSpec, WhatIf
from ranpilot.errors import ConfigError
from ranpilot.experiments.design import Experiment, Row

__all__ = ["Alone", "make_controller"]


class Alone:
    """An adviser that decides by itself; where it advises nothing the task's neutral action is taken."""

    def __init__(self, adviser: Controller, name: str) -> None:
        self._adviser = adviser
        self.name = name
        """What decisions call it."""

    def reset(self, task: TaskSpec, num_networks: int, seed: int, what_if: WhatIf | None) -> None:
        """Get the adviser ready."""
        self._task = task
        self._adviser.reset(task, num_networks, seed, what_if)

    def act(self, obs: Observation) -> Action:
        """The advice, [B, A]."""
        advice = self._adviser.act(obs)
        self._slot, self._executed = obs.slot, np.where(advice < 0, self._task.neutral_action, advice)
        return self._executed

    def observe(self, outcome: Outcome) -> None:
        """Tell the adviser."""
        self._adviser.observe(outcome)

    def explain(self, network: int) -> tuple[Decision, ...]:
        """Every station's last decision: nobody but the adviser decided it."""
        names = [self._task.actions[int(option)] for option in self._executed[network]]
        slot, why = int(self._slot[network]), f"{self.name} decides alone."
        return tuple(
            Decision(network, agent, slot, name, self.name, name, name, True, None, why)
            for agent, name in zip(self._task.agents, names, strict=True)
        )

    def save(self, folder: Path) -> None:
        """Write the adviser's state."""
        self._adviser.save(folder)

    def load(self, folder: Path) -> None:
        """Read the adviser's state, where it has any."""
        restore: Any = getattr(self._adviser, "load", None)
        if restore is not None:
            restore(folder)


def make_controller(experiment: Experiment, row: Row) -> Controller:
    """The controller of a row, not yet reset. Raises ConfigError for settings that its kind does not take."""
    return _KINDS[row.kind](experiment, row)


def _aura(experiment: Experiment, row: Row) -> Controller:
    from ranpilot.systems.aura.configurations import make

    return make(
        row.name,
        adviser=row.adviser,
        trust=row.trust,
        train_episodes=experiment.training(row),
        first_network=experiment.first_network(row),
        **row.settings,
    )


def _dqn(experiment: Experiment, row: Row) -> Controller:
    from ranpilot.learning.dqn import Dqn, make_config

    given = {"train_episodes": experiment.training(row), "first_network": experiment.first_network(row)}
    return Dqn(make_config({**given, **row.settings}))


def _adviser(experiment: Experiment, row: Row) -> Controller:
    from ranpilot.systems.aura.advisers import make_adviser

    if row.adviser is None:
        raise ConfigError(f"row {row.label!r}: adviser", None, "the name of the adviser that decides alone")
    first = experiment.first_network(row)
    adviser = make_adviser(row.adviser, train_episodes=experiment.train_episodes, first_network=first)
    return Alone(adviser, getattr(adviser, "name", row.adviser))


def _heuristic(experiment: Experiment, row: Row) -> Controller:
    from ranpilot.heuristics import HEURISTICS

    return HEURISTICS.load(row.name)()


_KINDS: dict[str, Callable[[Experiment, Row], Controller]] = {
    "aura": _aura,
    "dqn": _dqn,
    "adviser": _adviser,
    "heuristic": _heuristic,
}
