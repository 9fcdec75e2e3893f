"""One trial, an entrant with a seed: taught, tested at every load, checkpointed between episodes, gone on with."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ranpilot.envs.controller import Controller, Environment
from ranpilot.envs.make import make_batch
from ranpilot.errors import CheckpointError
from ranpilot.experiments.plan import Job, Tick
from ranpilot.experiments.play import CurrentWhatIf, PhaseTimes, follow_what_if, play
from ranpilot.experiments.play_cell import episode_record
from ranpilot.experiments.trials.design import NETWORKS_PER_SEED, Entrant, Leg, Trials
from ranpilot.experiments.trials.entrants import make_entrant
from ranpilot.experiments.trials.results import Found, Played
from ranpilot.experiments.trials.timeline import Timeline
from ranpilot.runs import CellFolder, Checkpoint, RunFolder, StopRequest

if TYPE_CHECKING:
    from ranpilot.twin.scenario import Scenario

__all__ = ["TrialsPlan", "make_environment", "play_in_memory", "read_trials", "seed_of"]

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
        self.what_if: CurrentWhatIf | None = None
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
            env = make_environment(self.trials, self.seed, leg, self.trials.scenario)
            env.reset(first_episode=episodes.start)
            if self.what_if is not None:
                self.what_if.inner = env.what_if
            if not begun:
                self.what_if = follow_what_if(env.what_if)
                self.controller.reset(env.spec, env.num_networks, self.trials.base_seed + self.seed, self.what_if)
                if checkpoint is not None:
                    self._restore(checkpoint, env, is_inside=skipped > 0)
                begun = True
            self._play_leg(env, leg, episodes)
        summary = {phase: asdict(spent) for phase, spent in self.spent.items()}
        self.folder.finish({**summary, "timelines": self.timelines})

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
        record = play_episode(env, controller, leg, index, self.spent[leg.phase])
        told = getattr(self.controller, "metrics", None)
        if leg.phase == "train" and told is not None:
            record["metrics"] = {name: value if np.isfinite(value) else None for name, value in told().items()}
        self.folder.append(record)

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


def make_environment(trials: Trials, seed: int, leg: Leg, scenario: str | Path | Scenario) -> Environment:
    """The batch of networks of a seed for a leg; scenario: the comparison's name or the object behind it."""
    return make_batch(
        scenario,
        trials.task,
        trials.networks,
        trials.base_seed,
        load=leg.load,
        split=leg.split,
        first_network=seed * NETWORKS_PER_SEED,
        variant=trials.variant,
    )


def play_in_memory(
    trials: Trials, entrant: Entrant, seed: int, controller: Controller, scenario: str | Path | Scenario
) -> Played:
    """Test episodes of a seed without a run folder; the controller is reset for each load."""
    records, spent, timelines = [], Spent(), {}
    for leg in trials.legs(entrant):
        if leg.phase == "train":
            continue
        env = make_environment(trials, seed, leg, scenario)
        env.reset(first_episode=leg.episodes.start)
        controller.reset(env.spec, env.num_networks, trials.base_seed + seed, env.what_if)
        for index in leg.episodes:
            watched = Timeline.of(env, controller) if seed == 0 and index == leg.episodes[-1] else None
            records.append(play_episode(env, watched or controller, leg, index, spent))
            if watched is not None:
                timelines[leg.load] = watched.as_json()
    return Played(records, {"train": asdict(Spent()), "test": asdict(spent), "timelines": timelines})


def play_episode(env: Environment, controller: Any, leg: Leg, index: int, spent: Spent) -> dict[str, object]:
    """One episode; its record, with what it took added to `spent`."""
    times, before_s = PhaseTimes(), _simulator_s(env)
    (episode,) = play(env, controller, range(index, index + 1), times)
    spent.environment_s += times.environment_s
    spent.controller_s += times.controller_s
    spent.simulator_s += _simulator_s(env) - before_s
    spent.network_steps += env.num_networks * env.spec.episode_steps
    return {**episode_record(episode, leg.phase), "load": leg.load}


def _simulator_s(env: Environment) -> float:
    """Wall seconds that the networks of an environment have run; 0 where it has none."""
    networks = getattr(env, "networks", None)
    return 0.0 if networks is None else float(networks.run_s)


def read_trials(trials: Trials, folder: RunFolder, num_agents: int, episode_steps: int) -> Found:
    """Read every trial. Raises CheckpointError where one is not finished."""
    played = {}
    for job in TrialsPlan(trials).jobs():
        cell = folder.cell(*job)
        if not cell.is_finished:
            raise CheckpointError(str(cell.path), "is not finished", "repeat the command of the run to go on")
        played[job[0], seed_of(job)] = Played(cell.records(), cell.summary())
    return Found(trials, played, num_agents, episode_steps)
