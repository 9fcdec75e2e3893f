"""Exact small-scale fading: the channel of a link as a sum of rays of its own, computed anew wherever it is asked for.

h(t, f) = sqrt(1 / (K + 1)) 1/sqrt(N) sum over rays of exp 2 pi i (f_d t cos a_n - f tau_n + phi_n)
        + sqrt(K / (K + 1)) exp 2 pi i (f_d t cos a_0 + phi_0).
Every link draws its rays by counter from (seed, network, link, visit): directions a_n uniform in the N equal parts of
the circle (Clarke), delays tau_n exponential, phases phi_n uniform and independent for each receive branch. Over such
draws the correlation of h in time and frequency is exactly J0(2 pi f_d dt) / (1 + 2 pi i df s) for every N, and a
link never repeats. This is the slow reference that the bank of traces is held against (`radio.fading: exact`).
Source: Hoeher 1992 (Monte Carlo WSSUS model); Clarke 1968.
Simplifications that remain: N rays are Gaussian only in the limit (the second moment of scattered power is 2 - 1/N
instead of 2), the gain of a group is that at its centre, a slot has the gain of its beginning.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ranpilot.kernels import kernel
from ranpilot.twin.rng import STREAM_DIRECT_RAY, STREAM_RAYS, draw_uniform4

__all__ = [
    "DELAY_SPREAD_S",
    "NUM_RAYS",
    "RICE_FACTOR",
    "direct_direction",
    "fill_ray_channels",
    "ray_channel",
    "ray_gain",
]

NUM_RAYS = 64

# Columns of the profiles.
RICE_FACTOR = 0
"""K, linear; 0 = no direct path."""
DELAY_SPREAD_S = 1
"""Rms, of the scattered power."""

_TURN = 2.0 * math.pi


@kernel
def ray_gain(
    profile: NDArray[np.float64],
    seed: int,
    network: int,
    link: int,
    visit: int,
    cycles: float,
    frequency_hz: float,
    branch: int,
) -> float:
    """Power gain of one receive branch of a link, mean 1; arguments as `ray_channel`."""
    real, imaginary = ray_channel(profile, seed, network, link, visit, cycles, frequency_hz, branch)
    return real * real + imaginary * imaginary


@kernel
def ray_channel(
    profile: NDArray[np.float64],
    seed: int,
    network: int,
    link: int,
    visit: int,
    cycles: float,
    frequency_hz: float,
    branch: int,
) -> tuple[float, float]:
    """Complex gain (real, imaginary) of one receive branch of a link, mean power 1.

    profile: [2] RICE_FACTOR, DELAY_SPREAD_S; link: an integer unique to (ue, cell) in its network; visit: counts the
    users that had this link's place; cycles: time times the largest Doppler frequency; frequency_hz: from the middle
    of the band; branch: 0 or 1.
    """
    real = 0.0
    imaginary = 0.0
    for ray in range(NUM_RAYS):
        delay, direction, phase_0, phase_1 = draw_uniform4(seed, network, link * NUM_RAYS + ray, visit, STREAM_RAYS)
        turns = cycles * math.cos(_TURN * (ray + direction) / NUM_RAYS)
        # An exponential delay is -s log(uniform).
        turns += frequency_hz * profile[DELAY_SPREAD_S] * math.log(delay)
        turns += phase_0 if branch == 0 else phase_1
        angle = _TURN * (turns - math.floor(turns))
        real += math.cos(angle)
        imaginary += math.sin(angle)
    rice_factor = profile[RICE_FACTOR]
    scale = 1.0 / math.sqrt(NUM_RAYS * (rice_factor + 1.0))
    if rice_factor == 0.0:
        return real * scale, imaginary * scale
    _, _, phase_0, phase_1 = draw_uniform4(seed, network, link, visit, STREAM_DIRECT_RAY)
    turns = cycles * math.cos(direct_direction(seed, network, link, visit))
    turns += phase_0 if branch == 0 else phase_1
    angle = _TURN * (turns - math.floor(turns))
    direct = math.sqrt(rice_factor / (rice_factor + 1.0))
    return real * scale + direct * math.cos(angle), imaginary * scale + direct * math.sin(angle)


@kernel
def direct_direction(seed: int, network: int, link: int, visit: int) -> float:
    """Angle between a link's direct path and its user's way, uniform on the circle."""
    direction, _, _, _ = draw_uniform4(seed, network, link, visit, STREAM_DIRECT_RAY)
    return _TURN * direction


@kernel
def fill_ray_channels(
    profile: NDArray[np.float64],
    seed: int,
    cycles: NDArray[np.float64],
    frequency_hz: NDArray[np.float64],
    branch: int,
    out: NDArray[np.complex128],
) -> None:
    """Write the complex gains of the links 0, 1, ... of network 0 at some moments and frequencies, [link, T, F]."""
    for link in range(out.shape[0]):
        for moment in range(out.shape[1]):
            for index in range(out.shape[2]):
                real, imaginary = ray_channel(profile, seed, 0, link, 0, cycles[moment], frequency_hz[index], branch)
                out[link, moment, index] = complex(real, imaginary)
