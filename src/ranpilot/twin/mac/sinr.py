"""SINR of every resource-block group of one link, with the serving cell and the strongest interferers fading.

Maximum-ratio combining of the receive branches; an interferer keeps the statistics of one branch. Cells beyond the
strongest few add up at their mean power. Gains are read from the bank of traces, or computed for each link, group and
slot where fading is exact.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ranpilot.kernels import inner_kernel
from ranpilot.twin import state as s
from ranpilot.twin.mac.scratch import ACTIVE, Scratch
from ranpilot.twin.parameters import Air
from ranpilot.twin.radio.fading import STEPS_PER_CYCLE
from ranpilot.twin.radio.rays import ray_gain

__all__ = ["fill_expected_sinr", "fill_sinr", "mean_fading", "trace_step"]


@inner_kernel
def trace_step(net: s.Network, air: Air, ue: int, cell: int, slot: int) -> int:
    """Step of the fading trace at which a link is in `slot`."""
    steps = int(slot * net.ue_real[ue, s.STEPS_PER_SLOT])
    return int((net.trace[ue, cell, s.TRACE_START] + steps) % air.fading.gain.shape[1])


@inner_kernel
def fill_sinr(net: s.Network, air: Air, scratch: Scratch, ue: int, groups: int, slot: int) -> int:
    """Write the linear SINR of the groups in the mask to scratch.sinr[0, 1, ...]; return how many.

    Interference comes from the cells that transmit on the group in this slot.
    """
    num_groups = net.activity.shape[1]
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
        mean_mw = net.cell_real[cell, s.PRB_POWER_MW] * net.gain[ue, cell]
        if air.fading.is_exact == 1:
            for group in range(num_groups):
                if (shared >> group) & 1:
                    interference_mw[group] += mean_mw * _exact_gain(net, air, ue, cell, slot, group, 0)
            continue
        row = air.fading.gain[net.trace[ue, cell, s.TRACE], trace_step(net, air, ue, cell, slot)]
        for group in range(num_groups):
            if (shared >> group) & 1:
                interference_mw[group] += mean_mw * row[group]
    if net.interferer.shape[1] < net.gain.shape[1] - 1:
        _add_the_rest(net, scratch, ue, groups)
    return _divide(net, air, scratch, ue, groups, slot)


@inner_kernel
def fill_expected_sinr(net: s.Network, air: Air, scratch: Scratch, ue: int, slot: int) -> None:
    """Write the SINR of all groups as a user reports it: interferers weighted with their running activity."""
    num_groups = net.activity.shape[1]
    interference_mw = scratch.interference_mw
    for group in range(num_groups):
        interference_mw[group] = air.noise_mw
    serving = net.ue[ue, s.SERVING_CELL]
    for cell in range(net.gain.shape[1]):
        if cell == serving:
            continue
        mean_mw = net.cell_real[cell, s.PRB_POWER_MW] * net.gain[ue, cell]
        if air.fading.is_exact == 1:
            for group in range(num_groups):
                fading = _exact_gain(net, air, ue, cell, slot, group, 0)
                interference_mw[group] += mean_mw * fading * net.activity[cell, group]
            continue
        row = air.fading.gain[net.trace[ue, cell, s.TRACE], trace_step(net, air, ue, cell, slot)]
        for group in range(num_groups):
            interference_mw[group] += mean_mw * row[group] * net.activity[cell, group]
    _divide(net, air, scratch, ue, (1 << num_groups) - 1, slot)


@inner_kernel
def mean_fading(net: s.Network, air: Air, ue: int, cell: int, slot: int) -> float:
    """Power gain of a link's fading averaged over the band and the receive branches, mean 1."""
    if air.fading.is_exact == 1:
        total = 0.0
        for group in range(net.activity.shape[1]):
            for branch in range(air.rx_antennas):
                total += _exact_gain(net, air, ue, cell, slot, group, branch)
        return float(total / (net.activity.shape[1] * air.rx_antennas))
    step = trace_step(net, air, ue, cell, slot)
    first = net.trace[ue, cell, s.TRACE]
    fading = air.fading.wideband_gain[first, step]
    if air.rx_antennas == 2:
        fading = 0.5 * (fading + air.fading.wideband_gain[_second_trace(air, first), step])
    return float(fading)


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
    if air.fading.is_exact == 1:
        return _divide_exactly(net, air, scratch, ue, groups, slot)
    step = trace_step(net, air, ue, serving, slot)
    first = net.trace[ue, serving, s.TRACE]
    first_branch: NDArray[np.float32] = air.fading.gain[first, step]
    second_branch: NDArray[np.float32] = air.fading.gain[_second_trace(air, first), step]
    count = 0
    for group in range(net.activity.shape[1]):
        if (groups >> group) & 1:
            gain = first_branch[group]
            if air.rx_antennas == 2:
                gain += second_branch[group]
            scratch.sinr[count] = mean_mw * gain / scratch.interference_mw[group]
            count += 1
    return count


@inner_kernel
def _divide_exactly(net: s.Network, air: Air, scratch: Scratch, ue: int, groups: int, slot: int) -> int:
    """As `_divide`, with the exact gains of the serving cell."""
    serving = net.ue[ue, s.SERVING_CELL]
    mean_mw = net.cell_real[serving, s.PRB_POWER_MW] * net.gain[ue, serving]
    count = 0
    for group in range(net.activity.shape[1]):
        if (groups >> group) & 1:
            gain = 0.0
            for branch in range(air.rx_antennas):
                gain += _exact_gain(net, air, ue, serving, slot, group, branch)
            scratch.sinr[count] = mean_mw * gain / scratch.interference_mw[group]
            count += 1
    return count


@inner_kernel
def _second_trace(air: Air, first: int) -> int:
    """The trace of the second receive branch, half a block from that of the first."""
    half = air.fading.traces // 2
    return first + half if first % air.fading.traces < half else first - half


@inner_kernel
def _exact_gain(net: s.Network, air: Air, ue: int, cell: int, slot: int, group: int, branch: int) -> float:
    """Power gain of one branch of a link in a group, from rays of its own."""
    num_cells, num_groups = net.gain.shape[1], net.activity.shape[1]
    return ray_gain(
        air.fading.profile[net.trace[ue, cell, s.TRACE] // air.fading.traces],
        net.identity[s.SEED],
        net.identity[s.NETWORK],
        ue * num_cells + cell,
        net.ue[ue, s.CALL_ID],
        slot * net.ue_real[ue, s.STEPS_PER_SLOT] / STEPS_PER_CYCLE,
        (group - 0.5 * (num_groups - 1)) * air.fading.group_hz,
        branch,
    )
