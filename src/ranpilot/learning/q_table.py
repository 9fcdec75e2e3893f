"""Tabular Q-learning for the agents of many networks as one batch.

    Q(s, a) ← Q(s, a) + α_n [r + γ max_a' Q(s', a') − Q(s, a)],   α_n = α · n(s, a)^(−p)

with n(s, a) the visits including this one: p = 0 is the constant rate, α = 1 and p = 0.6 the decaying one. A state is
the tuple of the levels that an agent sees (its own features, and its nearest neighbour's where it is told to) as one
number in mixed radix; tables are padded to the agent with the most states.
The successor's value is counted on truncation and not on termination. Every random number is a function of
(seed, network id, agent, step), so a network learns the same in any batch. Ties of the greedy choice are broken by an
order drawn once for each (network, agent, state), not in favour of the first option.
Source: Watkins and Dayan, "Q-learning", Machine Learning 8 (1992).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import FloatArray, IntArray, Observation, Policy, TaskSpec
from ranpilot.envs.words import level_counts
from ranpilot.errors import ConfigError
from ranpilot.kernels import kernel
from ranpilot.twin.rng import STREAM_POLICY, draw_uniform

__all__ = [
    "LevelGrid",
    "QTable",
    "Seen",
    "Tables",
    "decay_epsilon",
    "make_level_grid",
    "read_levels",
]

LEVEL_SLACK = 1e-5
"""Share of a feature's range by which a value may fall below its edge, as in `envs.words`."""

TIE_ENTITY = 1 << 16
"""Entities from here on draw the order of ties, so that they never share a counter with an agent's own draws."""


class Seen(NamedTuple):
    """One level that an agent sees: a feature of its own or of its nearest neighbour."""

    feature: int
    of_neighbour: bool = False


class LevelGrid(NamedTuple):
    """What each agent sees, where the levels begin, and how levels make a state; W levels for each of A agents."""

    agent: NDArray[np.int64]
    """[A, W] whose feature it is."""
    feature: NDArray[np.int64]
    """[W]"""
    counts: NDArray[np.int64]
    """[A, W] how many levels there are."""
    edges: NDArray[np.float64]
    """[A, W, E] in the measurement's unit, +inf where a feature has fewer edges."""
    low: NDArray[np.float64]
    """[A, W] value of the normalised 0."""
    span: NDArray[np.float64]
    """[A, W] value of the normalised 1, minus `low`."""
    strides: NDArray[np.int64]
    """[A, W] place values of the mixed radix."""


class Tables(NamedTuple):
    """What the agents have learned."""

    values: NDArray[np.float64]
    """[B, A, S, K]"""
    visits: NDArray[np.int64]
    """[B, A, S, K] updates of each value."""
    first_option: NDArray[np.int8]
    """[B, A, S] the option that wins a tie; the others follow it cyclically."""


class Step(NamedTuple):
    """What every agent did and what came of it, [B, A]."""

    states: IntArray
    options: IntArray
    reward: FloatArray
    next_states: IntArray
    discount: FloatArray
    """[B] factor of the successor's value."""


