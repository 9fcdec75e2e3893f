"""Where new users are: in which building, and at which point of the area.

Points are uniform over the rectangle, or over the hexagons of the sites (each of three rhombi, so that two uniform
numbers give a point without rejection); then either the point is drawn anew until the user's own cell is the strongest
there, or would be with all cells on the air, or the user begins in the strongest cell wherever it is. Where the own
cell is off the air, the user begins in the strongest that is on it. Along a trace, the time says where.
"""

from __future__ import annotations

import math

from ranpilot.kernels import inner_kernel, shared_kernel
from ranpilot.twin import state as s
from ranpilot.twin.map import fill_gains, wrap_place
from ranpilot.twin.parameters import (
    HIGH_LOSS_SHARE,
    INDOOR_SHARE,
    MAX_DEPTH_M,
    MAX_FLOORS,
    MIN_FLOORS,
    SITE_X_M,
    SITE_Y_M,
    TRACES,
    Parameters,
)
from ranpilot.twin.radio.penetration import indoor_loss_db
from ranpilot.twin.rng import (
    STREAM_BUILDING,
    STREAM_DEPTH,
    STREAM_PLACEMENT,
    STREAM_USER_KEY,
    draw_uniform4,
    philox4x32,
)
from ranpilot.twin.rrc.traces import trace_place

__all__ = ["ANY_SITE", "BEFORE_START", "draw_place", "draw_point"]

BEFORE_START = 0xFFFFFFFF
"""The slot under which the start of an episode is drawn; no running slot has it."""

PLACEMENT_TRIES = 256
"""Points that are drawn for one user; where no point is the cell's own, the one where it comes closest is taken."""

ANY_SITE = -1


@shared_kernel
def draw_place(net: s.Network, parameters: Parameters, ue: int, cell: int, serial: int, slot: int) -> int:
    """Write where a new user of `cell` is into the empty place `ue`, and return the cell in which it begins.

    serial: tells apart users that are placed in the same cell and slot.
    """
    num_cells = len(net.cell)
    _draw_building(net, parameters, ue, serial * num_cells + cell, slot)
    if parameters.population.mobility == TRACES:
        time_s = 0.0 if slot == BEFORE_START else (slot + 1) * parameters.grid.slot_s
        trace_x_m, trace_y_m = trace_place(parameters.population.ways, ue, time_s)
        net.ue_real[ue, s.X_M], net.ue_real[ue, s.Y_M] = wrap_place(parameters.air, trace_x_m, trace_y_m)
        fill_gains(net, parameters.air, ue)
        return _strongest(net, ue, cell)
    site = ANY_SITE
    if parameters.population.is_uniform == 1:
        site = _site_of(parameters, cell)
    best_x_m, best_y_m, best_ratio = net.ue_real[ue, s.X_M], net.ue_real[ue, s.Y_M], 0.0
    for attempt in range(PLACEMENT_TRIES):
        entity = (serial * num_cells + cell) * PLACEMENT_TRIES + attempt
        across, along, _, _ = draw_uniform4(
            net.identity[s.SEED], net.identity[s.NETWORK], entity, slot, STREAM_PLACEMENT
        )
        x_m, y_m = draw_point(parameters, site, across, along)
        if _is_too_near(parameters, x_m, y_m):
            continue
        net.ue_real[ue, s.X_M], net.ue_real[ue, s.Y_M] = wrap_place(parameters.air, x_m, y_m)
        fill_gains(net, parameters.air, ue)
        if parameters.population.is_uniform == 1:
            return _strongest(net, ue, cell)
        ratio = _lead(net, ue, cell)
        if ratio > best_ratio:
            best_x_m, best_y_m, best_ratio = net.ue_real[ue, s.X_M], net.ue_real[ue, s.Y_M], ratio
        if best_ratio >= 1.0:
            break
    net.ue_real[ue, s.X_M] = best_x_m
    net.ue_real[ue, s.Y_M] = best_y_m
    if net.cell[cell, s.IS_ON_AIR] == 1:
        return cell
    fill_gains(net, parameters.air, ue)
    return _strongest(net, ue, cell)


