"""One cell of an experiment, a row at a load: train, test, checkpoint between episodes, go on where it ended."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from ranpilot.envs.controller import Controller, Environment, FloatArray
from ranpilot.errors import CheckpointError
from ranpilot.experiments.agreement import agreement
from ranpilot.experiments.controllers import make_controller
from ranpilot.experiments.design import Experiment, Row
from ranpilot.experiments.plan import Job, Tick
from ranpilot.experiments.play import CurrentWhatIf, Episode, PhaseTimes, play
from ranpilot.runs import CellFolder, Checkpoint, StopRequest

if TYPE_CHECKING:
    from ranpilot.twin.scenario import Scenario

__all__ = ["CHECKPOINT_S", "CellsPlan", "episode_record", "make_env", "play_in_memory", "run_cell"]

CHECKPOINT_S = 20.0
"""Wall seconds between two checkpoints: what a killed run loses at most."""

KEPT_DECISIONS = 400
"""Decisions kept of the last test episode of the row's first network."""


@dataclass(frozen=True)
class CellsPlan:
    """The cells of an experiment as a `Plan`: a job is the label of a row and a load."""

    experiment: Experiment

    def jobs(self) -> list[Job]:
        """Every cell, row by row."""
        return [(row.label, load) for row, load in self.experiment.cells()]

    def work(self, job: Job) -> float:
        """Episodes, weighted by the row's cost."""
        return self.experiment.work(self.experiment.row(job[0]))

    def done(self, job: Job, folder: CellFolder) -> float:
        """Of those, how many are on disk."""
        if folder.is_finished:
            return self.work(job)
        checkpoint = folder.newest()
        row = self.experiment.row(job[0])
        return self.experiment.work(row, int(checkpoint.state["next_episode"])) if checkpoint else 0.0

    def play(self, job: Job, folder: CellFolder, tick: Tick, stop: StopRequest, checkpoint_s: float) -> None:
        """Play the cell, see `run_cell`."""
        run_cell(self.experiment, self.experiment.row(job[0]), job[1], folder, tick, stop, checkpoint_s)


@dataclass
class Place:
    """How far a cell has come."""

    next_episode: int
    train: PhaseTimes
    test: PhaseTimes


def run_cell(
    experiment: Experiment, row: Row, load: str, folder: CellFolder, tick: Tick, stop: StopRequest, checkpoint_s: float
) -> None:
    """Play what is missing of (row, load) in `folder`, and write its summary when all is played.

    Raises Interrupted at the next end of an episode once a stop is requested; everything before it is on disk.
    """
    if folder.is_finished:
        return
    with folder.held():
        try:
            checkpoint = folder.resume()
            _Run(experiment, row, load, folder, tick, stop, checkpoint_s).go_on(checkpoint)
        finally:
            folder.close()


def make_env(
    experiment: Experiment, row: Row, load: str, split: Literal["train", "heldout"], scenario: str | Path | Scenario
) -> Environment:
    """The batch environment of a row at a load; scenario: the experiment's name or the object behind it."""
    from ranpilot.envs.make import make_batch

    return make_batch(
        scenario,
        experiment.task,
        experiment.seeds,
        experiment.base_seed,
        load=load,
        split=split,
        first_network=experiment.first_network(row),
        variant=experiment.variant,
    )


def play_in_memory(
    experiment: Experiment, row: Row, controller: Controller, scenario: str | Path | Scenario, episodes: range
) -> tuple[list[dict[str, object]], dict[str, object]]:
    """Records and summary of test episodes of the experiment's first load, without a run folder."""
    env = make_env(experiment, row, experiment.loads[0], "heldout", scenario)
    env.reset(first_episode=episodes.start)
    controller.reset(env.spec, env.num_networks, experiment.base_seed, env.what_if)
    times = PhaseTimes()
    played = list(play(env, controller, episodes, times, explain=0))
    decisions = [asdict(decision) for decision in played[-1].decisions[:KEPT_DECISIONS]]
    summary: dict[str, object] = {"train": asdict(PhaseTimes()), "test": asdict(times), "decisions": decisions}
    return [episode_record(episode, "test") for episode in played], summary