class QTable:
    """The Q-tables of A agents in each of B networks; `seen`: what makes a state, the own features where None."""

    def __init__(
        self,
        spec: TaskSpec,
        num_networks: int,
        seed: int,
        *,
        first_network: int = 0,
        initial: float = 0.0,
        seen: Sequence[Seen] | None = None,
    ) -> None:
        self.grid = make_level_grid(spec, seen)
        shape = (num_networks, spec.num_agents, int(self.grid.counts.prod(axis=1).max()), spec.num_actions)
        visits, first_option = np.zeros(shape, dtype=np.int64), np.empty(shape[:3], np.int8)
        self.tables = Tables(np.full(shape, float(initial)), visits, first_option)
        _draw_first_options(seed, first_network, shape[3], self.tables.first_option)
        self._all_rows = np.arange(num_networks)
        self._full_weight = np.ones(shape[:2])

    @property
    def values(self) -> NDArray[np.float64]:
        """[B, A, S, K], the live table."""
        return self.tables.values

    def read(self, local: FloatArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Levels [N, A, W] and states [N, A] of normalised features [N, A, D]."""
        return read_levels(self.grid, local)

    def greedy(self, states: IntArray, networks: IntArray | None = None) -> NDArray[np.int64]:
        """Best option [N, A] of states [N, A]; row n belongs to network `networks[n]` (to network n where None)."""
        best = np.empty(states.shape, dtype=np.int64)
        rows = self._all_rows if networks is None else networks
        _fill_greedy(self.tables, rows, states, best)
        return best

    def best_value(self, states: IntArray) -> NDArray[np.float64]:
        """Value [B, A] of the best option in states [B, A]."""
        agents = np.arange(states.shape[1])[None, :]
        best: NDArray[np.float64] = self.values[self._all_rows[:, None], agents, states, self.greedy(states)]
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
        *,
        weight: NDArray[np.float64] | None = None,
    ) -> None:
        """One step of every agent; arrays [B, A], but discount [B]: γ, or 0 where the episode terminated.

        rate: α and the exponent p of the visits; weight: [B, A] factor of the rate, 1 where None.
        """
        step = Step(states, options, np.ascontiguousarray(reward, dtype=np.float64), next_states, discount)
        _update(self.tables, step, rate, self._full_weight if weight is None else weight)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The live state, by name; a checkpoint holds it and is written back into it."""
        return {"values": self.tables.values, "visits": self.tables.visits, "first_option": self.tables.first_option}


def make_level_grid(spec: TaskSpec, seen: Sequence[Seen] | None = None) -> LevelGrid:
    """The levels of `envs.words.levels` as arrays that a kernel can read; seen: the own features where None.

    Raises ConfigError where an agent without a neighbour is to see one.
    """
    columns = [Seen(d) for d in range(len(spec.features))] if seen is None else list(seen)
    feature = np.array([column.feature for column in columns], dtype=np.int64)
    agent = np.array([[_whose(spec, a, column) for column in columns] for a in range(spec.num_agents)], dtype=np.int64)
    counts = level_counts(spec).astype(np.int64)[agent, feature]
    edges = np.full((*agent.shape, max(1, int(counts.max()) - 1)), np.inf)
    low, high = np.empty(agent.shape), np.empty(agent.shape)
    for a, w in np.ndindex(agent.shape):
        of_feature, of_agent = spec.features[feature[w]], agent[a, w]
        low[a, w], high[a, w] = of_feature.low[of_agent], of_feature.high[of_agent]
        found = np.asarray(of_feature.edges[of_agent], dtype=np.float64)
        edges[a, w, : len(found)] = found - LEVEL_SLACK * (high[a, w] - low[a, w])
    strides = np.ones_like(counts)
    strides[:, :-1] = np.cumprod(counts[:, :0:-1], axis=1)[:, ::-1]
    return LevelGrid(agent, feature, counts, edges, low, high - low, strides)


def read_levels(grid: LevelGrid, local: FloatArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Levels [N, A, W] and states [N, A] of normalised features [N, A, D]."""
    values = np.ascontiguousarray(local, dtype=np.float64)
    levels = np.empty((len(values), *grid.agent.shape), dtype=np.int64)
    states = np.empty(values.shape[:2], dtype=np.int64)
    _fill_levels(grid, values, levels, states)
    return levels, states


def decay_epsilon(
    episode: IntArray, train_episodes: int, *, start: float, end: float, share: float
) -> NDArray[np.float64]:
    """Exploration rate of each episode: from start to end exponentially over `share` of the training, 0 afterwards."""
    progress = np.minimum(1.0, np.asarray(episode) / max(1.0, share * train_episodes))
    return np.where(episode < train_episodes, start * (end / start) ** progress, 0.0)


def _whose(spec: TaskSpec, agent: int, column: Seen) -> int:
    """The agent whose feature this one sees: itself or its nearest neighbour."""
    if not column.of_neighbour:
        return agent
    if not spec.neighbours[agent]:
        raise ConfigError(f"neighbours of {spec.agents[agent]!r}", (), "at least one, since their features are seen")
    return spec.neighbours[agent][0]


@kernel
def _fill_levels(
    grid: LevelGrid, local: NDArray[np.float64], levels: NDArray[np.int64], states: NDArray[np.int64]
) -> None:
    """Levels [N, A, W] and states [N, A] of normalised features [N, A, D]."""
    for n in range(local.shape[0]):
        for agent in range(local.shape[1]):
            state = 0
            for w in range(levels.shape[2]):
                normalised = local[n, grid.agent[agent, w], grid.feature[w]]
                value = grid.low[agent, w] + normalised * grid.span[agent, w]
                level = 0
                while level < grid.edges.shape[2] and value >= grid.edges[agent, w, level]:
                    level += 1
                levels[n, agent, w] = level
                state += level * grid.strides[agent, w]
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
def _update(tables: Tables, step: Step, rate: tuple[float, float], weight: NDArray[np.float64]) -> None:
    """One Q-learning step of every agent of every network."""
    for network in range(step.states.shape[0]):
        for agent in range(step.states.shape[1]):
            state, option = step.states[network, agent], step.options[network, agent]
            after = step.next_states[network, agent]
            best = _greedy_option(tables, network, agent, after)
            value = tables.values[network, agent, after, best]
            target = step.reward[network, agent] + step.discount[network] * value
            tables.visits[network, agent, state, option] += 1
            alpha = rate[0] * weight[network, agent]
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
