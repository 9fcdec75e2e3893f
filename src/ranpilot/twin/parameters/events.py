"""When events come and what they do, as kernels see it."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranpilot.twin import state
from ranpilot.twin.parameters.grid import TICK_S
from ranpilot.twin.parameters.population import cell_capacity
from ranpilot.twin.scenario import Scenario

__all__ = ["ARRIVALS_TIMES", "DEPARTURES_TIMES", "TOLD_SHARE", "WEIGHT_BELOW", "EventRules", "make_events"]

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]
Int32Array = NDArray[np.int32]


# Columns of EventRules.kind.
WEIGHT_BELOW, ARRIVALS_TIMES, DEPARTURES_TIMES, TOLD_SHARE = 0, 1, 2, 3


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
    """[kind, 4] cumulative weight, factor of arrivals, factor of departures, share that is announced"""
    places: Int32Array
    """[kind, C] connected users at most, NEVER = no limit"""
    power_dbm: FloatArray
    """[kind, C] radiated at most, infinite = no limit"""


def make_events(scenario: Scenario) -> EventRules:
    """The rules of a scenario's events; without any, tables without rows."""
    events, num_cells = scenario.events, scenario.num_cells
    if events is None:
        none = np.zeros((0, num_cells))
        return EventRules(0.0, 0, 1, (0, 0), (0, 0), np.zeros((0, 4)), none.astype(np.int32), none)
    weight_below = np.cumsum([kind.weight for kind in events.kinds])
    # Exactly 1 from the last kind that can be drawn on, whatever rounding left.
    weight_below = np.where(weight_below == weight_below[-1], 1.0, weight_below / weight_below[-1])
    factors = [(kind.arrival_factor, kind.departure_factor, kind.announced_share) for kind in events.kinds]
    share = np.array([kind.places_share for kind in events.kinds])[:, None]
    places = np.where(share < 1.0, np.floor(share * cell_capacity(scenario) + 1e-9), state.NEVER)
    least_dbm = np.array([cell.power_range_dbm[0] for cell in scenario.cells])
    cut_db = np.array([-math.inf if kind.power_cut_db is None else kind.power_cut_db for kind in events.kinds])
    return EventRules(
        share=events.share,
        first_tick=round(events.first_s / TICK_S),
        window_ticks=round(events.every_s / TICK_S),
        lead_ticks=_ticks(events.lead_s),
        duration_ticks=_ticks(events.duration_s),
        kind=np.column_stack([weight_below, np.array(factors)]),
        places=places.astype(np.int32),
        power_dbm=least_dbm - cut_db[:, None],
    )


def _ticks(range_s: tuple[float, float]) -> tuple[int, int]:
    return round(range_s[0] / TICK_S), round(range_s[1] / TICK_S)
