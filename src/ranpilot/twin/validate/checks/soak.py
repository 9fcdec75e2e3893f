"""A long run without drift: books, counters, running means, memory, and the same state in any chunks.

Two networks of two kinds run on and on (`full`: a million slots): users that stand still under fading, and users that
come, move and go while a control hands some over. Both are stationary after their warm-up, so the last quarter has to
give what the first gave: the difference of the two, in standard errors of the means of 10 stretches in each quarter, is
Student's t with 18 degrees of freedom or more, and a line allows 5. What is queued or in the air, the snapshot and the
memory may not grow, and a copy that runs in chunks of other lengths ends in the same state to the bit.
Reference: the identities themselves, and the first quarter.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranpilot.twin import state as s
from ranpilot.twin.network import Networks
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.scenario_file import validate_scenario
from ranpilot.twin.validate.checks.conservation import count_violations
from ranpilot.twin.validate.line import Effort, Line, within

__all__ = ["lines"]

SLOTS = {"quick": 48_000, "full": 1_000_000}
WARM_SLOTS = 8_000
NUM_STRETCHES = 40
MOST_DEVIATIONS = 5.0
MOST_GROWTH_KB = 300.0
"""The memory in use differs by about 100 kB between blocks of traffic; a byte a slot would be 1000 kB in the end."""
SEED = 11

FIRST_QUARTER = "the first quarter of the same run, in standard errors"
KPMS = {
    "throughput": "DRB.PdcpSduVolumeDL",
    "prb-use": "RRU.PrbTotDl",
    "delay": "DRB.RlcSduDelayDl",
    "cqi": "CARR.WBCQIDist.Mean",
    "initial-bler": "RP.InitialBlerDl",
    "connected-users": "RRC.ConnMean",
}


def lines(effort: Effort) -> Iterator[Line]:
    """Both kinds of networks."""
    for name, scenario in (("standing", _standing()), ("churning", _churning())):
        yield from _soak(name, scenario, SLOTS[effort])


def _soak(name: str, scenario: Scenario, slots: int) -> Iterator[Line]:
    networks, chunked = Networks(scenario, 2, SEED), Networks(scenario, 2, SEED)
    for each in (networks, chunked):
        each.advance(WARM_SLOTS)
        each.measure()
    stretch = slots // NUM_STRETCHES
    seen: dict[str, list[NDArray[np.float64]]] = {kpm: [] for kpm in KPMS}
    broken, memory, size = 0, [], []
    tracemalloc.start()
    for index in range(NUM_STRETCHES):
        networks.advance(stretch)
        measured = networks.measure()
        for kpm, named in KPMS.items():
            seen[kpm].append(measured[named].mean(axis=1))
        broken += count_violations(networks).total() + _count_wild(networks)
        _hand_over(networks)
        _advance_in_chunks(chunked, stretch, index)
        chunked.measure()
        _hand_over(chunked)
        memory.append(tracemalloc.get_traced_memory()[0])
        size.append(len(networks.snapshot()))
    tracemalloc.stop()
    path, total = f"soak/{name}", slots + WARM_SLOTS
    yield within(f"{path}/violations", broken, 0, 0, "1", "identity", reference=0, n=total, seed=SEED)
    for kpm, values in seen.items():
        deviations = _deviations(np.array(values))
        bound = MOST_DEVIATIONS
        yield within(
            f"{path}/drift/{kpm}", deviations, -bound, bound, "1", FIRST_QUARTER, reference=0, n=total, seed=SEED
        )
    differing = sum(a != b for a, b in zip(networks.fingerprint(), chunked.fingerprint(), strict=True))
    yield within(f"{path}/chunks-differ", differing, 0, 0, "network", "identity", reference=0, n=total, seed=SEED)
    growth_kb = (max(memory[-NUM_STRETCHES // 4 :]) - max(memory[: NUM_STRETCHES // 4])) / 1e3
    yield within(
        f"{path}/memory-growth", growth_kb, None, MOST_GROWTH_KB, "kB", "the first quarter", n=total, seed=SEED
    )
    yield within(f"{path}/snapshot-growth", size[-1] - size[0], -64, 64, "B", "the first stretch", n=total, seed=SEED)


def _deviations(values: NDArray[np.float64]) -> float:
    """Last quarter less first [stretch, network], in standard errors; 0 where nothing ever differs."""
    quarter = len(values) // 4
    first, last = values[:quarter].mean(axis=1), values[-quarter:].mean(axis=1)
    error = float(np.sqrt((first.var(ddof=1) + last.var(ddof=1)) / quarter))
    return float(last.mean() - first.mean()) / error if error > 0.0 else 0.0


def _count_wild(networks: Networks) -> int:
    """Running means outside their range, and numbers that are not finite where they have to be."""
    inside = networks._state
    is_outside = ~((inside.activity >= 0.0) & (inside.activity <= 1.0))
    rate = inside.ue_real[..., s.MEAN_RATE]
    finite = [inside.ue_real, inside.gain, inside.process_sinr]
    return int(is_outside.sum() + (~(rate >= 0.0)).sum() + sum(int((~np.isfinite(each)).sum()) for each in finite))


def _hand_over(networks: Networks) -> None:
    """Every third user goes to the next cell, whatever that gives it."""
    serving = networks.ues.serving_cell
    is_moved = (np.arange(serving.shape[1]) % 3 == 0) & (serving >= 0)
    target = np.where(is_moved, (serving + 1) % networks.scenario.num_cells, -1)
    networks.apply({"FORCED_HANDOVER": target})


def _advance_in_chunks(networks: Networks, slots: int, index: int) -> None:
    """Advance in pieces of lengths that no block, period or tick divides."""
    left, step = slots, 0
    while left > 0:
        chunk = min(left, (977, 1, 3001, 13, 1000)[(index + step) % 5])
        networks.advance(chunk)
        left, step = left - chunk, step + 1


def _standing() -> Scenario:
    population = {"kind": "static", "ues_per_cell": 4}
    mobility = {"kind": "static", "min_speed_kmh": 3, "max_speed_kmh": 30}
    mix = [
        {"kind": "poisson", "share": 0.5, "mean_rate_bps": 1.5e6, "deadline_ms": 100},
        {"kind": "periodic", "share": 0.5, "period_s": 0.01, "packet_bits": 8_000, "jitter_s": 0.004},
    ]
    return _two_cells({"population": population, "mobility": mobility}, mix)


def _churning() -> Scenario:
    population = {"kind": "arrivals", "arrivals_per_s": 2.0, "mean_holding_s": 1.5}
    mobility = {"kind": "lines", "min_speed_kmh": 30, "max_speed_kmh": 60}
    mix = [
        {"kind": "poisson", "share": 0.6, "mean_rate_bps": 1.5e6, "deadline_ms": 100},
        {"kind": "fitted", "share": 0.4, "profile": "mmtc", "deadline_ms": 300},
    ]
    return _two_cells({"population": population, "mobility": mobility}, mix)


def _two_cells(users: dict[str, Any], mix: list[dict[str, Any]]) -> Scenario:
    site = {"y_m": 0, "height_m": 25, "propagation": "UMa", "power_dbm": 38, "capacity": 8}
    sites = [{"name": "a", "x_m": 0, **site}, {"name": "b", "x_m": 400, **site}]
    return validate_scenario(
        {
            "name": "soak",
            "carrier": {"frequency_ghz": 2.0, "num_prbs": 24, "prbs_per_group": 4},
            "layout": {"area_m": [-300, -300, 700, 300], "sites": sites},
            "users": users,
            "traffic": {"mix": mix, "buffer_packets": 64},
            "rrc": {"handover": {"event": "a3"}},
        }
    )
