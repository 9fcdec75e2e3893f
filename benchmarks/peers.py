"""How much network time do ns-3 LTE, HandoverLab and the twin simulate in a second, with twenty users a cell?

python benchmarks/peers.py [FILE.json] [--peer-python PATH]

One process and one thread each, one network at a time, in turn on the same machine. Counted are cell-milliseconds of
simulated time for each wall second, and for each second of CPU time, which says more where the machine has other work.
The peers run as programs of their own (`benchmarks/peers/`) under the interpreter at PATH; without it, one is made in
`runs/peers/venv` with the packages below. What does not install or run stands in the table with the reason.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import time
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ranpilot import scenarios
from ranpilot.twin import Networks, Scenario, kpm

PROGRAMS = Path(__file__).parent / "peers"
PEER_FOLDER = Path("runs/peers/venv")
PACKAGES = {
    "ns3_lte": ("ns3==3.44.post0", "numpy==2.4.6"),
    "handoverlab_slots": ("handoverlab==2.8.0", "numba==0.68.1", "numpy==2.4.6"),
}
LIMIT_S = 300
UES_PER_CELL = 20
POWER_DBM = 41.0
MARGIN_M = 150.0
RADIUS_M = 100.0
REPEATS = 5
PEER_REPEATS = 3
SITES = ((0.0, 0.0), (200.0, 0.0), (100.0, 173.2), (-100.0, 173.2), (-200.0, 0.0), (-100.0, -173.2), (100.0, -173.2))
"""One site and the six around it; the first three are those of `reference`."""
RATE_SCALES = {1: 2.195, 3: 1.0, 7: 0.778}
"""For 70 % PRB use with so many sites (`ranpilot.twin.bench.calibrate_load`, 16 networks, 2 s, seed 1)."""


class PeerError(Exception):
    """A peer that did not install, did not run, or printed what is no result."""


@dataclass(frozen=True)
class Timing:
    """Runs of one case; cell_ms: simulated in each; facts: what else was found, such as the PRB use."""

    cell_ms: float
    wall_s: tuple[float, ...]
    cpu_s: tuple[float, ...]
    facts: dict[str, float]

    def per_s(self, *, cpu: bool = False) -> list[float]:
        """Cell-milliseconds in a second of wall time, or of CPU time, run by run."""
        return [self.cell_ms / seconds for seconds in (self.cpu_s if cpu else self.wall_s)]


@dataclass(frozen=True)
class Peer:
    """A program with its settings; seconds: simulated in a run, by the number of cells; rates: offered to a user."""

    name: str
    program: str
    seconds: dict[int, float]
    rates_bps: dict[int, float]
    settings: dict[str, Any]

    def case(self, cells: int) -> dict[str, Any]:
        """What the program gets."""
        width_m, height_m = (max(axis) - min(axis) + 2 * MARGIN_M for axis in zip(*SITES[:cells], strict=True))
        place = {"sites": SITES[:cells], "area_m": (width_m, height_m), "radius_m": RADIUS_M, "power_dbm": POWER_DBM}
        work = {"ues_per_cell": UES_PER_CELL, "rate_bps": self.rates_bps[cells], "seconds": self.seconds[cells]}
        return {"seed": 0, "repeats": PEER_REPEATS, **place, **work, **self.settings}


SAME_RATES = {cells: 1.077e6 * scale for cells, scale in RATE_SCALES.items()}
PEERS = (
    Peer("ns3-lte", "ns3_lte", {1: 1.0, 3: 0.3, 7: 0.2}, SAME_RATES, {"fading": False, "warm_s": 0.5}),
    Peer("ns3-lte-fading", "ns3_lte", {1: 0.5, 3: 0.2, 7: 0.05}, SAME_RATES, {"fading": True, "warm_s": 0.4}),
    # Rates that fill about 70 % of its PRBs: a packet takes a whole slot, so the shorter the hold, the fewer bits fit.
    Peer(
        "handoverlab-held-200ms",
        "handoverlab_slots",
        {1: 40.0, 3: 20.0, 7: 10.0},
        {1: 2.1e6, 3: 0.62e6, 7: 0.5e6},
        {"fading": False, "hold_s": 0.2},
    ),
    Peer(
        "handoverlab-fading-10ms",
        "handoverlab_slots",
        {1: 4.0, 3: 3.0, 7: 2.0},
        {1: 0.45e6, 3: 0.25e6, 7: 0.22e6},
        {"fading": True, "hold_s": 0.01},
    ),
    Peer(
        "handoverlab-fading-1ms",
        "handoverlab_slots",
        {1: 1.0, 3: 0.5, 7: 0.3},
        {1: 0.43e6, 3: 0.33e6, 7: 0.32e6},
        {"fading": True, "hold_s": 0.001},
    ),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("json", nargs="?", type=Path, help="where the records are written")
    parser.add_argument("--peer-python", type=Path, help="an interpreter that has the peers' packages")
    options = parser.parse_args()
    missing = {} if options.peer_python else install(PEER_FOLDER)
    python = options.peer_python or PEER_FOLDER / "bin" / "python"
    records: list[dict[str, Any]] = []
    print(f"{'cell-ms/s':34}{'wall':>10}{'spread':>8}{'CPU':>10}{'ratio':>9}{'CPU':>9}")
    for cells in RATE_SCALES:
        ours = time_twin(twin_scenario(cells), REPEATS)
        records.append(show(speed_record("ranpilot", cells, ours)))
        for peer in PEERS:
            try:
                if peer.program in missing:
                    raise PeerError(missing[peer.program])
                theirs = run_peer(python, peer, cells)
            except PeerError as error:
                nothing = {"value": None, "unit": "cell-ms/s", "reason": str(error)}
                records.append(show({"name": f"cell_ms_per_s/{peer.name}/cells-{cells}", **nothing}))
                continue
            records.append(speed_record(peer.name, cells, theirs))
            records.append(ratio_record(peer.name, cells, ours, theirs))
            show(records[-2], records[-1])
    if options.json:
        options.json.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")


def twin_scenario(cells: int) -> Scenario:
    """`reference` with one, three or seven of its sites, loaded to 70 % PRB use."""
    reference = scenarios.load("reference")
    site = {"height_m": 10, "propagation": "UMi", "power_dbm": POWER_DBM, "min_power_dbm": 20, "max_power_dbm": 46}
    names = ("west", "east", "north", "fourth", "fifth", "sixth", "seventh")
    sites = [{"name": name, "x_m": x, "y_m": y, **site} for name, (x, y) in zip(names, SITES[:cells], strict=False)]
    x_m, y_m = zip(*SITES[:cells], strict=True)
    area = [min(x_m) - MARGIN_M, min(y_m) - MARGIN_M, max(x_m) + MARGIN_M, max(y_m) + MARGIN_M]
    load = {"rate_scale": RATE_SCALES[cells]}
    return reference.with_changes({"layout": {"sites": sites, "area_m": area}, "traffic": load})


def time_twin(scenario: Scenario, repeats: int, seconds: float = 50.0) -> Timing:
    """Time runs of one warm network each, measurements every 100 ms included; a first short one compiles.

    seconds: simulated in a run, of all cells together.
    """
    step, warm = scenario.slots_per_step, round(1.0 / scenario.slot_s)
    Networks(scenario, 1, 0, threads=1).advance(step)
    steps = round(seconds / scenario.num_cells / scenario.slot_s / step)
    wall_s, cpu_s, use = [], [], []
    for repeat in range(repeats):
        networks = Networks(scenario, 1, 0, first_network=repeat, threads=1)
        networks.advance(warm)
        networks.measure()
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(steps):
            networks.advance(step)
            use.append(float(networks.measure()[kpm.PRB_USE.name].mean()))
        wall_s.append(time.perf_counter() - wall)
        cpu_s.append(time.process_time() - cpu)
    cell_ms = scenario.num_cells * steps * step * scenario.slot_s * 1e3
    return Timing(cell_ms, tuple(wall_s), tuple(cpu_s), {"use_percent": statistics.fmean(use)})


def install(folder: Path) -> dict[str, str]:
    """Make an interpreter with the peers' packages where there is none; what did not install, with the reason."""
    if not (folder / "bin" / "python").exists():
        venv.create(folder, with_pip=True)
    missing = {}
    for program, packages in PACKAGES.items():
        command = [
            str(folder / "bin" / "python"),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            *packages,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            missing[program] = f"not installed: {last_line(done.stderr)}"
    return missing


def run_peer(python: Path, peer: Peer, cells: int) -> Timing:
    """Run a peer's program on one thread; raises PeerError with the last line that it wrote where it gives nothing."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
    # What this process imports is of no use to an interpreter with other packages.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | threads
    command = [str(python), str(PROGRAMS / f"{peer.program}.py"), json.dumps(peer.case(cells))]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT_S, env=environment)
    except subprocess.TimeoutExpired:
        raise PeerError(f"not finished in {LIMIT_S} s") from None
    except OSError as error:
        raise PeerError(f"not installed: {error}") from None
    if done.returncode:
        what = "not installed" if "ModuleNotFoundError" in done.stderr else "failed"
        raise PeerError(f"{what}: {last_line(done.stderr)}")
    return parse(done.stdout)


def parse(text: str) -> Timing:
    """The timing in the last line that a peer's program printed."""
    line = last_line(text)
    try:
        found = json.loads(line)
        timing = Timing(
            cell_ms=float(found.pop("cell_ms")),
            wall_s=tuple(map(float, found.pop("wall_s"))),
            cpu_s=tuple(map(float, found.pop("cpu_s"))),
            facts={name: float(value) for name, value in found.items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise PeerError(f"printed no result: {line[:200]!r}") from None
    seconds = (timing.cell_ms, *timing.wall_s, *timing.cpu_s)
    if not timing.wall_s or len(timing.wall_s) != len(timing.cpu_s) or min(seconds) <= 0.0:
        raise PeerError(f"printed no time: {line[:200]!r}")
    return timing


def last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else "nothing was written"


def speed_record(name: str, cells: int, timing: Timing) -> dict[str, Any]:
    """Medians over the runs; spread: half the range of wall times over their median."""
    wall, cpu = timing.per_s(), timing.per_s(cpu=True)
    median = statistics.median(wall)
    return {
        "name": f"cell_ms_per_s/{name}/cells-{cells}",
        "value": round(median, 1),
        "unit": "cell-ms/s",
        "reference": None,
        "n": len(wall),
        "threads": 1,
        "spread": round((max(wall) - min(wall)) / (2.0 * median), 4),
        "cpu_value": round(statistics.median(cpu), 1),
        "cpu_spread": round((max(cpu) - min(cpu)) / (2.0 * statistics.median(cpu)), 4),
        **{fact: round(value, 1) for fact, value in timing.facts.items()},
    }


def ratio_record(name: str, cells: int, ours: Timing, theirs: Timing) -> dict[str, Any]:
    """How many times as fast the twin is; low and high: of its slowest and fastest run to theirs, by CPU time."""
    wall, cpu = (statistics.median(ours.per_s(cpu=c)) / statistics.median(theirs.per_s(cpu=c)) for c in (False, True))
    low = min(ours.per_s(cpu=True)) / max(theirs.per_s(cpu=True))
    high = max(ours.per_s(cpu=True)) / min(theirs.per_s(cpu=True))
    return {
        "name": f"ratio/{name}/cells-{cells}",
        "value": significant(wall),
        "unit": "1",
        "reference": round(statistics.median(theirs.per_s()), 1),
        "n": min(len(ours.wall_s), len(theirs.wall_s)),
        "threads": 1,
        "cpu_value": significant(cpu),
        "cpu_low": significant(low),
        "cpu_high": significant(high),
    }


def significant(value: float) -> float:
    return float(f"{value:.4g}")


def show(speed: dict[str, Any], ratio: dict[str, Any] | None = None) -> dict[str, Any]:
    """Print a line of the table."""
    name = speed["name"].split("/", 1)[1]
    if speed["value"] is None:
        print(f"{name:34}{speed['reason']}")
        return speed
    line = f"{name:34}{speed['value']:>10,.0f}{speed['spread']:>8.0%}{speed['cpu_value']:>10,.0f}"
    print(line + (f"{ratio['value']:>9.4g}{ratio['cpu_value']:>9.4g}" if ratio else ""), flush=True)
    return speed


if __name__ == "__main__":
    main()
