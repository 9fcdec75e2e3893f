"""Fit files of networks whose parameters are known: `python scripts/recover_calibration.py --json FILE`.

Networks of examples/own_network at the load `truth`, each with users and traffic of its own, are run for a minute; the
unchanged scenario is fitted to each of these files. Written are every estimate beside the truth and, for each
parameter, the share of files whose interval holds it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numba
import tyro

from ranpilot.runs import write_json
from ranpilot.twin import kpm
from ranpilot.twin.calibrate import DEFAULT_FIT, Calibration, Effort, KpmFile, calibrate
from ranpilot.twin.calibrate.parameters import pick_parameters
from ranpilot.twin.calibrate.series import run_series
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.scenario_file import load_scenario

SCENARIO = Path(__file__).parent.parent / "examples" / "own_network" / "network.yaml"
FIRST_FILE = 1000
"""Id of the network that the first file is of; those that are fitted with count from 0."""
PERIOD_SLOTS, WARM_SLOTS, PERIODS = 500, 1000, 120


def main(json: Path | None = None, files: int = 8, networks: int = 12, seconds: float = 5.0, seed: int = 0) -> None:
    """Fit every file and print how it went."""
    guess = load_scenario(SCENARIO)
    truth = guess.with_load("truth")
    known = {parameter.name: parameter.read(truth) for parameter in pick_parameters(DEFAULT_FIT)}
    found = []
    for number in range(files):
        effort = Effort(networks=networks, seconds=seconds, seed=seed + number)
        found.append(calibrate(guess, _file(truth, number), effort=effort))
        for estimate in found[-1].estimates:
            name, interval = estimate.axis.parameter.name, f"[{estimate.low:.3g}, {estimate.high:.3g}]"
            print(f"file {number} {name}: {estimate.value:.3g} {interval}, truth {known[name]:g}", flush=True)
        print(found[-1].summary())
    if json is not None:
        write_json(json, [record for number, one in enumerate(found) for record in _records(number, one, known)]
                   + _coverage(found, known, seed))  # fmt: skip


def _file(truth: Scenario, number: int) -> KpmFile:
    """What a network at the truth would leave in a file."""
    names = [measurement.name for measurement in kpm.MEASUREMENTS if measurement.scope in ("cell", "ue")]
    series = run_series(
        truth, names, seed=1, num_networks=1, first_network=FIRST_FILE + number, warm_slots=WARM_SLOTS,
        period_slots=PERIOD_SLOTS, periods=PERIODS,
    )  # fmt: skip
    return KpmFile(f"file-{number}", series, PERIODS)


def _records(number: int, found: Calibration, known: dict[str, float]) -> list[dict[str, Any]]:
    """A record for each parameter and the held-out error of one file."""
    records = []
    for record in found.to_json():
        kind = record["name"].split("/", 2)[2]
        if kind in known:
            record |= {"reference": known[kind], "difference": round(record["value"] - known[kind], 6)}
        if kind in known or kind == "held-out/error":
            records.append(record | {"name": f"calibrate/synthetic/file-{number}/{kind}"})
    return records


def _coverage(found: list[Calibration], known: dict[str, float], seed: int) -> list[dict[str, Any]]:
    """For each parameter the share of intervals that hold the truth."""
    records = []
    for index, (name, truth) in enumerate(known.items()):
        held = [one.estimates[index].low <= truth <= one.estimates[index].high for one in found]
        share = sum(held) / len(held)
        records.append({"name": f"calibrate/synthetic/coverage/{name}", "value": round(share, 6), "unit": "1",
                        "reference": 0.95, "difference": round(share - 0.95, 6), "n": len(held), "seed": seed,
                        "threads": int(numba.config.NUMBA_NUM_THREADS)})  # fmt: skip
    return records


if __name__ == "__main__":
    tyro.cli(main)
