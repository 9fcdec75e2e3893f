"""What a slot costs a cell: slots are counted by power state, transmissions by what they radiate; joules follow.

A cell that is awake may doze: after some slots without transmission it goes into light sleep by itself, where it is
still found and measured, and the first user with data wakes it and waits. The arithmetic is in `twin/energy.py`.
Simplification: what cells always send (SSB, SIB1) and receive costs nothing and wakes nobody.
"""

from __future__ import annotations

from ranpilot.kernels import inner_kernel, woven_kernel
from ranpilot.twin import state as s
from ranpilot.twin.parameters import Parameters

__all__ = ["count_power", "rouse_cell"]


@woven_kernel
def count_power(net: s.Network, parameters: Parameters, cell: int, used_prbs: int, slot: int) -> None:
    """Count a slot of a cell that transmits on `used_prbs`."""
    if used_prbs > 0:
        net.cell_count[cell, s.CELL_SENDING_SLOTS] += 1
        net.cell_count[cell, s.CELL_RADIATED] += used_prbs * net.cell[cell, s.RADIATED_SHARE]
    else:
        net.cell_count[cell, s.CELL_EMPTY_SLOTS + net.cell[cell, s.POWER_STATE]] += 1
    if parameters.energy.doze_after_slots != s.NEVER and net.cell[cell, s.IS_ON_AIR] == 1:
        _doze(net, parameters, cell, used_prbs, slot)


@woven_kernel
def _doze(net: s.Network, parameters: Parameters, cell: int, used_prbs: int, slot: int) -> None:
    """Go into light sleep after slots without transmission, or be awake again from the next slot on."""
    if net.cell[cell, s.POWER_STATE] == s.DOZING:
        if net.cell[cell, s.SERVED_FROM] <= slot + 1:
            net.cell[cell, s.POWER_STATE] = s.AWAKE
        return
    net.cell[cell, s.EMPTY_SLOTS] = 0 if used_prbs > 0 else net.cell[cell, s.EMPTY_SLOTS] + 1
    if net.cell[cell, s.EMPTY_SLOTS] >= parameters.energy.doze_after_slots:
        net.cell[cell, s.EMPTY_SLOTS] = 0
        net.cell[cell, s.POWER_STATE] = s.DOZING
        net.cell[cell, s.SERVED_FROM] = s.NEVER
        net.cell_count[cell, s.CELL_LIGHT_SLEEPS] += 1


@inner_kernel
def rouse_cell(net: s.Network, parameters: Parameters, cell: int, slot: int) -> None:
    """Wake a cell that dozes, for a user with data; one off the air hears nothing."""
    if net.cell[cell, s.POWER_STATE] == s.DOZING and net.cell[cell, s.SERVED_FROM] == s.NEVER:
        net.cell[cell, s.SERVED_FROM] = slot + parameters.energy.wake_slots[s.LIGHT_SLEEP]
