"""Watts and joules of a cell at known load and in known sleep, against Tables 5.1-3 to 5.1-5 of TR 38.864 by hand.

A cell that draws 1000 W at full load and power, one user beside it, slots of 1 ms. P3 is micro sleep, P4 full load, A =
0.4 the load-independent share. Category 1, set 1 (FR1, 64 chains): P3 = 55, P4 = 280. Category 1, set 2: deep sleep 1,
light sleep 25, P3 = 50, P4 = 200, transitions 90 (6 ms) and 1000 ms. Category 2, set 2: 1, 2.1, 5, 26, 1088 and 17000.
- A transmission on all PRBs in each tenth slot: (55 + 0.1 x 225) / 280 kW; on half of the PRBs 0.4 + 0.6 x 0.5 of what
  is added; at 3 dB less power 0.4 + 0.6 x 10^-0.3 of it.
- Half a second of sleep: the sleep's power and its transition once.
- Each 100 ms 50 ms of light sleep: it takes 6 ms and the rest of an RRC period of 10 ms to wake, so that 60 slots are
  asleep and 40 empty: (60 x 25 + 90 + 40 x 50) / 200 J. Micro sleep wakes at once: where it may not sleep by itself an
  empty slot draws P3 + 0.4 (P4 - P3) = 110, so that it is (50 x 50 + 50 x 110) / 200 J.
- A packet each 100 ms to a cell that goes into light sleep after 20 empty slots: 1 slot sends, 20 are empty, 79 asleep
  (6 of them waking): (200 + 20 x 50 + 79 x 25 + 90) / 200 J.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ranpilot.twin import kpm
from ranpilot.twin.controls import CELL_SLEEP, TX_POWER_DBM
from ranpilot.twin.network import Networks
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.validate.line import Effort, Line, compared

__all__ = ["lines"]

SEED = 3
ACTIVE_W = 1000.0
POWER_DBM = 40.0
TABLE = "TR 38.864 Table 5.1-3"
TRANSITIONS = "TR 38.864 Tables 5.1-3 to 5.1-5"
TOLERANCE = 1e-5
"""Of the reference: the radiated power is counted in whole parts of 2^-20."""

MICRO_AND_ACTIVE = {(1, 1): (55, 280), (1, 2): (50, 200), (1, 3): (38, 152)} | {
    (2, 1): (5.5, 32), (2, 2): (5, 26), (2, 3): (3, 17.6),
}  # fmt: skip
"""P3 and P4 by category and reference configuration."""
SLEEPS: dict[tuple[int, str, int], float] = {
    (1, "micro", 1): 0.5 * 50 / 200,
    (1, "light", 2): (0.5 * 25 + 0.090) / 200,
    (1, "deep", 3): (0.5 * 1 + 1.000) / 200,
    (2, "micro", 1): 0.5 * 5 / 26,
    (2, "light", 2): (0.5 * 2.1 + 1.088) / 26,
    (2, "deep", 3): (0.5 * 1 + 17.000) / 26,
}
"""Energy of half a second by category, name and level of CELL_SLEEP, in joules for each watt at full load."""

FULL = {"kind": "full-buffer", "packet_bits": 1_000_000}
SILENT = {"kind": "poisson", "mean_rate_bps": 0.0}


def lines(effort: Effort) -> Iterator[Line]:
    """Power without and with load, half a second of each sleep, cells that sleep and wake; alike for any effort."""
    for (category, reference_set), (micro, active) in MICRO_AND_ACTIVE.items():
        which = f"category-{category}/set-{reference_set}"
        energy = {"category": category, "reference_set": reference_set}
        yield _watts(f"energy/idle/{which}", _run(SILENT, energy), ACTIVE_W * micro / active, TABLE)
        yield _watts(f"energy/full-load/{which}", _run(FULL, energy), ACTIVE_W, TABLE)
    yield from _loads()
    yield from _sleeps()
    yield from _patterns()


def _loads() -> Iterator[Line]:
    """One slot of ten transmits."""
    source = "TR 38.864 §5.1, Table 5.1-3"
    one_set = {"reference_set": 1}
    for name, bits, groups, power_dbm, share in (
        ("all-prbs", 2000, 1, POWER_DBM, 1.0),
        ("half-of-the-prbs", 500, 2, POWER_DBM, 0.4 + 0.6 * 0.5),
        ("less-power", 2000, 1, POWER_DBM - 3.0, 0.4 + 0.6 * 10**-0.3),
    ):
        packets = {"kind": "periodic", "period_s": 0.01, "packet_bits": bits}
        networks = _run(packets, one_set, num_groups=groups, power_dbm=power_dbm)
        expected = ACTIVE_W * (55 + 0.1 * 225 * share) / 280
        yield _watts(f"energy/a-tenth-of-the-time/{name}", networks, expected, source)


def _sleeps() -> Iterator[Line]:
    for (category, name, level), joules in SLEEPS.items():
        networks = Networks(_scenario(SILENT, {"category": category}, 1), 1, SEED)
        networks.apply({CELL_SLEEP: [[level]]})
        networks.advance(500)
        path = f"energy/{name}-sleep/category-{category}/joules-of-500ms"
        yield _joules(path, networks, ACTIVE_W * joules, TRANSITIONS, n=500)


def _patterns() -> Iterator[Line]:
    """Ten times 100 ms: half of it told to sleep, and asleep by itself between packets."""
    for name, level, energy, units in (
        ("light-sleep-half-of-the-time", 2, {}, 60 * 25 + 90 + 40 * 50),
        ("micro-sleep-half-of-the-time", 1, {"automatic_sleep": "none"}, 50 * 50 + 50 * 110),
    ):
        networks = Networks(_scenario(SILENT, energy, 1), 1, SEED)
        for _ in range(10):
            for told in (level, 0):
                networks.apply({CELL_SLEEP: [[told]]})
                networks.advance(50)
        yield _joules(f"energy/{name}/joules-of-1s", networks, 10 * ACTIVE_W * units * 1e-3 / 200, TRANSITIONS, n=1000)
    packets = {"kind": "periodic", "period_s": 0.1, "packet_bits": 2000}
    networks = _run(packets, {"automatic_sleep": "light", "doze_after_ms": 20.0}, warm_slots=1000, slots=1000)
    units = 200 + 20 * 50 + 79 * 25 + 90
    yield _joules("energy/doze/joules-of-1s", networks, 10 * ACTIVE_W * units * 1e-3 / 200, TRANSITIONS, n=1000)


def _watts(name: str, networks: Networks, expected_w: float, source: str) -> Line:
    found = float(networks.measure()[kpm.MEAN_POWER.name].mean())
    return compared(name, found, expected_w, TOLERANCE * expected_w, "W", source, n=1000, seed=SEED)


def _joules(name: str, networks: Networks, expected_j: float, source: str, *, n: int) -> Line:
    found = float(networks.measure()[kpm.ENERGY.name].sum()) * 3.6e6
    return compared(name, found, expected_j, TOLERANCE * expected_j, "J", source, n=n, seed=SEED)


def _run(
    traffic: dict[str, Any], energy: dict[str, Any], *, num_groups: int = 1, power_dbm: float = POWER_DBM,
    warm_slots: int = 200, slots: int = 1000,
) -> Networks:  # fmt: skip
    """A cell that has run so long since its last measurement."""
    networks = Networks(_scenario(traffic, energy, num_groups), 1, SEED)
    networks.apply({TX_POWER_DBM: [[power_dbm]]})
    networks.advance(warm_slots)
    networks.measure()
    networks.advance(slots)
    return networks


def _scenario(traffic: dict[str, Any], energy: dict[str, Any], num_groups: int) -> Scenario:
    site = {"name": "a", "x_m": 0, "y_m": 0, "height_m": 25, "propagation": "UMa", "power_dbm": POWER_DBM}
    return Scenario.model_validate(
        {
            "name": "cell",
            "carrier": {"frequency_ghz": 2.0, "num_prbs": 16, "prbs_per_group": 16 // num_groups},
            "layout": {"sites": [{**site, "min_power_dbm": 20}], "area_m": [-50, -50, 50, 50]},
            "users": {"population": {"kind": "static", "ues_per_cell": 1}, "mobility": {"kind": "static"}},
            "traffic": {"mix": [traffic]},
            "radio": {"shadowing": False, "line_of_sight": "always", "fading": False},
            "link": {"fixed_mcs": 10},
            "energy": {"active_power_w": ACTIVE_W, **energy},
        }
    )
