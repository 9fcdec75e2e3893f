"""Whether a cell is on the air, and what that leaves of its power and its places.

A cell is on the air unless it sleeps (`rrc/sleep.py`) or an event keeps it off. Off the air it transmits nothing and is
not measured, it admits nobody, and it hears and commands nobody. Users that it serves are told nothing: the quality of
their link falls as their filter lets it, and they lose it as every link is lost (`rrc/failure.py`).
"""

from __future__ import annotations

from ranpilot.kernels import inner_kernel
from ranpilot.twin import state as s
from ranpilot.twin.parameters import Parameters

__all__ = ["settle_cell"]


@inner_kernel
def settle_cell(net: s.Network, parameters: Parameters, cell: int) -> None:
    """Let what is in force follow what controls have set and events allow: SLEEP_LEVEL, EVENT_OFF, limits, power."""
    is_on_air = int(net.cell[cell, s.SLEEP_LEVEL] == s.AWAKE and net.cell[cell, s.EVENT_OFF] == 0)
    if is_on_air != net.cell[cell, s.IS_ON_AIR]:
        net.cell[cell, s.IS_ON_AIR] = is_on_air
        net.cell[cell, s.SERVED_FROM] = 0 if is_on_air == 1 else s.NEVER
        net.cell[cell, s.POWER_STATE] = s.AWAKE
        net.cell[cell, s.EMPTY_SLOTS] = 0
    if is_on_air == 0:
        is_off = net.cell[cell, s.EVENT_OFF] == 1
        net.cell[cell, s.POWER_STATE] = s.SWITCHED_OFF if is_off else net.cell[cell, s.SLEEP_LEVEL]
    limit = min(net.cell[cell, s.SET_ADMISSION_LIMIT], net.cell[cell, s.EVENT_ADMISSION_LIMIT])
    net.cell[cell, s.ADMISSION_LIMIT] = is_on_air * limit
    power_mw = net.cell_real[cell, s.ON_AIR_PRB_POWER_MW]
    net.cell_real[cell, s.PRB_POWER_MW] = is_on_air * power_mw
    net.cell[cell, s.RADIATED_SHARE] = int(s.FULL_SHARE * power_mw / parameters.energy.full_prb_mw[cell] + 0.5)
