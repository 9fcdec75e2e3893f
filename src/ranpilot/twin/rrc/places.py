"""Users take places, leave them, and change their cell."""

from __future__ import annotations

import math

from ranpilot.kernels import inner_kernel
from ranpilot.twin import state as s
from ranpilot.twin.mac.queue import flush_queue
from ranpilot.twin.mac.reports import forget_reports
from ranpilot.twin.mac.retransmission import flush_processes
from ranpilot.twin.map import link_gain
from ranpilot.twin.parameters import STANDING, WAYPOINTS, Parameters
from ranpilot.twin.radio.fading import link_fading_start
from ranpilot.twin.rng import STREAM_MOBILITY, STREAM_PLACEMENT, draw_uniform4
from ranpilot.twin.rrc.measurements import measure_user, rank_interferers, update_gains

__all__ = ["change_cell", "draw_goal", "draw_place", "leave_place", "renew_fading", "take_place"]

PLACEMENT_TRIES = 256
"""Points that are drawn for one user; where no point is the cell's own, the one where it comes closest is taken."""


@inner_kernel
def draw_place(net: s.Network, parameters: Parameters, cell: int, serial: int, slot: int) -> tuple[float, float]:
    """A point uniform over the area where `cell` is received strongest, by rejection.

    serial: tells apart users that are placed in the same cell and slot.
    """
    left, bottom, right, top = parameters.population.area_m
    num_cells = len(parameters.air.site_x_m)
    best_x_m = parameters.air.site_x_m[cell]
    best_y_m = parameters.air.site_y_m[cell]
    best_ratio = 0.0
    for attempt in range(PLACEMENT_TRIES):
        entity = (serial * num_cells + cell) * PLACEMENT_TRIES + attempt
        across, along, _, _ = draw_uniform4(
            net.identity.seed[0], net.identity.network[0], entity, slot, STREAM_PLACEMENT
        )
        x_m = left + across * (right - left)
        y_m = bottom + along * (top - bottom)
        own_mw = net.cells.prb_power_mw[cell] * link_gain(net.cells, parameters.air, cell, x_m, y_m)
        ratio = math.inf
        for other in range(num_cells):
            if other != cell:
                other_mw = net.cells.prb_power_mw[other] * link_gain(net.cells, parameters.air, other, x_m, y_m)
                ratio = min(ratio, own_mw / other_mw)
            if ratio <= best_ratio:
                break
        if ratio > best_ratio:
            best_x_m, best_y_m, best_ratio = x_m, y_m, ratio
        if best_ratio >= 1.0:
            break
    return best_x_m, best_y_m


@inner_kernel
def take_place(
    net: s.Network, parameters: Parameters, ue: int, cell: int, x_m: float, y_m: float, slot: int
) -> None:
    """Connect a new user at (x_m, y_m) to `cell` in the empty place `ue`."""
    users = net.users
    users.serving_cell[ue] = cell
    users.call_id[ue] += 1
    users.x_m[ue] = x_m
    users.y_m[ue] = y_m
    users.interrupted_until[ue] = 0
    users.failing_ticks[ue] = 0
    net.cells.connected_ues[cell] += 1
    net.reports.mean_rate[ue] = 0.0
    forget_reports(net.reports, ue)
    turn, pace, _, _ = draw_uniform4(net.identity.seed[0], net.identity.network[0], ue, slot, STREAM_MOBILITY)
    rules = parameters.population
    speed_mps = rules.min_speed_mps + pace * (rules.max_speed_mps - rules.min_speed_mps)
    if rules.mobility == STANDING:
        # Someone who stands still has a channel that moves: fading at the least speed, 0 where that is 0.
        users.speed_mps[ue] = 0.0
    else:
        users.speed_mps[ue] = speed_mps
    users.velocity_x_mps[ue] = users.speed_mps[ue] * math.cos(2.0 * math.pi * turn)
    users.velocity_y_mps[ue] = users.speed_mps[ue] * math.sin(2.0 * math.pi * turn)
    net.links.steps_per_slot[ue] = speed_mps * parameters.grid.slot_s * parameters.air.steps_per_metre
    renew_fading(net, parameters, ue, users.call_id[ue])
    if rules.mobility == WAYPOINTS:
        draw_goal(net, parameters, ue, slot)
    update_gains(net, parameters, ue, True)
    rank_interferers(net, ue)
    measure_user(net, parameters, ue, slot, 1.0)


@inner_kernel
def draw_goal(net: s.Network, parameters: Parameters, ue: int, slot: int) -> None:
    """Send a user to a new point, uniform in the area."""
    users = net.users
    left, bottom, right, top = parameters.population.area_m
    _, _, across, along = draw_uniform4(net.identity.seed[0], net.identity.network[0], ue, slot, STREAM_MOBILITY)
    users.goal_x_m[ue] = left + across * (right - left)
    users.goal_y_m[ue] = bottom + along * (top - bottom)
    way_x_m = users.goal_x_m[ue] - users.x_m[ue]
    way_y_m = users.goal_y_m[ue] - users.y_m[ue]
    way_m = max(math.hypot(way_x_m, way_y_m), 1e-9)
    users.velocity_x_mps[ue] = users.speed_mps[ue] * way_x_m / way_m
    users.velocity_y_mps[ue] = users.speed_mps[ue] * way_y_m / way_m


@inner_kernel
def renew_fading(net: s.Network, parameters: Parameters, ue: int, visit: int) -> None:
    """Give every link of a user a fading trace and a start in it."""
    num_traces, num_steps, _ = parameters.air.fading.shape
    num_cells = net.links.gain.shape[1]
    for cell in range(num_cells):
        link = ue * num_cells + cell
        trace, start = link_fading_start(
            net.identity.seed[0], net.identity.network[0], link, visit, num_traces, num_steps
        )
        net.links.trace[ue, cell] = trace
        net.links.trace_start[ue, cell] = start


@inner_kernel
def leave_place(net: s.Network, ue: int) -> None:
    """Disconnect a user: what it had queued or in the air is lost, its place is empty."""
    flush_processes(net, ue)
    flush_queue(net, ue)
    net.cells.connected_ues[net.users.serving_cell[ue]] -= 1
    net.users.serving_cell[ue] = -1
    net.users.failing_ticks[ue] = 0
    for cell in range(net.links.sinr_l3_db.shape[1]):
        net.links.sinr_l3_db[ue, cell] = math.nan


@inner_kernel
def change_cell(net: s.Network, parameters: Parameters, ue: int, target: int, slot: int) -> None:
    """Move a user to `target` with its queue, interrupted for the handover's time; blocks in the air are lost."""
    users = net.users
    flush_processes(net, ue)
    net.cells.connected_ues[users.serving_cell[ue]] -= 1
    net.cells.connected_ues[target] += 1
    users.serving_cell[ue] = target
    users.interrupted_until[ue] = slot + parameters.rrc.interruption_slots
    users.failing_ticks[ue] = 0
    forget_reports(net.reports, ue)
    rank_interferers(net, ue)
