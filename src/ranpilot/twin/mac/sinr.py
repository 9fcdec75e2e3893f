"""SINR of every resource-block group of one link, with the serving cell and the strongest interferers fading.

Maximum-ratio combining of the receive branches; an interferer keeps the statistics of one branch. Cells beyond the
strongest few add up at their mean power.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ranpilot.kernels import inner_kernel
from ranpilot.twin import state as s
from ranpilot.twin.mac.scratch import ACTIVE, Scratch
from ranpilot.twin.parameters import Air

__all__ = ["fill_expected_sinr", "fill_sinr", "trace_step"]


@inner_kernel
def trace_step(net: s.Network, air: Air, ue: int, cell: int, slot: int) -> int:
    """Step of the fading trace at which a link is in `slot`."""
    return int(
        (net.trace[ue, cell, s.TRACE_START] + int(slot * net.ue_real[ue, s.STEPS_PER_SLOT])) % air.fading.shape[1]
    )


@inner_kernel
def fill_sinr(net: s.Network, air: Air, scratch: Scratch, ue: int, groups: int, slot: int) -> int:
    """Write the linear SINR of the groups in the mask to scratch.sinr[0, 1, ...]; return how many.

    Interference comes from the cells that transmit on the group in this slot.
    """
    num_groups = air.fading.shape[2]
    interference_mw = scratch.interference_mw
    for group in range(num_groups):
        interference_mw[group] = air.noise_mw
    for rank in range(net.interferer.shape[1]):
        cell = net.interferer[ue, rank]
        if cell < 0:
            break
        shared = scratch.cell[cell, ACTIVE] & groups
        if shared == 0:
            continue
        row = air.fading[net.trace[ue, cell, s.TRACE], trace_step(net, air, ue, cell, slot)]
        mean_mw = net.cell_real[cell, s.PRB_POWER_MW] * net.gain[ue, cell]
        for group in range(num_groups):
            if (shared >> group) & 1:
                interference_mw[group] += mean_mw * row[group]
    if net.interferer.shape[1] < net.gain.shape[1] - 1:
        _add_the_rest(net, scratch, ue, groups)
    return _divide(net, air, scratch, ue, groups, slot)


@inner_kernel
def fill_expected_sinr(net: s.Network, air: Air, scratch: Scratch, ue: int, slot: int) -> None:
    """Write the SINR of all groups as a user reports it: interferers weighted with their running activity."""
    num_groups = air.fading.shape[2]
    interference_mw = scratch.interference_mw
    for group in range(num_groups):
        interference_mw[group] = air.noise_mw
    serving = net.ue[ue, s.SERVING_CELL]
    for cell in range(net.gain.shape[1]):
        if cell == serving:
            continue
        mean_mw = net.cell_real[cell, s.PRB_POWER_MW] * net.gain[ue, cell]
        row = air.fading[net.trace[ue, cell, s.TRACE], trace_step(net, air, ue, cell, slot)]
        for group in range(num_groups):
            interference_mw[group] += mean_mw * row[group] * net.activity[cell, group]
    _divide(net, air, scratch, ue, (1 << num_groups) - 1, slot)


@inner_kernel
def _add_the_rest(net: s.Network, scratch: Scratch, ue: int, groups: int) -> None:
    """Add the cells that are not among the strongest interferers, without fading."""
    num_ranks = net.interferer.shape[1]
    for cell in range(net.gain.shape[1]):
        shared = scratch.cell[cell, ACTIVE] & groups
        if shared == 0 or cell == net.ue[ue, s.SERVING_CELL]:
            continue
        is_strong = False
        for rank in range(num_ranks):
            is_strong = is_strong or net.interferer[ue, rank] == cell
        if is_strong:
            continue
        mean_mw = net.cell_real[cell, s.PRB_POWER_MW] * net.gain[ue, cell]
        for group in range(len(scratch.interference_mw)):
            if (shared >> group) & 1:
                scratch.interference_mw[group] += mean_mw


@inner_kernel
def _divide(net: s.Network, air: Air, scratch: Scratch, ue: int, groups: int, slot: int) -> int:
    """Signal over interference of the groups in the mask, packed to the front of scratch.sinr."""
    serving = net.ue[ue, s.SERVING_CELL]
    mean_mw = net.cell_real[serving, s.PRB_POWER_MW] * net.gain[ue, serving]
    step = trace_step(net, air, ue, serving, slot)
    first = net.trace[ue, serving, s.TRACE]
    num_traces = air.fading.shape[0]
    second = (first + num_traces // 2) % num_traces
    first_branch: NDArray[np.float32] = air.fading[first, step]
    second_branch: NDArray[np.float32] = air.fading[second, step]
    count = 0
    for group in range(air.fading.shape[2]):
        if (groups >> group) & 1:
            gain = first_branch[group]
            if air.rx_antennas == 2:
                gain += second_branch[group]
            scratch.sinr[count] = mean_mw * gain / scratch.interference_mw[group]
            count += 1
    return count
