"""One trial, an entrant with a seed: taught, tested at every load, checkpointed between episodes, gone on with."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ranpilot.envs.controller import Environment
from ranpilot.envs.make import make_batch
from ranpilot.errors import CheckpointError
from ranpilot.experiments.plan import Job, Tick
from ranpilot.experiments.play import CurrentWhatIf, PhaseTimes, play
from ranpilot.experiments.play_cell import episode_record
from ranpilot.experiments.trials.design import NETWORKS_PER_SEED, Entrant, Leg, Trials
from ranpilot.experiments.trials.entrants import make_entrant
from ranpilot.experiments.trials.timeline import Timeline
from ranpilot.runs import CellFolder, Checkpoint, StopRequest

__all__ = ["TrialsPlan", "seed_of"]

SEED = "seed-"


def seed_of(job: Job) -> int:
    """The seed that a job is of."""
    return int(job[1].removeprefix(SEED))


@dataclass(frozen=True)
class TrialsPlan:
    """The trials of a comparison as a `Plan`: a job is the label of an entrant and `seed-k`."""

    trials: Trials

    def jobs(self) -> list[Job]:
        """Every trial, seed by seed."""
        return [(entrant.label, f"{SEED}{k}") for k in range(self.trials.seeds) for entrant in self.trials.entrants]

    def work(self, job: Job) -> float:
        """Episodes, weighted by the entrant's cost."""
        entrant = self.trials.entrant(job[0])
        return entrant.cost * sum(len(leg.episodes) for leg in self.trials.legs(entrant))

    def done(self, job: Job, folder: CellFolder) -> float:
        """Of those, how many are on disk."""
        if folder.is_finished:
            return self.work(job)
        checkpoint = folder.newest()
        return self.trials.entrant(job[0]).cost * int(checkpoint.state["played"]) if checkpoint else 0.0

    def play(self, job: Job, folder: CellFolder, tick: Tick, stop: StopRequest, checkpoint_s: float) -> None:
        """Play what is missing of the trial, and write its summary when all is played."""
        if folder.is_finished:
            return
        with folder.held():
            try:
                checkpoint = folder.resume()
                entrant = self.trials.entrant(job[0])
                _Trial(self.trials, entrant, seed_of(job), folder, tick, stop, checkpoint_s).go_on(checkpoint)
            finally:
                folder.close()


@dataclass
class Spent:
    """Wall seconds of a phase, and network-steps played."""

    environment_s: float = 0.0
    """In the environment, the simulator included."""
    simulator_s: float = 0.0
    controller_s: float = 0.0
    network_steps: int = 0


class _Trial:
    """The loop over the legs of a trial."""

    def __init__(
        self, trials: Trials, entrant: Entrant, seed: int, folder: CellFolder, tick: Tick, stop: StopRequest,
        every_s: float,
    ) -> None:  # fmt: skip
        self.trials, self.entrant, self.seed, self.folder = trials, entrant, seed, folder
        self.tick, self.stop, self.every_s = tick, stop, every_s
        self.controller = make_entrant(trials, entrant, seed)
        self.what_if = CurrentWhatIf()
        self.spent = {"train": Spent(), "test": Spent()}
        self.played = 0
        self.timelines: dict[str, Any] = {}
        self.last_save = time.monotonic()

    def go_on(self, checkpoint: Checkpoint | None) -> None:
        """Play from the checkpoint (the beginning where None) to the end."""
        if checkpoint is not None:
            self._take(checkpoint.state)
        left, begun = self.played, False
        for leg in self.trials.legs(self.entrant):
            skipped = min(left, len(leg.episodes))
            left -= skipped
            episodes = leg.episodes[skipped:]
            if not episodes:
                continue
            env = self._environment(leg)
            env.reset(first_episode=episodes.start)
            self.what_if.inner = env.what_if
            if not begun:
                what_if = None if env.what_if is None else self.what_if
                self.controller.reset(env.spec, env.num_networks, self.trials.base_seed + self.seed, what_if)
                if checkpoint is not None:
                    self._restore(checkpoint, env, is_inside=skipped > 0)
                begun = True
            self._play_leg(env, leg, episodes)
        summary = {phase: asdict(spent) for phase, spent in self.spent.items()}
        self.folder.finish({**summary, "timelines": self.timelines})

    def _environment(self, leg: Leg) -> Environment:
        trials = self.trials
        return make_batch(
            trials.scenario,
            trials.task,
            trials.networks,
            trials.base_seed,
            load=leg.load,
            split=leg.split,
            first_network=self.seed * NETWORKS_PER_SEED,
            variant=trials.variant,
        )

    def _play_leg(self, env: Environment, leg: Leg, episodes: range) -> None:
        for index in episodes:
            is_last = index == leg.episodes[-1]
            watched = Timeline.of(env, self.controller) if is_last and leg.phase == "test" and self.seed == 0 else None
            self._play_episode(env, watched or self.controller, leg, index)
            if watched is not None:
                self.timelines[leg.load] = watched.as_json()
            self.played += 1
            # The next leg begins in a new environment, so the end of one is always a checkpoint.
            if is_last or self.stop.requested or time.monotonic() - self.last_save >= self.every_s:
                self._save(env)
            place = f"{index + 1 - leg.episodes.start}/{len(leg.episodes)}"
            self.tick(self.entrant.cost, f"{self.entrant.label} · seed {self.seed} · {leg.load} · {leg.phase} {place}")
            self.stop.check()

    def _play_episode(self, env: Environment, controller: Any, leg: Leg, index: int) -> None:
        times, before_s = PhaseTimes(), _simulator_s(env)
        for episode in play(env, controller, range(index, index + 1), times):
            record = {**episode_record(episode, leg.phase), "load": leg.load}
            told = getattr(self.controller, "metrics", None)
            if leg.phase == "train" and told is not None:
                record["metrics"] = {name: value if np.isfinite(value) else None for name, value in told().items()}
            self.folder.append(record)
        spent = self.spent[leg.phase]
        spent.environment_s += times.environment_s
        spent.controller_s += times.controller_s
        spent.simulator_s += _simulator_s(env) - before_s
        spent.network_steps += env.num_networks * env.spec.episode_steps

    def _save(self, env: Environment) -> None:
        def write(folder: Path) -> None:
            (folder / "environment.bin").write_bytes(env.snapshot())
            self.controller.save(folder / "controller")

        spent = {phase: asdict(value) for phase, value in self.spent.items()}
        state = {"played": self.played, "spent": spent, "timelines": self.timelines}
        self.folder.checkpoint(self.played, state, write)
        self.last_save = time.monotonic()

    def _take(self, state: Mapping[str, Any]) -> None:
        self.played, self.timelines = int(state["played"]), dict(state["timelines"])
        self.spent = {phase: Spent(**value) for phase, value in state["spent"].items()}

    def _restore(self, checkpoint: Checkpoint, env: Environment, *, is_inside: bool) -> None:
        load = getattr(self.controller, "load", None)
        if load is not None:
            load(checkpoint.folder / "controller")
        # At the border between two legs the snapshot is of the environment that has ended.
        if is_inside:
            try:
                env.restore((checkpoint.folder / "environment.bin").read_bytes())
            except OSError as error:
                raise CheckpointError(
                    str(checkpoint.folder), f"cannot be read ({error})", "start again with --new"
                ) from error


def _simulator_s(env: Environment) -> float:
    """Wall seconds that the networks of an environment have run; 0 where it has none."""
    networks = getattr(env, "networks", None)
    return 0.0 if networks is None else float(networks.run_s)
