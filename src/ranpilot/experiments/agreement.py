"""How often an adviser says what the rules say, over everything that can stand in a station's prompt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import Controller, FloatArray, Observation, TaskSpec
from ranpilot.systems.aura.config import SITUATION
from ranpilot.systems.aura.situations import OTHER, STATE_WORDS, Situations

__all__ = ["Asked", "agreement", "every_situation"]

MAX_SITUATIONS = 20_000


@dataclass(frozen=True)
class Asked:
    """N situations, each of one station; what neither its prompt nor the rules read is at its least."""

    local: FloatArray
    """[N, A, D] normalised features"""
    state: FloatArray
    """[N, G]"""
    agent: NDArray[np.int64]
    """[N] whose answer counts"""


def agreement(adviser: Controller, other: Controller, task: TaskSpec, like: Observation, seed: int) -> float | None:
    """Share of answers, one for each situation of each station, that are the same; nothing is announced.

    like: an observation of the task, for the shapes of what does not matter here. None where the stations are so many
    that their situations cannot be listed.
    """
    asked = every_situation(task)
    if asked is None:
        return None
    count = len(asked.agent)
    obs = replace(
        like,
        local=asked.local,
        state=asked.state,
        slot=np.zeros(count, dtype=np.int64),
        first=np.ones(count, dtype=np.bool_),
        episode=np.zeros(count, dtype=np.int64),
        notice_ids=np.full((count, like.notice_ids.shape[1]), -1, dtype=np.int64),
    )
    answers = []
    for controller in (adviser, other):
        controller.reset(task, count, seed, None)
        answers.append(np.asarray(controller.act(obs))[np.arange(count), asked.agent])
    return float(np.mean(answers[0] == answers[1]))


def every_situation(task: TaskSpec) -> Asked | None:
    """Every combination of the words of each station's prompt, one a row; None above 20 000.

    The newest prompt says all that the rules read but whether the neighbour is full, and that follows from its places:
    a station is full where it has no free place, as in the tasks. Likewise the share of bad links in the central state
    is the one that coverage is a word for. Combinations that a network hardly reaches (requests where coverage is
    good, one that is due where there is none) are there too.
    """
    situations = Situations(task)
    if situations.rows.sum() > MAX_SITUATIONS:
        return None
    parts = [_situations_of(task, situations.fields, agent) for agent in range(task.num_agents)]
    agent = np.repeat(np.arange(task.num_agents), [len(local) for local, _ in parts])
    return Asked(np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts]), agent)


def _situations_of(task: TaskSpec, fields: tuple[str, ...], agent: int) -> tuple[FloatArray, FloatArray]:
    """Features [n, A, D] and central state [n, G] of every situation of one station."""
    places = [(_whose(task, agent, field), field.split("_", 1)[1]) for field in fields]
    combinations = np.array(list(product(*(_level_values(task, station, name) for station, name in places))))
    local = np.zeros((len(combinations), task.num_agents, len(task.features)))
    state = np.zeros((len(combinations), len(task.state_names)))
    column_of = {word.name: word.column for word in STATE_WORDS}
    for station in range(task.num_agents):
        # Room, unless a field says otherwise.
        state[:, _column(task, station, column_of["places"])] = 1.0
    for values, (station, name) in zip(combinations.T, places, strict=True):
        if name in column_of:
            state[:, _column(task, station, column_of[name])] = values
        else:
            local[:, station, SITUATION.index(name)] = values
    for station in range(task.num_agents):
        is_full = state[:, _column(task, station, column_of["places"])] == 0
        local[:, station, SITUATION.index("capacity")] = is_full
        state[:, _column(task, station, "bad_share")] = local[:, station, SITUATION.index("coverage")]
    return local, state


def _whose(task: TaskSpec, agent: int, field: str) -> int:
    return task.neighbours[agent][0] if field.startswith(OTHER) else agent


def _column(task: TaskSpec, station: int, name: str) -> int:
    return task.state_names.index(f"{task.agents[station]}.{name}")


def _level_values(task: TaskSpec, agent: int, name: str) -> tuple[float, ...]:
    """A normalised value inside each level: the lowest one, since a value on an edge belongs to the level above."""
    for word in STATE_WORDS:
        if word.name == name:
            return (0.0, *word.edges)
    of = task.features[SITUATION.index(name)]
    low, high = of.low[agent], of.high[agent]
    return tuple((value - low) / (high - low) for value in (low, *of.edges[agent]))
