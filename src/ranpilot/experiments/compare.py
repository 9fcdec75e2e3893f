"""Run an experiment in its folder, all of it or what is missing, and write its report."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ranpilot.experiments.design import PAPER_SCENARIO, Experiment
from ranpilot.experiments.grid import run_grid
from ranpilot.experiments.play_cell import CHECKPOINT_S
from ranpilot.experiments.report import Part, Report, make_part, make_report
from ranpilot.experiments.results import read_results
from ranpilot.runs import Progress, RunFolder, SilentProgress, provenance

__all__ = ["run_experiment", "run_experiments"]


def run_experiment(
    experiment: Experiment,
    out: Path,
    *,
    title: str,
    new: bool = False,
    workers: int | None = None,
    progress: Progress | None = None,
    checkpoint_s: float = CHECKPOINT_S,
) -> Report:
    """Play what is missing and write the report into `out`; workers: None for one a core.

    Raises CheckpointError for a folder of another config, Interrupted after Ctrl-C.
    """
    part = _play(experiment, out, title, new, workers, progress or SilentProgress(), checkpoint_s)
    return make_report(title, [part]).write(out)


def run_experiments(
    experiments: Sequence[tuple[str, Experiment]],
    out: Path,
    *,
    title: str,
    note: str = "",
    new: bool = False,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Report:
    """Several experiments in folders below `out`, and one report over them; note: what its reader must know."""
    parts = [
        _play(experiment, out / experiment.name, name, new, workers, progress or SilentProgress(), CHECKPOINT_S)
        for name, experiment in experiments
    ]
    return make_report(title, [replace(part, note=note) for part in parts]).write(out)


def _play(
    experiment: Experiment,
    path: Path,
    title: str,
    new: bool,
    workers: int | None,
    progress: Progress,
    checkpoint_s: float,
) -> Part:
    session = provenance(_hashes(experiment))
    experiment = experiment.model_copy(update={"scenario_hash": _scenario_hash(experiment)})
    folder = RunFolder.open(path, experiment.model_dump(mode="json"), session, new=new)
    with folder.held():
        run_grid(experiment, folder, progress, workers=workers or os.cpu_count() or 1, checkpoint_s=checkpoint_s)
        return make_part(title, read_results(experiment, folder), folder.provenance())


def _hashes(experiment: Experiment) -> dict[str, str]:
    """What decides the numbers besides config and code: the scenario, and the language model where one advises.

    Raises UnknownNameError for an unknown scenario, and MissingExtraError or BackendError where the model cannot be
    had: before anything runs, not hours later.
    """
    hashes = {}
    scenario_hash = _scenario_hash(experiment)
    if scenario_hash is not None:
        hashes["scenario"] = scenario_hash
    if any(row.adviser == "embedded" for row in experiment.rows):
        from ranpilot import llm
        from ranpilot.llm import extras, weights

        for package in extras.missing():
            extras.require(package)
        weights.weights_folder()
        model = llm.BACKENDS.load("embedded")
        hashes["adviser"] = f"embedded:{getattr(model, 'name', '')} {getattr(model, 'model_hash', '')}"
    return hashes


def _scenario_hash(experiment: Experiment) -> str | None:
    """Hash over every load and split that is played; None where the scenario is part of the code."""
    if experiment.scenario == PAPER_SCENARIO:
        return None
    from ranpilot import scenarios

    loaded = [scenarios.load(experiment.scenario).with_load(load) for load in experiment.loads]
    hashes = [split.hash() for scenario in loaded for split in (scenario.train, scenario.heldout)]
    return hashlib.sha256("".join(hashes).encode()).hexdigest()[:16]
