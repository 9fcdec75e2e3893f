"""The arrays of a batch of `aura-paper` networks.

Axes: B networks, A = 2 stations, P places for calls. The calls of a network are its first `num_calls` places, in the
order in which they came.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.aura_paper.config import AuraPaperConfig
from ranpilot.envs.controller import IntArray

__all__ = [
    "COUNTERS",
    "NUM_STATE",
    "REWARD_TERMS",
    "Params",
    "Result",
    "State",
    "make_params",
    "make_result",
    "make_state",
]

REWARD_TERMS = ("served", "drops", "power", "pingpong")
COUNTERS = (
    "requests",
    "dropped",
    "refused",
    "timed_out",
    "outages",
    "blocked",
    "failures",
    "failures_handover",
    "served",
    "pingpong",
    "power",
)
NUM_STATE = 4
"""Numbers of the central state for each station."""

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Pair = tuple[float, float]
IntPair = tuple[int, int]


class Params(NamedTuple):
    """Constants of the kernel, read only; tuples, since a record of arrays is slow to hand on between kernels."""

    num_powers: IntPair
    """[A]"""
    midpoint_db: Pair
    """[A] midpoint of the grid above its lowest power."""
    places: IntPair
    """[A]"""
    link_low: Pair
    """[2] lowest signal dBm and SNR dB."""
    link_high: Pair
    """[2] highest."""
    walk: Pair
    """[2] greatest change in one step, sigma times root 3 for a uniform increment."""
    usable: Pair
    """[2] signal dBm and SNR dB below which a link is bad."""
    interference_share: float
    departure_probability: float
    arrivals: Pair
    """[2] mean arrivals in a step: as usual, in a surge."""
    no_arrival: Pair
    """[2] their probability of none."""
    initial_mean: float
    """Greatest mean of the calls that an episode begins with."""
    surge_probability: float
    surge_steps: int
    most_moves: int
    patience_steps: int
    pingpong_steps: int
    slots_per_episode: int
    """Counters of random numbers that one episode may use."""
    weights: tuple[float, float, float, float]
    """[K] of the reward terms, with their sign."""


class State(NamedTuple):
    """Everything that a network is."""

    seed: Int64
    """[B] key of its random numbers."""
    network: Int64
    """[B] its id, which selects its random numbers."""
    episode: Int64
    """[B]"""
    step: Int64
    """[B] steps taken in the episode."""
    power_step: Int64
    """[B, A] dB above the lowest power."""
    surge_left: Int64
    """[B, A] steps that a surge still lasts."""
    calls_at: Int64
    """[B, A]"""
    requests_at: Int64
    """[B, A] open requests."""
    bad_at: Int64
    """[B, A] bad serving links."""
    oldest_at: Int64
    """[B, A] age of the oldest open request."""
    dropped_at: Int64
    """[B, A] requests dropped in the last step."""
    num_calls: Int64
    """[B]"""
    serving: NDArray[np.int8]
    """[B, P] station of a call."""
    age_steps: NDArray[np.int32]
    """[B, P] link checks at which the request was open, 0 for none."""
    moved_from: NDArray[np.int8]
    """[B, P] station that last handed the call over, -1 for none."""
    moved_step: NDArray[np.int32]
    """[B, P] the step of that."""
    call_id: Int64
    """[B, P] unique within the episode; selects the call's random numbers."""
    links: Float64
    """[B, P, 4] base links: signal dBm to either station, SNR dB to either."""


class Result(NamedTuple):
    """What one step gives out."""

    local: Float64
    """[B, A, D]"""
    state: Float64
    """[B, A * NUM_STATE]"""
    terms: Float64
    """[B, A, K]"""
    reward: Float64
    """[B, A]"""
    counts: Float64
    """[N, B, A] by COUNTERS."""


def make_params(config: AuraPaperConfig) -> Params:
    """The kernel's constants for a configuration."""
    first, second = config.stations
    arrivals = config.arrivals_per_step, config.arrivals_per_step * config.surge_factor
    return Params(
        num_powers=(first.num_powers, second.num_powers),
        midpoint_db=(first.midpoint_dbm - first.power_low_dbm, second.midpoint_dbm - second.power_low_dbm),
        places=(first.places, second.places),
        link_low=(config.signal_low_dbm, config.snr_low_db),
        link_high=(config.signal_high_dbm, config.snr_high_db),
        walk=(config.signal_sigma_db * math.sqrt(3.0), config.snr_sigma_db * math.sqrt(3.0)),
        usable=(config.usable_signal_dbm, config.usable_snr_db),
        interference_share=config.interference_share,
        departure_probability=1.0 / config.holding_steps,
        arrivals=arrivals,
        no_arrival=(math.exp(-arrivals[0]), math.exp(-arrivals[1])),
        initial_mean=2.0 * config.arrivals_per_step * config.holding_steps,
        surge_probability=config.surge_probability,
        surge_steps=config.surge_steps,
        most_moves=config.most_moves,
        patience_steps=config.patience_steps,
        pingpong_steps=config.pingpong_steps,
        slots_per_episode=config.episode_steps + 1,
        weights=(1.0, -config.drop_weight, -config.power_weight, -config.pingpong_weight),
    )


def make_state(num_networks: int, num_places: int, seed: IntArray, network: IntArray) -> State:
    """Networks without a call; seed, network: [B]."""
    per_network, per_station, per_place = (num_networks,), (num_networks, 2), (num_networks, num_places)
    return State(
        seed=np.array(seed, np.int64),
        network=np.array(network, np.int64),
        episode=np.zeros(per_network, np.int64),
        step=np.zeros(per_network, np.int64),
        power_step=np.zeros(per_station, np.int64),
        surge_left=np.zeros(per_station, np.int64),
        calls_at=np.zeros(per_station, np.int64),
        requests_at=np.zeros(per_station, np.int64),
        bad_at=np.zeros(per_station, np.int64),
        oldest_at=np.zeros(per_station, np.int64),
        dropped_at=np.zeros(per_station, np.int64),
        num_calls=np.zeros(per_network, np.int64),
        serving=np.zeros(per_place, np.int8),
        age_steps=np.zeros(per_place, np.int32),
        moved_from=np.zeros(per_place, np.int8),
        moved_step=np.zeros(per_place, np.int32),
        call_id=np.zeros(per_place, np.int64),
        links=np.zeros((*per_place, 4)),
    )


def make_result(num_networks: int) -> Result:
    """Room for the results of one step."""
    return Result(
        local=np.empty((num_networks, 2, 4)),
        state=np.empty((num_networks, 2 * NUM_STATE)),
        terms=np.empty((num_networks, 2, len(REWARD_TERMS))),
        reward=np.empty((num_networks, 2)),
        counts=np.empty((len(COUNTERS), num_networks, 2)),
    )
