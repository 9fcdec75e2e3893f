"""Small-scale fading from a bank of pre-generated traces, selective in time and in frequency.

Each trace is a wide-sense stationary channel h(t, f) = sum over taps of sqrt(p_l) a_l(t) exp(-2 pi i f tau_l): the
taps follow an exponential power delay profile with the given rms delay spread, and every a_l is a sum of sinusoids of
random phase whose powers are the Clarke spectrum 1 / (pi f_d sqrt(1 - (f / f_d)^2)) integrated over Doppler bins that
are whole multiples of 1 / period. So the autocorrelation is J0(2 pi f_d tau), the trace is periodic without a seam, and
power is exponentially distributed (Rayleigh envelope). A Rician factor adds one path of constant power and random
direction at delay 0; the given rms delay spread is that of the whole profile.
The bank holds the power gain of one receive branch with mean exactly 1. Maximum-ratio combining of a wanted signal is
the sum of one trace a branch (two branches: traces half the bank apart), so its mean is the number of branches: the
array gain is in it. An interferer seen through that combiner keeps one branch's statistics (mean 1).
Time runs in steps of 1 / (16 f_d), so that a link at another speed or carrier walks the same trace faster or slower in
proportion, and one bank serves all speeds.
Source: Clarke 1968; Jakes 1974; the exponential profile's frequency correlation 1 / (1 + 2 pi i df tau_rms).
Simplifications: the gain of a group is that at its centre, and constant during a step; a link repeats after 256 / f_d;
links may share a trace (at another time); an interferer's Doppler is its own, without that of the combiner. What they
cost is measured against `rays.py`, which has only the first.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranpilot.errors import ConfigError
from ranpilot.kernels import kernel
from ranpilot.twin.radio.small_scale import scattered_delay_spread_s
from ranpilot.twin.rng import STREAM_FADING, philox4x32

__all__ = [
    "FadingBank",
    "doppler_hz",
    "draw_traces",
    "link_fading_start",
    "make_fading_bank",
    "step_s",
]

STEPS_PER_CYCLE = 16
"""Time steps in one period of the largest Doppler frequency: neighbouring steps correlate by J0(pi / 8) = 0.96."""

NUM_TAPS = 24
_SPEED_OF_LIGHT = 299_792_458.0

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]


class FadingBank(NamedTuple):
    """Traces that all links share (read-only)."""

    gain: Float32Array
    """[trace, step, rbg] power gain of one receive branch, mean 1 over the bank; periodic in step."""
    step_s: float
    """Seconds of one step at the bank's own speed and carrier."""
    doppler_hz: float
    """Largest Doppler frequency at the bank's own speed and carrier."""


def doppler_hz(speed_mps: float, carrier_hz: float) -> float:
    """Largest Doppler frequency of a user at `speed_mps`."""
    return speed_mps * carrier_hz / _SPEED_OF_LIGHT


def step_s(speed_mps: float, carrier_hz: float) -> float:
    """Seconds of one step of a trace that a user walks at `speed_mps`."""
    return 1.0 / (STEPS_PER_CYCLE * doppler_hz(speed_mps, carrier_hz))


@functools.lru_cache(maxsize=32)
def make_fading_bank(
    num_rbgs: int,
    rbg_bandwidth_hz: float,
    carrier_hz: float,
    speed_mps: float,
    delay_spread_s: float,
    seed: int = 1968,
    *,
    rice_factor_db: float | None = None,
    shape: tuple[int, int] = (16, 4096),
) -> FadingBank:
    """A bank of periodic traces over `num_rbgs` adjacent resource-block groups; cached.

    speed_mps, carrier_hz: above 0, they set only step_s; delay_spread_s: rms, direct path included, 0 is flat fading;
    shape: traces and steps (a multiple of 16, at least 512); memory traces * steps * num_rbgs * 4 bytes (3.7 MB for
    14 groups).
    Raises: ConfigError.
    """
    num_traces, num_steps = shape
    _check_bank(num_rbgs, rbg_bandwidth_hz, carrier_hz, speed_mps, delay_spread_s, num_traces, num_steps)
    if rice_factor_db is not None and not math.isfinite(rice_factor_db):
        raise ConfigError("rice_factor_db", rice_factor_db, "a finite number or None")
    frequency_hz = np.asarray((np.arange(num_rbgs) - (num_rbgs - 1) / 2.0) * rbg_bandwidth_hz, dtype=np.float64)
    gain = np.empty((num_traces, num_steps, num_rbgs))
    for trace, channel in enumerate(draw_traces(frequency_hz, delay_spread_s, rice_factor_db, seed, shape)):
        gain[trace] = channel.real**2 + channel.imag**2
    compact = (gain / gain.mean()).astype(np.float32)
    compact.setflags(write=False)
    return FadingBank(compact, step_s(speed_mps, carrier_hz), doppler_hz(speed_mps, carrier_hz))


