"""Events A3 and A5: which neighbours a user reports, from filtered RSRP.

Entering and leaving conditions, with Mp of the serving cell, Mn of the neighbour and cell individual offsets Oc:
A3: Mn + Ocn - Hys > Mp + Ocp + Off;  Mn + Ocn + Hys < Mp + Ocp + Off.
A5: Mp + Hys < Thresh1 and Mn + Ocn - Hys > Thresh2;  Mp - Hys > Thresh1 or Mn + Ocn + Hys < Thresh2.
A condition must hold in every RRC period of the time to trigger. A newly triggered neighbour is reported at once, those
that stay triggered each report interval. Source: TS 38.331 §5.5.4.1, §5.5.4.4, §5.5.4.6, §5.5.5.
Simplification: one carrier (Ofn = Ofp = 0), no limit on the number of reports, a report takes no time.
"""

from __future__ import annotations

import math

from ranpilot.kernels import inner_kernel, woven_kernel
from ranpilot.twin import state as s
from ranpilot.twin.parameters import EVENT_A3, Parameters

__all__ = ["reported_cell"]


@woven_kernel
def reported_cell(net: s.Network, parameters: Parameters, ue: int, first: int) -> int:
    """The strongest neighbour, offsets counted, that a user reports before slot `first`; -1 without a report."""
    serving = net.ue[ue, s.SERVING_CELL]
    is_new = False
    best = -1
    best_dbm = -math.inf
    for cell in range(net.gain.shape[1]):
        if cell == serving:
            continue
        is_new = _follow_trigger(net, parameters, ue, cell, serving) or is_new
        offset_dbm = net.rsrp_l3_dbm[ue, cell] + net.cell_real[cell, s.INDIVIDUAL_OFFSET_DB]
        if net.trigger[ue, cell, s.IS_TRIGGERED] == 1 and offset_dbm > best_dbm:
            best = cell
            best_dbm = offset_dbm
    if best < 0 or (not is_new and first < net.ue[ue, s.NEXT_REPORT_SLOT]):
        return -1
    net.ue[ue, s.NEXT_REPORT_SLOT] = first + parameters.rrc.report_slots
    return best


@inner_kernel
def _follow_trigger(net: s.Network, parameters: Parameters, ue: int, cell: int, serving: int) -> bool:
    """Count one RRC period of a neighbour's condition; whether it is triggered now and was not before."""
    is_triggered = net.trigger[ue, cell, s.IS_TRIGGERED]
    holds = (
        _leaves(net, parameters, ue, cell, serving)
        if is_triggered == 1
        else _enters(net, parameters, ue, cell, serving)
    )
    if not holds:
        net.trigger[ue, cell, s.HELD_TICKS] = 0
        return False
    net.trigger[ue, cell, s.HELD_TICKS] += 1
    # The first period in which it holds starts the time to trigger.
    if net.trigger[ue, cell, s.HELD_TICKS] <= parameters.rrc.trigger_ticks:
        return False
    net.trigger[ue, cell, s.HELD_TICKS] = 0
    net.trigger[ue, cell, s.IS_TRIGGERED] = 1 - is_triggered
    return bool(is_triggered == 0)


@inner_kernel
def _enters(net: s.Network, parameters: Parameters, ue: int, cell: int, serving: int) -> bool:
    rules = parameters.rrc
    own_dbm = net.rsrp_l3_dbm[ue, serving]
    other_dbm = net.rsrp_l3_dbm[ue, cell] + net.cell_real[cell, s.INDIVIDUAL_OFFSET_DB]
    if rules.event == EVENT_A3:
        own_dbm += net.cell_real[serving, s.INDIVIDUAL_OFFSET_DB]
        return bool(other_dbm - rules.hysteresis_db > own_dbm + rules.offset_db)
    is_weak = own_dbm + rules.hysteresis_db < rules.serving_below_dbm
    return bool(is_weak and other_dbm - rules.hysteresis_db > rules.neighbour_above_dbm)


@inner_kernel
def _leaves(net: s.Network, parameters: Parameters, ue: int, cell: int, serving: int) -> bool:
    rules = parameters.rrc
    own_dbm = net.rsrp_l3_dbm[ue, serving]
    other_dbm = net.rsrp_l3_dbm[ue, cell] + net.cell_real[cell, s.INDIVIDUAL_OFFSET_DB]
    if rules.event == EVENT_A3:
        own_dbm += net.cell_real[serving, s.INDIVIDUAL_OFFSET_DB]
        return bool(other_dbm + rules.hysteresis_db < own_dbm + rules.offset_db)
    is_strong = own_dbm - rules.hysteresis_db > rules.serving_below_dbm
    return bool(is_strong or other_dbm + rules.hysteresis_db < rules.neighbour_above_dbm)
