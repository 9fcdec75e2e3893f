"""Handover and radio link failure against closed forms and against what the timers say of hand-made series.

- The L3 filter's answer to a step, against a = 1 / 2^(k/4) at one sample in 200 ms.
- The slot in which a hand-made series of SINR ends in a radio link failure, counted off by hand in `RLF_SERIES`.
- Handovers without offset, hysteresis and delay are crossings of the border. Users who are spread evenly and move in
  all directions alike leave a cell of perimeter L in an area A at the rate v L / (pi A): the fluid-flow model (Thomas,
  Gilbert, Mazziotto, "Influence of the movement of the mobile station on the performance of a radio cellular network",
  Proc. 3rd Nordic Seminar on Digital Land Mobile Radio, 1988).
- Where handovers take place under a cell individual offset, against the path loss of TR 38.901 alone.
- With fading and shadowing on, rates of handovers fall with time to trigger and with hysteresis and rise with speed.
The event-by-event reference of all of RRC is in `tests/reference/handover_reference.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranpilot.twin import state as s
from ranpilot.twin.controls import TX_POWER_DBM
from ranpilot.twin.network import Networks
from ranpilot.twin.parameters import make_parameters
from ranpilot.twin.rrc.failure import watch_link
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.validate.line import Effort, Line, compared, reported, within

__all__ = ["lines"]

SEED = 5
SIDE_M = 400.0
"""Of the square in which users move."""

FILTER_SOURCE = "TS 38.331 §5.5.3.2"
FAILURE_SOURCE = "TS 38.331 §5.3.10"
FLOW_SOURCE = "fluid flow, v L / (pi A) over the cells' inner perimeters"
OFFSET_SOURCE = "TS 38.331 §5.5.4.4 with TR 38.901 Table 7.4.1-1 (UMa NLOS)"
ORDER_SOURCE = "upper end of the 95 % interval of the change"

RLF_RULES = {"qout_db": -8.0, "qin_db": -6.0, "n310": 3, "t310_ms": 100.0, "n311": 2}

RLF_SERIES = {
    # One sample each 10 ms, the first one known at 10 ms. T310 starts with the third sample below -8 dB.
    "out-of-sync": ([-10.0] * 60, 30 + 100),
    # One sample from -6 dB on breaks the row: 2 out, 1 in, then the third of the new row comes at 60 ms.
    "row-broken": ([-10.0] * 2 + [-5.0] + [-10.0] * 60, 60 + 100),
    # Between the thresholds there is no indication: 2 out, 4 without, the third out comes at 70 ms.
    "no-indication": ([-10.0] * 2 + [-7.0] * 4 + [-10.0] * 60, 70 + 100),
    # T310 started at 30 ms, stops with the second in-sync at 60 ms; a new row of 3 is complete at 90 ms.
    "recovered": ([-10.0] * 4 + [-5.0] * 2 + [-10.0] * 60, 90 + 100),
    # In-sync indications that are not in a row do not stop it.
    "not-recovered": ([-10.0] * 3 + [-5.0, -10.0] * 10, 30 + 100),
    # T310 started at 30 ms; stops with the sample at its very end, 130 ms, which is the second in-sync one.
    "saved-at-the-end": ([-10.0] * 11 + [-5.0] * 20, None),
}
"""SINR in dB and when the link fails, in ms; None = it does not."""


def lines(effort: Effort) -> Iterator[Line]:
    """Filter and timers exactly, rates over seeds."""
    yield from _filter_lines()
    yield from _failure_lines()
    yield from _flow_lines(effort)
    yield from _offset_lines(effort)
    yield from _order_lines(effort)


def _filter_lines() -> Iterator[Line]:
    for coefficient in (4, 8):
        networks = Networks(_square({"rsrp_filter_coefficient": coefficient}, 0.0, ues_per_cell=1), 1, SEED)
        networks.advance(10)
        before_dbm = networks.ues.rsrp_l3_dbm
        networks.apply({TX_POWER_DBM: np.full((1, 4), 40.0)})
        networks.advance(400)
        step_db = float((networks.ues.rsrp_l3_dbm - before_dbm).mean())
        expected_db = 10.0 * (1.0 - (1.0 - 2.0 ** (-coefficient / 4)) ** 2)
        name = f"handover/filter/k{coefficient}/step-10dB/400ms"
        yield compared(name, step_db, expected_db, 1e-6, "dB", FILTER_SOURCE)


def _failure_lines() -> Iterator[Line]:
    for name, (series_db, expected_ms) in RLF_SERIES.items():
        failed_ms = failure_ms(series_db)
        if expected_ms is None:
            yield compared(f"handover/rlf/{name}", float(failed_ms is not None), 0.0, 0.0, "failures", FAILURE_SOURCE)
        else:
            value_ms = math.nan if failed_ms is None else failed_ms
            yield compared(f"handover/rlf/{name}", value_ms, float(expected_ms), 0.0, "ms", FAILURE_SOURCE)


def failure_ms(series_db: list[float]) -> float | None:
    """When the link of a user fails that measures this series of its serving cell; None where it does not."""
    scenario = _square({"link_failure": RLF_RULES}, 0.0, ues_per_cell=1)
    parameters = make_parameters(scenario)
    net = s.Network(*(array[0] for array in s.allocate(scenario, 1)))
    net.ue[0, s.SERVING_CELL] = 0
    watch = getattr(watch_link, "py_func", watch_link)
    for tick, sinr_db in enumerate(series_db):
        first_slot = (tick + 1) * parameters.grid.tick_slots
        net.sinr_l3_db[0, 0] = sinr_db
        if watch(net, parameters, 0, first_slot):
            return first_slot * scenario.slot_s * 1e3
    return None


def _flow_lines(effort: Effort) -> Iterator[Line]:
    """Four equal square cells, each with two inner borders of half a side: 4 sides together."""
    num, seconds = (32, 6) if effort == "quick" else (64, 20)
    for speed_kmh in (30.0, 120.0):
        networks = Networks(_square(AT_THE_BORDER, speed_kmh), num, SEED)
        rate = _rates(networks, seconds)
        expected = 60.0 * speed_kmh / 3.6 * 4.0 / (math.pi * SIDE_M)
        error = rate.std(ddof=1) / math.sqrt(num)
        name = f"handover/fluid-flow/{speed_kmh:g}km/h"
        count = round(rate.sum() * networks.scenario.num_places * seconds / 60.0)
        yield compared(name, rate.mean(), expected, 4.0 * error, "1/(UE min)", FLOW_SOURCE, n=count, seed=SEED)


def _offset_lines(effort: Effort) -> Iterator[Line]:
    """Difference of path loss between the cells that a user leaves and enters, at its handovers."""
    num = 8 if effort == "quick" else 32
    for offset_db in (-3.0, 0.0, 3.0):
        rrc = {**AT_THE_BORDER, "handover": {**AT_THE_BORDER["handover"], "cell_individual_offset_db": [0, offset_db]}}
        into, out = _losses_at_handovers(Networks(_pair(rrc), num, SEED), 6)
        for way, found_db, expected_db in (("into", into, offset_db), ("out-of", out, -offset_db)):
            name = f"handover/individual-offset/{offset_db:g}dB/{way}"
            value = float(found_db.mean())
            # A gain is as old as up to 1 m of way, which is 0.1 to 0.2 dB here.
            yield compared(name, value, expected_db, 0.3, "dB", OFFSET_SOURCE, n=len(found_db), seed=SEED)


def _losses_at_handovers(networks: Networks, seconds: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Loss to the entered less loss to the left cell, of handovers into the second cell and out of it."""
    into, out = [], []
    # Users are placed in the strongest cell, offsets apart: let those change who are beyond the border at once.
    networks.advance(1000)
    serving = networks.ues.serving_cell
    sites = networks.scenario.layout.sites
    for _ in range(100 * seconds):
        networks.advance(10)
        ues = networks.ues
        height_m = sites[0].height_m - networks.scenario.users.height_m
        far_m = [np.sqrt((ues.x_m - site.x_m) ** 2 + (ues.y_m - site.y_m) ** 2 + height_m**2) for site in sites]
        excess_db = 39.08 * np.log10(far_m[1] / far_m[0])
        into += excess_db[(serving == 0) & (ues.serving_cell == 1)].tolist()
        out += (-excess_db[(serving == 1) & (ues.serving_cell == 0)]).tolist()
        serving = ues.serving_cell
    return np.array(into), np.array(out)


