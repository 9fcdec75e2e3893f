"""Train, evaluate, run, compare, load: the functions that the command line calls too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ranpilot.envs.controller import (
    Action,
    Controller,
    Decision,
    Environment,
    FloatArray,
    Observation,
    Outcome,
    TaskSpec,
    WhatIf,
)
from ranpilot.errors import CheckpointError, ConfigError, UnknownNameError
from ranpilot.experiments.aura_rows import CONTROL, HEADLINE
from ranpilot.experiments.compare import run_experiment
from ranpilot.experiments.controllers import make_controller
from ranpilot.experiments.demo import demo
from ranpilot.experiments.design import Experiment, Row, make_experiment
from ranpilot.experiments.play import CountsCalibration, CountsUsage, CurrentWhatIf, PhaseTimes, play
from ranpilot.experiments.play_cell import make_env, play_in_memory
from ranpilot.experiments.report import Report, make_part, make_report
from ranpilot.experiments.results import CellResult, Results
from ranpilot.experiments.rows import SYSTEMS, experiment_of, run_rows, short_name
from ranpilot.experiments.trials import RIVALS, TrialsReport, entrant_names, evaluate_on_slices, plan_trials, run_trials
from ranpilot.experiments.trials.design import Trials, make_trials
from ranpilot.experiments.trials.entrants import make_entrant
from ranpilot.experiments.trials.trial import TrialsPlan, make_environment
from ranpilot.learning.learners import LEARNERS, make_learner
from ranpilot.runs import Progress, RunFolder, provenance

if TYPE_CHECKING:
    from ranpilot.envs.views import VectorView
    from ranpilot.systems.aura.usage import Usage
    from ranpilot.twin.scenario import Scenario

__all__ = ["Trained", "compare", "demo", "evaluate", "load", "run", "train"]

TRAINED = "trained"


class Trained:
    """A controller that keeps what it learned: `reset` only hands it another environment of the same task."""

    def __init__(
        self, controller: Controller, task: TaskSpec, networks: range, seed: int, what_if: CurrentWhatIf
    ) -> None:
        self.controller, self.task, self.networks, self.seed = controller, task, networks, seed
        self._what_if = what_if

    def reset(self, task: TaskSpec, num_networks: int, seed: int, what_if: WhatIf | None) -> None:
        """Go on in an environment with the same agents and as many networks. Raises ConfigError for another one."""
        if task.agents != self.task.agents or task.actions != self.task.actions:
            raise ConfigError("task", task.name, f"{self.task.name} with agents {', '.join(self.task.agents)}")
        if task.slice_features != self.task.slice_features:
            raise ConfigError("task", task.name, "a variant that shows the same of slices as in training")
        rules = [of.share_action.kind if of.share_action else None for of in (task, self.task)]
        if rules[0] != rules[1]:
            raise ConfigError("task", task.name, f"a variant whose action is {rules[1]!r}, as in training")
        if num_networks != len(self.networks):
            raise ConfigError("num_networks", num_networks, f"{len(self.networks)}, as trained")
        self._what_if.inner = what_if

    def act(self, obs: Observation) -> Action:
        """What the controller does."""
        return self.controller.act(obs)

    def observe(self, outcome: Outcome) -> None:
        """Let the controller go on learning."""
        self.controller.observe(outcome)

    def explain(self, network: int) -> tuple[Decision, ...]:
        """The controller's last decisions."""
        return self.controller.explain(network)

    def take_usage(self) -> Usage | None:
        """Use of advice since the last call; None where the controller takes none."""
        return self.controller.take_usage() if isinstance(self.controller, CountsUsage) else None

    def take_calibration(self) -> FloatArray | None:
        """Trust beside what advice was worth since the last call; None where the controller finds out nothing."""
        return self.controller.take_calibration() if isinstance(self.controller, CountsCalibration) else None

    def save(self, folder: Path) -> None:
        """Write the controller's state."""
        self.controller.save(folder)


def train(
    system: str,
    env: Environment | VectorView,
    *,
    budget_steps: int,
    seed: int = 0,
    configuration: str = "aura",
    adviser: str | Controller | None = "rules",
    trust: str | None = None,
    settings: Mapping[str, object] | None = None,
) -> Trained:
    """Train in a batch environment, or the one behind `rp.make_vec`, for about `budget_steps` network-steps.

    system: `aura`, with a configuration, an adviser and a trust, where every network of the batch learns for itself; or
    a learner such as `ppo` or `masac`, with settings of its own, that learns from all of them. Plays whole episodes.
    Raises UnknownNameError, and ConfigError for a budget below one episode of the batch or a wrong setting.
    """
    is_learner = system in LEARNERS
    if not is_learner:
        experiment_of(system)
    from ranpilot.envs.views import VectorView

    if isinstance(env, VectorView):
        env = env.environment
    episode = env.num_networks * env.spec.episode_steps
    if budget_steps < episode:
        raise ConfigError(
            "budget_steps", budget_steps, f"at least {episode} (one episode of {env.num_networks} networks)"
        )
    episodes = budget_steps // episode
    controller: Controller
    if is_learner:
        controller = make_learner(system, {"train_episodes": episodes, **(settings or {})})
    else:
        from ranpilot.systems.aura.configurations import make

        _refuse(system, {"settings": settings})
        controller = make(configuration, adviser=adviser, trust=trust, train_episodes=episodes)
    what_if = CurrentWhatIf()
    env.reset(first_episode=0)
    what_if.inner = env.what_if
    controller.reset(env.spec, env.num_networks, seed, None if env.what_if is None else what_if)
    for _ in play(env, controller, range(episodes), PhaseTimes()):
        pass
    return Trained(controller, env.spec, range(env.num_networks), seed, what_if)


