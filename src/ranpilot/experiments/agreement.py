"""How often an adviser says what the rules say, over everything that can stand in a prompt of two stations."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np

from ranpilot.envs.controller import Controller, FloatArray, Observation, TaskSpec
from ranpilot.systems.aura.config import SITUATION

__all__ = ["agreement", "every_situation"]

WORDS = ("power", "coverage", "capacity")
"""What a prompt says of a station."""
MAX_SITUATIONS = 20_000


def agreement(adviser: Controller, other: Controller, task: TaskSpec, like: Observation, seed: int) -> float | None:
    """Share of answers, one for each station in each situation, that are the same; nothing is announced.

    like: an observation of the task, for the shapes of what does not matter here. None where the stations are so many
    that their situations cannot be listed.
    """
    local = every_situation(task)
    if local is None:
        return None
    count = len(local)
    asked = replace(
        like,
        local=local,
        state=np.zeros((count, like.state.shape[1])),
        slot=np.zeros(count, dtype=np.int64),
        first=np.ones(count, dtype=np.bool_),
        episode=np.zeros(count, dtype=np.int64),
        notice_ids=np.full((count, like.notice_ids.shape[1]), -1, dtype=np.int64),
    )
    answers = []
    for controller in (adviser, other):
        controller.reset(task, count, seed, None)
        answers.append(np.asarray(controller.act(asked)))
    return float(np.mean(answers[0] == answers[1]))


def every_situation(task: TaskSpec) -> FloatArray | None:
    """[N, A, D] normalised features, one row for each combination of the words of all stations; None above 20 000."""
    places = [(agent, SITUATION.index(word)) for agent in range(task.num_agents) for word in WORDS]
    values = [_level_values(task, agent, feature) for agent, feature in places]
    if np.prod([len(of_place) for of_place in values], dtype=np.float64) > MAX_SITUATIONS:
        return None
    combinations = np.array(list(product(*values)))  # [N, places]
    local = np.zeros((len(combinations), task.num_agents, len(task.features)))
    for column, (agent, feature) in enumerate(places):
        local[:, agent, feature] = combinations[:, column]
    return local


def _level_values(task: TaskSpec, agent: int, feature: int) -> list[float]:
    """A normalised value inside each level: the lowest one, since a value on an edge belongs to the level above."""
    of = task.features[feature]
    low, high = of.low[agent], of.high[agent]
    return [(value - low) / (high - low) for value in (low, *of.edges[agent])]
