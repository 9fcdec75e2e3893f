"""The one protocol that binds learning, heuristics, language-model parts, live use and the RIC.

A task says what is seen and what may be done (`TaskSpec`); an environment turns actions into outcomes
(`Environment`); a controller turns observations into actions (`Controller`). Everything is an array over a batch of
networks: B networks, A agents, D local features, G state features, K reward terms, N notices, S slices of F features, M
numbers of an action.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ranpilot.declare import Measurement
from ranpilot.envs.share_action import ShareAction
from ranpilot.envs.slice_feature import SliceFeature

__all__ = [
    "Action",
    "BoolArray",
    "Controller",
    "Decision",
    "Environment",
    "Feature",
    "FloatArray",
    "IntArray",
    "Observation",
    "Outcome",
    "Policy",
    "TaskSpec",
    "WhatIf",
    "WhatIfEach",
]

FloatArray = NDArray[np.floating]
IntArray = NDArray[np.integer]
BoolArray = NDArray[np.bool_]
Action = NDArray[np.integer] | NDArray[np.floating]
"""[B, A] option indices for discrete tasks, [B, A, M] numbers in [-1, 1] for the others."""


@dataclass(frozen=True)
class Feature:
    """One number that an agent sees, and the words its levels have in this task.

    edges, words: one tuple for each agent; level l of agent a is `words[a][l]`, with `len(edges[a]) + 1` levels, and a
    value on an edge belongs to the level above it. Edges are in the measurement's own unit. low, high: for each agent,
    the bounds that normalise the value to [0, 1] (from the declaration, or narrower where the agent's own range is).
    """

    measurement: Measurement
    edges: tuple[tuple[float, ...], ...]
    words: tuple[tuple[str, ...], ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class TaskSpec:
    """What a controller must know of a task: who acts, what is seen, what may be done, what is rewarded."""

    name: str
    scenario: str
    agents: tuple[str, ...]
    features: tuple[Feature, ...]
    state_names: tuple[str, ...]
    actions: tuple[str, ...]
    """Names of the discrete options, the same for every agent, in the order of their indices; none where an action is
    numbers."""
    neutral_action: int
    """The option that changes least; 0 where an action is numbers."""
    reward_terms: tuple[str, ...]
    counters: tuple[str, ...]
    """Names of the event counts in `Outcome.counts`, each [B, A]: what a table of results adds up over an episode."""
    step_s: float
    slots_per_step: int
    """Slots of the simulator in one control step (1 where there are no slots), the currency of budgets."""
    episode_steps: int
    neighbours: tuple[tuple[int, ...], ...]
    """For each agent, the agents whose features its adviser may see beside its own, nearest first."""
    action_size: int = 0
    """M, how many numbers in [-1, 1] an agent sets; 0 for discrete tasks."""
    num_slices: int = 0
    """S, seats for slices; with slices M is S, a number for each seat."""
    slice_features: tuple[SliceFeature, ...] = ()
    """F, what is seen of a slice in a cell, and on which scale."""
    share_action: ShareAction | None = None
    """How numbers become shares of a cell, where they do."""

    @property
    def num_agents(self) -> int:
        """How many agents act."""
        return len(self.agents)

    @property
    def num_actions(self) -> int:
        """How many options each agent has."""
        return len(self.actions)


@dataclass(frozen=True)
class Observation:
    """What controllers see, as arrays; a text is an id into `texts`, -1 for none."""

    local: FloatArray
    """[B, A, D] each agent's own features, normalised to [0, 1] by `Feature.low/high`."""
    state: FloatArray
    """[B, G] what a central controller may see besides, normalised to [0, 1]."""
    slot: IntArray
    """[B] simulator slots since the start of the episode."""
    first: BoolArray
    """[B] whether this observation is the first of an episode."""
    episode: IntArray
    """[B] index of the running episode."""
    notice_ids: IntArray
    """[B, N] announcements in force, ids into `texts`, -1 for none."""
    texts: tuple[str, ...] = ()
    report_age_s: FloatArray | None = None
    """[B, A] how old the report is that an agent's features are from; None where reports cannot fail."""
    is_unknown: BoolArray | None = None
    """[B, A] whether the report of now is missing, so that its features are old ones; None as above."""
    slices: FloatArray = field(default_factory=lambda: np.zeros((0, 0, 0, 0)))
    """[B, A, S, F] what is seen of each slice in each agent's cell, normalised to [0, 1]; 0 where a seat is free."""
    slice_mask: BoolArray = field(default_factory=lambda: np.zeros((0, 0, 0), dtype=np.bool_))
    """[B, A, S] whether a seat is taken."""
    slice_text_ids: IntArray = field(default_factory=lambda: np.zeros((0, 0, 0), dtype=np.int64))
    """[B, A, S] what the tenant says of its service, an id into `texts`, -1 for nothing or a free seat."""


@dataclass(frozen=True)
class Outcome:
    """What one action led to. `next_obs` is the true successor, also where the episode ended (never the reset one)."""

    action: Action
    reward: FloatArray
    """[B, A] sum of the weighted terms."""
    terms: FloatArray
    """[B, A, K] the weighted reward terms, in the order of `TaskSpec.reward_terms`."""
    next_obs: Observation
    terminated: BoolArray
    """[B]"""
    truncated: BoolArray
    """[B]"""
    counts: Mapping[str, FloatArray] = field(default_factory=dict)
    """[B, A] by the names in `TaskSpec.counters`."""

    @property
    def done(self) -> BoolArray:
        """[B] whether the episode ended, for either reason."""
        return self.terminated | self.truncated


Policy = Callable[[Observation], Action]


class WhatIf(Protocol):
    """The only way from a controller to the simulator: try actions on copies of the running networks."""

    def roll(
        self,
        actions: Action,
        steps: int,
        draws: int,
        *,
        then: Policy | None = None,
        networks: IntArray | None = None,
        discount: float = 1.0,
    ) -> FloatArray:
        """Team reward [B, n, draws] of n joint actions, summed over agents and `steps` discounted steps.

        actions: [B, A, n] ([B, A, n, M] where an action is numbers), B the networks picked by `networks` (all where
        None). The first step executes the action,
        later ones `then(obs)` or, where it is None, the same action again. `then` sees an observation whose batch
        axis is (network, option, draw), flattened in that order. All n share the same `draws` fresh futures; the true
        future is never among them, and the running networks are untouched.
        """
        ...


@runtime_checkable
class WhatIfEach(WhatIf, Protocol):
    """What also tells the agents' rewards apart, so that a search can judge all agents' options in the same rolls."""

    def roll_each(
        self,
        actions: Action,
        steps: int,
        draws: int,
        *,
        then: Policy | None = None,
        networks: IntArray | None = None,
        discount: float = 1.0,
    ) -> FloatArray:
        """As `roll`, with the reward of every agent by itself: [B, A, n, draws]."""
        ...


@dataclass(frozen=True)
class Decision:
    """Why one agent did what it did: what was suggested, by whom, how far trusted, and what came of it."""

    network: int
    agent: str
    slot: int
    suggested: str | None
    adviser: str | None
    own: str
    executed: str
    followed: bool
    trust: float | None
    why: str
    reward: float | None = None


@runtime_checkable
class Controller(Protocol):
    """Anything that runs a network: heuristic, learner, language model, or all of them."""

    def reset(self, task: TaskSpec, num_networks: int, seed: int, what_if: WhatIf | None) -> None:
        """Get ready for `num_networks` networks of `task`; called once before the first observation."""
        ...

    def act(self, obs: Observation) -> Action:
        """One action for each agent of each network, [B, A]."""
        ...

    def observe(self, outcome: Outcome) -> None:
        """Take in what the last action led to; heuristics ignore it."""
        ...

    def explain(self, network: int) -> tuple[Decision, ...]:
        """The last decision of each agent of that network; empty where the controller keeps none."""
        ...

    def save(self, folder: Path) -> None:
        """Write everything that is needed to go on, atomically."""
        ...


class Environment(Protocol):
    """A batch of networks under one task; episodes run in lockstep and begin anew by themselves."""

    @property
    def spec(self) -> TaskSpec:
        """What a controller must know of the task."""
        ...

    @property
    def num_networks(self) -> int:
        """B, how many networks run at once."""
        ...

    @property
    def what_if(self) -> WhatIf | None:
        """Tries actions on copies; None where the network cannot be copied."""
        ...

    def reset(self, *, first_episode: int = 0) -> Observation:
        """Begin episode `first_episode` in every network; the episode index selects its randomness."""
        ...

    def step(self, action: Action) -> Outcome:
        """Execute [B, A]; where the episode ends, the next one begins in the same call.

        Raises ActionError for a wrong shape, a NaN or an unknown option.
        """
        ...

    @property
    def observation(self) -> Observation:
        """What the next `act` should see: after an episode's end the first observation of the next one."""
        ...

    def snapshot(self) -> bytes:
        """Everything needed to go on exactly; small."""
        ...

    def restore(self, data: bytes) -> None:
        """Go on from a snapshot. Raises CheckpointError for one that does not fit."""
        ...
