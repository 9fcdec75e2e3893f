"""Who can enter a comparison: the learners with shared nets, and every heuristic that fits the task."""

from __future__ import annotations

from collections.abc import Sequence

from ranpilot.envs.controller import Controller
from ranpilot.errors import UnknownNameError
from ranpilot.experiments.trials.design import NETWORKS_PER_SEED, Entrant, Trials
from ranpilot.heuristics import HEURISTICS
from ranpilot.learning.learners import LEARNERS, make_learner

__all__ = ["entrant_names", "make_entrant", "pick_entrants"]

SLOW = {"sla-oracle": (1, 40.0)}
"""Test episodes and relative cost of heuristics that search."""
LEARNER_COST = 1.3


def pick_entrants(names: Sequence[str]) -> tuple[Entrant, ...]:
    """An entrant for each name. Raises UnknownNameError."""
    return tuple(_entrant(name) for name in dict.fromkeys(names))


def entrant_names() -> list[str]:
    """Every learner, then every heuristic."""
    return [*LEARNERS, *HEURISTICS.names()]


def make_entrant(trials: Trials, entrant: Entrant, seed: int) -> Controller:
    """The controller of a trial, not yet reset. Raises ConfigError for settings that it does not take."""
    if entrant.kind == "heuristic":
        return HEURISTICS.load(entrant.name)()
    given = {"train_episodes": trials.train_episodes, "first_network": seed * NETWORKS_PER_SEED}
    return make_learner(entrant.name, {**given, **entrant.settings})


def _entrant(name: str) -> Entrant:
    if name in LEARNERS:
        return Entrant(label=name, kind="learner", name=name, cost=LEARNER_COST)
    if name not in HEURISTICS.names():
        raise UnknownNameError("learner or heuristic", name, entrant_names())
    test_episodes, cost = SLOW.get(name, (None, 1.0))
    return Entrant(label=name, kind="heuristic", name=name, test_episodes=test_episodes, cost=cost)
