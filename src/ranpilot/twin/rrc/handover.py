"""Handovers that a control forces: admitted by the target or refused by it."""

from __future__ import annotations

from ranpilot.kernels import woven_kernel
from ranpilot.twin import state as s
from ranpilot.twin.parameters import Parameters
from ranpilot.twin.rrc.places import change_cell

__all__ = ["hand_over"]


@woven_kernel
def hand_over(net: s.Network, parameters: Parameters, ue: int, target: int, slot: int) -> bool:
    """Move a user to `target`, whether it has room; `slot` is the first one that the interruption covers."""
    source = net.ue[ue, s.SERVING_CELL]
    net.cell_count[source, s.CELL_HANDOVERS_ASKED] += 1
    if net.cell[target, s.CONNECTED_UES] >= net.cell[target, s.ADMISSION_LIMIT]:
        net.cell_count[source, s.CELL_HANDOVERS_REFUSED] += 1
        net.ue_count[ue, s.UE_HANDOVERS_REFUSED] += 1
        return False
    change_cell(net, parameters, ue, target, slot)
    net.cell_count[source, s.CELL_HANDOVERS_OUT] += 1
    net.cell_count[target, s.CELL_HANDOVERS_IN] += 1
    net.ue_count[ue, s.UE_HANDOVERS] += 1
    return True
