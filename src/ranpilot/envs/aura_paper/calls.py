"""Calls of one `aura-paper` network in plain scalar code: how many come, their links, and how these walk.

Effective links at the present powers, with the offsets d_j = p_j - midpoint of station j:

    S'_j = S_j + d_j,    N'_j = N_j + d_j - share * d_other;    link j is bad iff S'_j < -100 dBm or N'_j < 5 dB
"""

from __future__ import annotations

import numpy as np

from ranpilot.envs.aura_paper.state import Params, State
from ranpilot.kernels import inner_kernel
from ranpilot.twin.rng import STREAM_PAPER_USERS, STREAM_PAPER_WALK, draw_uniform4, philox4x32

__all__ = ["copy_call", "draw_calls", "draw_poisson", "draw_walk", "least_signal_dbm", "least_snr_db", "reflect"]

CALLS_PER_STATION = 128
"""Ids that one step may give out to the calls of a station."""

ATTEMPTS = 1024
"""Counters that the draws of one new call may use."""

LOW_BYTE = np.uint64(0xFF)
BYTE = np.uint64(8)
TO_SIGNED_24 = 2.0**-23
TO_UNIT_32 = 2.0**-32


@inner_kernel
def draw_poisson(uniform: float, none: float, mean: float, most: int) -> int:
    """The Poisson number that belongs to a uniform one, at most `most`; none: probability of 0, exp(-mean)."""
    count = 0
    probability = none
    cumulated = none
    while uniform > cumulated and count < most:
        count += 1
        probability *= mean / count
        cumulated += probability
    return count


@inner_kernel
def _offset_db(state: State, params: Params, net: int, station: int) -> float:
    """Power of a station above the midpoint of its grid."""
    return float(state.power_step[net, station]) - params.midpoint_db[station]


@inner_kernel
def least_signal_dbm(state: State, params: Params, net: int, station: int) -> float:
    """Base signal below which a link to `station` is bad at the present powers."""
    return params.usable[0] - _offset_db(state, params, net, station)


@inner_kernel
def least_snr_db(state: State, params: Params, net: int, station: int) -> float:
    """Base SNR below which a link to `station` is bad at the present powers."""
    interference_db = params.interference_share * _offset_db(state, params, net, 1 - station)
    return params.usable[1] - _offset_db(state, params, net, station) + interference_db


@inner_kernel
def _draw_links(
    seed: int, network: int, entity: int, slot: int, params: Params, station: int, least: tuple[float, float]
) -> tuple[float, float, float, float]:
    """Uniform base links of a new call, signal dBm to either station and SNR dB to either, the serving one usable.

    least: signal and SNR that the link to `station` must have.
    """
    signal_low_dbm, snr_low_db = params.link_low[0], params.link_low[1]
    signal_span_db, snr_span_db = params.link_high[0] - signal_low_dbm, params.link_high[1] - snr_low_db
    uniform_0, uniform_1, uniform_2, uniform_3 = draw_uniform4(seed, network, entity, slot, STREAM_PAPER_USERS)
    other_signal_dbm = signal_low_dbm + uniform_0 * signal_span_db
    other_snr_db = snr_low_db + uniform_1 * snr_span_db
    signal_dbm = signal_low_dbm + uniform_2 * signal_span_db
    snr_db = snr_low_db + uniform_3 * snr_span_db
    while signal_dbm < least[0] or snr_db < least[1]:
        # Two more tries in each draw.
        entity += 1
        uniform_0, uniform_1, uniform_2, uniform_3 = draw_uniform4(seed, network, entity, slot, STREAM_PAPER_USERS)
        signal_dbm = signal_low_dbm + uniform_0 * signal_span_db
        snr_db = snr_low_db + uniform_1 * snr_span_db
        if signal_dbm < least[0] or snr_db < least[1]:
            signal_dbm = signal_low_dbm + uniform_2 * signal_span_db
            snr_db = snr_low_db + uniform_3 * snr_span_db
    if station == 0:
        return signal_dbm, other_signal_dbm, snr_db, other_snr_db
    return other_signal_dbm, signal_dbm, other_snr_db, snr_db


@inner_kernel
def draw_calls(state: State, params: Params, net: int, station: int, slot: int, count: int) -> None:
    """Append `count` new calls that camp on `station`."""
    seed, network, links = state.seed[net], state.network[net], state.links[net]
    least = least_signal_dbm(state, params, net, station), least_snr_db(state, params, net, station)
    first = state.num_calls[net]
    for index in range(count):
        call = first + index
        number = station * CALLS_PER_STATION + index
        link_0, link_1, link_2, link_3 = _draw_links(seed, network, number * ATTEMPTS, slot, params, station, least)
        links[call, 0], links[call, 1], links[call, 2], links[call, 3] = link_0, link_1, link_2, link_3
        state.serving[net, call] = station
        state.age_steps[net, call] = 0
        state.moved_from[net, call] = -1
        state.moved_step[net, call] = 0
        state.call_id[net, call] = state.step[net] * (2 * CALLS_PER_STATION) + number
    state.num_calls[net] = first + count
    state.calls_at[net, station] += count


@inner_kernel
def reflect(value: float, low: float, high: float) -> float:
    """A value that left the range by less than its width, folded back."""
    folded = max(value, 2.0 * low - value)
    return min(folded, 2.0 * high - folded)


@inner_kernel
def draw_walk(seed: int, network: int, call_id: int, slot: int) -> tuple[float, float, float, float, float]:
    """A uniform number in (0, 1) for the departure of a call, and four in (-1, 1) for its links.

    The upper 24 bits of four random words move the links, their lower 8 bits together decide the departure.
    """
    word_0, word_1, word_2, word_3 = philox4x32(seed, network, call_id, slot, STREAM_PAPER_WALK)
    low = ((word_0 & LOW_BYTE) << BYTE | (word_1 & LOW_BYTE)) << BYTE | (word_2 & LOW_BYTE)
    low = low << BYTE | (word_3 & LOW_BYTE)
    return (
        (float(low) + 0.5) * TO_UNIT_32,
        (float(word_0 >> BYTE) + 0.5) * TO_SIGNED_24 - 1.0,
        (float(word_1 >> BYTE) + 0.5) * TO_SIGNED_24 - 1.0,
        (float(word_2 >> BYTE) + 0.5) * TO_SIGNED_24 - 1.0,
        (float(word_3 >> BYTE) + 0.5) * TO_SIGNED_24 - 1.0,
    )


@inner_kernel
def copy_call(source: State, from_net: int, from_call: int, target: State, net: int, call: int) -> None:
    """Write one call over another."""
    target.serving[net, call] = source.serving[from_net, from_call]
    target.age_steps[net, call] = source.age_steps[from_net, from_call]
    target.moved_from[net, call] = source.moved_from[from_net, from_call]
    target.moved_step[net, call] = source.moved_step[from_net, from_call]
    target.call_id[net, call] = source.call_id[from_net, from_call]
    for k in range(4):
        target.links[net, call, k] = source.links[from_net, from_call, k]
