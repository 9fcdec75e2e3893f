"""Large-scale gain of a link as a function of position: path loss, line of sight, shadowing (TR 38.901 §7.4)."""

from __future__ import annotations

import math

from ranpilot.kernels import inner_kernel
from ranpilot.twin import state as s
from ranpilot.twin.parameters import ALWAYS_IN_SIGHT, RANDOM_SIGHT, SITE_HEIGHT_M, SITE_X_M, SITE_Y_M, Air
from ranpilot.twin.radio.propagation import link_path_loss_db, shadowing_decorrelation_m, shadowing_sigma_db
from ranpilot.twin.radio.shadowing import link_is_los, link_shadowing_db

__all__ = ["link_gain", "link_in_sight", "strongest_cell"]


@inner_kernel
def link_gain(net: s.Network, air: Air, cell: int, x_m: float, y_m: float) -> float:
    """Linear power gain from the antenna of `cell` to a user at (x_m, y_m), without fading."""
    model = air.propagation[cell]
    distance_m = math.hypot(x_m - air.site[cell, SITE_X_M], y_m - air.site[cell, SITE_Y_M])
    is_los = link_in_sight(net, air, cell, x_m, y_m)
    height_m = air.site[cell, SITE_HEIGHT_M]
    loss_db = link_path_loss_db(model, distance_m, height_m, air.ue_height_m, air.carrier_hz, is_los)
    if air.has_shadowing == 1:
        sigma_db = shadowing_sigma_db(model, distance_m, height_m, air.ue_height_m, air.carrier_hz, is_los)
        decorrelation_m = shadowing_decorrelation_m(model, is_los)
        views = net.field_view[s.SHADOWING_VIEW]
        loss_db += link_shadowing_db(air.fields, views, cell, x_m, y_m, decorrelation_m, sigma_db)
    return math.pow(10.0, -0.1 * loss_db)


@inner_kernel
def link_in_sight(net: s.Network, air: Air, cell: int, x_m: float, y_m: float) -> bool:
    """Whether the link from `cell` to a user at (x_m, y_m) is in line of sight."""
    if air.sight != RANDOM_SIGHT:
        return air.sight == ALWAYS_IN_SIGHT
    model = air.propagation[cell]
    distance_m = math.hypot(x_m - air.site[cell, SITE_X_M], y_m - air.site[cell, SITE_Y_M])
    return link_is_los(air.fields, net.field_view[s.LOS_VIEW], cell, model, x_m, y_m, distance_m, air.ue_height_m)


@inner_kernel
def strongest_cell(net: s.Network, air: Air, x_m: float, y_m: float) -> int:
    """The cell that is received with most power at a position, at the powers of now."""
    best = 0
    best_mw = -1.0
    for cell in range(len(air.site)):
        received_mw = net.cell_real[cell, s.PRB_POWER_MW] * link_gain(net, air, cell, x_m, y_m)
        if received_mw > best_mw:
            best_mw = received_mw
            best = cell
    return best
