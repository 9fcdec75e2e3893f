"""Commands that train and compare: run, compare, demo."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ranpilot.cli.console import make_console, make_table, say
from ranpilot.cli.options import Comma, Folder, JsonFile, Name, Number, Switch, Word, split_names

if TYPE_CHECKING:
    from ranpilot.experiments.report import Report
    from ranpilot.experiments.trials import TrialsReport

__all__ = ["compare", "demo", "run"]


def run(  # noqa: PLR0913  # one option each
    system: Word,
    /,
    scenario: str = "two-cell",
    configuration: str = "aura",
    adviser: Name = None,
    trust: Name = None,
    loads: Comma = None,
    seeds: Number = None,
    train_episodes: Number = None,
    test_episodes: Number = None,
    base_seed: Number = None,
    out: Folder = None,
    new: Switch = False,
    workers: Number = None,
    json_file: JsonFile = None,
) -> None:
    """Train SYSTEM on a scenario, evaluate it beside heuristics, write a report; the same command resumes.

    Args:
        system: a learning system: aura.
        scenario: name of a scenario, aura-paper, or a YAML file.
        configuration: marl-only, guided, aura or aura-literal.
        adviser: rules, noisy-rules:80, embedded:adviser, endpoint:MODEL, ...; rules where not given.
        trust: counterfactual, ab, score or beta; the configuration's own where not given.
        loads: such as normal,high.
        seeds: networks that learn, each by itself.
        train_episodes: episodes of training.
        test_episodes: episodes of test on the held-out split.
        base_seed: seed of all random numbers.
        out: folder of the run, runs/... where not given.
        new: put an earlier run in that folder aside and start over.
        workers: processes, one a core where not given.
        json_file: write every number to this file.
    """
    from ranpilot.experiments import api
    from ranpilot.runs import make_progress

    with make_progress(show=True) as progress:
        report = api.run(
            system, scenario, configuration=configuration, adviser=adviser, trust=trust, loads=split_names(loads),
            seeds=seeds, train_episodes=train_episodes, test_episodes=test_episodes, base_seed=base_seed, out=out,
            new=new, workers=workers, progress=progress,
        )  # fmt: skip
    _show(report, json_file)


def compare(  # noqa: PLR0913  # one option each
    system: Word,
    /,
    scenario: str = "aura-paper",
    rows: Comma = None,
    against: Comma = None,
    loads: Comma = None,
    seeds: Number = None,
    train_episodes: Number = None,
    test_episodes: Number = None,
    base_seed: Number = None,
    networks: Number = None,
    train_steps: Number = None,
    train_load: Name = None,
    variant: Name = None,
    out: Folder = None,
    new: Switch = False,
    workers: Number = None,
    ray: Name = None,
    json_file: JsonFile = None,
) -> None:
    """Compare SYSTEM with others over seeds and loads, with statistics, checks and a report; the same command resumes.

    Args:
        system: aura, or on scenarios with slices a learner or heuristic: masac, ppo, load-proportional, ...
        scenario: name of a scenario, aura-paper, or a YAML file.
        rows: exactly these rows of aura's table, such as marl-only,guided,rules; the scenario's own where not given.
        against: the system's own rows and these; of a learner or heuristic, its rivals.
        loads: such as low,normal,high.
        seeds: networks in each row and load; of a learner or heuristic, trainings on a batch of networks each.
        train_episodes: episodes of training, of aura.
        test_episodes: episodes of test on the held-out split.
        base_seed: seed of all random numbers.
        networks: networks in the batch of a learner or heuristic.
        train_steps: network-steps of a learner's training.
        train_load: load that learners are taught at.
        variant: variant of task slicing.
        out: folder of the run, runs/... where not given.
        new: put an earlier run in that folder aside and start over.
        workers: processes, one a core where not given.
        ray: spread by Ray instead: local, auto, or the address of a cluster whose machines share the folder.
        json_file: write every number to this file.
    """
    from ranpilot.experiments import api
    from ranpilot.runs import make_progress

    with make_progress(show=True) as progress:
        report = api.compare(
            system, scenario, rows=split_names(rows), against=split_names(against), loads=split_names(loads),
            seeds=seeds, train_episodes=train_episodes, test_episodes=test_episodes, base_seed=base_seed,
            networks=networks, train_steps=train_steps, train_load=train_load, variant=variant, out=out, new=new,
            workers=workers, ray=ray, progress=progress,
        )  # fmt: skip
    _show(report, json_file)


def demo(
    out: Path = Path("runs/demo"), new: Switch = False, workers: Number = None, json_file: JsonFile = None
) -> None:
    """Two base stations learn with and without advice, on the twin with real traffic; ends with a report.

    Args:
        out: folder of the run.
        new: put an earlier run aside and start over.
        workers: processes, one a core where not given.
        json_file: write every number to this file.
    """
    from ranpilot.experiments import api
    from ranpilot.runs import make_progress

    with make_progress(show=True) as progress:
        report = api.demo(out, new=new, workers=workers, progress=progress)
    _show(report, json_file)


def _show(report: Report | TrialsReport, json_file: Path | None) -> None:
    """Print every table and where the page is."""
    from rich.markup import escape

    from ranpilot.runs import write_json

    console = make_console()
    for title, lines in report.tables():
        console.print(make_table(title, lines))
    for part in report.numbers["parts"]:
        console.print(part["headline"], markup=False, highlight=False)
        for check in part["checks"]:
            where = f"{check['claim']}: {check['row']}, {check['load']} load: {check['detail']}"
            console.print(f"{_mark(check)}  {escape(where)}")
        for found in part["findings"]:
            where = (
                f"{found['topic']}: {found['row']} against {found['against']}, {found['load']} load: {found['text']}"
            )
            console.print(f"found  {escape(where)}")
    if json_file is not None:
        write_json(json_file, report.flat(os.cpu_count() or 1))
    say(f"report: {report.path}")


def _mark(check: Mapping[str, Any]) -> str:
    """Whether a claim holds, in colour."""
    if check["holds"] is None:
        return "[yellow]not applicable[/]"
    if check["holds"]:
        return "[green]holds[/]"
    return "[red]fails, as expected[/]" if check["is_expected_to_fail"] else "[red]fails[/]"