class _Run:
    """The loop over the two phases of a cell."""

    def __init__(
        self,
        experiment: Experiment,
        row: Row,
        load: str,
        folder: CellFolder,
        tick: Tick,
        stop: StopRequest,
        every_s: float,
    ) -> None:
        self.experiment, self.row, self.load, self.folder = experiment, row, load, folder
        self.tick, self.stop, self.every_s = tick, stop, every_s
        self.controller = make_controller(experiment, row)
        self.what_if = CurrentWhatIf()
        self.last_save = time.monotonic()
        self.decisions: list[Mapping[str, object]] = []

    def go_on(self, checkpoint: Checkpoint | None) -> None:
        """Play from the checkpoint (the beginning where None) to the end."""
        place = _read_place(checkpoint, self.experiment.phases(self.row))
        self.decisions = list(checkpoint.state["decisions"]) if checkpoint else []
        is_reset = False
        for phase, episodes in zip(("train", "test"), self.experiment.phases(self.row), strict=True):
            left = range(max(place.next_episode, episodes.start), episodes.stop)
            if not left:
                continue
            split: Literal["train", "heldout"] = "train" if phase == "train" else "heldout"
            env = make_env(self.experiment, self.row, self.load, split, self.experiment.scenario)
            env.reset(first_episode=left.start)
            self.what_if.inner = env.what_if
            if not is_reset:
                what_if = None if env.what_if is None else self.what_if
                self.controller.reset(env.spec, env.num_networks, self.experiment.base_seed, what_if)
                if checkpoint is not None:
                    self._restore(checkpoint, env, left.start)
                is_reset = True
            self._play_phase(env, phase, left, place)
        self.folder.finish(self._summary(place))

    def _play_phase(self, env: Environment, phase: str, episodes: range, place: Place) -> None:
        times = place.train if phase == "train" else place.test
        for index in episodes:
            is_last = index == episodes.stop - 1
            explain = 0 if phase == "test" and is_last else None
            for episode in play(env, self.controller, range(index, index + 1), times, explain=explain):
                self.folder.append(episode_record(episode, phase))
                self.decisions = [asdict(decision) for decision in episode.decisions[:KEPT_DECISIONS]]
            place.next_episode = index + 1
            # The next phase begins in a new environment, so the end of one is always a checkpoint.
            if is_last or self.stop.requested or time.monotonic() - self.last_save >= self.every_s:
                self._save(env, place)
            self.tick(
                self.row.cost, f"{self.row.label} · {self.load} · {phase} {index + 1 - episodes.start}/{len(episodes)}"
            )
            self.stop.check()

    def _save(self, env: Environment, place: Place) -> None:
        def write(folder: Path) -> None:
            (folder / "environment.bin").write_bytes(env.snapshot())
            self.controller.save(folder / "controller")

        state = {
            "next_episode": place.next_episode,
            "train": asdict(place.train),
            "test": asdict(place.test),
            "decisions": self.decisions,
        }
        self.folder.checkpoint(place.next_episode, state, write)
        self.last_save = time.monotonic()

    def _restore(self, checkpoint: Checkpoint, env: Environment, start: int) -> None:
        load = getattr(self.controller, "load", None)
        if load is not None:
            load(checkpoint.folder / "controller")
        # At the border between the phases the snapshot is of the environment that has ended.
        if start not in {phase.start for phase in self.experiment.phases(self.row)}:
            try:
                env.restore((checkpoint.folder / "environment.bin").read_bytes())
            except OSError as error:
                raise CheckpointError(
                    str(checkpoint.folder), f"cannot be read ({error})", "start again with --new"
                ) from error

    def _summary(self, place: Place) -> dict[str, object]:
        return {
            "train": asdict(place.train),
            "test": asdict(place.test),
            "decisions": self.decisions,
            "agreement_with_rules": _agreement_with_rules(self.experiment, self.row, self.load),
        }


def _agreement_with_rules(experiment: Experiment, row: Row, load: str) -> float | None:
    """On which share of the prompts the row's language model says what the rules say; None for other advisers."""
    if row.adviser not in experiment.model_hashes:
        return None
    from ranpilot.systems.aura.advisers import make_adviser

    env = make_env(experiment.model_copy(update={"seeds": 1}), row, load, "heldout", experiment.scenario)
    advisers = (make_adviser(str(row.adviser)), make_adviser("rules"))
    return agreement(*advisers, env.spec, env.observation, experiment.base_seed)


def _read_place(checkpoint: Checkpoint | None, phases: tuple[range, range]) -> Place:
    if checkpoint is None:
        return Place(phases[0].start, PhaseTimes(), PhaseTimes())
    state = checkpoint.state
    return Place(int(state["next_episode"]), PhaseTimes(**state["train"]), PhaseTimes(**state["test"]))


def episode_record(episode: Episode, phase: str) -> dict[str, object]:
    """The line of metrics.jsonl: [B] lists over networks; in test episodes also [B][A] over agents."""
    record: dict[str, object] = {
        "episode": episode.index,
        "phase": phase,
        "reward": _plain(episode.reward),
        "terms": {name: _plain(values) for name, values in episode.terms.items()},
        "counts": {name: _plain(values.sum(axis=1)) for name, values in episode.counts.items()},
    }
    if episode.usage is not None and not np.isnan(episode.usage.trust).all():
        record["usage"] = {name: _plain(_agent_mean(values)) for name, values in asdict(episode.usage).items()}
    if phase == "test" and episode.calibration is not None:
        record["calibration"] = _plain(episode.calibration)
    if phase == "test":
        record["agents"] = {name: _plain(values) for name, values in episode.counts.items()}
    return record


def _agent_mean(values: FloatArray) -> FloatArray:
    """[B] mean over agents; NaN where any agent has none."""
    return np.asarray(np.mean(values, axis=1))


def _plain(values: FloatArray) -> list[object]:
    """Lists for JSON: whole numbers without a point, NaN as None."""
    if values.ndim > 1:
        return [_plain(row) for row in values]
    return [None if v != v else int(v) if v == int(v) else float(f"{v:.9g}") for v in values.tolist()]
