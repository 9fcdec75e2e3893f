"""The simulator by itself: inspect, bench, validate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro

from ranpilot.cli.console import make_console, make_table, say
from ranpilot.cli.options import Comma, Command, Folder, JsonFile, Name, Switch, Word, split_names

__all__ = ["COMMANDS"]

ListOnly = Annotated[bool, tyro.conf.arg(name="list"), tyro.conf.FlagCreatePairsOff]


def inspect(
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
    console, lines = make_console(), inspection_table(inspection)
    console.print(make_table(f"{inspection.scenario} {inspection.scenario_hash[:12]}, seed {seed}", lines))
    events = event_table(found, inspection)
    if len(events) > 1:
        console.print(make_table("events of the network on the map", events))


def bench(json_file: JsonFile = None) -> None:
    """Measure cell-slots a second on the reference scenario.

    Args:
        json_file: write the rates to this file.
    """
    from ranpilot.twin.bench import bench

    bench(json_file)


def validate(
    json_file: JsonFile = None, only: Comma = None, quick: Switch = False, list_checks: ListOnly = False,
    out: Folder = None, new: Switch = False,
) -> int:  # fmt: skip
    """Hold the twin against numbers from outside: tables of the standard, closed forms, published curves.

    Ends with status 1 where a claim fails. Finished checks are kept: the same command goes on where it stopped.

    Args:
        json_file: write every line to this file.
        only: these checks, such as path-loss,queues.
        quick: small samples, a minute or two; the published tables are made without.
        list_checks: say which checks there are, and run none.
        out: folder that keeps finished checks, runs/twin-validate where not given.
        new: run checks that are finished again.
    """
    from ranpilot.twin.validate import check_names, check_title

    names = check_names(split_names(only))
    if list_checks:
        make_console().print(
            make_table("checks", [["check", "what is compared"], *([n, check_title(n)] for n in names)])
        )
        return 0
    from ranpilot.experiments.twin_validation import run_validation
    from ranpilot.runs import make_progress, write_json

    with make_progress(show=True) as progress:
        report = run_validation(names, effort="quick" if quick else "full", out=out, new=new, progress=progress)
    console, failing = make_console(), len(report.failing)
    console.print(make_table(f"validation of the twin, {'small' if quick else 'full'} samples", report.table()))
    if failing:
        console.print(make_table("lines that fail", report.failures()))
    if json_file is not None:
        write_json(json_file, report.flat())
    say(f"{failing} of {report.num_claims} claims fail" if failing else f"all {report.num_claims} claims hold")
    return 1 if failing else 0


COMMANDS: dict[str, Command] = {"inspect": inspect, "bench": bench, "validate": validate}
