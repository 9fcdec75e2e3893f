"""Cell-slots a second: networks x cells x slots simulated / wall second.

At a stated offered load, after one second of network time, compilation excluded, traffic and KPM included (`measure`
once every control step).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence

from ranpilot.scenarios import load
from ranpilot.twin.bench.record import Case
from ranpilot.twin.network import Networks
from ranpilot.twin.scenario import Scenario

__all__ = ["macro_rates", "measure_rate", "reference_rates"]

REFERENCE_LIMITS = {1: (150e3, 300e3), 2: (270e3, 540e3)}
"""What `reference` must reach and what is aimed at, by the number of threads."""
MACRO_LIMITS = {1: (40e3, 100e3), 2: (70e3, 180e3)}
LOADS = {"10": 0.143, "150": 2.143}
"""Factors on the load of `reference`, which asks for 70 % of its PRBs, that ask for 10 and 150 %."""
LOADED_BATCH = 16


def reference_rates(batches: Sequence[int], threads: Sequence[int], repeats: int, cell_slots: int) -> Iterator[Case]:
    """`reference` at its load for every batch and number of threads, then nearly idle and overloaded."""
    scenario = load("reference")
    for number in threads:
        for batch in batches:
            rates = measure_rate(scenario, batch, number, repeats, cell_slots)
            name = f"cell_slots_per_s/reference/batch-{batch}/threads-{number}"
            yield Case(name, rates, "cell-slots/s", number, *REFERENCE_LIMITS[number])
    for percent, factor in LOADS.items():
        loaded = scenario.with_changes({"traffic": {"rate_scale": factor}})
        rates = measure_rate(loaded, LOADED_BATCH, 1, repeats, cell_slots)
        name = f"cell_slots_per_s/reference/load-{percent}/batch-{LOADED_BATCH}/threads-1"
        yield Case(name, rates, "cell-slots/s", 1, *REFERENCE_LIMITS[1])


def macro_rates(threads: Sequence[int], repeats: int, cell_slots: int) -> Iterator[Case]:
    """One network of 57 cells with 10 users each: `urban-macro` with nineteen sites instead of seven."""
    scenario = load("urban-macro").with_changes({"layout": {"num_sites": 19}})
    for number in threads:
        rates = measure_rate(scenario, 1, number, repeats, cell_slots)
        name = f"cell_slots_per_s/urban-macro-{scenario.num_cells}/batch-1/threads-{number}"
        yield Case(name, rates, "cell-slots/s", number, *MACRO_LIMITS[number])


def measure_rate(
    scenario: Scenario, batch: int, threads: int, repeats: int, cell_slots: int, *, seed: int = 0
) -> tuple[float, ...]:
    """Time `repeats` runs of about `cell_slots`, each of a warm batch of other networks: one may have more to do."""
    step = scenario.slots_per_step
    steps = max(1, math.ceil(cell_slots / (batch * scenario.num_cells * step)))
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
    return tuple(rates)
