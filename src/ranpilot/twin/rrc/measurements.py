"""Gains, filtered wideband SINR and filtered RSRP of every link, each RRC period.

One sample of a link is S_c / (N + sum over other cells of activity x S_j), each S_j with its band's mean fading and one
receive branch's mean power (as SS-SINR, without combining gain); activity is the running share of groups in use.
One sample of RSRP is the received power of one resource element, with the same fading (TS 38.215 §5.1.1).
The L3 filters are first order, in dB (TS 38.331 §5.5.3.2; the SINR's coefficient is given as a time constant). Samples
enter them each RRC period without averaging in L1 (200 ms in TS 38.133) and without a measurement error.
A cell off the air is not measured and no longer counts as triggered; to those that it serves its SINR is nothing.
Large-scale gain is computed anew when a user has moved GAIN_STEP_M: decorrelation distances are 10 m and more.
"""

from __future__ import annotations

import math

from ranpilot.kernels import inner_kernel
from ranpilot.twin import state as s
from ranpilot.twin.mac.sinr import mean_fading
from ranpilot.twin.map import fill_gains, site_in_sight, user_spot
from ranpilot.twin.parameters import Parameters

__all__ = ["GAIN_STEP_M", "mean_activity", "measure_user", "rank_interferers", "update_gains"]

GAIN_STEP_M = 1.0


@inner_kernel
def update_gains(net: s.Network, parameters: Parameters, ue: int, step_m: float) -> None:
    """Compute a user's large-scale gains where it has moved by `step_m` since they were computed (0 = anyway)."""
    moved_x_m = net.ue_real[ue, s.X_M] - net.ue_real[ue, s.GAIN_X_M]
    moved_y_m = net.ue_real[ue, s.Y_M] - net.ue_real[ue, s.GAIN_Y_M]
    if moved_x_m * moved_x_m + moved_y_m * moved_y_m < step_m * step_m:
        return
    net.ue_real[ue, s.GAIN_X_M] = net.ue_real[ue, s.X_M]
    net.ue_real[ue, s.GAIN_Y_M] = net.ue_real[ue, s.Y_M]
    fill_gains(net, parameters.air, ue)
    if len(parameters.air.fading.profile) > 1:
        _choose_blocks(net, parameters, ue)


@inner_kernel
def rank_interferers(net: s.Network, ue: int) -> None:
    """List the cells that a user receives most power from, without its serving cell, strongest first."""
    last_mw = math.inf
    last_cell = -1
    for rank in range(net.interferer.shape[1]):
        best = -1
        best_mw = -1.0
        for cell in range(net.gain.shape[1]):
            if cell == net.ue[ue, s.SERVING_CELL]:
                continue
            received_mw = net.cell_real[cell, s.PRB_POWER_MW] * net.gain[ue, cell]
            # Below the one that was listed last; among equals the lower cell comes first.
            is_left = received_mw < last_mw or (received_mw == last_mw and cell > last_cell)
            if is_left and received_mw > best_mw:
                best = cell
                best_mw = received_mw
        net.interferer[ue, rank] = best
        if best >= 0:
            last_mw = best_mw
            last_cell = best


@inner_kernel
def mean_activity(net: s.Network, cell: int) -> float:
    """Running share of its groups that a cell transmits on."""
    total = 0.0
    for group in range(net.activity.shape[1]):
        total += net.activity[cell, group]
    return float(total / net.activity.shape[1])


@inner_kernel
def measure_user(net: s.Network, parameters: Parameters, ue: int, slot: int) -> None:
    """One sample of every cell's wideband SINR and RSRP, filtered; the filters begin with the first one."""
    air, rules = parameters.air, parameters.rrc
    num_cells = net.gain.shape[1]
    total_mw = air.noise_mw
    for cell in range(num_cells):
        total_mw += _received_mw(net, parameters, ue, cell, slot) * mean_activity(net, cell)
    for cell in range(num_cells):
        is_on_air = net.cell[cell, s.IS_ON_AIR] == 1
        if not is_on_air:
            _lose_sight(net, ue, cell)
            if cell != net.ue[ue, s.SERVING_CELL]:
                continue
        own_mw = _received_mw(net, parameters, ue, cell, slot)
        others_mw = max(total_mw - own_mw * mean_activity(net, cell), air.noise_mw)
        sample_db = 10.0 * math.log10(max(own_mw / others_mw, LEAST_SINR))
        if not math.isnan(net.sinr_l3_db[ue, cell]):
            sample_db = net.sinr_l3_db[ue, cell] + rules.l3_weight * (sample_db - net.sinr_l3_db[ue, cell])
        net.sinr_l3_db[ue, cell] = sample_db
        if rules.measures_rsrp == 1 and is_on_air:
            sample_dbm = 10.0 * math.log10(max(own_mw / PRB_SUBCARRIERS, LEAST_RSRP_MW))
            if not math.isnan(net.rsrp_l3_dbm[ue, cell]):
                sample_dbm = net.rsrp_l3_dbm[ue, cell] + rules.rsrp_weight * (sample_dbm - net.rsrp_l3_dbm[ue, cell])
            net.rsrp_l3_dbm[ue, cell] = sample_dbm


@inner_kernel
def _lose_sight(net: s.Network, ue: int, cell: int) -> None:
    """Forget what was measured of a cell, so that its filters begin anew when it comes back."""
    if cell != net.ue[ue, s.SERVING_CELL]:
        net.sinr_l3_db[ue, cell] = math.nan
    net.rsrp_l3_dbm[ue, cell] = math.nan
    net.trigger[ue, cell, s.HELD_TICKS] = net.trigger[ue, cell, s.IS_TRIGGERED] = 0


LEAST_SINR = 1e-6
"""-60 dB: what a sample is at least, so that its logarithm is finite."""

LEAST_RSRP_MW = 1e-30
"""-300 dBm, for the same reason."""

PRB_SUBCARRIERS = 12.0


@inner_kernel
def _choose_blocks(net: s.Network, parameters: Parameters, ue: int) -> None:
    """Move a user's links to the traces of the block that their line of sight asks for, to the same place in it.

    Behind a wall no path is direct: TR 38.901 Table 7.5-6 has no K for links into buildings.
    """
    air, spot = parameters.air, user_spot(net, ue)
    for site in range(len(air.site)):
        is_los = spot.indoor_m == 0.0 and site_in_sight(net, air, site, spot)
        for cell in range(air.first_cell[site], air.first_cell[site + 1]):
            trace = net.trace[ue, cell, s.TRACE] % air.fading.traces
            net.trace[ue, cell, s.TRACE] = air.fading.block[cell, int(is_los)] * air.fading.traces + trace


@inner_kernel
def _received_mw(net: s.Network, parameters: Parameters, ue: int, cell: int, slot: int) -> float:
    fading = mean_fading(net, parameters.air, ue, cell, slot)
    return float(net.cell_real[cell, s.PRB_POWER_MW] * net.gain[ue, cell] * fading)
