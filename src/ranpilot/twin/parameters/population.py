"""Who comes, moves and goes, as kernels see it."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranpilot.twin import state
from ranpilot.twin.description.layout import Hexagonal
from ranpilot.twin.description.users import Arrivals, Indoor, Mobility, Static, Trace
from ranpilot.twin.layout.hexagons import hexagon_corners_m
from ranpilot.twin.parameters.grid import TICK_S
from ranpilot.twin.scenario import Scenario

__all__ = [
    "DEADLINE_SLOTS",
    "HIGH_LOSS_SHARE",
    "INDOOR_SHARE",
    "MAX_DEPTH_M",
    "MAX_FLOORS",
    "MIN_FLOORS",
    "SHARE_BELOW",
    "STANDING",
    "STRAIGHT_LINES",
    "TRACES",
    "WAYPOINTS",
    "PopulationRules",
    "UserWays",
    "cell_capacity",
    "make_population",
]

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]
Int32Array = NDArray[np.int32]
Int64Array = NDArray[np.int64]

STANDING, STRAIGHT_LINES, WAYPOINTS, TRACES = 0, 1, 2, 3

# Entries of PopulationRules.indoor.
INDOOR_SHARE, HIGH_LOSS_SHARE, MIN_FLOORS, MAX_FLOORS, MAX_DEPTH_M = 0, 1, 2, 3, 4

# Columns of PopulationRules.kind: cumulative share, deadline in slots.
SHARE_BELOW, DEADLINE_SLOTS = 0, 1


class UserWays(NamedTuple):
    """The ways of users that move along traces; N = 0 where they do not."""

    first: Int64Array
    """[N + 1] where the points of each begin"""
    point: FloatArray
    """[P, 3] seconds, metres east, metres north"""
    fading_mps: FloatArray
    """[N] speed at which the channel of each fades"""


class PopulationRules(NamedTuple):
    """Who comes, moves and goes."""

    is_static: int
    ues_per_cell: int
    arrivals_per_tick: float
    departure_probability: float
    """of one user in one tick"""
    initial_mean: float
    """users a cell at the reset where the load's random factor is 1"""
    mobility: int
    min_speed_mps: float
    max_speed_mps: float
    area_m: tuple[float, float, float, float]
    """left, bottom, right, top"""
    is_uniform: int
    """1 where users are placed without regard to cells and begin in the strongest one"""
    min_distance_m: float
    """along the ground from a new user to any site"""
    corner_m: FloatArray
    """[3, 2] every other corner of a site's hexagon; [0, 2] where users are in a rectangle"""
    indoor: FloatArray
    """[5] INDOOR_SHARE, HIGH_LOSS_SHARE, MIN_FLOORS, MAX_FLOORS, MAX_DEPTH_M; [0] where nobody is in a building"""
    capacity: Int32Array
    """[C]"""
    kind: FloatArray
    """[kind, 2] of the traffic mix"""
    ways: UserWays


def make_population(scenario: Scenario) -> PopulationRules:
    """The rules by which a scenario's users come, move and go."""
    population, mobility = scenario.users.population, scenario.users.mobility
    mix, layout = scenario.traffic.mix, scenario.layout
    deadlines = [
        state.NEVER if entry.deadline_ms is None else max(1, round(entry.deadline_ms * 1e-3 / scenario.slot_s))
        for entry in mix
    ]
    arriving = isinstance(population, Arrivals)
    arrivals_per_s = population.arrivals_per_s if isinstance(population, Arrivals) else 0.0
    holding_s = population.mean_holding_s if isinstance(population, Arrivals) else math.inf
    initial = population.initial_load * arrivals_per_s * holding_s if isinstance(population, Arrivals) else 0.0
    share_below = np.cumsum([entry.share for entry in mix])
    share_below[-1] = 1.0
    return PopulationRules(
        is_static=int(not arriving),
        ues_per_cell=population.ues_per_cell if isinstance(population, Static) else 0,
        arrivals_per_tick=arrivals_per_s * TICK_S,
        departure_probability=-math.expm1(-TICK_S / holding_s),
        initial_mean=initial,
        mobility=_mobility(mobility),
        min_speed_mps=0.0 if isinstance(mobility, Trace) else mobility.min_speed_kmh / 3.6,
        max_speed_mps=0.0 if isinstance(mobility, Trace) else mobility.max_speed_kmh / 3.6,
        area_m=layout.area_m,
        is_uniform=int(layout.placement == "uniform" or isinstance(mobility, Trace)),
        min_distance_m=layout.distance_floor_m,
        corner_m=hexagon_corners_m(layout.isd_m) if isinstance(layout, Hexagonal) else np.zeros((0, 2)),
        indoor=_indoor(scenario.users.indoor),
        capacity=cell_capacity(scenario),
        kind=np.stack([share_below, np.array(deadlines, dtype=np.float64)], axis=1),
        ways=_ways(mobility),
    )


def cell_capacity(scenario: Scenario) -> Int32Array:
    """[C] places of each cell."""
    return np.array([cell.capacity or scenario.num_places for cell in scenario.cells], dtype=np.int32)


def _mobility(mobility: Mobility | Trace) -> int:
    if isinstance(mobility, Trace):
        return TRACES
    if mobility.max_speed_kmh == 0.0:
        return STANDING
    return {"static": STANDING, "lines": STRAIGHT_LINES, "waypoint": WAYPOINTS}[mobility.kind]


def _ways(mobility: Mobility | Trace) -> UserWays:
    if not isinstance(mobility, Trace):
        return UserWays(np.zeros(1, np.int64), np.zeros((0, 3)), np.zeros(0))
    traces = mobility.read()
    fading_mps = np.maximum(traces.mean_speed_mps, mobility.min_speed_kmh / 3.6)
    return UserWays(traces.first.copy(), traces.point.copy(), fading_mps)


def _indoor(indoor: Indoor | None) -> FloatArray:
    if indoor is None:
        return np.zeros(0)
    return np.array(
        [indoor.share, indoor.high_loss_share, indoor.min_floors, indoor.max_floors, indoor.max_depth_m], np.float64
    )
