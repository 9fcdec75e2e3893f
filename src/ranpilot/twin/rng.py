"""Counter-based random numbers: every value is a function of (seed, network, entity, slot, stream).

Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): the 64-bit seed is the key, the
four 32-bit words (network, entity, slot, stream) are the counter. No state is kept, so a value does not depend on the
batch, the chunking of time or the number of threads. Sums are done in uint64 and masked, because NumPy warns of
overflow in uint32 when kernels run uncompiled.
"""

from __future__ import annotations

import math

import numpy as np

from ranpilot.kernels import kernel

__all__ = [
    "STREAM_ADMISSION",
    "STREAM_ADVISER",
    "STREAM_ARRIVAL",
    "STREAM_BLER",
    "STREAM_BUILDING",
    "STREAM_CALIBRATION",
    "STREAM_CQI",
    "STREAM_DEPARTURE",
    "STREAM_DEPTH",
    "STREAM_DIRECT_RAY",
    "STREAM_ENVIRONMENT",
    "STREAM_EPISODE",
    "STREAM_EVENT",
    "STREAM_EVENT_TIME",
    "STREAM_FADING",
    "STREAM_FORK",
    "STREAM_LOS",
    "STREAM_MOBILITY",
    "STREAM_NOTICE",
    "STREAM_PAPER_INIT",
    "STREAM_PAPER_USERS",
    "STREAM_PAPER_WALK",
    "STREAM_PLACEMENT",
    "STREAM_POLICY",
    "STREAM_PROBE",
    "STREAM_RAYS",
    "STREAM_REPLAY",
    "STREAM_SHADOWING",
    "STREAM_SLICE",
    "STREAM_SLICE_MEMBER",
    "STREAM_SURGE",
    "STREAM_TASK_POWER",
    "STREAM_TRAFFIC",
    "STREAM_TRAFFIC_KIND",
    "STREAM_TRUST",
    "STREAM_USER_KEY",
    "STREAM_WEIGHTS",
    "draw_normal2",
    "draw_uniform",
    "draw_uniform4",
    "fold_seed",
    "philox4x32",
]

STREAM_PLACEMENT = 1
STREAM_LOS = 2
STREAM_SHADOWING = 3
STREAM_FADING = 4
STREAM_BLER = 5
STREAM_CQI = 6
STREAM_MOBILITY = 7
STREAM_ARRIVAL = 8
STREAM_DEPARTURE = 9
STREAM_TRAFFIC = 10
STREAM_FORK = 11
STREAM_ADMISSION = 12
STREAM_EPISODE = 13
STREAM_TRAFFIC_KIND = 14
STREAM_TASK_POWER = 15
STREAM_EVENT = 16
STREAM_EVENT_TIME = 17
STREAM_NOTICE = 18
STREAM_SURGE = 19
STREAM_PAPER_INIT = 20
STREAM_PAPER_USERS = 21
STREAM_PAPER_WALK = 22
STREAM_POLICY = 30
STREAM_TRUST = 31
STREAM_ADVISER = 32
STREAM_PROBE = 33
STREAM_WEIGHTS = 34
STREAM_REPLAY = 35
STREAM_CALIBRATION = 40
STREAM_SLICE = 45
STREAM_SLICE_MEMBER = 46
STREAM_BUILDING = 50
STREAM_DEPTH = 51
STREAM_USER_KEY = 52
STREAM_ENVIRONMENT = 53
STREAM_RAYS = 55
STREAM_DIRECT_RAY = 56

_MASK = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)
_MULTIPLIER_0 = np.uint64(0xD2511F53)
_MULTIPLIER_1 = np.uint64(0xCD9E8D57)
_WEYL_0 = np.uint64(0x9E3779B9)
_WEYL_1 = np.uint64(0xBB67AE85)
_TO_UNIT = 2.0**-32


@kernel
def philox4x32(
    seed: int, network: int, entity: int, slot: int, stream: int
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Four random 32-bit words (in uint64) for one counter. Source: Philox4x32-10."""
    key_0 = np.uint64(seed) & _MASK
    key_1 = (np.uint64(seed) >> _SHIFT) & _MASK
    word_0 = np.uint64(network) & _MASK
    word_1 = np.uint64(entity) & _MASK
    word_2 = np.uint64(slot) & _MASK
    word_3 = np.uint64(stream) & _MASK
    for _ in range(10):
        product_0 = _MULTIPLIER_0 * word_0
        product_1 = _MULTIPLIER_1 * word_2
        word_0 = (product_1 >> _SHIFT) ^ word_1 ^ key_0
        word_2 = (product_0 >> _SHIFT) ^ word_3 ^ key_1
        word_1 = product_1 & _MASK
        word_3 = product_0 & _MASK
        key_0 = (key_0 + _WEYL_0) & _MASK
        key_1 = (key_1 + _WEYL_1) & _MASK
    return word_0, word_1, word_2, word_3


@kernel
def draw_uniform4(seed: int, network: int, entity: int, slot: int, stream: int) -> tuple[float, float, float, float]:
    """Four independent uniform numbers strictly inside (0, 1)."""
    word_0, word_1, word_2, word_3 = philox4x32(seed, network, entity, slot, stream)
    return (
        (float(word_0) + 0.5) * _TO_UNIT,
        (float(word_1) + 0.5) * _TO_UNIT,
        (float(word_2) + 0.5) * _TO_UNIT,
        (float(word_3) + 0.5) * _TO_UNIT,
    )


@kernel
def draw_uniform(seed: int, network: int, entity: int, slot: int, stream: int) -> float:
    """One uniform number strictly inside (0, 1)."""
    word_0, _, _, _ = philox4x32(seed, network, entity, slot, stream)
    return (float(word_0) + 0.5) * _TO_UNIT


@kernel
def draw_normal2(seed: int, network: int, entity: int, slot: int, stream: int) -> tuple[float, float]:
    """Two independent standard normal numbers (Box-Muller)."""
    uniform_0, uniform_1, _, _ = draw_uniform4(seed, network, entity, slot, stream)
    radius = math.sqrt(-2.0 * math.log(uniform_0))
    angle = 2.0 * math.pi * uniform_1
    return radius * math.cos(angle), radius * math.sin(angle)


@kernel
def fold_seed(seed: int, network: int, entity: int, slot: int, stream: int) -> int:
    """A new 63-bit seed drawn from a counter: what a fork with a fresh future or a sub-generator uses."""
    word_0, word_1, _, _ = philox4x32(seed, network, entity, slot, stream)
    return np.int64((word_0 >> np.uint64(1)) << _SHIFT | word_1)  # type: ignore[return-value]
