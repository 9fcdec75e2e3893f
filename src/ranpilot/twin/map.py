"""Large-scale gain of a link as a function of position: path loss, line of sight, shadowing (TR 38.901 §7.4)."""

from __future__ import annotations

import math

from ranpilot.kernels import inner_kernel
from ranpilot.twin.parameters import ALWAYS_IN_SIGHT, RANDOM_SIGHT, Air
from ranpilot.twin.radio.propagation import link_path_loss_db, shadowing_decorrelation_m, shadowing_sigma_db
from ranpilot.twin.radio.shadowing import link_is_los, link_shadowing_db
from ranpilot.twin.state import Cells

__all__ = ["link_gain", "strongest_cell"]


@inner_kernel
def link_gain(cells: Cells, air: Air, cell: int, x_m: float, y_m: float) -> float:
    """Linear power gain from the antenna of `cell` to a user at (x_m, y_m), without fading."""
    model = air.propagation[cell]
    distance_m = math.hypot(x_m - air.site_x_m[cell], y_m - air.site_y_m[cell])
    is_los = air.sight == ALWAYS_IN_SIGHT
    if air.sight == RANDOM_SIGHT:
        is_los = link_is_los(air.fields, cells.los_view, cell, model, x_m, y_m, distance_m, air.ue_height_m)
    height_m = air.site_height_m[cell]
    loss_db = link_path_loss_db(model, distance_m, height_m, air.ue_height_m, air.carrier_hz, is_los)
    if air.has_shadowing == 1:
        sigma_db = shadowing_sigma_db(model, distance_m, height_m, air.ue_height_m, air.carrier_hz, is_los)
        decorrelation_m = shadowing_decorrelation_m(model, is_los)
        loss_db += link_shadowing_db(air.fields, cells.shadowing_view, cell, x_m, y_m, decorrelation_m, sigma_db)
    return math.pow(10.0, -0.1 * loss_db)


@inner_kernel
def strongest_cell(cells: Cells, air: Air, x_m: float, y_m: float) -> int:
    """The cell that is received with most power at a position, at the powers of now."""
    best = 0
    best_mw = -1.0
    for cell in range(len(air.site_x_m)):
        received_mw = cells.prb_power_mw[cell] * link_gain(cells, air, cell, x_m, y_m)
        if received_mw > best_mw:
            best_mw = received_mw
            best = cell
    return best