def evaluate(  # noqa: PLR0913  # one option each, as in `run`
    controller: Controller,
    scenario: str | Path | Scenario,
    *,
    load: str = "high",
    seeds: int = 10,
    episodes: int = 20,
    against: Sequence[str] | None = None,
    variant: str | None = None,
    first_episode: int = 1_000_000,
    base_seed: int = 0,
) -> Report | TrialsReport:
    """Play held-out episodes with the controller and with the heuristics `against`, on the same networks.

    seeds: number of networks; a trained controller needs as many as it was trained with, and one of `aura` goes on
    learning while it is played, so load it again to repeat an evaluation. One that was trained on task `slicing` is
    played on as many batches of networks as there are seeds, each as large as the one that it was trained with.
    against: None for `maintain`, on task `slicing` for every rule; variant: of that task. first_episode: an index
    beyond any training, so that learners do not explore. `report.save(path)` writes the page.
    """
    if isinstance(controller, Trained) and controller.task.num_slices:
        return evaluate_on_slices(
            controller, scenario, load=load, variant=variant, seeds=seeds, networks=len(controller.networks),
            episodes=episodes, against=against or RIVALS, first_episode=first_episode, base_seed=base_seed,
        )  # fmt: skip
    _refuse("power-handover", {"variant": variant})
    rows = [Row(label=TRAINED, kind="aura", name="given", block=0)]
    rows += [Row(label=name, kind="heuristic", name=name, block=0) for name in against or ("maintain",)]
    experiment = Experiment(
        name="evaluation", scenario=short_name(scenario), loads=(load,), rows=tuple(rows), seeds=seeds,
        train_episodes=0, test_episodes=episodes, base_seed=base_seed, shared_networks=True,
    )  # fmt: skip
    cells = {}
    for row in rows:
        played_by = controller if row.label == TRAINED else make_controller(experiment, row)
        episode_range = range(first_episode, first_episode + episodes)
        records, summary = play_in_memory(experiment, row, played_by, scenario, episode_range)
        cells[row.label, experiment.loads[0]] = CellResult(row, experiment.loads[0], records, summary)
    part = make_part("evaluation", Results(experiment, cells), [provenance({})])
    return make_report(f"evaluation on {experiment.scenario}", [part])


def run(  # noqa: PLR0913  # one option each, the same as on the command line
    system: str,
    scenario: str = "two-cell",
    *,
    configuration: str = "aura",
    adviser: str | None = None,
    trust: str | None = None,
    loads: Sequence[str] | None = None,
    seeds: int | None = None,
    train_episodes: int | None = None,
    test_episodes: int | None = None,
    base_seed: int | None = None,
    out: str | Path | None = None,
    new: bool = False,
    workers: int | None = 1,
    progress: Progress | None = None,
) -> Report:
    """Train a system on a scenario, evaluate it on the held-out split beside heuristics, write a report.

    The same call goes on where an earlier one ended. None: the scenario's usual budget.
    """
    rows = run_rows(configuration, adviser, trust)
    experiment = experiment_of(system)(
        scenario,
        name=f"{system}-{configuration}-{short_name(scenario)}",
        given=rows,
        loads=loads,
        seeds=seeds,
        train_episodes=train_episodes,
        test_episodes=test_episodes,
        base_seed=base_seed,
        shared_networks=True,
    )
    path = Path(out) if out else Path("runs") / experiment.name
    title = f"{system} ({configuration}) on {short_name(scenario)}"
    return run_experiment(experiment, path, title=title, new=new, workers=workers, progress=progress)


