"""What else must not make anybody wait: copies, trying things on copies, memory, and the start of a process."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ranpilot.scenarios import load
from ranpilot.twin.bench.record import Case
from ranpilot.twin.network import Networks

__all__ = ["Sizes", "copy_times", "roll_times", "start_times", "state_size"]

ROLLED_S = 0.1
"""Network time of a roll-out."""
FIRST_SLOT = """
import time
from ranpilot import scenarios
from ranpilot.twin import Networks
Networks(scenarios.load("reference"), 1, 0).advance(1)
print(time.time())
"""


class Sizes(NamedTuple):
    """How much is timed at once."""

    cell_slots: int = 150_000
    """Of one timed run: about half a second."""
    copies: int = 64


def copy_times(repeats: int, copies: int) -> Iterator[Case]:
    """A copy of a running `reference` network, made alone and together with others."""
    networks = _running()
    for number in (1, copies):
        networks.fork(number)
        values = []
        for _ in range(4 * repeats):
            begin = time.perf_counter()
            networks.fork(number)
            values.append((time.perf_counter() - begin) / number * 1e6)
        yield Case(f"fork_us/reference/copies-{number}", tuple(values), "us a copy", 1, 50.0, 20.0)


def roll_times(threads: Sequence[int], repeats: int, copies: int) -> Iterator[Case]:
    """A tenth of a second tried on copies of a running `reference` network: copies made, run and measured."""
    limits: dict[int, tuple[float | None, float | None]] = {1: (None, None), 2: (100.0, 50.0)}
    for number in threads:
        networks = _running(number)
        slots, values = round(ROLLED_S / networks.scenario.slot_s), []
        for draw in range(repeats + 1):
            begin = time.perf_counter()
            forks = networks.fork(copies, future="fresh", draw=draw)
            forks.advance(slots)
            forks.measure()
            values.append((time.perf_counter() - begin) * 1e3)
        name = f"roll_ms/reference/copies-{copies}/slots-{slots}/threads-{number}"
        yield Case(name, tuple(values[1:]), "ms", number, *limits[number])


def state_size() -> Case:
    """Everything that changes in a `reference` network: what a copy or a snapshot has to hold."""
    return Case("state_kb/reference", (_running().state_bytes / 1024.0,), "kB", 1, 256.0, 128.0)


def start_times(repeats: int) -> Case:
    """From the start of a new process to the end of the first slot, with kernels compiled before."""
    values = []
    for _ in range(repeats + 1):
        begin = time.time()
        done = subprocess.run([sys.executable, "-c", FIRST_SLOT], check=True, capture_output=True, text=True)
        values.append(float(done.stdout) - begin)
    return Case("start_s/reference", tuple(values[1:]), "s", 1, 1.5, 1.0)


def _running(threads: int = 1) -> Networks:
    networks = Networks(load("reference"), 1, 0, threads=threads)
    networks.advance(2000)
    return networks
