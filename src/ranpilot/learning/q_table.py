"""Tabular Q-learning for the agents of many networks as one batch.

    Q(s, a) ← Q(s, a) + α_n [r + γ max_a' Q(s', a') − Q(s, a)],   α_n = α · n(s, a)^(−p)

with n(s, a) the visits including this one: p = 0 is the constant rate, α = 1 and p = 0.6 the decaying one. A state is
the tuple of its features' levels as one number in mixed radix; tables are padded to the agent with the most states.
The successor's value is counted on truncation and not on termination. Every random number is a function of
(seed, network id, agent, step), so a network learns the same in any batch. Ties of the greedy choice are broken by an
order drawn once for each (network, agent, state), not in favour of the first option.
Source: Watkins and Dayan, "Q-learning", Machine Learning 8 (1992).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import FloatArray, IntArray, Observation, Policy, TaskSpec
from ranpilot.envs.words import level_counts
from ranpilot.kernels import kernel
from ranpilot.twin.rng import STREAM_POLICY, draw_uniform, draw_uniform4

__all__ = [
    "LevelGrid",
    "QTable",
    "Tables",
    "decay_epsilon",
    "draw_per_agent",
    "draw_per_network",
    "make_level_grid",
    "read_levels",
]

LEVEL_SLACK = 1e-5
"""Share of a feature's range by which a value may fall below its edge, as in `envs.words`."""

TIE_ENTITY = 1 << 16
"""Entities from here on draw the order of ties, so that they never share a counter with an agent's own draws."""


class LevelGrid(NamedTuple):
    """Where the levels of every feature begin, and how levels make a state."""

    edges: NDArray[np.float64]
    """[A, D, E] in the measurement's unit, +inf where a feature has fewer edges."""
    low: NDArray[np.float64]
    """[A, D] value of the normalised 0."""
    span: NDArray[np.float64]
    """[A, D] value of the normalised 1, minus `low`."""
    strides: NDArray[np.int64]
    """[A, D] place values of the mixed radix."""


class Tables(NamedTuple):
    """What the agents have learned."""

    values: NDArray[np.float64]
    """[B, A, S, K]"""
    visits: NDArray[np.int64]
    """[B, A, S, K] updates of each value."""
    first_option: NDArray[np.int8]
    """[B, A, S] the option that wins a tie; the others follow it cyclically."""


