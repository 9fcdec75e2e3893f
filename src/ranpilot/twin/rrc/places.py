"""Users take places, leave them, and change their cell."""

from __future__ import annotations

import math

from ranpilot.kernels import inner_kernel, shared_kernel
from ranpilot.twin import slice_columns as seats
from ranpilot.twin import state as s
from ranpilot.twin.mac.queue import flush_queue
from ranpilot.twin.mac.reports import forget_reports
from ranpilot.twin.mac.retransmission import flush_processes
from ranpilot.twin.parameters import DEADLINE_SLOTS, STANDING, TRACES, WAYPOINTS, Parameters
from ranpilot.twin.radio.fading import link_fading_start
from ranpilot.twin.rng import STREAM_MOBILITY, draw_uniform4
from ranpilot.twin.rrc.measurements import measure_user, rank_interferers, update_gains
from ranpilot.twin.rrc.placement import ANY_SITE, draw_point
from ranpilot.twin.rrc.traces import way_of

__all__ = ["change_cell", "draw_goal", "leave_place", "renew_fading", "set_deadline", "take_place"]


@shared_kernel
def take_place(net: s.Network, parameters: Parameters, ue: int, cell: int, slot: int) -> None:
    """Connect the new user whose whereabouts `draw_place` wrote into the empty place `ue` to `cell`."""
    net.ue[ue, s.SERVING_CELL] = cell
    net.ue[ue, s.CALL_ID] += 1
    net.ue[ue, s.INTERRUPTED_UNTIL] = 0
    net.ue[ue, s.SOURCE_CELL] = net.ue[ue, s.PREVIOUS_CELL] = -1
    _begin_connection(net, ue)
    set_deadline(net, parameters, ue)
    net.cell[cell, s.CONNECTED_UES] += 1
    net.ue_real[ue, s.MEAN_RATE] = net.ue_real[ue, s.TURN_CREDIT] = 0.0
    net.ue_real[ue, s.SCHEDULING_WEIGHT] = 1.0
    forget_reports(net, parameters, ue)
    turn, pace, _, _ = draw_uniform4(net.identity[s.SEED], net.identity[s.NETWORK], ue, slot, STREAM_MOBILITY)
    rules = parameters.population
    speed_mps = rules.min_speed_mps + pace * (rules.max_speed_mps - rules.min_speed_mps)
    if rules.mobility == TRACES:
        # Where it goes from here is in the trace.
        speed_mps = rules.ways.fading_mps[way_of(rules.ways, ue)]
        net.ue_real[ue, s.SPEED_MPS] = 0.0
    elif rules.mobility == STANDING:
        # Around someone who stands still things move: the channel keeps the Doppler of the drawn speed.
        net.ue_real[ue, s.SPEED_MPS] = 0.0
    else:
        net.ue_real[ue, s.SPEED_MPS] = speed_mps
    net.ue_real[ue, s.VELOCITY_X_MPS] = net.ue_real[ue, s.SPEED_MPS] * math.cos(2.0 * math.pi * turn)
    net.ue_real[ue, s.VELOCITY_Y_MPS] = net.ue_real[ue, s.SPEED_MPS] * math.sin(2.0 * math.pi * turn)
    net.ue_real[ue, s.STEPS_PER_SLOT] = speed_mps * parameters.grid.slot_s * parameters.air.fading.steps_per_metre
    renew_fading(net, parameters, ue, net.ue[ue, s.CALL_ID])
    if rules.mobility == WAYPOINTS:
        draw_goal(net, parameters, ue, slot)
    update_gains(net, parameters, ue, 0.0)
    rank_interferers(net, ue)
    measure_user(net, parameters, ue, slot)


@inner_kernel
def set_deadline(net: s.Network, parameters: Parameters, ue: int) -> None:
    """Give a user the deadline that its slice has in its cell, else that of its kind of traffic."""
    deadline_slots = net.cell_slice[net.ue[ue, s.SERVING_CELL], net.ue[ue, s.SLICE], seats.SLICE_DEADLINE_SLOTS]
    if deadline_slots == 0:
        deadline_slots = int(parameters.population.kind[net.ue[ue, s.TRAFFIC_KIND], DEADLINE_SLOTS])
    net.ue[ue, s.DEADLINE_SLOTS] = deadline_slots


