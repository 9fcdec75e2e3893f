"""Which states of running networks are labelled: random ones, and those shortly before something announced starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.announcements import neighbour_kind
from ranpilot.envs.controller import BoolArray, Environment, FloatArray, IntArray
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.views import EventView

__all__ = ["LEAD_S", "Picker", "Picks"]

LEAD_S = (0.5, 1.5)
"""A state with an announcement is taken this long before the event, so that the roll-out contains what is announced."""

SLACK_S = 1e-9
"""Times are multiples of a slot, which is no binary fraction."""


@dataclass(frozen=True)
class Picks:
    """States picked in one step; each is an agent of a running network."""

    network: IntArray
    """[n] row of the batch"""
    agent: IntArray
    """[n]"""
    text_id: IntArray
    """[n] the announcement at the agent's site, -1 for none"""
    lead_s: FloatArray
    """[n] time until what is announced starts, NaN for none"""

    def __len__(self) -> int:
        return len(self.network)

    @property
    def has_notice(self) -> BoolArray:
        """[n] whether something is announced."""
        return np.asarray(self.text_id >= 0)

    def take(self, rows: IntArray) -> Picks:
        """Some of them."""
        return Picks(self.network[rows], self.agent[rows], self.text_id[rows], self.lead_s[rows])


@runtime_checkable
class HasEvents(Protocol):
    """The networks behind an environment on the twin."""

    scenario: Scenario

    @property
    def slot(self) -> int:
        """Slots since the reset."""
        ...

    def events(self) -> EventView:
        """The events of every network."""
        ...


class Picker:
    """Says in every step of an episode which states are labelled; everything random is drawn at the beginning."""

    def __init__(
        self, env: Environment, picks: int, rng: np.random.Generator, told: Sequence[str] | None = None
    ) -> None:
        """picks: states without announcement that every network gives, each in a step of its own.

        told: kinds of announcements that are picked, all where None.
        """
        self._env = env
        spec, count = env.spec, env.num_networks
        steps = np.arange(1, spec.episode_steps)
        chosen = [rng.choice(steps, size=min(picks, len(steps)), replace=False) for _ in range(count)]
        self._steps: NDArray[np.int64] = np.sort(np.array(chosen, dtype=np.int64), axis=1)  # [B, picks]
        self._agents = rng.integers(spec.num_agents, size=self._steps.shape)
        networks = getattr(env, "networks", None)
        self._networks: HasEvents | None = networks if isinstance(networks, HasEvents) else None
        self._heard = np.eye(spec.num_agents, dtype=np.bool_)  # [A, C]
        for agent, near in enumerate(spec.neighbours):
            self._heard[agent, list(near)] = True
        events = 0 if self._networks is None else self._networks.events().kind.shape[1]
        known = None if self._networks is None else self._networks.scenario.events
        self._changes = np.array([kind.changes_anything for kind in known.kinds] if known else [], dtype=np.bool_)
        self._is_wanted = _wanted([kind.name for kind in known.kinds] if known else [], told)
        self._when = rng.random((count, events))
        self._whose = rng.random((count, events))

    def is_done(self, step: int) -> bool:
        """Whether no later step of the episode is picked."""
        last = self._env.spec.episode_steps - 1
        return step >= (last if self._when.shape[1] else self._steps.max(initial=0))

    def nobody(self) -> Picks:
        """No state at all."""
        none = np.zeros(0, dtype=np.int64)
        return Picks(none, none, none, np.zeros(0))

    def at(self, step: int) -> Picks:
        """What is picked now, `step` steps into the episode."""
        parts = [self._plain(step), self._announced()]
        return Picks(
            *(np.concatenate([getattr(p, n) for p in parts]) for n in ("network", "agent", "text_id", "lead_s"))
        )

    def _plain(self, step: int) -> Picks:
        network, pick = np.nonzero(self._steps == step)
        agent = self._agents[network, pick]
        ids = self._env.observation.notice_ids
        if ids.shape[1]:
            silent = ids[network, agent] < 0
            network, agent = network[silent], agent[silent]
        return Picks(network, agent, np.full(len(network), -1), np.full(len(network), np.nan))

    def _announced(self) -> Picks:
        if self._networks is None or not self._when.shape[1]:
            return self.nobody()
        obs, spec, events = self._env.observation, self._env.spec, self._networks.events()
        slot_s = spec.step_s / spec.slots_per_step
        slot = self._networks.slot
        lead_s = (events.start_slot - slot) * slot_s  # [B, E]
        known_s = (events.start_slot - events.announced_slot) * slot_s
        latest = np.minimum(LEAD_S[1], known_s)
        wanted_s = LEAD_S[0] + self._when * (latest - LEAD_S[0])
        due = (lead_s <= wanted_s + SLACK_S) & (lead_s > wanted_s - spec.step_s + SLACK_S) & (lead_s > 0)
        network, event = np.nonzero(due & (events.announced_slot <= slot) & (events.kind >= 0))
        hearers = [self._hearers(events.cell[n, e], events.kind[n, e]) for n, e in zip(network, event, strict=True)]
        has_any = np.array([len(agents) > 0 for agents in hearers], dtype=np.bool_)
        network, event, hearers = network[has_any], event[has_any], [agents for agents in hearers if len(agents)]
        drawn = self._whose[network, event]
        agent = np.array([h[int(u * len(h))] for h, u in zip(hearers, drawn, strict=True)], dtype=np.int64)
        if not len(agent):
            return self.nobody()
        # Another announcement may stand in front of this one; then the agent does not read of it.
        is_told = _told(events, slot, network, self._heard[agent], self._changes) == event
        network, event, agent = network[is_told], event[is_told], agent[is_told]
        return Picks(network, agent, obs.notice_ids[network, agent].astype(np.int64), lead_s[network, event])

    def _hearers(self, cell: int, kind: int) -> IntArray:
        """Agents that are told of such an event in `cell` in words that are picked."""
        agents = np.flatnonzero(self._heard[:, cell])
        wanted: IntArray = agents[self._is_wanted[kind, (agents != cell).astype(np.int64)]]
        return wanted


def _wanted(names: Sequence[str], told: Sequence[str] | None) -> BoolArray:
    """[kind, 2] whether a kind's announcement is picked where it happens, and around it."""
    if told is None:
        return np.ones((len(names), 2), dtype=np.bool_)
    return np.array([(name in told, neighbour_kind(name) in told) for name in names], dtype=np.bool_).reshape(-1, 2)


def _told(events: EventView, slot: int, network: IntArray, heard: BoolArray, changes: BoolArray) -> IntArray:
    """[n] the event that agents of these networks are told of, as the task chooses: -1 for none.

    heard: [n, C] cells that are heard of; changes: [kind] whether such events do anything.
    """
    stands = (events.announced_slot[network] <= slot) & (slot < events.stop_slot[network])  # [n, E]
    in_reach = np.take_along_axis(heard, np.maximum(events.cell[network], 0), axis=1)
    # Windows are in the order of their announcement; what changes something goes before all that does not.
    num = stands.shape[1]
    rank = np.arange(num) + num * changes[events.kind[network]]
    first = np.where(stands & in_reach, rank, -1).max(axis=1)
    told: IntArray = np.where(first < 0, -1, first % num)
    return told