def _order_lines(effort: Effort) -> Iterator[Line]:
    num, seconds = (40, 8) if effort == "quick" else (96, 20)
    grids: dict[str, tuple[str, float, list[tuple[float, float, float]]]] = {
        # Time to trigger in ms, hysteresis in dB, speed in km/h of each step.
        "time-to-trigger": ("ms", -1.0, [(ms, 1.0, 30.0) for ms in (0.0, 80.0, 160.0, 480.0)]),
        "hysteresis": ("dB", -1.0, [(40.0, db, 30.0) for db in (0.0, 1.0, 2.0, 4.0)]),
        "speed": ("km/h", 1.0, [(160.0, 1.0, kmh) for kmh in (3.0, 30.0, 60.0, 120.0)]),
    }
    column = {"time-to-trigger": 0, "hysteresis": 1, "speed": 2}
    for subject, (unit, sign, steps) in grids.items():
        last: NDArray[np.float64] | None = None
        for step in steps if effort == "full" else steps[:1] + steps[2:]:
            rate = _rates(Networks(_busy(*step), num, SEED), seconds)
            name = f"handover/{subject}/{step[column[subject]]:g}{unit}"
            yield reported(f"{name}/rate", rate.mean(), "1/(UE min)", "mean over networks", n=num, seed=SEED)
            if last is not None:
                change = sign * (rate - last)
                low = change.mean() - 1.96 * change.std(ddof=1) / math.sqrt(num)
                yield within(f"{name}/change", -low, None, 0.0, "1/(UE min)", ORDER_SOURCE, n=num, seed=SEED)
            last = rate


