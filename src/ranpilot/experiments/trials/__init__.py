"""Learners against heuristics on one scenario: the same networks, the same budget, paired seeds."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Sequence
from pathlib import Path

from ranpilot import scenarios
from ranpilot.errors import ConfigError
from ranpilot.experiments.grid import run_grid
from ranpilot.experiments.play_cell import CHECKPOINT_S
from ranpilot.experiments.trials.design import Trials, make_trials
from ranpilot.experiments.trials.entrants import is_entrant, pick_entrants
from ranpilot.experiments.trials.report import TrialsReport, make_trials_report
from ranpilot.experiments.trials.results import read_trials
from ranpilot.experiments.trials.trial import TrialsPlan
from ranpilot.runs import Progress, RunFolder, SilentProgress, provenance
from ranpilot.twin.scenario import Scenario

__all__ = ["Trials", "TrialsReport", "is_entrant", "plan_trials", "run_trials"]

RIVALS = ("equal", "load-proportional", "max-min", "pf-shares", "backlog", "deadline")
"""What everything is compared with where nothing else is named."""
TRAIN_STEPS = 100_000


def plan_trials(  # noqa: PLR0913  # one option each, the same as on the command line
    system: str,
    scenario: str,
    *,
    against: Sequence[str] | None = None,
    variant: str | None = None,
    train_load: str | None = None,
    loads: Sequence[str] | None = None,
    seeds: int | None = None,
    networks: int | None = None,
    train_steps: int | None = None,
    test_episodes: int | None = None,
    base_seed: int | None = None,
) -> Trials:
    """The comparison of one learner or heuristic with others on a scenario with slices; None: the usual.

    train_steps: network-steps of every training, rounded up to whole episodes. Raises ConfigError, UnknownNameError.
    """
    known = scenarios.load(scenario)
    if known.slices is None:
        raise ConfigError("scenario", scenario, f"one with slices, such as oran-slicing, for {system}")
    every_load = tuple(known.loads)
    if not every_load:
        raise ConfigError("scenario", scenario, "one with loads")
    steps = TRAIN_STEPS if train_steps is None else train_steps
    if steps < 0:
        raise ConfigError("train_steps", steps, "at least 0")
    values: dict[str, object] = {"variant": variant, "seeds": seeds, "networks": networks}
    values |= {"test_episodes": test_episodes, "base_seed": base_seed, "loads": loads or every_load}
    values |= {"train_load": train_load or _middle(every_load), "scenario": scenario}
    values |= {"name": f"{system}-on-{Path(scenario).stem}", "entrants": pick_entrants([system, *(against or RIVALS)])}
    trials = make_trials({name: value for name, value in values.items() if value is not None})
    episodes = math.ceil(steps / (trials.networks * known.control.episode_steps))
    for load in (*trials.loads, trials.train_load):
        known.with_load(load)
    return trials.model_copy(update={"train_episodes": episodes})


def run_trials(
    trials: Trials,
    out: Path | None = None,
    *,
    new: bool = False,
    workers: int | None = None,
    progress: Progress | None = None,
    checkpoint_s: float = CHECKPOINT_S,
) -> TrialsReport:
    """Play what is missing and write the report; workers: None for one a core. The same call resumes.

    Raises CheckpointError for a folder of another comparison, Interrupted after Ctrl-C.
    """
    path = out or Path("runs") / trials.name
    scenario = scenarios.load(trials.scenario)
    found = _scenario_hash(scenario, trials)
    trials = trials.model_copy(update={"scenario_hash": found})
    folder = RunFolder.open(path, trials.model_dump(mode="json"), provenance({"scenario": found}), new=new)
    with folder.held():
        plan, cores = TrialsPlan(trials), os.cpu_count() or 1
        run_grid(plan, folder, progress or SilentProgress(), workers=workers or cores, checkpoint_s=checkpoint_s)
        played = read_trials(trials, folder, scenario.num_cells, scenario.control.episode_steps)
        title = f"{trials.entrants[0].label} compared on {Path(trials.scenario).stem}"
        return make_trials_report(title, played, folder.provenance()).write(path)


def _middle(loads: tuple[str, ...]) -> str:
    return "normal" if "normal" in loads else loads[len(loads) // 2]


def _scenario_hash(scenario: Scenario, trials: Trials) -> str:
    loaded = [scenario.with_load(load) for load in (*trials.loads, trials.train_load)]
    hashes = [split.hash() for each in loaded for split in (each.train, each.heldout)]
    return hashlib.sha256("".join(hashes).encode()).hexdigest()[:16]
