"""Phase 2 of a slot: users measure and report the CQI of every group, each period; a report is used some slots later.

Places report in turn (place u in slots u, u + period, ...). Source: TS 38.214 §5.2.2.1 (CQI table 1, 2 or 3).
Simplification: the CQI of each group is reported whole, not as a difference to the wideband CQI.
"""

from __future__ import annotations

from ranpilot.kernels import inner_kernel, woven_kernel
from ranpilot.twin import state as s
from ranpilot.twin.mac.scratch import Scratch
from ranpilot.twin.mac.sinr import fill_expected_sinr
from ranpilot.twin.parameters import CQI_THRESHOLD, Parameters

__all__ = ["forget_reports", "report_cqi"]


@woven_kernel
def report_cqi(net: s.Network, parameters: Parameters, scratch: Scratch, slot: int) -> None:
    """Measure where a report is due, and put into use what has travelled for the delay."""
    period, delay = parameters.link.cqi_period, parameters.link.cqi_delay
    num_ues = len(net.ue)
    for ue in range(slot % period, num_ues, period):
        if net.ue[ue, s.SERVING_CELL] >= 0 and net.cell[net.ue[ue, s.SERVING_CELL], s.IS_ON_AIR] == 1:
            _measure_cqi(net, parameters, scratch, ue, slot)
    if slot >= delay:
        for ue in range((slot - delay) % period, num_ues, period):
            if net.ue[ue, s.SERVING_CELL] >= 0:
                for group in range(net.cqi.shape[1]):
                    net.cqi[ue, group] = net.cqi_on_its_way[ue, group]


@inner_kernel
def forget_reports(net: s.Network, parameters: Parameters, ue: int) -> None:
    """Begin without any report and with the outer loop where it begins: after a handover, or for a new user."""
    for group in range(net.cqi.shape[1]):
        net.cqi[ue, group] = 0
        net.cqi_on_its_way[ue, group] = 0
    net.ue_real[ue, s.OFFSET_DB] = parameters.link.initial_offset_db


@woven_kernel
def _measure_cqi(net: s.Network, parameters: Parameters, scratch: Scratch, ue: int, slot: int) -> None:
    fill_expected_sinr(net, parameters.air, scratch, ue, slot)
    threshold = parameters.link.cqi[CQI_THRESHOLD]
    total = 0
    num_groups = net.cqi.shape[1]
    for group in range(num_groups):
        sinr = scratch.sinr[group]
        cqi = 8 if sinr >= threshold[8] else 0
        for step in (4, 2, 1):
            if sinr >= threshold[cqi + step]:
                cqi += step
        net.cqi_on_its_way[ue, group] = cqi
        total += cqi
    cell = net.ue[ue, s.SERVING_CELL]
    wideband = (total + num_groups // 2) // num_groups
    net.cell_count[cell, s.CELL_CQI_SUM] += wideband
    net.cell_count[cell, s.CELL_CQI_REPORTS] += 1
    net.quality_count[cell, s.FIRST_CQI_BIN + wideband] += 1