class QTable:
    """The Q-tables of A agents in each of B networks."""

    def __init__(
        self, spec: TaskSpec, num_networks: int, seed: int, *, first_network: int = 0, initial: float = 0.0
    ) -> None:
        counts = level_counts(spec)
        shape = (num_networks, spec.num_agents, int(counts.prod(axis=1).max()), spec.num_actions)
        self.grid = make_level_grid(spec)
        self.tables = Tables(np.full(shape, initial), np.zeros(shape, dtype=np.int64), np.empty(shape[:3], np.int8))
        _draw_first_options(seed, first_network, shape[3], self.tables.first_option)
        self._all_rows = np.arange(num_networks)

    @property
    def values(self) -> NDArray[np.float64]:
        """[B, A, S, K], the live table."""
        return self.tables.values

    def read(self, local: FloatArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Levels [N, A, D] and states [N, A] of normalised features [N, A, D]."""
        return read_levels(self.grid, local)

    def greedy(self, states: IntArray, networks: IntArray | None = None) -> NDArray[np.int64]:
        """Best option [N, A] of states [N, A]; row n belongs to network `networks[n]` (to network n where None)."""
        best = np.empty(states.shape, dtype=np.int64)
        rows = self._all_rows if networks is None else networks
        _fill_greedy(self.tables, rows, states, best)
        return best

    def policy(self, networks: IntArray) -> Policy:
        """The greedy policy for a batch whose row n belongs to network `networks[n]`, as `WhatIf.roll` wants it."""

        def act(obs: Observation) -> NDArray[np.int64]:
            _, states = self.read(obs.local)
            return self.greedy(states, networks)

        return act

    def learn(
        self,
        states: IntArray,
        options: IntArray,
        reward: FloatArray,
        next_states: IntArray,
        discount: FloatArray,
        rate: tuple[float, float],
    ) -> None:
        """One step of every agent; arrays [B, A], but discount [B]: γ, or 0 where the episode terminated.

        rate: α and the exponent p of the visits.
        """
        target = np.ascontiguousarray(reward, dtype=np.float64)
        _update(self.tables, states, options, target, next_states, discount, rate)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The live state, by name; a checkpoint holds it and is written back into it."""
        return {"values": self.tables.values, "visits": self.tables.visits, "first_option": self.tables.first_option}


def make_level_grid(spec: TaskSpec) -> LevelGrid:
    """The levels of `envs.words.levels` as arrays that a kernel can read."""
    counts = level_counts(spec).astype(np.int64)
    num_agents, num_features = counts.shape
    edges = np.full((num_agents, num_features, max(1, int(counts.max()) - 1)), np.inf)
    low = np.array([[f.low[a] for f in spec.features] for a in range(num_agents)], dtype=np.float64)
    high = np.array([[f.high[a] for f in spec.features] for a in range(num_agents)], dtype=np.float64)
    for d, feature in enumerate(spec.features):
        for a in range(num_agents):
            own_edges = np.asarray(feature.edges[a], dtype=np.float64)
            edges[a, d, : len(own_edges)] = own_edges - LEVEL_SLACK * (high[a, d] - low[a, d])
    strides = np.ones_like(counts)
    strides[:, :-1] = np.cumprod(counts[:, :0:-1], axis=1)[:, ::-1]
    return LevelGrid(edges, low, high - low, strides)


def read_levels(grid: LevelGrid, local: FloatArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Levels [N, A, D] and states [N, A] of normalised features [N, A, D]."""
    values = np.ascontiguousarray(local, dtype=np.float64)
    levels = np.empty(values.shape, dtype=np.int64)
    states = np.empty(values.shape[:2], dtype=np.int64)
    _fill_levels(grid, values, levels, states)
    return levels, states


def decay_epsilon(
    episode: IntArray, train_episodes: int, *, start: float, end: float, share: float
) -> NDArray[np.float64]:
    """Exploration rate of each episode: from start to end exponentially over `share` of the training, 0 afterwards."""
    progress = np.minimum(1.0, np.asarray(episode) / max(1.0, share * train_episodes))
    return np.where(episode < train_episodes, start * (end / start) ** progress, 0.0)


def draw_per_agent(seed: int, first_network: int, step: int, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Four uniform numbers in (0, 1) for each agent of each network, [B, A, 4], of this step."""
    numbers = np.empty((*shape, 4))
    _fill_per_agent(seed, first_network, step, numbers)
    return numbers


def draw_per_network(seed: int, first_network: int, episode: IntArray, stream: int) -> NDArray[np.float64]:
    """One uniform number in (0, 1) for each network, [B], of its episode."""
    numbers = np.empty(len(episode))
    _fill_per_network(seed, first_network, np.ascontiguousarray(episode, dtype=np.int64), stream, numbers)
    return numbers


@kernel
def _fill_levels(
    grid: LevelGrid, local: NDArray[np.float64], levels: NDArray[np.int64], states: NDArray[np.int64]
) -> None:
    """Levels [N, A, D] and states [N, A] of normalised features [N, A, D]."""
    for n in range(local.shape[0]):
        for agent in range(local.shape[1]):
            state = 0
            for d in range(local.shape[2]):
                value = grid.low[agent, d] + local[n, agent, d] * grid.span[agent, d]
                level = 0
                while level < grid.edges.shape[2] and value >= grid.edges[agent, d, level]:
                    level += 1
                levels[n, agent, d] = level
                state += level * grid.strides[agent, d]
            states[n, agent] = state


@kernel
def _greedy_option(tables: Tables, network: int, agent: int, state: int) -> int:
    """The best option of one state; ties go to the first in the state's own cyclic order."""
    num_options = tables.values.shape[3]
    best = int(tables.first_option[network, agent, state])
    for offset in range(1, num_options):
        option = (tables.first_option[network, agent, state] + offset) % num_options
        if tables.values[network, agent, state, option] > tables.values[network, agent, state, best]:
            best = option
    return best


@kernel
def _fill_greedy(tables: Tables, networks: IntArray, states: IntArray, best: NDArray[np.int64]) -> None:
    """Best options [N, A] of states [N, A], row n of network networks[n]."""
    for n in range(states.shape[0]):
        for agent in range(states.shape[1]):
            best[n, agent] = _greedy_option(tables, networks[n], agent, states[n, agent])


@kernel
def _update(
    tables: Tables,
    states: IntArray,
    options: IntArray,
    reward: FloatArray,
    next_states: IntArray,
    discount: FloatArray,
    rate: tuple[float, float],
) -> None:
    """One Q-learning step of every agent of every network."""
    for network in range(states.shape[0]):
        for agent in range(states.shape[1]):
            state, option, after = states[network, agent], options[network, agent], next_states[network, agent]
            best = _greedy_option(tables, network, agent, after)
            target = reward[network, agent] + discount[network] * tables.values[network, agent, after, best]
            tables.visits[network, agent, state, option] += 1
            alpha = rate[0]
            if rate[1] != 0.0:
                alpha *= float(tables.visits[network, agent, state, option]) ** -rate[1]
            tables.values[network, agent, state, option] += alpha * (
                target - tables.values[network, agent, state, option]
            )


@kernel
def _draw_first_options(seed: int, first_network: int, num_options: int, first: NDArray[np.int8]) -> None:
    """The option that wins ties, for each network, agent and state."""
    for network in range(first.shape[0]):
        for agent in range(first.shape[1]):
            for state in range(first.shape[2]):
                number = draw_uniform(seed, first_network + network, TIE_ENTITY + agent, state, STREAM_POLICY)
                first[network, agent, state] = int(number * num_options)


@kernel
def _fill_per_agent(seed: int, first_network: int, step: int, numbers: NDArray[np.float64]) -> None:
    """Four uniform numbers for each network and agent, [B, A, 4]."""
    for network in range(numbers.shape[0]):
        for agent in range(numbers.shape[1]):
            drawn = draw_uniform4(seed, first_network + network, agent, step, STREAM_POLICY)
            numbers[network, agent, 0] = drawn[0]
            numbers[network, agent, 1] = drawn[1]
            numbers[network, agent, 2] = drawn[2]
            numbers[network, agent, 3] = drawn[3]


@kernel
def _fill_per_network(
    seed: int, first_network: int, episode: NDArray[np.int64], stream: int, numbers: NDArray[np.float64]
) -> None:
    """One uniform number for each network, [B], of its episode."""
    for network in range(numbers.shape[0]):
        numbers[network] = draw_uniform(seed, first_network + network, 0, episode[network], stream)