@inner_kernel
def draw_point(parameters: Parameters, site: int, across: float, along: float) -> tuple[float, float]:
    """A point of the area, uniform as the two numbers are; site: within whose hexagon, where there are hexagons."""
    corner_m = parameters.population.corner_m
    if len(corner_m) == 0:
        left, bottom, right, top = parameters.population.area_m
        return left + across * (right - left), bottom + along * (top - bottom)
    sites = len(parameters.air.site) if site == ANY_SITE else 1
    # The whole part says which rhombus, the rest where in it.
    picked = across * 3 * sites
    rhombus = int(picked)
    inside = picked - rhombus
    of = rhombus // 3 if site == ANY_SITE else site
    first, second = rhombus % 3, (rhombus + 1) % 3
    x_m = parameters.air.site[of, SITE_X_M] + inside * corner_m[first, 0] + along * corner_m[second, 0]
    y_m = parameters.air.site[of, SITE_Y_M] + inside * corner_m[first, 1] + along * corner_m[second, 1]
    return x_m, y_m


@inner_kernel
def _draw_building(net: s.Network, parameters: Parameters, ue: int, entity: int, slot: int) -> None:
    """Decide whether a new user is in a building, on which floor, how far from the wall and behind which."""
    seed, network = net.identity[s.SEED], net.identity[s.NETWORK]
    indoor, carrier_hz = parameters.population.indoor, parameters.air.carrier_hz
    word, _, _, _ = philox4x32(seed, network, entity, slot, STREAM_USER_KEY)
    net.ue_real[ue, s.USER_KEY] = float(word)
    net.ue_real[ue, s.HEIGHT_M] = parameters.air.ue_height_m
    net.ue_real[ue, s.INDOOR_M] = 0.0
    net.ue_real[ue, s.PENETRATION_DB] = 0.0
    if len(indoor) == 0:
        return
    inside, kind, floors, floor = draw_uniform4(seed, network, entity, slot, STREAM_BUILDING)
    if inside >= indoor[INDOOR_SHARE]:
        return
    first, second, radius, angle = draw_uniform4(seed, network, entity, slot, STREAM_DEPTH)
    num_floors = indoor[MIN_FLOORS] + math.floor(floors * (indoor[MAX_FLOORS] - indoor[MIN_FLOORS] + 1.0))
    depth_m = indoor[MAX_DEPTH_M] * min(first, second)
    normal = math.sqrt(-2.0 * math.log(radius)) * math.cos(2.0 * math.pi * angle)
    net.ue_real[ue, s.HEIGHT_M] = 3.0 * math.floor(floor * num_floors) + 1.5
    net.ue_real[ue, s.INDOOR_M] = depth_m
    net.ue_real[ue, s.PENETRATION_DB] = indoor_loss_db(carrier_hz, kind < indoor[HIGH_LOSS_SHARE], depth_m, normal)


@inner_kernel
def _is_too_near(parameters: Parameters, x_m: float, y_m: float) -> bool:
    least_m = parameters.population.min_distance_m
    if least_m == 0.0:
        return False
    site = parameters.air.site
    for index in range(len(site)):
        if math.hypot(x_m - site[index, SITE_X_M], y_m - site[index, SITE_Y_M]) < least_m:
            return True
    return False


@inner_kernel
def _site_of(parameters: Parameters, cell: int) -> int:
    site = 0
    while parameters.air.first_cell[site + 1] <= cell:
        site += 1
    return site


@inner_kernel
def _lead(net: s.Network, ue: int, cell: int) -> float:
    """Power that a user receives from `cell` over that from the strongest other cell, all of them on the air."""
    own_mw = net.cell_real[cell, s.ON_AIR_PRB_POWER_MW] * net.gain[ue, cell]
    ratio = math.inf
    for other in range(len(net.cell)):
        if other != cell:
            ratio = min(ratio, own_mw / (net.cell_real[other, s.ON_AIR_PRB_POWER_MW] * net.gain[ue, other]))
    return ratio


@inner_kernel
def _strongest(net: s.Network, ue: int, otherwise: int) -> int:
    """The cell from which a user receives most; `otherwise` where none is on the air."""
    best = otherwise
    best_mw = 0.0
    for cell in range(len(net.cell)):
        received_mw = net.cell_real[cell, s.PRB_POWER_MW] * net.gain[ue, cell]
        if received_mw > best_mw:
            best = cell
            best_mw = received_mw
    return best
