"""Run every named scenario at its loads, write results/scenarios.json, and draw the pictures of docs/scenarios.md.

`python scripts/make_scenarios.py` does them one after the other; names make those alone. A scenario whose file is as it
was when it was last measured, and whose picture is there, is left as it is, so that the command can be stopped and
given again; `--again` measures it anew. After that `make docs` writes the table.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from scenario_plots import FIRST_S, PLOTS, Run, Watched

from ranpilot.errors import RanpilotError
from ranpilot.experiments.picture_files import save_picture
from ranpilot.experiments.plots import new_figure
from ranpilot.experiments.scenario_pictures import draw_map
from ranpilot.runs import write_atomic
from ranpilot.scenarios import load, names
from ranpilot.twin import kpm
from ranpilot.twin.description.users import Static
from ranpilot.twin.inspect import inspect_scenario
from ranpilot.twin.recording import Period, record
from ranpilot.twin.scenario import Scenario

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "results" / "scenarios.json"
PICTURES = ROOT / "docs" / "images" / "scenarios"
NETWORKS, SEED = 4, 1
STEADY_S, CHANGING_S = 2.0, 9.0
"""Simulated after a second of warm-up; longer where users come and go or something happens."""
PERIOD_S = 0.1


def main() -> int:
    """Measure and draw what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="scenarios; all where none is given")
    parser.add_argument("--again", action="store_true", help="measure also what stands as it should")
    asked = parser.parse_args()
    try:
        for name in asked.names or names():
            print(f"{name}: {make(name, again=asked.again)}", flush=True)
    except RanpilotError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def make(name: str, *, again: bool) -> str:
    """Measure a scenario and draw it, where that is needed; what was done, in words."""
    scenario = load(name)
    digest = hashlib.sha256((files("ranpilot.twin.scenarios") / f"{name}.yaml").read_bytes()).hexdigest()[:16]
    records = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else []
    old = [record for record in records if record["scenario"] == name]
    picture = PICTURES / f"{name}.png"
    if old and all(record["file_hash"] == digest for record in old) and picture.exists() and not again:
        return "as it was"
    begin = time.process_time()
    found = watch(scenario)
    new = [as_record(name, found.scenario, label, run) | {"file_hash": digest} for label, run in found.runs.items()]
    draw(found, picture)
    kept = [record for record in records if record["scenario"] != name]
    text = json.dumps(sorted(kept + new, key=lambda record: record["scenario"]), indent=1)
    write_atomic(RESULTS, f"{text}\n".encode())
    return f"{time.process_time() - begin:.0f} CPU seconds"


def watch(scenario: Scenario) -> Watched:
    """Run every load, and look at one network of the load `normal`."""
    slices = scenario.slices
    is_steady = isinstance(scenario.users.population, Static) and scenario.events is None
    seconds = STEADY_S if is_steady and not (slices and slices.comes_and_goes) else CHANGING_S
    runs = {label: run_load(scenario.with_load(label), seconds) for label in scenario.loads}
    look = inspect_scenario(scenario.with_load("normal"), SEED, num_networks=1, duration_s=0.1, map_points=140)
    return Watched(scenario, runs, look)


def run_load(scenario: Scenario, seconds: float) -> Run:
    """One load: its recording, its delays, and what was measured of slices."""
    delays: list[np.ndarray] = []
    wide: dict[str, list[np.ndarray]] = {m.name: [] for m in kpm.MEASUREMENTS if m.scope == "slice"}

    def keep(period: Period) -> bool:
        assert period.histograms is not None
        delays.append(period.histograms[kpm.DELAY_HISTOGRAM.name].sum(axis=(0, 1)))
        for name, values in wide.items():
            values.append(period.values[name])
        return True

    recording = record(
        scenario, seconds=seconds, num_networks=NETWORKS, seed=SEED, period_s=PERIOD_S, warm_up_s=FIRST_S,
        histograms=True, each=keep,
    )  # fmt: skip
    return Run(scenario, recording, np.sum(delays, axis=0), {name: np.array(values) for name, values in wide.items()})


def as_record(name: str, scenario: Scenario, label: str, run: Run) -> Mapping[str, Any]:
    """What the table of the docs needs of a scenario at a load."""
    carrier, total = scenario.carrier, run.recording.total
    use = total[kpm.PRB_USE.name].mean(axis=1)
    return {
        "name": f"prb-use/{name}/{label}",
        "value": round(float(use.mean()), 2),
        "unit": kpm.PRB_USE.unit,
        "spread": round(float(use.std(ddof=1)), 2),
        "n": NETWORKS,
        "seconds": run.recording.recorded_s,
        "seed": SEED,
        "scenario": name,
        "load": label,
        "cells": scenario.num_cells,
        "places": scenario.num_places,
        "users": round(float(total[kpm.CONNECTED_MEAN.name].sum(axis=1).mean()), 1),
        "carrier": f"{carrier.frequency_ghz:g} GHz, {carrier.subcarrier_spacing_khz} kHz, {carrier.num_prbs} PRBs",
        "mean_delay_ms": round(run.mean_delay_ms, 2),
        "scenario_hash": run.recording.scenario_hash,
    }


def draw(found: Watched, path: Path) -> None:
    """The map beside the plot of what the scenario is about."""
    figure, axes = new_figure(2, height=3.6, widths=(1.25, 1))
    draw_map(axes[0], found.look)
    PLOTS.get(found.scenario.name, PLOTS["reference"])(axes[1], found)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_picture(figure, f"Scenario {found.scenario.name}", path)


if __name__ == "__main__":
    sys.exit(main())