def compare(  # noqa: PLR0913  # one option each, the same as on the command line
    system: str,
    scenario: str = "aura-paper",
    *,
    rows: Sequence[str] | None = None,
    against: Sequence[str] | None = None,
    loads: Sequence[str] | None = None,
    seeds: int | None = None,
    train_episodes: int | None = None,
    test_episodes: int | None = None,
    base_seed: int | None = None,
    networks: int | None = None,
    train_steps: int | None = None,
    train_load: str | None = None,
    variant: str | None = None,
    out: str | Path | None = None,
    new: bool = False,
    workers: int | None = 1,
    ray: str | None = None,
    progress: Progress | None = None,
) -> Report | TrialsReport:
    """The experiment of a system: rows × loads × seeds with equal budgets, tests, checks and a report.

    rows: exactly these; against: the system's own rows and these. A learner or heuristic of task `slicing` stands where
    a system does: `against` then names its rivals, and networks, train_steps, train_load and variant are for it alone,
    as in `plan_trials`. ray: `local`, or the address of a Ray cluster that plays. The same call resumes.
    Raises ConfigError for a setting that the experiment does not have.
    """
    own = {"networks": networks, "train_steps": train_steps, "train_load": train_load, "variant": variant}
    if system in entrant_names():
        _refuse(system, {"rows": rows, "train_episodes": train_episodes})
        trials = plan_trials(
            system, scenario, against=against, loads=loads, seeds=seeds, test_episodes=test_episodes,
            base_seed=base_seed, networks=networks, train_steps=train_steps, train_load=train_load, variant=variant,
        )  # fmt: skip
        return run_trials(trials, Path(out) if out else None, new=new, workers=workers, ray=ray, progress=progress)
    if system not in SYSTEMS:
        raise UnknownNameError("system", system, [*SYSTEMS, *entrant_names()])
    _refuse(system, own)
    if against is not None:
        rows = (*(rows or (CONTROL, *HEADLINE)), *against)
    experiment = experiment_of(system)(
        scenario,
        rows=rows,
        loads=loads,
        seeds=seeds,
        train_episodes=train_episodes,
        test_episodes=test_episodes,
        base_seed=base_seed,
    )
    path = Path(out) if out else Path("runs") / experiment.name
    title = f"{system} compared on {short_name(scenario)}"
    return run_experiment(experiment, path, title=title, new=new, workers=workers, ray=ray, progress=progress)


def _refuse(system: str, settings: Mapping[str, object]) -> None:
    for name, value in settings.items():
        if value is not None:
            raise ConfigError(name, value, f"left out for {system}")


def load(path: str | Path, *, row: str | None = None, load: str | None = None) -> Trained:
    """The trained controller of a run; row, load: None for its only or best-known learner, and for the last load.

    Of a comparison of learners, that of the first seed; `load` is left out there.
    Raises CheckpointError where the run is missing or that row is not finished, UnknownNameError for an unknown row.
    """
    folder = RunFolder.read(Path(path))
    config = folder.config()
    if "entrants" in config:
        _refuse("a comparison of learners", {"load": load})
        return _load_learner(folder, make_trials(config), row)
    experiment = make_experiment(config)
    learners = [r.label for r in experiment.rows if r.learns]
    known = [label for label in (TRAINED, *reversed(HEADLINE), CONTROL, *learners) if label in learners]
    if row is None and not known:
        raise CheckpointError(str(path), "has no learning row", "name the folder of a run with one")
    chosen = experiment.row(row or known[0])
    cell = folder.cell(chosen.label, load or experiment.loads[-1])
    checkpoint = cell.newest() if cell.is_finished else None
    if checkpoint is None:
        raise CheckpointError(str(cell.path), "is not finished", "repeat the command of the run to go on")
    env = make_env(experiment, chosen, load or experiment.loads[-1], "heldout", experiment.scenario)
    controller = make_controller(experiment, chosen)
    what_if = CurrentWhatIf()
    what_if.inner = env.what_if
    controller.reset(env.spec, env.num_networks, experiment.base_seed, None if env.what_if is None else what_if)
    restore: Any = getattr(controller, "load", None)
    if restore is not None:
        restore(checkpoint.folder / "controller")
    first = experiment.first_network(chosen)
    return Trained(controller, env.spec, range(first, first + experiment.seeds), experiment.base_seed, what_if)


def _load_learner(folder: RunFolder, trials: Trials, label: str | None) -> Trained:
    """The learner of that label, or the first one, as the trial of the first seed left it."""
    learners = [entrant.label for entrant in trials.entrants if entrant.learns]
    if label is None and not learners:
        raise CheckpointError(str(folder.path), "has no learner", "name the folder of a run with one")
    entrant = trials.entrant(label or learners[0])
    job = TrialsPlan(trials).jobs()[trials.entrants.index(entrant)]
    cell = folder.cell(*job)
    checkpoint = cell.newest() if cell.is_finished else None
    if checkpoint is None:
        raise CheckpointError(str(cell.path), "is not finished", "repeat the command of the run to go on")
    env = make_environment(trials, 0, trials.legs(entrant)[-1], trials.scenario)
    controller, what_if = make_entrant(trials, entrant, 0), CurrentWhatIf()
    controller.reset(env.spec, env.num_networks, trials.base_seed, None)
    restore: Any = getattr(controller, "load", None)
    if restore is not None:
        restore(checkpoint.folder / "controller")
    return Trained(controller, env.spec, range(trials.networks), trials.base_seed, what_if)
