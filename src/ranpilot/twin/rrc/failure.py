"""Radio link failure in plain form: the filtered SINR of the serving cell stays below a limit for some time.

Where users arrive and leave, a failed one is gone; in a static population it reconnects to the strongest cell with
room, interrupted as by a handover. (Qout, Qin, T310 and re-establishment are not modelled.)
"""

from __future__ import annotations

from ranpilot.kernels import woven_kernel
from ranpilot.twin import state as s
from ranpilot.twin.parameters import Parameters
from ranpilot.twin.rrc.places import change_cell, leave_place

__all__ = ["watch_link"]


@woven_kernel
def watch_link(net: s.Network, parameters: Parameters, ue: int, slot: int) -> None:
    """Count how long a user's link has been failing, and end it where that is too long."""
    cell = net.ue[ue, s.SERVING_CELL]
    if net.sinr_l3_db[ue, cell] >= parameters.rrc.failure_sinr_db:
        net.ue[ue, s.FAILING_TICKS] = 0
        return
    net.ue[ue, s.FAILING_TICKS] += 1
    if net.ue[ue, s.FAILING_TICKS] < parameters.rrc.failure_ticks:
        return
    net.ue_count[ue, s.UE_FAILURES] += 1
    net.cell_count[cell, s.CELL_FAILURES] += 1
    if parameters.population.is_static == 1:
        change_cell(net, parameters, ue, _strongest_with_room(net, ue), slot + 1)
    else:
        leave_place(net, ue)


@woven_kernel
def _strongest_with_room(net: s.Network, ue: int) -> int:
    best = int(net.ue[ue, s.SERVING_CELL])
    best_mw = net.cell_real[best, s.PRB_POWER_MW] * net.gain[ue, best]
    for cell in range(net.gain.shape[1]):
        received_mw = net.cell_real[cell, s.PRB_POWER_MW] * net.gain[ue, cell]
        if received_mw > best_mw and net.cell[cell, s.CONNECTED_UES] < net.cell[cell, s.ADMISSION_LIMIT]:
            best = cell
            best_mw = received_mw
    return best
