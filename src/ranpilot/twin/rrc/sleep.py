"""Cells that controls put to sleep and wake.

A cell falls asleep at once, and a sleeping one deeper. Told less than its sleep, it wakes, which takes the time of its
level and cannot be cut short; then it is on the air, or goes into the sleep that it has been told meanwhile. Users find
a cell by measuring, so that it is back with the RRC period that ends the wake-up time; at once where that is 0 and
a period begins.
Source of levels and times: TR 38.864 §5.1, Tables 5.1-3 and 5.1-4. Differs from source: the whole transition time, of
falling asleep and of waking, is taken for waking.
"""

from __future__ import annotations

from ranpilot.kernels import inner_kernel, woven_kernel
from ranpilot.twin import state as s
from ranpilot.twin.parameters import Parameters
from ranpilot.twin.rrc.on_air import settle_cell

__all__ = ["set_sleep_level", "wake_cells"]


@inner_kernel
def set_sleep_level(net: s.Network, parameters: Parameters, cell: int, level: int, slot: int) -> None:
    """Put a level that controls set before `slot` into force, or begin to wake."""
    net.cell[cell, s.SET_SLEEP_LEVEL] = level
    current = net.cell[cell, s.SLEEP_LEVEL]
    if net.cell[cell, s.AWAKE_SLOT] != s.NEVER or level == current:
        return
    if level > current:
        _fall_asleep(net, parameters, cell, level)
    else:
        net.cell[cell, s.AWAKE_SLOT] = slot + parameters.energy.wake_slots[current]
        # The RRC period that ends here has run already.
        if net.cell[cell, s.AWAKE_SLOT] == slot and slot % parameters.grid.tick_slots == 0:
            _wake(net, parameters, cell)


@woven_kernel
def wake_cells(net: s.Network, parameters: Parameters, first: int) -> None:
    """Let the cells be awake from slot `first` on whose wake-up time is over by then."""
    for cell in range(len(net.cell)):
        if net.cell[cell, s.AWAKE_SLOT] <= first:
            _wake(net, parameters, cell)


@inner_kernel
def _wake(net: s.Network, parameters: Parameters, cell: int) -> None:
    """Be awake, or in the sleep that was told meanwhile."""
    net.cell[cell, s.AWAKE_SLOT] = s.NEVER
    net.cell[cell, s.SLEEP_LEVEL] = s.AWAKE
    _fall_asleep(net, parameters, cell, net.cell[cell, s.SET_SLEEP_LEVEL])


@inner_kernel
def _fall_asleep(net: s.Network, parameters: Parameters, cell: int, level: int) -> None:
    """Go into a sleep; AWAKE is none."""
    net.cell[cell, s.SLEEP_LEVEL] = level
    # A cell that dozes is in light sleep already.
    if level == s.LIGHT_SLEEP and net.cell[cell, s.POWER_STATE] != s.DOZING:
        net.cell_count[cell, s.CELL_LIGHT_SLEEPS] += 1
    elif level == s.DEEP_SLEEP:
        net.cell_count[cell, s.CELL_DEEP_SLEEPS] += 1
    settle_cell(net, parameters, cell)
