"""The simulator by itself: run, inspect, calibrate, bench, validate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro

from ranpilot.cli.console import fail, make_console, make_table, say
from ranpilot.cli.options import (
    Comma,
    Command,
    File,
    Folder,
    JsonFile,
    Name,
    OutFile,
    OutFiles,
    Switch,
    Word,
    split_names,
)

__all__ = ["COMMANDS"]

ListOnly = Annotated[bool, tyro.conf.arg(name="list"), tyro.conf.FlagCreatePairsOff]


def inspect(  # one option each
    scenario: Word,
    /,
    load: Name = None,
    seed: int = 0,
    picture: OutFile = None,
    html: OutFile = None,
    json_file: JsonFile = None,
) -> None:
    """Look at a scenario: sites, users, coupling gain, SINR and delay of each cell, and the events of one network.

    Args:
        scenario: a name or a YAML file.
        load: one of the scenario's loads.
        seed: seed of all random numbers.
        picture: draw map, coupling gain, SINR and delay to this .png or .svg file.
        html: write picture, tables and the resolved scenario to this page, which opens without a network.
        json_file: write every number to this file.
    """
    from ranpilot import scenarios
    from ranpilot.experiments.event_table import event_table
    from ranpilot.experiments.picture_files import check_picture_path, save_picture
    from ranpilot.experiments.scenario_pictures import (
        draw_inspection,
        inspection_page,
        inspection_table,
        picture_title,
    )
    from ranpilot.runs import write_atomic, write_json
    from ranpilot.twin.inspect import inspect_scenario

    found = scenarios.load(scenario)
    found = found.with_load(load) if load else found
    if picture is not None:
        check_picture_path(picture)
    inspection = inspect_scenario(found, seed)
    events = event_table(found, inspection)
    if picture is not None:
        save_picture(draw_inspection(inspection), picture_title(inspection), picture)
    if html is not None:
        write_atomic(html, inspection_page(found, inspection, events).encode())
    if json_file is not None:
        write_json(json_file, inspection.to_json())
    console = make_console()
    title = f"{inspection.scenario} {inspection.scenario_hash[:12]}, seed {seed}"
    console.print(make_table(title, inspection_table(inspection)))
    if len(events) > 1:
        console.print(make_table("events of the network on the map", events))


def run(  # noqa: PLR0913  # one option each
    scenario: Word,
    /,
    load: Name = None,
    seconds: float = 10.0,
    networks: int = 8,
    seed: int = 0,
    period_s: float = 1.0,
    warm_up_s: float = 1.0,
    picture: OutFile = None,
    kpm: OutFiles = (),
    histograms: Switch = False,
    json_file: JsonFile = None,
) -> int | None:
    """Run networks of a scenario that nobody controls: KPMs of every cell, and how they go over time.

    Ctrl-C ends at the next granularity period; what was simulated until then is shown and written.

    Args:
        scenario: a name or a YAML file.
        load: one of the scenario's loads.
        seconds: simulated time that is measured.
        networks: networks that run, each with users and traffic of its own.
        seed: seed of all random numbers.
        period_s: granularity period.
        warm_up_s: simulated time before it.
        picture: draw the main KPMs over time to this .png or .svg file.
        kpm: write every KPM of every period, network, cell, slice and user to these .csv or .parquet files.
        histograms: write histograms of delay, CQI, MCS and throughput to them too.
        json_file: write the table to this file.
    """
    from ranpilot import scenarios
    from ranpilot.experiments.recording_views import energy_sentence, recording_table
    from ranpilot.experiments.twin_run import run_networks
    from ranpilot.runs import make_progress, write_json

    found = scenarios.load(scenario)
    found = found.with_load(load) if load else found
    with make_progress(show=True) as progress:
        recording = run_networks(
            found, seconds=seconds, num_networks=networks, seed=seed, period_s=period_s, warm_up_s=warm_up_s,
            picture=picture, kpms=kpm, histograms=histograms, progress=progress,
        )  # fmt: skip
    if json_file is not None:
        write_json(json_file, recording.to_json())
    title = f"{recording.scenario} {recording.scenario_hash[:12]}, {recording.num_networks} networks, seed {seed}"
    make_console().print(make_table(f"{title}, {recording.recorded_s:g} s", recording_table(recording)))
    say(energy_sentence(recording))
    if recording.recorded_s < seconds:
        return fail(f"Stopped after {recording.recorded_s:g} of {seconds:g} s; what was simulated is kept.", 130)
    return None


def calibrate(  # noqa: PLR0913  # one option each
    scenario: Word,
    kpm_file: File,
    /,
    sites: OutFile = None,
    load: Name = None,
    fit: Comma = None,
    networks: int = 12,
    seconds: float = 5.0,
    warm_up_s: float = 1.0,
    seed: int = 0,
    held_out: float = 0.25,
    out: OutFile = None,
    picture: OutFile = None,
    json_file: JsonFile = None,
) -> None:
    """Fit a scenario to the KPMs of a network and hold it against periods that the fit never saw (docs/own_network.md).

    A parameter that the file cannot tell is refused, with what the file would have to hold.

    Args:
        scenario: a name or a YAML file.
        kpm_file: KPMs by period and cell (and user), .csv or .parquet.
        sites: put the sites of this CSV file in place of the scenario's.
        load: one of the scenario's loads.
        fit: what to fit of load, users, path-loss, shadowing, speed; load,path-loss,shadowing,speed where not given.
        networks: networks that one evaluation runs.
        seconds: simulated time of each that is measured, less where the file is shorter.
        warm_up_s: simulated time before it.
        seed: seed of all random numbers.
        held_out: share of the periods, the last ones, that the fit does not see.
        out: the scenario to write, NAME-calibrated.yaml where not given.
        picture: draw KPMs of the file, before and after to this .png or .svg file.
        json_file: write parameters, intervals and errors to this file.
    """
    from ranpilot import scenarios
    from ranpilot.experiments.twin_calibration import fit_scenario
    from ranpilot.runs import make_progress, write_json
    from ranpilot.twin.calibrate import DEFAULT_FIT, Effort

    given = scenarios.load(scenario)
    given = given.with_load(load) if load else given
    path = out or Path(f"{given.name}-calibrated.yaml")
    effort = Effort(networks=networks, seconds=seconds, warm_up_s=warm_up_s, seed=seed)
    names = split_names(fit)
    with make_progress(show=True) as progress:
        found = fit_scenario(
            given, kpm_file, sites=sites, names=DEFAULT_FIT if names is None else names, effort=effort,
            held_out=held_out, out=path, picture=picture, progress=progress,
        )  # fmt: skip
    if json_file is not None:
        write_json(json_file, found.to_json())
    console = make_console()
    for title, lines in found.tables().items():
        console.print(make_table(title, lines))
    say(found.summary())
    say(f"scenario: {path}")


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


COMMANDS: dict[str, Command] = {
    "run": run,
    "inspect": inspect,
    "calibrate": calibrate,
    "bench": bench,
    "validate": validate,
}
