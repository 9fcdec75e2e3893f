"""Learners against heuristics on one scenario: the same networks, the same budget, paired seeds."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Sequence
from pathlib import Path

from ranpilot import scenarios
from ranpilot.envs.controller import Controller
from ranpilot.errors import ConfigError
from ranpilot.experiments.grid import run_grid
from ranpilot.experiments.play_cell import CHECKPOINT_S
from ranpilot.experiments.ray_grid import run_on_ray
from ranpilot.experiments.trials.design import Entrant, Trials, make_trials
from ranpilot.experiments.trials.entrants import entrant_names, make_entrant, pick_entrants
from ranpilot.experiments.trials.report import TrialsReport, make_trials_report
from ranpilot.experiments.trials.results import Found
from ranpilot.experiments.trials.trial import TrialsPlan, play_in_memory, read_trials
from ranpilot.runs import Progress, RunFolder, SilentProgress, provenance
from ranpilot.twin.scenario import Scenario

__all__ = ["RIVALS", "Trials", "TrialsReport", "entrant_names", "evaluate_on_slices", "plan_trials", "run_trials"]

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
    ray: str | None = None,
    progress: Progress | None = None,
    checkpoint_s: float = CHECKPOINT_S,
) -> TrialsReport:
    """Play what is missing and write the report; workers: None for one a core. The same call resumes.

    ray: `local`, or the address of a Ray cluster that plays instead. Raises CheckpointError for a folder of another
    comparison, Interrupted after Ctrl-C.
    """
    path = out or Path("runs") / trials.name
    scenario = scenarios.load(trials.scenario)
    found = _scenario_hash(scenario, trials)
    trials = trials.model_copy(update={"scenario_hash": found})
    folder = RunFolder.open(path, trials.model_dump(mode="json"), provenance({"scenario": found}), new=new)
    with folder.held():
        plan, told = TrialsPlan(trials), progress or SilentProgress()
        if ray is not None:
            run_on_ray(plan, folder, told, address=ray, checkpoint_s=checkpoint_s)
        else:
            run_grid(plan, folder, told, workers=workers or os.cpu_count() or 1, checkpoint_s=checkpoint_s)
        played = read_trials(trials, folder, scenario.num_cells, scenario.control.episode_steps)
        title = f"{trials.entrants[0].label} compared on {Path(trials.scenario).stem}"
        return make_trials_report(title, played, folder.provenance()).write(path)


def evaluate_on_slices(  # noqa: PLR0913  # one option each, as in `evaluate`
    controller: Controller,
    scenario: str | Path | Scenario,
    *,
    load: str,
    variant: str | None,
    seeds: int,
    networks: int,
    episodes: int,
    against: Sequence[str],
    first_episode: int,
    base_seed: int,
) -> TrialsReport:
    """Play held-out episodes with a controller and with its rivals, on the same networks, without a run folder."""
    known = scenarios.load(scenario) if isinstance(scenario, str | Path) else scenario
    rivals = pick_entrants(against)
    for rival in rivals:
        if rival.learns:
            raise ConfigError("against", rival.name, "rules, since nobody is taught here (`compare` teaches)")
    entrants = (Entrant(label="given", kind="given", name="given"), *rivals)
    trials = make_trials(
        {"name": "evaluation", "scenario": known.name, "variant": variant, "train_load": load, "loads": (load,),
         "entrants": entrants, "seeds": seeds, "networks": networks, "train_episodes": 0, "test_episodes": episodes,
         "first_test_episode": first_episode, "base_seed": base_seed}
    )  # fmt: skip
    played = {}
    for seed in range(seeds):
        for entrant in trials.entrants:
            plays = controller if entrant is trials.entrants[0] else make_entrant(trials, entrant, seed)
            played[entrant.label, seed] = play_in_memory(trials, entrant, seed, plays, known)
    found = Found(trials, played, known.num_cells, known.control.episode_steps)
    return make_trials_report(f"evaluation on {known.name}", found, [provenance({"scenario": known.hash()})])


def _middle(loads: tuple[str, ...]) -> str:
    return "normal" if "normal" in loads else loads[len(loads) // 2]


def _scenario_hash(scenario: Scenario, trials: Trials) -> str:
    loaded = [scenario.with_load(load) for load in (*trials.loads, trials.train_load)]
    hashes = [split.hash() for each in loaded for split in (each.train, each.heldout)]
    return hashlib.sha256("".join(hashes).encode()).hexdigest()[:16]
