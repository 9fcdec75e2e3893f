"""Large-scale gain of a link as a function of where a user is: path loss, line of sight, shadowing, walls, antennas.

gain = antenna gain - (path loss + shadowing + penetration), in dB (TR 38.901 §7.3, §7.4). Cells of one site share
everything but the antenna. A user indoors is `indoor_m` behind its wall: the probability of line of sight, and the
height of the environment, are those at the wall (d_2D-out), the path loss that of the whole distance, and its shadowing
that of the O2I columns of Table 7.5-6.
Where the plane is wrapped around, a link goes to the nearest of a site's seven copies, and the site's own random fields
are seen from there, so that they do not jump when a user crosses the border.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from ranpilot.kernels import inner_kernel, shared_kernel
from ranpilot.twin import state as s
from ranpilot.twin.parameters import (
    ALWAYS_IN_SIGHT,
    CELL_AZIMUTH_DEG,
    CELL_ELEMENTS,
    CELL_SPACING,
    RANDOM_SIGHT,
    SITE_HEIGHT_M,
    SITE_X_M,
    SITE_Y_M,
    Air,
)
from ranpilot.twin.radio.antenna import link_antenna_gain_db
from ranpilot.twin.radio.propagation import (
    UMA,
    environment_height_m,
    indoor_shadowing_decorrelation_m,
    indoor_shadowing_sigma_db,
    link_path_loss_db,
    shadowing_decorrelation_m,
    shadowing_sigma_db,
)
from ranpilot.twin.radio.shadowing import FLOOR_SHIFT, link_is_los, link_shadowing_db
from ranpilot.twin.rng import STREAM_ENVIRONMENT, draw_uniform4

__all__ = ["Spot", "fill_gains", "outdoor_spot", "site_in_sight", "strongest_cell", "user_spot", "wrap_place"]


class Spot(NamedTuple):
    """Where a user is, as the radio sees it."""

    x_m: float
    y_m: float
    height_m: float
    indoor_m: float
    """Way from the wall; 0 outdoors."""
    penetration_db: float
    """What the wall and the way behind it take."""
    key: int
    """Number of the user, from which what belongs to it and a site is drawn."""


@inner_kernel
def user_spot(net: s.Network, ue: int) -> Spot:
    """Where a user is now."""
    return Spot(
        net.ue_real[ue, s.X_M],
        net.ue_real[ue, s.Y_M],
        net.ue_real[ue, s.HEIGHT_M],
        net.ue_real[ue, s.INDOOR_M],
        net.ue_real[ue, s.PENETRATION_DB],
        int(net.ue_real[ue, s.USER_KEY]),
    )


@inner_kernel
def outdoor_spot(air: Air, x_m: float, y_m: float) -> Spot:
    """A place outdoors at the height of users there."""
    return Spot(x_m, y_m, air.ue_height_m, 0.0, 0.0, 0)


@inner_kernel
def nearest_copy(air: Air, x_m: float, y_m: float) -> tuple[float, float]:
    """By how much the nearest copy of the origin is shifted, seen from (x_m, y_m); (0, 0) where nothing is wrapped."""
    shift_x_m, shift_y_m, gain = 0.0, 0.0, 0.0
    for copy in range(len(air.shift)):
        along_x_m, along_y_m = air.shift[copy, 0], air.shift[copy, 1]
        # How much nearer the copy is, in squared metres.
        nearer = 2.0 * (x_m * along_x_m + y_m * along_y_m) - (along_x_m * along_x_m + along_y_m * along_y_m)
        if nearer > gain:
            shift_x_m, shift_y_m, gain = along_x_m, along_y_m, nearer
    return shift_x_m, shift_y_m


@inner_kernel
def wrap_place(air: Air, x_m: float, y_m: float) -> tuple[float, float]:
    """The place in the middle cluster that (x_m, y_m) is a copy of; itself where nothing is wrapped."""
    for _ in range(2):
        shift_x_m, shift_y_m = nearest_copy(air, x_m, y_m)
        x_m -= shift_x_m
        y_m -= shift_y_m
    return x_m, y_m


@inner_kernel
def site_in_sight(net: s.Network, air: Air, site: int, spot: Spot) -> bool:
    """Whether a site is in line of sight of a user, or of the wall before it."""
    if air.sight != RANDOM_SIGHT:
        return air.sight == ALWAYS_IN_SIGHT
    site_x_m, site_y_m = air.site[site, SITE_X_M], air.site[site, SITE_Y_M]
    shift_m = nearest_copy(air, spot.x_m - site_x_m, spot.y_m - site_y_m)
    own_x_m, own_y_m = spot.x_m - shift_m[0], spot.y_m - shift_m[1]
    distance_m = math.hypot(spot.x_m - (site_x_m + shift_m[0]), spot.y_m - (site_y_m + shift_m[1]))
    wall_m = max(distance_m - spot.indoor_m, 0.0)
    views, model = net.field_view[s.LOS_VIEW], air.propagation[site]
    return link_is_los(air.fields, views, site, model, own_x_m, own_y_m, wall_m, spot.height_m)


@inner_kernel
def site_loss_db(
    net: s.Network, air: Air, site: int, spot: Spot, shift_m: tuple[float, float], distance_m: float
) -> float:
    """Path loss, shadowing and penetration from a site, whose nearest copy is shifted, to a user."""
    model = air.propagation[site]
    wall_m = max(distance_m - spot.indoor_m, 0.0)
    own_m = (spot.x_m - shift_m[0], spot.y_m - shift_m[1])
    is_los = site_in_sight(net, air, site, spot)
    height_m = air.site[site, SITE_HEIGHT_M]
    environment_m = 1.0
    if model == UMA and spot.height_m >= 13.0:
        chance, choice, _, _ = draw_uniform4(spot.key, 0, site, 0, STREAM_ENVIRONMENT)
        environment_m = environment_height_m(wall_m, spot.height_m, chance, choice)
    loss_db = link_path_loss_db(model, distance_m, height_m, spot.height_m, air.carrier_hz, is_los, environment_m)
    if air.has_shadowing == 1:
        loss_db += _shadowing_db(net, air, site, spot, own_m, distance_m, is_los)
    return loss_db + spot.penetration_db + air.path_loss_offset_db


@inner_kernel
def _shadowing_db(
    net: s.Network, air: Air, site: int, spot: Spot, own_m: tuple[float, float], distance_m: float, is_los: bool
) -> float:
    model = air.propagation[site]
    views = net.field_view[s.SHADOWING_VIEW]
    place_m = (spot.x_m, spot.y_m)
    if spot.indoor_m > 0.0:
        sigma_db = indoor_shadowing_sigma_db(model)
        decorrelation_m = indoor_shadowing_decorrelation_m(model)
        up_m = math.floor(spot.height_m / 3.0) * FLOOR_SHIFT * decorrelation_m
        place_m = (place_m[0] + up_m, place_m[1])
        own_m = (own_m[0] + up_m, own_m[1])
    else:
        height_m = air.site[site, SITE_HEIGHT_M]
        sigma_db = shadowing_sigma_db(model, distance_m, height_m, spot.height_m, air.carrier_hz, is_los)
        decorrelation_m = shadowing_decorrelation_m(model, is_los)
    sigma_db *= air.shadowing_scale
    return link_shadowing_db(air.fields, views, site, place_m, own_m, decorrelation_m, sigma_db, air.site_correlation)


@inner_kernel
def _cell_gain(
    net: s.Network, air: Air, cell: int, east_m: float, north_m: float, up_m: float, loss_db: float
) -> float:
    gain_db = 0.0
    if air.is_directed[cell] == 1:
        gain_db = link_antenna_gain_db(
            east_m,
            north_m,
            up_m,
            air.cell[cell, CELL_AZIMUTH_DEG],
            int(air.cell[cell, CELL_ELEMENTS]),
            air.cell[cell, CELL_SPACING],
            net.cell_real[cell, s.DOWNTILT_DEG],
        )
    return math.pow(10.0, 0.1 * (gain_db - loss_db))


@shared_kernel
def fill_gains(net: s.Network, air: Air, ue: int) -> None:
    """Write the linear power gain, without fading, from the antenna of every cell to a user where it is now."""
    spot = user_spot(net, ue)
    for site in range(len(air.site)):
        site_x_m, site_y_m = air.site[site, SITE_X_M], air.site[site, SITE_Y_M]
        shift_m = nearest_copy(air, spot.x_m - site_x_m, spot.y_m - site_y_m)
        east_m, north_m = spot.x_m - (site_x_m + shift_m[0]), spot.y_m - (site_y_m + shift_m[1])
        loss_db = site_loss_db(net, air, site, spot, shift_m, math.hypot(east_m, north_m))
        up_m = spot.height_m - air.site[site, SITE_HEIGHT_M]
        for cell in range(air.first_cell[site], air.first_cell[site + 1]):
            net.gain[ue, cell] = _cell_gain(net, air, cell, east_m, north_m, up_m, loss_db)


@inner_kernel
def strongest_cell(net: s.Network, air: Air, spot: Spot) -> int:
    """The cell that is received with most power at a place, at the powers of now; -1 where none is on the air."""
    best = -1
    best_mw = 0.0
    for site in range(len(air.site)):
        site_x_m, site_y_m = air.site[site, SITE_X_M], air.site[site, SITE_Y_M]
        shift_m = nearest_copy(air, spot.x_m - site_x_m, spot.y_m - site_y_m)
        east_m, north_m = spot.x_m - (site_x_m + shift_m[0]), spot.y_m - (site_y_m + shift_m[1])
        loss_db = site_loss_db(net, air, site, spot, shift_m, math.hypot(east_m, north_m))
        up_m = spot.height_m - air.site[site, SITE_HEIGHT_M]
        for cell in range(air.first_cell[site], air.first_cell[site + 1]):
            gain = _cell_gain(net, air, cell, east_m, north_m, up_m, loss_db)
            if net.cell_real[cell, s.PRB_POWER_MW] * gain > best_mw:
                best = cell
                best_mw = net.cell_real[cell, s.PRB_POWER_MW] * gain
    return best
