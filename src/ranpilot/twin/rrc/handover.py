"""Handovers, from an event or from a control: preparation, command, access to the target, success or failure.

In preparation the source serves; at its end the target admits the user or refuses. From the command on the place is
held in the target and nothing is sent until the random access has succeeded, which takes the interruption's time and a
target whose filtered SINR is at least Qout; until T304 expires it is tried each RRC period.
Source: TS 38.331 §5.3.5.5.2, §5.3.5.8.3; TS 38.300 §9.2.3.2. Simplification: what is being prepared holds no place.
"""

from __future__ import annotations

import math

from ranpilot.kernels import inner_kernel
from ranpilot.twin import state as s
from ranpilot.twin.parameters import Parameters
from ranpilot.twin.rrc.places import change_cell

__all__ = ["access_target", "command_handover", "force_handover", "prepare_handover"]


@inner_kernel
def force_handover(net: s.Network, parameters: Parameters, ue: int, target: int, slot: int) -> None:
    """Begin a handover that a control asks for before `slot`; refused on the way elsewhere and off the air."""
    if net.ue[ue, s.CONNECTION] != s.CONNECTED or net.cell[net.ue[ue, s.SERVING_CELL], s.IS_ON_AIR] == 0:
        net.cell_count[net.ue[ue, s.SERVING_CELL], s.CELL_HANDOVERS_ASKED] += 1
        _refuse(net, ue)
    elif prepare_handover(net, ue, target, slot, parameters.rrc.forced_preparation_slots):
        command_handover(net, parameters, ue, slot)
        if net.ue[ue, s.CONNECTION] == s.ACCESSING:
            # It cannot be given up yet: T304 lasts an RRC period at least.
            access_target(net, parameters, ue, slot)


@inner_kernel
def prepare_handover(net: s.Network, ue: int, target: int, first: int, slots: int) -> bool:
    """Prepare a handover for that many slots from `first` on; whether the command is due at once."""
    net.cell_count[net.ue[ue, s.SERVING_CELL], s.CELL_HANDOVERS_ASKED] += 1
    net.ue[ue, s.TARGET_CELL] = target
    net.ue[ue, s.CONNECTION] = s.PREPARING
    net.ue[ue, s.PHASE_UNTIL] = first + slots
    return slots == 0


@inner_kernel
def command_handover(net: s.Network, parameters: Parameters, ue: int, first: int) -> None:
    """Send a user to its target if that has room; `first` is the first slot that the interruption covers."""
    rules = parameters.rrc
    source, target = net.ue[ue, s.SERVING_CELL], net.ue[ue, s.TARGET_CELL]
    net.ue[ue, s.CONNECTION] = s.CONNECTED
    # Who came on the air within this RRC period has not been found yet.
    is_found = not math.isnan(net.sinr_l3_db[ue, target])
    if not is_found or net.cell[target, s.CONNECTED_UES] >= net.cell[target, s.ADMISSION_LIMIT]:
        _refuse(net, ue)
        return
    change_cell(net, parameters, ue, target, first, rules.interruption_slots)
    net.ue[ue, s.LOST_SLOT] = first
    net.ue[ue, s.SOURCE_CELL] = source
    net.cell_count[source, s.CELL_HANDOVERS_STARTED] += 1
    net.ue_count[ue, s.UE_HANDOVERS_STARTED] += 1
    if rules.t304_slots < 0:
        _succeed(net, parameters, ue)
    else:
        net.ue[ue, s.CONNECTION] = s.ACCESSING
        net.ue[ue, s.PHASE_UNTIL] = first + rules.t304_slots


@inner_kernel
def access_target(net: s.Network, parameters: Parameters, ue: int, first: int) -> bool:
    """Try the access if it is due before the next RRC period ends; whether T304 has expired by `first`."""
    tick_slots = parameters.grid.tick_slots
    next_tick = (first // tick_slots + 1) * tick_slots
    until = net.ue[ue, s.INTERRUPTED_UNTIL]
    target = net.ue[ue, s.SERVING_CELL]
    is_heard = net.cell[target, s.IS_ON_AIR] == 1 and net.sinr_l3_db[ue, target] >= parameters.rrc.qout_db
    if until < next_tick and is_heard and until <= net.ue[ue, s.PHASE_UNTIL]:
        _succeed(net, parameters, ue)
        return False
    if first >= net.ue[ue, s.PHASE_UNTIL]:
        net.cell_count[net.ue[ue, s.SOURCE_CELL], s.CELL_HANDOVERS_FAILED] += 1
        net.ue_count[ue, s.UE_HANDOVERS_FAILED] += 1
        return True
    net.ue[ue, s.INTERRUPTED_UNTIL] = max(until, next_tick)
    return False


@inner_kernel
def _succeed(net: s.Network, parameters: Parameters, ue: int) -> None:
    """Count a handover whose target serves from the end of the interruption on."""
    source, target = net.ue[ue, s.SOURCE_CELL], net.ue[ue, s.SERVING_CELL]
    served_slot = net.ue[ue, s.INTERRUPTED_UNTIL]
    net.ue[ue, s.CONNECTION] = s.CONNECTED
    net.cell_count[source, s.CELL_HANDOVERS_OUT] += 1
    net.cell_count[target, s.CELL_HANDOVERS_IN] += 1
    net.cell_count[source, s.CELL_HANDOVER_SLOTS] += served_slot - net.ue[ue, s.LOST_SLOT]
    net.ue_count[ue, s.UE_HANDOVERS] += 1
    stay_slots = served_slot - net.ue[ue, s.CHANGED_SLOT]
    if net.ue[ue, s.PREVIOUS_CELL] == target and stay_slots < parameters.rrc.short_stay_slots:
        net.cell_count[source, s.CELL_PING_PONGS] += 1
        net.ue_count[ue, s.UE_PING_PONGS] += 1
    net.ue[ue, s.PREVIOUS_CELL] = source
    net.ue[ue, s.CHANGED_SLOT] = served_slot
    net.ue[ue, s.SOURCE_CELL] = -1


@inner_kernel
def _refuse(net: s.Network, ue: int) -> None:
    net.cell_count[net.ue[ue, s.SERVING_CELL], s.CELL_HANDOVERS_REFUSED] += 1
    net.ue_count[ue, s.UE_HANDOVERS_REFUSED] += 1
