"""Radio link failure and what follows: Qout, Qin, N310, T310, N311, then re-establishment under T311.

The link's quality is the serving cell's filtered SINR, looked at each RRC period: below Qout it is an out-of-sync
indication, from Qin on an in-sync one, between them neither. N310 out-of-sync indications without an in-sync one start
T310, N311 in-sync ones without an out-of-sync one stop it, its end is the failure. The user then searches (T311) and
connects to the strongest suitable cell with room, its own counted as such.
Source: TS 38.331 §5.3.10, §5.3.7; TS 38.133 §8.1; TS 38.300 §15.5.2 (too late, too early, wrong cell).
Simplifications: one filter stands for the evaluation periods of both thresholds (200 and 100 ms in TS 38.133); the
context is always found, so that the queue survives; T301 does not expire.
"""

from __future__ import annotations

from ranpilot.kernels import inner_kernel
from ranpilot.twin import state as s
from ranpilot.twin.mac.queue import flush_queue
from ranpilot.twin.mac.retransmission import flush_processes
from ranpilot.twin.parameters import Parameters
from ranpilot.twin.rrc.places import change_cell

__all__ = ["begin_search", "count_failure", "search_cell", "watch_link"]


@inner_kernel
def watch_link(net: s.Network, parameters: Parameters, ue: int, first: int) -> bool:
    """Take one indication of a user's link; whether it has failed by slot `first`."""
    rules = parameters.rrc
    quality_db = net.sinr_l3_db[ue, net.ue[ue, s.SERVING_CELL]]
    if net.ue[ue, s.T310_UNTIL] == s.NEVER:
        if quality_db >= rules.qin_db:
            net.ue[ue, s.OUT_OF_SYNC] = 0
        elif quality_db < rules.qout_db:
            net.ue[ue, s.OUT_OF_SYNC] += 1
        if net.ue[ue, s.OUT_OF_SYNC] < rules.n310:
            return False
        net.ue[ue, s.OUT_OF_SYNC] = net.ue[ue, s.IN_SYNC] = 0
        net.ue[ue, s.T310_UNTIL] = first + rules.t310_slots
    elif quality_db >= rules.qin_db:
        net.ue[ue, s.IN_SYNC] += 1
        if net.ue[ue, s.IN_SYNC] >= rules.n311:
            net.ue[ue, s.T310_UNTIL] = s.NEVER
    elif quality_db < rules.qout_db:
        net.ue[ue, s.IN_SYNC] = 0
    return bool(first >= net.ue[ue, s.T310_UNTIL])


@inner_kernel
def count_failure(net: s.Network, parameters: Parameters, ue: int, first: int) -> None:
    """Count a failed link; the last handover is to blame if it was short ago."""
    cell = net.ue[ue, s.SERVING_CELL]
    net.ue_count[ue, s.UE_FAILURES] += 1
    net.cell_count[cell, s.CELL_FAILURES] += 1
    if net.ue[ue, s.CONNECTION] == s.PREPARING:
        net.cell_count[cell, s.CELL_PREPARATIONS_CUT] += 1
    is_recent = first - net.ue[ue, s.CHANGED_SLOT] < parameters.rrc.short_stay_slots
    net.ue[ue, s.SOURCE_CELL] = net.ue[ue, s.PREVIOUS_CELL] if is_recent else -1
    net.ue[ue, s.LOST_SLOT] = first


@inner_kernel
def begin_search(net: s.Network, parameters: Parameters, ue: int, first: int) -> None:
    """Start T311: from `first` on a user has no link; its place is held in the cell that it lost."""
    net.cell_count[net.ue[ue, s.SERVING_CELL], s.CELL_SEARCHES] += 1 - parameters.rrc.failed_leave
    net.ue[ue, s.CONNECTION] = s.SEARCHING
    net.ue[ue, s.PHASE_UNTIL] = first + parameters.rrc.t311_slots
    net.ue[ue, s.INTERRUPTED_UNTIL] = s.NEVER


@inner_kernel
def search_cell(net: s.Network, parameters: Parameters, ue: int, first: int) -> bool:
    """Connect to the strongest suitable cell, once the search has had its time; whether the user is gone instead."""
    rules = parameters.rrc
    if rules.failed_leave == 1:
        return True
    if first < net.ue[ue, s.PHASE_UNTIL] - rules.t311_slots + rules.search_slots:
        return False
    found = _strongest_suitable(net, parameters, ue)
    if found >= 0:
        _reconnect(net, parameters, ue, found, first)
    elif net.ue[ue, s.CONNECTION] == s.SEARCHING and first >= net.ue[ue, s.PHASE_UNTIL]:
        net.cell_count[net.ue[ue, s.SERVING_CELL], s.CELL_SEARCHES_EXPIRED] += 1
        net.ue[ue, s.CONNECTION] = s.STRANDED
        return bool(parameters.population.is_static == 0)
    return False


@inner_kernel
def _strongest_suitable(net: s.Network, parameters: Parameters, ue: int) -> int:
    """The suitable cell with room from which a user receives most, fading apart; -1 for none."""
    rules = parameters.rrc
    own = net.ue[ue, s.SERVING_CELL]
    best = -1
    best_mw = -1.0
    for cell in range(net.gain.shape[1]):
        received_mw = net.cell_real[cell, s.PRB_POWER_MW] * net.gain[ue, cell]
        is_suitable = received_mw >= rules.suitable_mw and net.sinr_l3_db[ue, cell] >= rules.suitable_sinr_db
        is_on_air = net.cell[cell, s.IS_ON_AIR] == 1
        has_room = cell == own or net.cell[cell, s.CONNECTED_UES] < net.cell[cell, s.ADMISSION_LIMIT]
        # Among equals the cell that was lost comes first.
        is_stronger = received_mw > best_mw or (received_mw == best_mw and cell == own)
        if is_suitable and is_on_air and has_room and is_stronger:
            best = cell
            best_mw = received_mw
    return best


@inner_kernel
def _reconnect(net: s.Network, parameters: Parameters, ue: int, cell: int, first: int) -> None:
    is_reestablished = net.ue[ue, s.CONNECTION] == s.SEARCHING
    if is_reestablished:
        _count_cause(net, ue, cell)
    else:
        flush_processes(net, ue)
        flush_queue(net, ue)
    change_cell(net, parameters, ue, cell, first, parameters.rrc.reestablishment_slots)
    if is_reestablished:
        net.cell_count[cell, s.CELL_REESTABLISHMENTS] += 1
        net.cell_count[cell, s.CELL_REESTABLISHMENT_SLOTS] += net.ue[ue, s.INTERRUPTED_UNTIL] - net.ue[ue, s.LOST_SLOT]
        net.ue_count[ue, s.UE_REESTABLISHMENTS] += 1
    net.ue[ue, s.SOURCE_CELL] = net.ue[ue, s.PREVIOUS_CELL] = -1


@inner_kernel
def _count_cause(net: s.Network, ue: int, cell: int) -> None:
    """Say which handover was missing or wrong, from where a user was, failed and connects again."""
    failed, source = net.ue[ue, s.SERVING_CELL], net.ue[ue, s.SOURCE_CELL]
    if cell == failed:
        return
    if source < 0:
        net.cell_count[failed, s.CELL_TOO_LATE] += 1
    elif cell == source:
        net.cell_count[source, s.CELL_TOO_EARLY] += 1
    else:
        net.cell_count[source, s.CELL_WRONG_CELL] += 1