def draw_traces(
    frequency_hz: FloatArray, delay_spread_s: float, rice_factor_db: float | None, seed: int, shape: tuple[int, int]
) -> Iterator[NDArray[np.complex128]]:
    """The complex traces [step, rbg] of a bank, one after the other; arguments as `make_fading_bank`.

    With and without a direct path, and for every delay spread, the scattered paths are the same.
    """
    num_traces, num_steps = shape
    cycles = num_steps // STEPS_PER_CYCLE
    scattered, direct = (np.random.Generator(np.random.PCG64(key)) for key in (seed, [seed, 1]))
    rice_factor = 0.0 if rice_factor_db is None else 10.0 ** (rice_factor_db / 10.0)
    tap_delay_s = _exponential_delays(NUM_TAPS) * scattered_delay_spread_s(delay_spread_s, rice_factor)
    steering = np.exp(-2j * np.pi * np.outer(tap_delay_s, frequency_hz)) / math.sqrt(NUM_TAPS)  # [tap, rbg]
    for _ in range(num_traces):
        taps = _clarke_taps(scattered, NUM_TAPS, cycles, num_steps)  # [tap, step]
        # einsum without BLAS: the same bits whatever the number of threads.
        channel = np.einsum("lt,lr->tr", taps, steering, optimize=False)
        if rice_factor > 0.0:
            channel = _add_line_of_sight(direct, channel, cycles, rice_factor)
        yield channel


@kernel
def link_fading_start(
    seed: int, network: int, link: int, visit: int, num_traces: int, num_steps: int
) -> tuple[int, int]:
    """Trace and first step of one link; `visit` counts the users that had this link's place before.

    link: an integer unique to (ue, cell) in its network.
    """
    word_0, word_1, _, _ = philox4x32(seed, network, link, visit, STREAM_FADING)
    return int(word_0 % np.uint64(num_traces)), int(word_1 % np.uint64(num_steps))


def _exponential_delays(num_taps: int) -> FloatArray:
    """Delays of equally strong taps that stand for an exponential profile, with rms spread exactly 1.

    Each tap is the mean delay of one of `num_taps` parts of equal probability.
    """
    edge = np.linspace(0.0, 1.0, num_taps + 1)
    survivor = 1.0 - edge
    # Integral of the quantile -ln(1 - u): (1 - u) ln(1 - u) - (1 - u).
    log_survivor = np.log(np.where(survivor > 0, survivor, 1.0))
    delay = np.diff(survivor * log_survivor - survivor) * num_taps
    scaled: FloatArray = delay / delay.std()
    return scaled


def _clarke_taps(generator: np.random.Generator, num_taps: int, cycles: int, num_steps: int) -> NDArray[np.complex128]:
    """Independent unit-power tap processes [tap, step] with the Clarke spectrum on the bins -cycles..cycles."""
    edge = np.clip((np.arange(-cycles, cycles + 2) - 0.5) / cycles, -1.0, 1.0)
    power = np.diff(np.arcsin(edge)) / np.pi  # [2 * cycles + 1], sums to 1
    phase = generator.uniform(0.0, 2.0 * np.pi, (num_taps, 2 * cycles + 1))
    spectrum = np.zeros((num_taps, num_steps), dtype=np.complex128)
    spectrum[:, np.arange(-cycles, cycles + 1)] = np.sqrt(power) * np.exp(1j * phase)
    taps: NDArray[np.complex128] = np.fft.ifft(spectrum, axis=1) * num_steps
    return taps


def _add_line_of_sight(
    generator: np.random.Generator, channel: NDArray[np.complex128], cycles: int, rice_factor: float
) -> NDArray[np.complex128]:
    """The channel [step, rbg] with a constant path from a random direction, at total power 1."""
    angle, phase = generator.uniform(0.0, 2.0 * np.pi, 2)
    turns = round(cycles * math.cos(angle)) * np.arange(channel.shape[0]) / channel.shape[0]
    path = np.exp(1j * (2.0 * np.pi * turns + phase))
    total: NDArray[np.complex128] = (math.sqrt(rice_factor) * path[:, None] + channel) / math.sqrt(rice_factor + 1.0)
    return total


def _check_bank(
    num_rbgs: int,
    rbg_bandwidth_hz: float,
    carrier_hz: float,
    speed_mps: float,
    delay_spread_s: float,
    num_traces: int,
    num_steps: int,
) -> None:
    if num_rbgs < 1:
        raise ConfigError("num_rbgs", num_rbgs, "at least 1")
    for field, value in (("rbg_bandwidth_hz", rbg_bandwidth_hz), ("carrier_hz", carrier_hz), ("speed_mps", speed_mps)):
        if not 0.0 < value < math.inf:
            raise ConfigError(field, value, "above 0")
    if not 0.0 <= delay_spread_s < 1e-3:
        raise ConfigError("delay_spread_s", delay_spread_s, "0 to 0.001 s")
    if num_traces < 1:
        raise ConfigError("num_traces", num_traces, "at least 1")
    if num_steps < 512 or num_steps % STEPS_PER_CYCLE:
        raise ConfigError("num_steps", num_steps, f"a multiple of {STEPS_PER_CYCLE}, at least 512")
