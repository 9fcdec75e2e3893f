"""Radio link failure in plain form: the filtered SINR of the serving cell stays below a limit for some time.

Where users arrive and leave, a failed one is gone; in a static population it reconnects to the strongest cell with
room, interrupted as by a handover. (Qout, Qin, T310 and re-establishment are not modelled.)
"""

from __future__ import annotations

from ranpilot.kernels import inner_kernel
from ranpilot.twin import state as s
from ranpilot.twin.parameters import Parameters
from ranpilot.twin.rrc.places import change_cell, leave_place

__all__ = ["watch_link"]


@inner_kernel
def watch_link(net: s.Network, parameters: Parameters, ue: int, slot: int) -> None:
    """Count how long a user's link has been failing, and end it where that is too long."""
    cell = net.users.serving_cell[ue]
    if net.links.sinr_l3_db[ue, cell] >= parameters.rrc.failure_sinr_db:
        net.users.failing_ticks[ue] = 0
        return
    net.users.failing_ticks[ue] += 1
    if net.users.failing_ticks[ue] < parameters.rrc.failure_ticks:
        return
    net.counters.ue[ue, s.UE_FAILURES] += 1
    net.counters.cell[cell, s.CELL_FAILURES] += 1
    if parameters.population.is_static == 1:
        change_cell(net, parameters, ue, _strongest_with_room(net, ue), slot + 1)
    else:
        leave_place(net, ue)


@inner_kernel
def _strongest_with_room(net: s.Network, ue: int) -> int:
    best = net.users.serving_cell[ue]
    best_mw = net.cells.prb_power_mw[best] * net.links.gain[ue, best]
    for cell in range(net.links.gain.shape[1]):
        received_mw = net.cells.prb_power_mw[cell] * net.links.gain[ue, cell]
        if received_mw > best_mw and net.cells.connected_ues[cell] < net.cells.admission_limit[cell]:
            best = cell
            best_mw = received_mw
    return best
