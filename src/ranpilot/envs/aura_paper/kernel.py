"""One step of one `aura-paper` network in plain scalar code, and the loops over a batch.

A step, in this order: (1) powers change by 1 dB; (2) hand-offs, the station that begins takes turns; (3) departures,
walk of the links, arrivals; (4) link check: requests open, age, end or time out. Departures, walk and check of a call
are done in one pass, and arrivals are admitted against the calls that were there before any of them timed out.

Random numbers hang on (seed, network, call or station, step of the episode): a call's own do not depend on what became
of others, so copies that take different actions share everything that does not follow from them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.aura_paper.calls import (
    copy_call,
    draw_calls,
    draw_poisson,
    draw_walk,
    least_signal_dbm,
    least_snr_db,
    reflect,
)
from ranpilot.envs.aura_paper.state import NUM_STATE, Params, Result, State
from ranpilot.envs.controller import IntArray
from ranpilot.kernels import inner_kernel, unlocked_kernel
from ranpilot.twin.rng import (
    STREAM_FORK,
    STREAM_PAPER_INIT,
    draw_uniform4,
    fold_seed,
)

__all__ = [
    "DOWN",
    "KEEP",
    "MOVE",
    "UP",
    "begin_batch",
    "fork_batch",
    "observe_batch",
    "roll_batch",
    "step_batch",
]

UP, DOWN, KEEP, MOVE = 0, 1, 2, 3

# Rows of Result.counts, in the order of state.COUNTERS.
REQUESTS, DROPPED, REFUSED, TIMED_OUT, OUTAGES, BLOCKED = 0, 1, 2, 3, 4, 5
FAILURES, FAILURES_HANDOVER, SERVED, PINGPONG, POWER = 6, 7, 8, 9, 10
NUM_COUNTERS = 11

MOST_ARRIVALS = 127
"""Calls that may come to a station in one step; beyond it a Poisson number is cut."""

MOST_DROPS_SEEN = 3.0
MOST_MOVES_SEEN = 3.0


@inner_kernel
def _begin_network(state: State, params: Params, net: int, episode: int) -> None:
    """Begin an episode: random powers, then random calls that camp on usable links."""
    seed, network = state.seed[net], state.network[net]
    state.episode[net] = episode
    state.step[net] = 0
    state.num_calls[net] = 0
    slot = episode * params.slots_per_episode
    level = draw_uniform4(seed, network, 0, slot, STREAM_PAPER_INIT)
    number = draw_uniform4(seed, network, 1, slot, STREAM_PAPER_INIT)
    for station in range(2):
        state.power_step[net, station] = int(level[2 + station] * params.num_powers[station])
        state.surge_left[net, station] = 0
        state.calls_at[net, station] = 0
        state.requests_at[net, station] = 0
        state.bad_at[net, station] = 0
        state.oldest_at[net, station] = 0
        state.dropped_at[net, station] = 0
    for station in range(2):
        mean = level[station] * params.initial_mean
        count = draw_poisson(number[station], np.exp(-mean), mean, params.places[station])
        draw_calls(state, params, net, station, slot, count)


@inner_kernel
def _oldest_request(state: State, net: int, station: int) -> int:
    """The oldest open request of a station, of equally old ones the call that came first; -1 for none."""
    oldest = -1
    oldest_age = 0
    for call in range(state.num_calls[net]):
        if state.serving[net, call] == station and state.age_steps[net, call] > oldest_age:
            oldest = call
            oldest_age = state.age_steps[net, call]
    return oldest


@inner_kernel
def _hand_off(state: State, params: Params, net: int, station: int, result: Result) -> None:
    """Move the oldest requests of a station to the other one; where that is full they are refused and lost."""
    other = 1 - station
    step = state.step[net]
    for _ in range(min(params.most_moves, state.requests_at[net, station])):
        call = _oldest_request(state, net, station)
        state.age_steps[net, call] = 0
        state.calls_at[net, station] -= 1
        if state.calls_at[net, other] >= params.places[other]:
            result.counts[REFUSED, net, station] += 1
            state.serving[net, call] = -1
            continue
        was_there = state.moved_from[net, call] == other
        if was_there and step - state.moved_step[net, call] <= params.pingpong_steps:
            result.counts[PINGPONG, net, station] += 1
        state.calls_at[net, other] += 1
        state.serving[net, call] = other
        state.moved_from[net, call] = station
        state.moved_step[net, call] = step


@inner_kernel
def _live_calls(state: State, params: Params, net: int, slot: int, result: Result) -> None:
    """Departures, walk and link check of every call; calls that ended leave no gap.

    `calls_at` loses departures only: calls that timed out still take a place from those that arrive in this step.
    """
    serving, ages, call_ids, links = state.serving[net], state.age_steps[net], state.call_id[net], state.links[net]
    moved_from, moved_step = state.moved_from[net], state.moved_step[net]
    seed, network = state.seed[net], state.network[net]
    signal_low_dbm, snr_low_db = params.link_low[0], params.link_low[1]
    signal_high_dbm, snr_high_db = params.link_high[0], params.link_high[1]
    signal_walk_db, snr_walk_db = params.walk[0], params.walk[1]
    signal_0, signal_1 = least_signal_dbm(state, params, net, 0), least_signal_dbm(state, params, net, 1)
    snr_0, snr_1 = least_snr_db(state, params, net, 0), least_snr_db(state, params, net, 1)
    for station in range(2):
        state.requests_at[net, station] = 0
        state.bad_at[net, station] = 0
        state.oldest_at[net, station] = 0
    kept = 0
    for call in range(state.num_calls[net]):
        station = serving[call]
        if station < 0:
            continue
        departure, step_0, step_1, step_2, step_3 = draw_walk(seed, network, call_ids[call], slot)
        if departure < params.departure_probability:
            state.calls_at[net, station] -= 1
            continue
        link_0 = reflect(links[call, 0] + step_0 * signal_walk_db, signal_low_dbm, signal_high_dbm)
        link_1 = reflect(links[call, 1] + step_1 * signal_walk_db, signal_low_dbm, signal_high_dbm)
        link_2 = reflect(links[call, 2] + step_2 * snr_walk_db, snr_low_db, snr_high_db)
        link_3 = reflect(links[call, 3] + step_3 * snr_walk_db, snr_low_db, snr_high_db)
        is_bad_0, is_bad_1 = link_0 < signal_0 or link_2 < snr_0, link_1 < signal_1 or link_3 < snr_1
        is_bad, is_other_bad = (is_bad_0, is_bad_1) if station == 0 else (is_bad_1, is_bad_0)
        age = ages[call] + 1 if is_bad and not is_other_bad else 0
        if age > params.patience_steps:
            result.counts[TIMED_OUT, net, station] += 1
            continue
        if is_bad:
            state.bad_at[net, station] += 1
            if age > 0:
                state.requests_at[net, station] += 1
                state.oldest_at[net, station] = max(state.oldest_at[net, station], age)
                result.counts[REQUESTS, net, station] += age == 1
            else:
                result.counts[OUTAGES, net, station] += 1
        serving[kept], ages[kept], call_ids[kept] = station, age, call_ids[call]
        moved_from[kept], moved_step[kept] = moved_from[call], moved_step[call]
        links[kept, 0], links[kept, 1], links[kept, 2], links[kept, 3] = link_0, link_1, link_2, link_3
        kept += 1
    state.num_calls[net] = kept


@inner_kernel
def _arrive(state: State, params: Params, net: int, slot: int, result: Result) -> None:
    """Draw the calls that come to either station; those beyond its places are blocked and lost."""
    uniform = draw_uniform4(state.seed[net], state.network[net], 2, slot, STREAM_PAPER_INIT)
    for station in range(2):
        if state.surge_left[net, station] > 0:
            state.surge_left[net, station] -= 1
        elif uniform[2 + station] < params.surge_probability:
            state.surge_left[net, station] = params.surge_steps
        rate = 1 if state.surge_left[net, station] > 0 else 0
        count = draw_poisson(uniform[station], params.no_arrival[rate], params.arrivals[rate], MOST_ARRIVALS)
        admitted = min(count, params.places[station] - state.calls_at[net, station])
        result.counts[BLOCKED, net, station] = count - admitted
        draw_calls(state, params, net, station, slot, admitted)


@inner_kernel
def _reward(state: State, params: Params, net: int, result: Result) -> None:
    """Fill terms, reward and the counts that follow from others."""
    counts = result.counts
    num_dropped = 0
    num_blocked = 0.0
    for station in range(2):
        dropped = state.dropped_at[net, station]
        calls = state.calls_at[net, station]
        unserved = state.requests_at[net, station] + counts[OUTAGES, net, station]
        # A station that had no call served all there was to serve.
        served = (calls - unserved) / (calls + dropped) if calls + dropped > 0 else 1.0
        power = state.power_step[net, station] / (params.num_powers[station] - 1)
        counts[DROPPED, net, station] = dropped
        counts[SERVED, net, station] = served
        counts[POWER, net, station] = power
        result.terms[net, station, 0] = params.weights[0] * served
        result.terms[net, station, 1] = params.weights[1] * dropped
        result.terms[net, station, 2] = params.weights[2] * power
        result.terms[net, station, 3] = params.weights[3] * counts[PINGPONG, net, station]
        total = 0.0
        for term in range(4):
            total += result.terms[net, station, term]
        result.reward[net, station] = total
        num_dropped += dropped
        num_blocked += counts[BLOCKED, net, station]
    counts[FAILURES, net, 0] = 1.0 if num_dropped + num_blocked > 0 else 0.0
    counts[FAILURES_HANDOVER, net, 0] = 1.0 if num_dropped > 0 else 0.0


@inner_kernel
def _observe(state: State, params: Params, net: int, result: Result) -> None:
    """Fill what agents and a central controller see, normalised to [0, 1]."""
    for station in range(2):
        calls = state.calls_at[net, station]
        bad_share = state.bad_at[net, station] / calls if calls > 0 else 0.0
        free = params.places[station] - calls
        local = result.local[net, station]
        local[0] = state.power_step[net, station] / (params.num_powers[station] - 1)
        local[1] = bad_share
        local[2] = 0.0 if free > 0 else 1.0
        local[3] = min(state.dropped_at[net, station] / MOST_DROPS_SEEN, 1.0)
        column = station * NUM_STATE
        result.state[net, column] = min(state.requests_at[net, station] / MOST_MOVES_SEEN, 1.0)
        result.state[net, column + 1] = 1.0 if state.oldest_at[net, station] >= params.patience_steps else 0.0
        result.state[net, column + 2] = min(free / MOST_MOVES_SEEN, 1.0)
        result.state[net, column + 3] = bad_share


@inner_kernel
def _step_network(state: State, params: Params, action: IntArray, net: int, result: Result) -> None:
    """One step of one network. action: [B, A]."""
    step = state.step[net]
    slot = state.episode[net] * params.slots_per_episode + step + 1
    for counter in range(NUM_COUNTERS):
        for station in range(2):
            result.counts[counter, net, station] = 0.0
    for station in range(2):
        power_step = state.power_step[net, station]
        if action[net, station] == UP:
            state.power_step[net, station] = min(power_step + 1, params.num_powers[station] - 1)
        elif action[net, station] == DOWN:
            state.power_step[net, station] = max(power_step - 1, 0)
    for turn in range(2):
        station = (step + turn) % 2
        if action[net, station] == MOVE:
            _hand_off(state, params, net, station, result)
    _live_calls(state, params, net, slot, result)
    # The ids of new calls belong to the step that they came in.
    state.step[net] = step + 1
    _arrive(state, params, net, slot, result)
    for station in range(2):
        timed_out = int(result.counts[TIMED_OUT, net, station])
        state.calls_at[net, station] -= timed_out
        state.dropped_at[net, station] = timed_out + int(result.counts[REFUSED, net, station])
    _reward(state, params, net, result)
    _observe(state, params, net, result)


@unlocked_kernel
def begin_batch(state: State, params: Params, episode: int, result: Result) -> None:
    """Begin `episode` in every network; fills the observation in `result`."""
    for net in range(state.seed.shape[0]):
        _begin_network(state, params, net, episode)
        _observe(state, params, net, result)


@unlocked_kernel
def observe_batch(state: State, params: Params, result: Result) -> None:
    """Fill the observation in `result`."""
    for net in range(state.seed.shape[0]):
        _observe(state, params, net, result)


@unlocked_kernel
def step_batch(state: State, params: Params, action: IntArray, first: int, end: int, result: Result) -> None:
    """One step of the networks in rows `first` up to `end`. action: [B, A]."""
    for net in range(first, end):
        _step_network(state, params, action, net, result)


@unlocked_kernel
def fork_batch(source: State, params: Params, picked: IntArray, copies: IntArray, target: State) -> None:
    """Copy every picked network once for each entry of `copies`, network-major, with fresh randomness.

    copies: [n] index of the fresh future that a copy gets; equal indices share it.
    """
    num_copies = copies.shape[0]
    for row in range(picked.shape[0]):
        net = picked[row]
        slot = source.episode[net] * params.slots_per_episode + source.step[net]
        for copy in range(num_copies):
            fork = row * num_copies + copy
            seed = fold_seed(source.seed[net], source.network[net], copies[copy], slot, STREAM_FORK)
            target.seed[fork] = seed
            target.network[fork] = source.network[net]
            target.episode[fork] = source.episode[net]
            target.step[fork] = source.step[net]
            target.num_calls[fork] = source.num_calls[net]
            for station in range(2):
                target.power_step[fork, station] = source.power_step[net, station]
                target.surge_left[fork, station] = source.surge_left[net, station]
                target.calls_at[fork, station] = source.calls_at[net, station]
                target.requests_at[fork, station] = source.requests_at[net, station]
                target.bad_at[fork, station] = source.bad_at[net, station]
                target.oldest_at[fork, station] = source.oldest_at[net, station]
                target.dropped_at[fork, station] = source.dropped_at[net, station]
            for call in range(source.num_calls[net]):
                copy_call(source, net, call, target, fork, call)


@unlocked_kernel
def roll_batch(
    state: State,
    params: Params,
    action: IntArray,
    steps: int,
    discount: float,
    result: Result,
    total: NDArray[np.float64],
) -> None:
    """Repeat `action` for `steps` steps in the first len(total) networks; total: [N] discounted team reward."""
    for net in range(total.shape[0]):
        total[net] = 0.0
        weight = 1.0
        for _ in range(steps):
            _step_network(state, params, action, net, result)
            total[net] += weight * (result.reward[net, 0] + result.reward[net, 1])
            weight *= discount
