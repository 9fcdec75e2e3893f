"""Slow, obvious fading: the rays of a link summed in NumPy, and the SINR of a user's groups read off the state."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ranpilot.twin import Networks, state
from ranpilot.twin.rng import draw_uniform4

NUM_RAYS = 64
RAYS_STREAM, DIRECT_STREAM = 55, 56


def ray_channel(
    rice: float,
    spread_s: float,
    key: tuple[int, int, int, int],
    cycles: float,
    frequency_hz: NDArray[np.float64],
    branch: int,
) -> NDArray[np.complex128]:
    """Complex gains [F]; key: seed, network, link, visit."""
    seed, network, link, visit = key
    drawn = np.array([draw_uniform4(seed, network, link * NUM_RAYS + n, visit, RAYS_STREAM) for n in range(NUM_RAYS)])
    direction = 2 * np.pi * (np.arange(NUM_RAYS) + drawn[:, 1]) / NUM_RAYS
    delay_s = -spread_s * np.log(drawn[:, 0])
    phase = 2 * np.pi * (cycles * np.cos(direction) + drawn[:, 2 + branch])
    rays = np.exp(1j * (phase[:, None] - 2 * np.pi * delay_s[:, None] * frequency_hz))
    scattered = rays.sum(axis=0) / np.sqrt(NUM_RAYS)
    drawn_0 = np.array(draw_uniform4(seed, network, link, visit, DIRECT_STREAM))
    direct = np.exp(2j * np.pi * (cycles * np.cos(2 * np.pi * drawn_0[0]) + drawn_0[2 + branch]))
    channel: NDArray[np.complex128] = (np.sqrt(rice) * direct + scattered) / np.sqrt(rice + 1)
    return channel


def link_gains(networks: Networks, ue: int, cell: int, slot: int, branch: int) -> NDArray[np.float64]:
    """Power gains [R] of one branch of a link of network 0."""
    net, fading = networks._state, networks._parameters.air.fading
    num_groups = networks.scenario.carrier.num_groups
    steps = slot * float(net.ue_real[0, ue, state.STEPS_PER_SLOT])
    trace, start = (int(value) for value in net.trace[0, ue, cell])
    if fading.is_exact:
        rice, spread_s = fading.profile[trace // fading.traces]
        identity = net.identity[0]
        link = ue * networks.scenario.num_cells + cell
        key = (int(identity[state.SEED]), int(identity[state.NETWORK]), link, int(net.ue[0, ue, state.CALL_ID]))
        frequency_hz = (np.arange(num_groups) - (num_groups - 1) / 2) * fading.group_hz
        return np.abs(ray_channel(rice, spread_s, key, steps / 16, frequency_hz, branch)) ** 2
    block, place = divmod(trace, fading.traces)
    row = block * fading.traces + (place + branch * fading.traces // 2) % fading.traces
    return fading.gain[row, (start + int(steps)) % fading.gain.shape[1]].astype(np.float64)


def sinr(networks: Networks, ue: int, slot: int, load: NDArray[np.float64], num_individual: int) -> NDArray[np.float64]:
    """Linear SINR [R] of a user of network 0 where the cells transmit with the share `load` [C, R]."""
    net = networks._state
    serving = int(net.ue[0, ue, state.SERVING_CELL])
    mean_mw = net.cell_real[0, :, state.PRB_POWER_MW] * net.gain[0, ue]
    others = [cell for cell in np.argsort(-mean_mw, kind="stable") if cell != serving]
    total_mw = np.full(load.shape[1], networks._parameters.air.noise_mw)
    for rank, cell in enumerate(others):
        fading = link_gains(networks, ue, cell, slot, 0) if rank < num_individual else 1.0
        total_mw = total_mw + mean_mw[cell] * fading * load[cell]
    branches = range(networks.scenario.users.rx_antennas)
    signal_mw = mean_mw[serving] * sum(link_gains(networks, ue, serving, slot, branch) for branch in branches)
    result: NDArray[np.float64] = signal_mw / total_mw
    return result


def mean_fading(networks: Networks, ue: int, cell: int, slot: int) -> float:
    """Power gain of a link averaged over groups and branches."""
    branches = range(networks.scenario.users.rx_antennas)
    return float(np.mean([link_gains(networks, ue, cell, slot, branch) for branch in branches]))
