"""Users move, each RRC period: straight lines reflected at the border, or from waypoint to waypoint."""

from __future__ import annotations

import math

from ranpilot.kernels import inner_kernel
from ranpilot.twin import state as s
from ranpilot.twin.parameters import STANDING, STRAIGHT_LINES, TICK_S, Parameters
from ranpilot.twin.rrc.places import draw_goal

__all__ = ["move_user"]


@inner_kernel
def move_user(net: s.Network, parameters: Parameters, ue: int, slot: int) -> None:
    """Move a user for one RRC period."""
    mobility = parameters.population.mobility
    if mobility == STANDING:
        return
    users = net.users
    x_m = users.x_m[ue] + users.velocity_x_mps[ue] * TICK_S
    y_m = users.y_m[ue] + users.velocity_y_mps[ue] * TICK_S
    if mobility == STRAIGHT_LINES:
        left, bottom, right, top = parameters.population.area_m
        if x_m < left or x_m > right:
            users.velocity_x_mps[ue] = -users.velocity_x_mps[ue]
            x_m = 2.0 * (left if x_m < left else right) - x_m
        if y_m < bottom or y_m > top:
            users.velocity_y_mps[ue] = -users.velocity_y_mps[ue]
            y_m = 2.0 * (bottom if y_m < bottom else top) - y_m
    users.x_m[ue] = x_m
    users.y_m[ue] = y_m
    if mobility != STRAIGHT_LINES:
        left_m = math.hypot(users.goal_x_m[ue] - x_m, users.goal_y_m[ue] - y_m)
        if left_m <= users.speed_mps[ue] * TICK_S:
            draw_goal(net, parameters, ue, slot)
