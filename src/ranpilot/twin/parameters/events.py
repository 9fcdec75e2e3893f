"""When events come and what they do, as kernels see it."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranpilot.twin import state
from ranpilot.twin.events import EventKind, Events
from ranpilot.twin.parameters.grid import TICK_S
from ranpilot.twin.parameters.population import cell_capacity
from ranpilot.twin.scenario import Scenario

__all__ = [
    "ARRIVALS_TIMES",
    "BACKHAUL_RATE",
    "BACKHAUL_ROOM",
    "BACKHAUL_TIME",
    "DEPARTURES_TIMES",
    "IS_OFF_AIR",
    "TOLD_SHARE",
    "TRAFFIC_TIMES",
    "WEIGHT_BELOW",
    "EventRules",
    "make_events",
]

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]
Int32Array = NDArray[np.int32]
Int64Array = NDArray[np.int64]


# Columns of EventRules.kind.
WEIGHT_BELOW, ARRIVALS_TIMES, DEPARTURES_TIMES, TOLD_SHARE, TRAFFIC_TIMES = 0, 1, 2, 3, 4
BACKHAUL_RATE, BACKHAUL_TIME, BACKHAUL_ROOM, IS_OFF_AIR = 5, 6, 7, 8


class EventRules(NamedTuple):
    """When events come and what they do; times in RRC periods."""

    share: float
    """Probability that a window has an event."""
    first_tick: int
    window_ticks: int
    lead_ticks: tuple[int, int]
    """least and greatest"""
    duration_ticks: tuple[int, int]
    """least and greatest"""
    kind: FloatArray
    """[kind, 9] cumulative weight; factor of arrivals, of departures; share that is announced; factor of traffic;
    backhaul: bits a slot, slots on the way, bits on the way at most (infinite = no limit);
    whether the cell is off the air"""
    places: Int32Array
    """[kind, C] connected users at most, NEVER = no limit"""
    power_dbm: FloatArray
    """[kind, C] radiated at most, infinite = no limit"""
    schedule: Int64Array
    """[scheduled, 5] kind, cell, slots: announced (NEVER = nobody is told), start, stop"""
    most_traffic: float
    """factor of traffic at most, where events overlap"""
    limits_backhaul: int
    """1 where a kind does"""


def make_events(scenario: Scenario) -> EventRules:
    """The rules of a scenario's events; without any, tables without rows."""
    events, num_cells = scenario.events, scenario.num_cells
    if events is None:
        none, nothing = np.zeros((0, num_cells)), np.zeros((0, 5), np.int64)
        return EventRules(0.0, 0, 1, (0, 0), (0, 0), np.zeros((0, 9)), none.astype(np.int32), none, nothing, 1.0, 0)
    share = np.array([kind.places_share for kind in events.kinds])[:, None]
    places = np.where(share < 1.0, np.floor(share * cell_capacity(scenario) + 1e-9), state.NEVER)
    least_dbm = np.array([cell.power_range_dbm[0] for cell in scenario.cells])
    cut_db = np.array([-math.inf if kind.power_cut_db is None else kind.power_cut_db for kind in events.kinds])
    return EventRules(
        share=events.share or 0.0,
        first_tick=round(events.first_s / TICK_S),
        window_ticks=round((events.every_s or TICK_S) / TICK_S),
        lead_ticks=_ticks(events.lead_s),
        duration_ticks=_ticks(events.duration_s),
        kind=_kinds(events.kinds, scenario.slot_s),
        places=places.astype(np.int32),
        power_dbm=least_dbm - cut_db[:, None],
        schedule=_schedule(scenario, events),
        most_traffic=max(1.0, *(kind.traffic_factor for kind in events.kinds)),
        limits_backhaul=int(any(kind.limits_backhaul for kind in events.kinds)),
    )


def _kinds(kinds: tuple[EventKind, ...], slot_s: float) -> FloatArray:
    weight_below = np.cumsum([kind.weight for kind in kinds])
    # Exactly 1 from the last kind that can be drawn on, whatever rounding left.
    weight_below = np.where(weight_below == weight_below[-1], 1.0, weight_below / max(weight_below[-1], 1e-300))
    rows = [
        (
            kind.arrival_factor,
            kind.departure_factor,
            kind.announced_share,
            kind.traffic_factor,
            math.inf if kind.backhaul_mbps is None else kind.backhaul_mbps * 1e6 * slot_s,
            round(kind.backhaul_delay_ms * 1e-3 / slot_s),
            math.inf if kind.backhaul_buffer_mbit is None else kind.backhaul_buffer_mbit * 1e6,
            float(kind.off_air),
        )
        for kind in kinds
    ]
    return np.column_stack([weight_below, np.array(rows)])


def _schedule(scenario: Scenario, events: Events) -> Int64Array:
    kinds = [kind.name for kind in events.kinds]
    cells = [cell.name for cell in scenario.cells]
    slots = round(TICK_S / scenario.slot_s)
    rows = []
    for event in events.schedule:
        start, length = round(event.start_s / TICK_S), round(event.duration_s / TICK_S)
        announced = state.NEVER if event.announced_s is None else round(event.announced_s / TICK_S) * slots
        times = (announced, start * slots, (start + length) * slots)
        rows.append((kinds.index(event.kind), cells.index(event.cell), *times))
    return np.array(rows, np.int64).reshape(-1, 5)


def _ticks(range_s: tuple[float, float]) -> tuple[int, int]:
    return round(range_s[0] / TICK_S), round(range_s[1] / TICK_S)
