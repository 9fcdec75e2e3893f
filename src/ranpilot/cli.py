"""The command line. A command only translates: the work is done by the function of the same name in Python.

What went wrong is one sentence on stderr with exit status 2 (`--debug` adds the traceback); Ctrl-C ends with 130 after
everything is written. Heavy imports happen inside the commands, so that `ranpilot --help` answers at once.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from ranpilot.errors import RanpilotError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from ranpilot.experiments.report import Report

__all__ = ["main"]

Word = tyro.conf.Positional[str]
File = tyro.conf.Positional[Path]
Comma = Annotated[str | None, tyro.conf.arg(metavar="A,B,...")]
Number = Annotated[int | None, tyro.conf.arg(metavar="N")]
Name = Annotated[str | None, tyro.conf.arg(metavar="NAME")]
Folder = Annotated[Path | None, tyro.conf.arg(metavar="FOLDER")]
JsonFile = Annotated[Path | None, tyro.conf.arg(name="json", metavar="FILE")]
Switch = Annotated[bool, tyro.conf.FlagCreatePairsOff]


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
            system, scenario, configuration=configuration, adviser=adviser, trust=trust, loads=_split(loads),
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
    out: Folder = None,
    new: Switch = False,
    workers: Number = None,
    json_file: JsonFile = None,
) -> None:
    """Compare SYSTEM with others over seeds and loads, with statistics, checks and a report; the same command resumes.

    Args:
        system: a learning system: aura.
        scenario: name of a scenario, aura-paper, or a YAML file.
        rows: exactly these rows of the table, such as marl-only,guided,rules; the scenario's own where not given.
        against: the system's own rows and these.
        loads: such as low,normal,high.
        seeds: networks in each row and load.
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
        report = api.compare(
            system, scenario, rows=_split(rows), against=_split(against), loads=_split(loads), seeds=seeds,
            train_episodes=train_episodes, test_episodes=test_episodes, base_seed=base_seed, out=out, new=new,
            workers=workers, progress=progress,
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


def traffic_fit(
    capture: File, /, out: Path | None = None, phone: str | None = None, cut_idle_s: float | None = None,
    json_file: JsonFile = None,
) -> None:  # fmt: skip
    """Fit a traffic model to a CSV capture and print how well it reproduces it.

    Args:
        capture: a CSV file of packets.
        out: write the model to this JSON file.
        phone: address of the phone in the capture.
        cut_idle_s: shorten silences above this many seconds.
        json_file: write the comparison to this file.
    """
    from ranpilot.runs import write_json
    from ranpilot.twin.traffic.capture import PHONE
    from ranpilot.twin.traffic.fit import fit_capture

    report = fit_capture(capture, phone=phone or PHONE, cut_idle_s=cut_idle_s, out=out)
    _say(report.table())
    if json_file:
        write_json(json_file, report.values())
    if report.path:
        _say(f"model: {report.path}")


def traffic_replay(capture: File, /, out: Path, phone: str | None = None, cut_idle_s: float | None = None) -> None:
    """Check a CSV capture and turn its downlink into the replay format.

    Args:
        capture: a CSV file of packets.
        out: the .npz file to write.
        phone: address of the phone in the capture.
        cut_idle_s: shorten silences above this many seconds.
    """
    from ranpilot.twin.traffic.capture import PHONE
    from ranpilot.twin.traffic.replay_file import replay_capture

    _say(replay_capture(capture, out, phone=phone or PHONE, cut_idle_s=cut_idle_s).table())


def twin_inspect(
    scenario: Word, /, load: Name = None, seed: int = 0, picture: Path | None = None, json_file: JsonFile = None
) -> None:
    """Look at a scenario: sites, users, SINR and delay of each cell, and the events of one network.

    Args:
        scenario: a name or a YAML file.
        load: one of the scenario's loads.
        seed: seed of all random numbers.
        picture: write map, SINR and delay to this .svg file.
        json_file: write every number to this file.
    """
    from ranpilot import scenarios
    from ranpilot.experiments.event_table import event_table
    from ranpilot.experiments.scenario_pictures import draw_inspection, inspection_table
    from ranpilot.runs import write_atomic, write_json
    from ranpilot.twin.inspect import inspect_scenario

    found = scenarios.load(scenario)
    found = found.with_load(load) if load else found
    inspection = inspect_scenario(found, seed)
    if picture is not None:
        write_atomic(picture, draw_inspection(inspection).encode())
    if json_file is not None:
        write_json(json_file, inspection.to_json())
    console, lines = _console(), inspection_table(inspection)
    console.print(_table(f"{inspection.scenario} {inspection.scenario_hash[:12]}, seed {seed}", lines))
    events = event_table(found, inspection)
    if len(events) > 1:
        console.print(_table("events of the network on the map", events))


def twin_bench(json_file: JsonFile = None) -> None:
    """Measure cell-slots a second on the reference scenario.

    Args:
        json_file: write the rates to this file.
    """
    from ranpilot.twin.bench import bench

    bench(json_file)


def llm_choose(
    prompt: Word,
    /,
    options: str = " up, down, keep, move",
    model: str = "embedded",
    depth: Number = None,
    json_file: JsonFile = None,
) -> None:
    """Ask a language model to choose among single words, and print the chances.

    Args:
        prompt: what it reads.
        options: the words, separated by commas; a blank before a word belongs to it.
        model: embedded, embedded:ADAPTER or endpoint:MODEL.
        depth: how many layers of the embedded model run, all where not given.
        json_file: write the chances to this file too.
    """
    import numpy as np

    from ranpilot import llm
    from ranpilot.runs import write_json

    names = options.split(",")
    chooser = llm.load(model) if depth is None else llm.load(model, depth=depth)
    chances = dict(zip(names, np.exp(chooser.choose([prompt], names)[0]).tolist(), strict=True))
    for name, chance in sorted(chances.items(), key=lambda pair: -pair[1]):
        _say(f"{chance:6.3f} {name}")
    if json_file is not None:
        asked = {"model": chooser.name, "model_hash": chooser.model_hash, "prompt": prompt}
        write_json(json_file, asked | {"chances": chances})


def llm_train(  # noqa: PLR0913  # one option each
    task: str = "power-handover", scenario: str = "two-cell", load: Name = None,
    method: Literal["lora", "full"] = "lora", depth: Number = None, states: int = 512, steps: Number = None,
    heldout_states: int = 256, heldout_draws: int = 16, seed: int = 0, out: Folder = None, labels: Folder = None,
    new: Switch = False, json_file: JsonFile = None,
) -> None:  # fmt: skip
    """Teach the embedded model to advise, by what actions bring on copies of networks; the same command resumes.

    Args:
        task: aura-paper, power-handover, or both as aura-paper,power-handover.
        scenario: name or YAML file of the scenario that tasks on the twin run in.
        load: one of the scenario's loads; those that the task is usually trained on where not given.
        method: lora (low-rank factors, small adapter) or full (the layers themselves).
        depth: layers that run and are trained; 10 for lora and 4 for full where not given.
        states: labelled states of each task.
        steps: steps of the training.
        heldout_states: states of each task that the adapter is evaluated on.
        heldout_draws: futures that each action is tried on there.
        seed: seed of the training.
        out: folder of the run, runs/... where not given; the adapter is its folder adapter.
        labels: folder of labels that several runs share.
        new: put an earlier run in that folder aside and start over.
        json_file: write every score to this file.
    """
    from ranpilot.experiments.adviser import train_adviser
    from ranpilot.runs import make_progress, write_json

    with make_progress(show=True) as progress:
        report = train_adviser(
            _split(task) or [], scenario=scenario, load=load, method=method, depth=depth, states=states, steps=steps,
            heldout_states=heldout_states, heldout_draws=heldout_draws, seed=seed, out=out, labels=labels, new=new,
            progress=progress,
        )  # fmt: skip
    for title, lines in report.tables():
        _console().print(_table(title, lines))
    if json_file is not None:
        write_json(json_file, report.flat())
    _say(f"adapter: {report.adapter}")


def doctor(json_file: JsonFile = None) -> int:
    """Say what this machine has, what is missing, and how to get it.

    Args:
        json_file: write it to this file too.
    """
    from ranpilot.doctor import doctor as diagnose

    return diagnose(json_file)


def version() -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    _say(f"ranpilot {installed('ranpilot')}")


def twin() -> None:
    """The simulator by itself: inspect, bench."""


def traffic() -> None:
    """Captures to traffic models: fit, replay."""


def llm() -> None:
    """The language model by itself: choose, train."""


COMMANDS: dict[str, Callable[..., int | None]] = {
    "run": run,
    "compare": compare,
    "demo": demo,
    "twin": twin,
    "traffic": traffic,
    "llm": llm,
    "doctor": doctor,
    "version": version,
}
GROUPS: dict[str, dict[str, Callable[..., int | None]]] = {
    "twin": {"inspect": twin_inspect, "bench": twin_bench},
    "traffic": {"fit": traffic_fit, "replay": traffic_replay},
    "llm": {"choose": llm_choose, "train": llm_train},
}
"""Commands of two words; the first one's function above only describes it."""


def main() -> int:
    """Entry point of `ranpilot`; the exit status."""
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        return _dispatch(arguments)
    except RanpilotError as error:
        if debug:
            raise
        return _fail(f"error: {error}", 2)
    except KeyboardInterrupt:
        command = shlex.join(["ranpilot", *(argument for argument in arguments if argument != "--new")])
        return _fail(f"Stopped; what was played is kept. To go on: {command}", 130)
    except BrokenPipeError:
        # The reader of our output has gone (`| head`); nothing more can be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def _dispatch(arguments: list[str]) -> int:
    commands, prog = COMMANDS, "ranpilot"
    description = "Language models and reinforcement learning run a radio access network, on a digital twin."
    if arguments and arguments[0] in GROUPS:
        group, *arguments = arguments
        commands, prog, description = GROUPS[group], f"ranpilot {group}", COMMANDS[group].__doc__ or ""
    status = tyro.extras.subcommand_cli_from_dict(
        commands, prog=prog, description=description, args=arguments or ["--help"]
    )
    return status or 0


def _split(names: str | None) -> list[str] | None:
    return None if names is None else [name.strip() for name in names.split(",") if name.strip()]


def _show(report: Report, json_file: Path | None) -> None:
    """Print every table and where the page is."""
    from rich.markup import escape

    from ranpilot.runs import write_json

    console = _console()
    for title, lines in report.tables():
        console.print(_table(title, lines))
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
    _say(f"report: {report.path}")


def _mark(check: Mapping[str, Any]) -> str:
    """Whether a claim holds, in colour."""
    if check["holds"] is None:
        return "[yellow]not applicable[/]"
    if check["holds"]:
        return "[green]holds[/]"
    return "[red]fails, as expected[/]" if check["is_expected_to_fail"] else "[red]fails[/]"


def _console() -> Console:
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 140)


def _table(title: str, lines: list[list[str]]) -> Table:
    """Lines of text as a table, the first one its header."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(*lines[0], title=title, title_justify="left")
    for line in lines[1:]:
        table.add_row(*map(escape, line))
    return table


def _say(text: str) -> None:
    print(text)  # noqa: T201


def _fail(sentence: str, status: Literal[2, 130]) -> int:
    print(sentence, file=sys.stderr)  # noqa: T201
    return status