@inner_kernel
def draw_goal(net: s.Network, parameters: Parameters, ue: int, slot: int) -> None:
    """Send a user to a new point, uniform in the area."""
    _, _, across, along = draw_uniform4(net.identity[s.SEED], net.identity[s.NETWORK], ue, slot, STREAM_MOBILITY)
    goal_x_m, goal_y_m = draw_point(parameters, ANY_SITE, across, along)
    net.ue_real[ue, s.GOAL_X_M] = goal_x_m
    net.ue_real[ue, s.GOAL_Y_M] = goal_y_m
    way_x_m = net.ue_real[ue, s.GOAL_X_M] - net.ue_real[ue, s.X_M]
    way_y_m = net.ue_real[ue, s.GOAL_Y_M] - net.ue_real[ue, s.Y_M]
    way_m = max(math.hypot(way_x_m, way_y_m), 1e-9)
    net.ue_real[ue, s.VELOCITY_X_MPS] = net.ue_real[ue, s.SPEED_MPS] * way_x_m / way_m
    net.ue_real[ue, s.VELOCITY_Y_MPS] = net.ue_real[ue, s.SPEED_MPS] * way_y_m / way_m


@inner_kernel
def renew_fading(net: s.Network, parameters: Parameters, ue: int, visit: int) -> None:
    """Give every link of a user another fading trace of its block and a start in it."""
    num_traces = parameters.air.fading.traces
    num_steps = parameters.air.fading.gain.shape[1]
    num_cells = net.gain.shape[1]
    for cell in range(num_cells):
        link = ue * num_cells + cell
        trace, start = link_fading_start(
            net.identity[s.SEED], net.identity[s.NETWORK], link, visit, num_traces, num_steps
        )
        net.trace[ue, cell, s.TRACE] += trace - net.trace[ue, cell, s.TRACE] % num_traces
        net.trace[ue, cell, s.TRACE_START] = start


@inner_kernel
def leave_place(net: s.Network, ue: int) -> None:
    """Disconnect a user: what it had queued or in the air is lost, its place is empty."""
    flush_processes(net, ue)
    flush_queue(net, ue)
    net.cell[net.ue[ue, s.SERVING_CELL], s.CONNECTED_UES] -= 1
    net.ue[ue, s.SERVING_CELL] = -1
    net.ue[ue, s.INTERRUPTED_UNTIL] = 0
    _begin_connection(net, ue)
    for cell in range(net.sinr_l3_db.shape[1]):
        net.sinr_l3_db[ue, cell] = math.nan
        net.rsrp_l3_dbm[ue, cell] = math.nan


@inner_kernel
def change_cell(
    net: s.Network, parameters: Parameters, ue: int, target: int, slot: int, interruption_slots: int
) -> None:
    """Connect a user to `target` with its queue, interrupted from `slot` on; blocks in the air are lost."""
    flush_processes(net, ue)
    source = net.ue[ue, s.SERVING_CELL]
    net.cell[source, s.CONNECTED_UES] -= 1
    net.cell[target, s.CONNECTED_UES] += 1
    # The core sends what has not reached the source to the target instead.
    net.cell[source, s.BACKHAUL_BITS] -= net.ue[ue, s.ON_THE_WAY_BITS]
    net.cell[target, s.BACKHAUL_BITS] += net.ue[ue, s.ON_THE_WAY_BITS]
    net.ue[ue, s.SERVING_CELL] = target
    net.ue[ue, s.INTERRUPTED_UNTIL] = slot + interruption_slots
    _begin_connection(net, ue)
    set_deadline(net, parameters, ue)
    forget_reports(net, parameters, ue)
    rank_interferers(net, ue)


@inner_kernel
def _begin_connection(net: s.Network, ue: int) -> None:
    """Start what RRC counts of a connection anew: no procedure, no timer, no triggered neighbour."""
    net.ue[ue, s.CONNECTION] = s.CONNECTED
    net.ue[ue, s.T310_UNTIL] = s.NEVER
    net.ue[ue, s.OUT_OF_SYNC] = net.ue[ue, s.IN_SYNC] = 0
    net.ue[ue, s.NEXT_REPORT_SLOT] = 0
    for cell in range(net.trigger.shape[1]):
        net.trigger[ue, cell, s.HELD_TICKS] = net.trigger[ue, cell, s.IS_TRIGGERED] = 0
