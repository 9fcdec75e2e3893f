"""Users move, each RRC period: straight lines reflected at the border, from waypoint to waypoint, or along a trace.

Where the plane is wrapped around there is no border: who leaves the cluster of sites enters it on the other side, goal
and all. Users in buildings take their floor and their wall along.
"""

from __future__ import annotations

import math

from ranpilot.kernels import woven_kernel
from ranpilot.twin import state as s
from ranpilot.twin.map import wrap_place
from ranpilot.twin.parameters import STANDING, STRAIGHT_LINES, TICK_S, TRACES, Parameters
from ranpilot.twin.rrc.places import draw_goal
from ranpilot.twin.rrc.traces import trace_place

__all__ = ["move_user"]


@woven_kernel
def move_user(net: s.Network, parameters: Parameters, ue: int, slot: int) -> None:
    """Move a user for one RRC period."""
    mobility = parameters.population.mobility
    if mobility == STANDING:
        return
    if mobility == TRACES:
        time_s = (slot + 1) * parameters.grid.slot_s
        trace_x_m, trace_y_m = trace_place(parameters.population.ways, ue, time_s)
        net.ue_real[ue, s.X_M], net.ue_real[ue, s.Y_M] = wrap_place(parameters.air, trace_x_m, trace_y_m)
        return
    x_m = net.ue_real[ue, s.X_M] + net.ue_real[ue, s.VELOCITY_X_MPS] * TICK_S
    y_m = net.ue_real[ue, s.Y_M] + net.ue_real[ue, s.VELOCITY_Y_MPS] * TICK_S
    if len(parameters.air.shift) > 0:
        inside_x_m, inside_y_m = wrap_place(parameters.air, x_m, y_m)
        net.ue_real[ue, s.GOAL_X_M] += inside_x_m - x_m
        net.ue_real[ue, s.GOAL_Y_M] += inside_y_m - y_m
        x_m, y_m = inside_x_m, inside_y_m
    elif mobility == STRAIGHT_LINES:
        left, bottom, right, top = parameters.population.area_m
        if x_m < left or x_m > right:
            net.ue_real[ue, s.VELOCITY_X_MPS] = -net.ue_real[ue, s.VELOCITY_X_MPS]
            x_m = 2.0 * (left if x_m < left else right) - x_m
        if y_m < bottom or y_m > top:
            net.ue_real[ue, s.VELOCITY_Y_MPS] = -net.ue_real[ue, s.VELOCITY_Y_MPS]
            y_m = 2.0 * (bottom if y_m < bottom else top) - y_m
    net.ue_real[ue, s.X_M] = x_m
    net.ue_real[ue, s.Y_M] = y_m
    if mobility != STRAIGHT_LINES:
        left_m = math.hypot(net.ue_real[ue, s.GOAL_X_M] - x_m, net.ue_real[ue, s.GOAL_Y_M] - y_m)
        if left_m <= net.ue_real[ue, s.SPEED_MPS] * TICK_S:
            draw_goal(net, parameters, ue, slot)
