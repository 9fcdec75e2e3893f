"""How fast the twin is: cell-slots a second, what a copy costs, how much a network holds, how long it takes to begin.

Every case repeats one measurement on a warm twin and gives the median and half the range, beside what is asked of
it: what it must reach, and what is aimed at. Times are wall times: run it on an idle machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numba
from rich.console import Console
from rich.table import Table

from ranpilot.twin.bench.costs import Sizes, copy_times, roll_times, start_times, state_size
from ranpilot.twin.bench.loads import calibrate_load, prb_use
from ranpilot.twin.bench.rates import macro_rates, reference_rates
from ranpilot.twin.bench.record import Case, write_json

__all__ = ["BATCHES", "Case", "bench", "calibrate_load", "prb_use"]

BATCHES = (1, 16, 256)
REPEATS = 5


def bench(
    json_path: Path | str | None = None,
    *,
    batches: Sequence[int] = BATCHES,
    repeats: int = REPEATS,
    sizes: Sizes | None = None,
) -> list[Case]:
    """Measure every case, print a table, write JSON where a path is given; sizes: None for the usual ones."""
    threads = [number for number in (1, 2) if number <= numba.config.NUMBA_NUM_THREADS]
    sizes = sizes or Sizes()
    cases = [
        *reference_rates(batches, threads, repeats, sizes.cell_slots),
        *macro_rates(threads, repeats, sizes.cell_slots),
        *copy_times(repeats, sizes.copies),
        *roll_times(threads, repeats, sizes.copies),
        state_size(),
        start_times(repeats),
    ]
    Console().print(_table(cases))
    if json_path is not None:
        write_json(Path(json_path), [case.record() for case in cases])
    return cases


def _table(cases: list[Case]) -> Table:
    """Names say units: cell-slots a second, microseconds, milliseconds, kilobytes, seconds."""
    table = Table(title="speed of the twin, median of runs (half their range)")
    table.add_column("case", overflow="fold")
    for column in ("median", "spread", "must", "aim"):
        table.add_column(column, justify="right", no_wrap=True)
    for case in cases:
        value = f"{case.median:,.4g}" if case.median < 1000 else f"{case.median:,.0f}"
        limits = ("" if limit is None else f"{limit:,g}" for limit in (case.must, case.aim))
        table.add_row(case.name, value, f"±{case.spread:.0%}", *limits)
    return table
