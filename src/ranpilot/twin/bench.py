"""How fast the twin runs, and the offered load that gives a wanted PRB use.

Cell-slots a second = networks x cells x slots simulated / wall second, at the reference scenario's offered load, after
one second of network time, compilation excluded, traffic and KPM included (`measure` once every control step).
"""

from __future__ import annotations

import json
import math
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numba
import numpy as np
from rich.console import Console
from rich.table import Table

from ranpilot.errors import ConfigError
from ranpilot.scenarios import load
from ranpilot.twin import kpm
from ranpilot.twin.network import Networks
from ranpilot.twin.scenario import Scenario

__all__ = ["BATCHES", "Rate", "bench", "calibrate_load", "measure_speed", "prb_use"]

BATCHES = (1, 16, 256)
REQUIRED = {1: 100_000.0, 2: 170_000.0}
"""Cell-slots a second that must be reached, by the number of threads."""
REPEATS = 5
LEAST_CELL_SLOTS = 150_000
"""Of one timed run: about a second."""


class Rate(NamedTuple):
    """Timed runs of one case."""

    scenario: str
    batch: int
    threads: int
    cell_slots_per_s: tuple[float, ...]

    @property
    def median(self) -> float:
        """Median over the runs."""
        return float(np.median(self.cell_slots_per_s))

    @property
    def spread(self) -> float:
        """Half the range of the runs over their median."""
        return (max(self.cell_slots_per_s) - min(self.cell_slots_per_s)) / (2.0 * self.median)


def measure_speed(scenario: Scenario, batch: int, threads: int, *, repeats: int = REPEATS, seed: int = 0) -> Rate:
    """Time `repeats` runs, each of a warm batch of other networks, since one may have more to do than another."""
    step = scenario.slots_per_step
    steps = max(1, math.ceil(LEAST_CELL_SLOTS / (batch * scenario.num_cells * step)))
    # Whole blocks of 1000 slots, so that every run draws as much traffic as it uses.
    steps = max(1, math.ceil(steps * step / 1000)) * 1000 // step if 1000 % step == 0 else steps
    rates = []
    for repeat in range(repeats):
        networks = Networks(scenario, batch, seed, first_network=repeat * batch, threads=threads)
        networks.advance(round(1.0 / scenario.slot_s))
        networks.measure()
        begin = time.perf_counter()
        for _ in range(steps):
            networks.advance(step)
            networks.measure()
        elapsed_s = time.perf_counter() - begin
        rates.append(batch * scenario.num_cells * steps * step / elapsed_s)
    return Rate(scenario.name, batch, threads, tuple(rates))


def bench(
    json_path: Path | str | None = None, *, batches: Sequence[int] = BATCHES, repeats: int = REPEATS
) -> list[Rate]:
    """Measure `reference` at every batch on one and two threads, print a table, write JSON where a path is given."""
    scenario = load("reference")
    threads = [number for number in REQUIRED if number <= numba.config.NUMBA_NUM_THREADS]
    rates = [measure_speed(scenario, batch, number, repeats=repeats) for number in threads for batch in batches]
    Console().print(_table(rates))
    if json_path is not None:
        write_json(Path(json_path), [_record(rate) for rate in rates])
    return rates


def prb_use(scenario: Scenario, *, num: int = 16, seed: int = 0, seconds: float = 10.0, warm_s: float = 1.0) -> float:
    """Mean share of PRBs in use in percent, over cells, networks and time after `warm_s`."""
    networks = Networks(scenario, num, seed)
    networks.advance(round(warm_s / scenario.slot_s))
    networks.measure()
    networks.advance(round(seconds / scenario.slot_s))
    return float(networks.measure()[kpm.PRB_USE.name].mean())


def calibrate_load(
    scenario: Scenario, target_percent: float, *, num: int = 16, seed: int = 0, seconds: float = 10.0, tries: int = 8
) -> tuple[float, float]:
    """The `traffic.rate_scale` that gives a mean PRB use of `target_percent`, and the use that it gave.

    Steps are proportional at first, then by the secant of log use over log scale.
    """
    if not 0.0 < target_percent < 100.0:
        raise ConfigError("target_percent", target_percent, "above 0 and below 100")
    scale = scenario.traffic.rate_scale
    tried: list[tuple[float, float]] = []
    for _ in range(tries):
        use = prb_use(scenario.with_changes({"traffic": {"rate_scale": scale}}), num=num, seed=seed, seconds=seconds)
        tried.append((scale, use))
        if abs(use - target_percent) < 0.005 * target_percent:
            break
        scale = _next_scale(tried, target_percent)
    return min(tried, key=lambda pair: abs(pair[1] - target_percent))


def write_json(path: Path, records: list[dict[str, Any]]) -> None:
    """Write records whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".tmp", delete=False, encoding="utf-8") as file:
        json.dump(records, file, indent=2)
    os.replace(file.name, path)


def _next_scale(tried: list[tuple[float, float]], target: float) -> float:
    scale, use = tried[-1]
    slope = 1.0
    if len(tried) > 1 and tried[-1][0] != tried[-2][0]:
        rise = math.log(tried[-1][1] / tried[-2][1])
        slope = min(max(rise / math.log(tried[-1][0] / tried[-2][0]), 0.15), 2.0)
    step = math.log(target / use) / slope
    return scale * math.exp(min(max(step, -1.5), 1.5))


def _record(rate: Rate) -> dict[str, Any]:
    required = REQUIRED[rate.threads]
    return {
        "name": f"cell_slots_per_s/{rate.scenario}/batch-{rate.batch}/threads-{rate.threads}",
        "value": round(rate.median, 1),
        "unit": "cell-slots/s",
        "reference": required,
        "difference": round(rate.median - required, 1),
        "n": len(rate.cell_slots_per_s),
        "seed": 0,
        "threads": rate.threads,
        "spread": round(rate.spread, 4),
    }


def _table(rates: list[Rate]) -> Table:
    table = Table(title="cell-slots/s, median of runs (half their range)")
    for column in ("scenario", "batch", "threads", "cell-slots/s", "spread", "required"):
        table.add_column(column, justify="left" if column == "scenario" else "right")
    for rate in rates:
        cells = (rate.scenario, rate.batch, rate.threads, f"{rate.median:,.0f}", f"±{rate.spread:.1%}")
        table.add_row(*map(str, cells), f"{REQUIRED[rate.threads]:,.0f}")
    return table
