"""What decides an experiment's numbers besides its config and the code: scenario files and language models."""

from __future__ import annotations

import hashlib

from ranpilot.experiments.design import PAPER_SCENARIO, Experiment

__all__ = ["model_hashes", "scenario_hash"]


def model_hashes(experiment: Experiment) -> dict[str, str]:
    """Name and hash of every language model that advises, by the adviser's name.

    Every adviser is made once: what is unknown or missing is told before anything runs, not hours later.
    Raises UnknownNameError for an adviser, MissingExtraError without torch, BackendError where a model cannot be had.
    """
    from ranpilot.systems.aura.advisers import make_adviser

    found = {}
    for name in sorted({row.adviser for row in experiment.rows if row.adviser is not None}):
        adviser = make_adviser(name, train_episodes=experiment.train_episodes)
        model_hash = getattr(adviser, "model_hash", "")
        if model_hash:
            found[name] = f"{getattr(adviser, 'name', name)} {model_hash}"
    return found


def scenario_hash(experiment: Experiment) -> str | None:
    """Hash over every load and split that is played; None where the scenario is part of the code."""
    if experiment.scenario == PAPER_SCENARIO:
        return None
    from ranpilot import scenarios

    loaded = [scenarios.load(experiment.scenario).with_load(load) for load in experiment.loads]
    hashes = [split.hash() for scenario in loaded for split in (scenario.train, scenario.heldout)]
    return hashlib.sha256("".join(hashes).encode()).hexdigest()[:16]
