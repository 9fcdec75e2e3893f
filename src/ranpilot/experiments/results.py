"""What the cells of an experiment measured, as arrays over seeds, and the tables made from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ranpilot.envs.controller import FloatArray
from ranpilot.errors import CheckpointError
from ranpilot.experiments.design import Experiment, Row
from ranpilot.runs import RunFolder

__all__ = ["METRICS", "CellResult", "Results", "read_results"]

METRICS: dict[str, str] = {
    "dropped": "Hand-off requests that were refused by a full station, timed out, or (on the twin) ended in a radio "
    "link failure, an episode (all stations). Each is a lost call. The main measure; lower is better.",
    "failures": "Control steps of an episode in which a request was dropped or an arriving user was blocked.",
    "failures_handover": "Control steps of an episode in which a hand-off request was dropped.",
    "requests": "Hand-off requests an episode: a user's serving link is bad while its neighbour's is usable.",
    "refused": "Requests that a full station refused.",
    "timed_out": "Requests that waited longer than the patience of the call.",
    "blocked": "Arriving users whom a full station could not admit; no action of these agents can serve them.",
    "outages": "User-steps with a bad link and no usable neighbour.",
    "reward": "Reward an episode, summed over stations and steps.",
    "announced_steps": "Control steps of an episode in which an announcement stands or its event is on.",
    "dropped_announced": "Hand-off requests dropped in those steps, an episode.",
    "used": "Use of advice: share of decisions that executed advice which differed from the agent's own choice.",
    "agreed": "Agreement: share of decisions in which the advice was the agent's own choice.",
    "matched": "Share of decisions in which what was executed equals the advice, for whatever reason.",
    "trust": "Mean trust in the advice given, 0 to 1.",
}
"""Columns of the results, and what they mean (the glossary of the report)."""

KEPT_OF_TRAINING = ("dropped",)
"""Counts of training episodes that are read; `metrics.jsonl` has them all."""


@dataclass(frozen=True)
class CellResult:
    """One row at one load: every episode that was played."""

    row: Row
    load: str
    records: Sequence[Mapping[str, Any]]
    summary: Mapping[str, Any]

    def phase(self, name: str) -> list[Mapping[str, Any]]:
        """The records of `train` or `test`."""
        return [record for record in self.records if record["phase"] == name]

    def series(self, metric: str, phase: str) -> FloatArray | None:
        """[E, B] one number an episode and seed; None where the row has no such metric or never played the phase."""
        rows = [_read(record, metric) for record in self.phase(phase)]
        if not rows or any(values is None for values in rows):
            return None
        return np.array(rows, dtype=np.float64)

    def per_seed(self, metric: str) -> FloatArray | None:
        """[B] mean over the test episodes; None where the row has no such metric."""
        values = self.series(metric, "test")
        if values is None or np.isnan(values).all():
            return None
        return np.asarray(np.nanmean(values, axis=0))

    def calibration(self) -> FloatArray | None:
        """[E, 3, 10] of the test episodes, see `CountsCalibration`; None where nothing was found out."""
        found = [record["calibration"] for record in self.phase("test") if "calibration" in record]
        return np.array(found, dtype=np.float64) if found else None

    @property
    def counters(self) -> tuple[str, ...]:
        """Names of what the task counts."""
        return tuple(self.phase("test")[0]["counts"])

    @property
    def agreement_with_rules(self) -> float | None:
        """Share of the prompts on which a language model says what the rules say; None for other advisers."""
        found = self.summary.get("agreement_with_rules")
        return None if found is None else float(found)

    def per_agent(self, metric: str) -> FloatArray:
        """[B, A] mean over the test episodes."""
        return np.asarray(np.mean([record["agents"][metric] for record in self.phase("test")], axis=0))


@dataclass(frozen=True)
class Results:
    """Every cell of an experiment."""

    experiment: Experiment
    cells: Mapping[tuple[str, str], CellResult]

    def cell(self, label: str, load: str) -> CellResult:
        """The cell of that row and load."""
        return self.cells[label, load]

    def per_seed(self, label: str, load: str, metric: str = "dropped") -> FloatArray:
        """[B]; raises KeyError where the row does not have the metric."""
        values = self.cells[label, load].per_seed(metric)
        if values is None:
            raise KeyError(metric)
        return values

    @cached_property
    def wall(self) -> dict[str, float]:
        """Wall seconds in the simulator and in the controllers, and slots simulated, over all cells."""
        total = {"environment_s": 0.0, "controller_s": 0.0, "slots": 0.0}
        for cell in self.cells.values():
            for phase in ("train", "test"):
                for name in total:
                    total[name] += float(cell.summary[phase][name])
        return total


def read_results(experiment: Experiment, folder: RunFolder) -> Results:
    """Read every cell. Raises CheckpointError where one is not finished."""
    cells = {}
    for row, load in experiment.cells():
        cell = folder.cell(row.label, load)
        if not cell.is_finished:
            raise CheckpointError(str(cell.path), "is not finished", "repeat the command of the run to go on")
        records = [_without_details_of_training(record) for record in cell.records()]
        cells[row.label, load] = CellResult(row, load, records, cell.summary())
    return Results(experiment, cells)


def _without_details_of_training(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """A long training has tens of thousands of episodes, of which reports show the reward and the drops."""
    if record["phase"] != "train":
        return record
    kept = {name: record[name] for name in ("episode", "phase", "reward")}
    return {**kept, "counts": {name: record["counts"][name] for name in KEPT_OF_TRAINING}}


def _read(record: Mapping[str, Any], metric: str) -> list[float] | None:
    if metric == "reward":
        found = record["reward"]
    elif metric in record["counts"]:
        found = record["counts"][metric]
    else:
        found = record.get("usage", {}).get(metric)
    return None if found is None else [float("nan") if value is None else float(value) for value in found]
