"""Spaces of the views, and observations as they hold them.

Without slices an observation is one Box of every feature in [0, 1]. With slices it is a Dict: `features` as before,
`slices` [A, S, F] and `slice_mask` [A, S] (1 where a seat is taken); an agent of the parallel view has its own part of
each. Actions are options (MultiDiscrete, Discrete) or numbers in [-1, 1] (Box [A, M], Box [M]).
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from gymnasium import Space
from gymnasium.spaces import Box, Dict, Discrete, MultiDiscrete
from numpy.typing import NDArray

from ranpilot.envs.controller import Environment, Observation, TaskSpec
from ranpilot.errors import ActionError

__all__ = ["Seen", "agent_spaces", "one", "seen", "seen_by_agent", "spaces", "state_space", "take_action"]

Float32 = NDArray[np.float32]
Seen = Float32 | dict[str, NDArray[Any]]
"""An observation as an array, or as the parts of a Dict; with or without the axis of networks."""


def spaces(environment: Environment) -> tuple[Space[Any], Space[Any]]:
    """Observation and action space of one network."""
    spec, obs = environment.spec, environment.observation
    features = unit_box((obs.local.shape[1] * obs.local.shape[2] + obs.state.shape[1],))
    if not spec.action_size:
        return features, MultiDiscrete([spec.num_actions] * spec.num_agents)
    actions = Box(-1.0, 1.0, (spec.num_agents, spec.action_size), np.float32)
    return (_with_slices(features, obs.slices.shape[1:]) if spec.num_slices else features), actions


def agent_spaces(environment: Environment) -> tuple[Space[Any], Space[Any]]:
    """Observation and action space of one agent, the same for each."""
    spec, obs = environment.spec, environment.observation
    features = unit_box((obs.local.shape[2],))
    if not spec.action_size:
        return features, Discrete(spec.num_actions)
    actions = Box(-1.0, 1.0, (spec.action_size,), np.float32)
    return (_with_slices(features, obs.slices.shape[2:]) if spec.num_slices else features), actions


def state_space(environment: Environment) -> Box:
    """Of what a central controller may see besides."""
    return unit_box(environment.observation.state.shape[1:])


def seen(spec: TaskSpec, obs: Observation) -> Seen:
    """All agents' features, then the central state, [B, A * D + G]; with slices as a Dict."""
    num_networks = len(obs.local)
    features = np.concatenate((obs.local.reshape(num_networks, -1), obs.state), axis=1).astype(np.float32)
    return _joined(features, obs.slices, obs.slice_mask) if spec.num_slices else features


def seen_by_agent(spec: TaskSpec, obs: Observation, agent: int) -> Seen:
    """What an agent of the first network sees, [D]; with slices as a Dict."""
    features = obs.local[0, agent].astype(np.float32)
    return _joined(features, obs.slices[0, agent], obs.slice_mask[0, agent]) if spec.num_slices else features


def one(batch: Seen) -> Seen:
    """The first network of a batch."""
    return {name: part[0] for name, part in batch.items()} if isinstance(batch, dict) else batch[0]


def take_action(action: Any, spec: TaskSpec) -> NDArray[Any]:
    """The action of one network as a batch of one. Raises ActionError for another shape."""
    shape = (spec.num_agents, spec.action_size) if spec.action_size else (spec.num_agents,)
    try:
        given = np.asarray(action)
    except ValueError:
        raise ActionError("shape", "ragged", str(shape)) from None
    if given.shape != shape:
        raise ActionError("shape", given.shape, str(shape))
    return given[None]


def unit_box(shape: tuple[int, ...]) -> Box:
    """Numbers in [0, 1]."""
    return Box(0.0, 1.0, shape, np.float32)


def _with_slices(features: Box, shape: tuple[int, ...]) -> Space[Any]:
    parts = {"features": features, "slices": unit_box(shape), "slice_mask": Box(0, 1, shape[:-1], np.int8)}
    return cast("Space[Any]", Dict(cast("dict[str, Space[Any]]", parts)))


def _joined(features: Float32, slices: NDArray[Any], mask: NDArray[Any]) -> Seen:
    return {"features": features, "slices": slices.astype(np.float32), "slice_mask": mask.astype(np.int8)}