def _rates(networks: Networks, seconds: int) -> NDArray[np.float64]:
    """Handovers a user and minute in each network, after a second of settling."""
    second = round(1.0 / networks.scenario.slot_s)
    networks.advance(second)
    before = networks.counters().cell[..., s.CELL_HANDOVERS_OUT].sum(axis=1)
    networks.advance(seconds * second)
    count = networks.counters().cell[..., s.CELL_HANDOVERS_OUT].sum(axis=1) - before
    rates: NDArray[np.float64] = count * 60.0 / (networks.scenario.num_places * seconds)
    return rates


AT_THE_BORDER: dict[str, Any] = {
    "rsrp_filter_coefficient": 0,
    "handover": {
        "event": "a3", "offset_db": 0.0, "hysteresis_db": 0.0, "time_to_trigger_ms": 0.0, "preparation_ms": 0.0,
        "interruption_ms": 0.0, "t304_ms": None,
    },
    "link_failure": {"qout_db": -30.0},
}  # fmt: skip
"""A user is handed over in the RRC period in which another cell becomes the strongest."""


def _scenario(sites: list[tuple[float, float]], area_m: list[float], **parts: Any) -> Scenario:
    described = [
        {"name": f"cell {cell}", "x_m": x_m, "y_m": y_m, "height_m": 25.0, "propagation": "UMa", "power_dbm": 30.0,
         "min_power_dbm": 0.0, "max_power_dbm": 46.0}
        for cell, (x_m, y_m) in enumerate(sites)
    ]  # fmt: skip
    return Scenario.model_validate(
        {
            "name": "handover",
            "carrier": {"frequency_ghz": 2.0, "num_prbs": 24, "prbs_per_group": 12},
            "layout": {"area_m": area_m, "sites": described},
            "traffic": {"mix": [{"kind": "poisson", "mean_rate_bps": 2e3, "packet_bits": 1000}], "buffer_packets": 8},
            **parts,
        }
    )


def _users(ues_per_cell: int, speed_kmh: float) -> dict[str, Any]:
    mobility = {"kind": "lines" if speed_kmh else "static", "min_speed_kmh": speed_kmh, "max_speed_kmh": speed_kmh}
    return {"population": {"kind": "static", "ues_per_cell": ues_per_cell}, "mobility": mobility}


QUIET = {"shadowing": False, "line_of_sight": "never", "fading": False}


def _square(rrc: dict[str, Any], speed_kmh: float, ues_per_cell: int = 10) -> Scenario:
    """Four cells in the middle of the quarters of a square, nothing random but where users are."""
    near, far = SIDE_M / 4, 3 * SIDE_M / 4
    sites = [(x_m, y_m) for x_m in (near, far) for y_m in (near, far)]
    users = _users(ues_per_cell, speed_kmh)
    return _scenario(sites, [0.0, 0.0, SIDE_M, SIDE_M], users=users, radio=QUIET, rrc=rrc)


def _pair(rrc: dict[str, Any]) -> Scenario:
    """Two cells 400 m apart and users between them."""
    users = _users(10, 60.0)
    return _scenario([(0.0, 0.0), (400.0, 0.0)], [130.0, -40.0, 270.0, 40.0], users=users, radio=QUIET, rrc=rrc)


def _busy(time_to_trigger_ms: float, hysteresis_db: float, speed_kmh: float) -> Scenario:
    """Four small cells with fading and shadowing."""
    handover = {
        "event": "a3", "offset_db": 0.0, "hysteresis_db": hysteresis_db, "time_to_trigger_ms": time_to_trigger_ms,
    }  # fmt: skip
    near, far = SIDE_M / 4, 3 * SIDE_M / 4
    sites = [(x_m, y_m) for x_m in (near, far) for y_m in (near, far)]
    radio = {"line_of_sight": "never"}
    users = _users(10, speed_kmh)
    return _scenario(sites, [0.0, 0.0, SIDE_M, SIDE_M], users=users, radio=radio, rrc={"handover": handover})
