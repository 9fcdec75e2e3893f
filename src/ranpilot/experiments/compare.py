"""Run an experiment in its folder, all of it or what is missing, and write its report."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ranpilot.experiments.design import Experiment
from ranpilot.experiments.grid import run_grid
from ranpilot.experiments.hashes import model_hashes, scenario_hash
from ranpilot.experiments.play_cell import CHECKPOINT_S, CellsPlan
from ranpilot.experiments.ray_grid import run_on_ray
from ranpilot.experiments.report import Lesson, Part, Report, make_part, make_report
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
    ray: str | None = None,
    progress: Progress | None = None,
    checkpoint_s: float = CHECKPOINT_S,
) -> Report:
    """Play what is missing and write the report into `out`; workers: None for one a core, ray: see `run_on_ray`.

    Raises CheckpointError for a folder of another config, Interrupted after Ctrl-C.
    """
    part = _play(experiment, out, title, new, workers, progress or SilentProgress(), checkpoint_s, ray)
    return make_report(title, [part]).write(out)


def run_experiments(
    experiments: Sequence[tuple[str, Experiment]],
    out: Path,
    *,
    title: str,
    note: str = "",
    lessons: Sequence[Lesson] = (),
    new: bool = False,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Report:
    """Several experiments in folders below `out`, and one report over them; note: what its reader must know."""
    parts = [
        _play(experiment, out / experiment.name, name, new, workers, progress or SilentProgress(), CHECKPOINT_S)
        for name, experiment in experiments
    ]
    return make_report(title, [replace(part, note=note) for part in parts], lessons).write(out)


def _play(
    experiment: Experiment,
    path: Path,
    title: str,
    new: bool,
    workers: int | None,
    progress: Progress,
    checkpoint_s: float,
    ray: str | None = None,
) -> Part:
    scenario, models = scenario_hash(experiment), model_hashes(experiment)
    named = {f"model {name}": found for name, found in models.items()}
    session = provenance(named if scenario is None else {"scenario": scenario, **named})
    experiment = experiment.model_copy(update={"scenario_hash": scenario, "model_hashes": models})
    folder = RunFolder.open(path, experiment.model_dump(mode="json"), session, new=new)
    with folder.held():
        plan = CellsPlan(experiment)
        if ray is not None:
            run_on_ray(plan, folder, progress, address=ray, checkpoint_s=checkpoint_s)
        else:
            run_grid(plan, folder, progress, workers=workers or os.cpu_count() or 1, checkpoint_s=checkpoint_s)
        return make_part(title, read_results(experiment, folder), folder.provenance())
