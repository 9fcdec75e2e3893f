"""The joint situations of an agent and its nearest neighbour, as rows of a table and as prompts.

The fields of a prompt say which levels make a situation (`own_coverage`, `other_places`, ...) and in which order; a
field `notice` takes an announcement. A level is one of the task's features (`SITUATION`) or of the agent's part of the
central state (`STATE_WORDS`). Rows of one agent count through the levels, the last field fastest.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import IntArray, Observation, TaskSpec
from ranpilot.envs.words import levels
from ranpilot.errors import ConfigError
from ranpilot.llm.prompts import Prompt, load_prompt
from ranpilot.systems.aura.config import SITUATION
from ranpilot.systems.aura.notices import notice_part

__all__ = ["PROMPTS", "STATE_WORDS", "Situations", "StateWord", "choose_prompt", "prompt_of"]

PROMPTS = Path(__file__).parent / "prompts"
OWN, OTHER, NOTICE = "own_", "other_", "notice"
SLACK = 1e-5
"""How far a value may fall below its edge, as in `envs.words`."""


class StateWord(NamedTuple):
    """What a prompt can say of a station beside its features: a column of the central state, normalised to [0, 1]."""

    name: str
    column: str
    """`<agent>.<column>` in the task's state."""
    edges: tuple[float, ...]
    words: tuple[str, ...]


STATE_WORDS = (
    StateWord("requests", "eligible_requests", (1 / 3, 2 / 3, 1.0), ("none", "one", "few", "many")),
    StateWord("due", "oldest_due", (0.5,), ("later", "now")),
    StateWord("places", "free_places", (1 / 3, 2 / 3, 1.0), ("full", "one", "few", "free")),
)
"""Open requests and free places counted to three, which is what one action moves, and whether one is in its last step.

What decides whether to hand over: with the features' words alone, a neighbour with one place looks as free as an empty
one, and a single patient request like three that are about to be dropped.
"""


class _Field(NamedTuple):
    """One field of the prompt, for each agent."""

    words: tuple[tuple[str, ...], ...]
    column: IntArray
    """[A] place among the features of all agents or, where there are edges, in the central state"""
    edges: NDArray[np.float64] | None


def choose_prompt(version: int = 3) -> Prompt:
    """The prompt that asks for an action; versions 2 and 3 take a notice, version 2 without one reads as version 1."""
    return load_prompt(PROMPTS, "choose", version)


def prompt_of(model: object) -> Prompt:
    """The prompt that an adapter was trained with, by its record; the newest for a model that has none.

    Raises UnknownNameError or ConfigError where this ranpilot has no such prompt.
    """
    record = getattr(model, "record", None)
    if record is None:
        return choose_prompt()
    prompt = load_prompt(PROMPTS, str(record.prompt["name"]), int(record.prompt["version"]))
    if prompt.hash != record.prompt["hash"]:
        raise ConfigError("adapter's prompt: hash", record.prompt["hash"], f"{prompt.hash}, as in {prompt.source}")
    return prompt


class Situations:
    """Every situation of every agent of a task; `rows[a]` of them for agent a."""

    def __init__(self, task: TaskSpec, prompt: Prompt | None = None) -> None:
        """Raises ConfigError for a prompt that does not fit the task."""
        self.task = task
        self.prompt = choose_prompt() if prompt is None else prompt
        self.reads_notices = NOTICE in self.prompt.fields
        self.fields = tuple(field for field in self.prompt.fields if field != NOTICE)
        """What a situation is made of, in the order of the levels."""
        _check_fields(task, self.prompt, self.fields)
        self._fields = [_make_field(task, field) for field in self.fields]
        self._counts = np.array([[len(of_agent) for of_agent in field.words] for field in self._fields]).T  # [A, W]
        self._strides = np.ones_like(self._counts)
        self._strides[:, :-1] = np.cumprod(self._counts[:, :0:-1], axis=1)[:, ::-1]
        self.rows: NDArray[np.int64] = self._counts.prod(axis=1)

    def levels(self, obs: Observation) -> NDArray[np.int64]:
        """Level [N, A, W] of every field of every agent."""
        seen = levels(self.task, obs).reshape(len(obs.local), -1)
        found = [
            seen[:, field.column]
            if field.edges is None
            else np.searchsorted(field.edges - SLACK, obs.state[:, field.column], side="right")
            for field in self._fields
        ]
        return np.stack(found, axis=2).astype(np.int64)

    def read(self, obs: Observation) -> NDArray[np.int64]:
        """Row [N, A] of the situation of every agent."""
        row: NDArray[np.int64] = (self.levels(obs) * self._strides).sum(axis=2)
        return row

    def text(self, agent: int, row: int, notice: str = "") -> str:
        """The prompt of one situation of one agent, with an announcement (of anyone's writing; it is cleaned here)."""
        words = {NOTICE: notice_part(notice)} if self.reads_notices else {}
        level = row // self._strides[agent] % self._counts[agent]
        for name, field, of_field in zip(self.fields, self._fields, level, strict=True):
            words[name] = field.words[agent][of_field]
        return self.prompt.render(**words)

    def texts(self, agent: int) -> Iterator[str]:
        """The prompt without announcement of every situation of one agent, in the order of rows."""
        return (self.text(agent, row) for row in range(int(self.rows[agent])))


def _make_field(task: TaskSpec, field: str) -> _Field:
    side, name = field.split("_", 1)
    whose = [near[0] if side == "other" else agent for agent, near in enumerate(task.neighbours)]
    for word in STATE_WORDS:
        if word.name == name:
            columns = [task.state_names.index(f"{task.agents[agent]}.{word.column}") for agent in whose]
            return _Field((word.words,) * task.num_agents, np.array(columns), np.array(word.edges))
    feature = SITUATION.index(name)
    words = tuple(task.features[feature].words[agent] for agent in whose)
    return _Field(words, np.array(whose) * len(task.features) + feature, None)


def _check_fields(task: TaskSpec, prompt: Prompt, fields: tuple[str, ...]) -> None:
    names = (*SITUATION, *(word.name for word in STATE_WORDS))
    known = [side + name for side in (OWN, OTHER) for name in names]
    if not fields:
        raise ConfigError("prompt", prompt.text, f"one with a field such as {known[0]}", source=prompt.source)
    for field in fields:
        if field not in known:
            raise ConfigError("prompt field", field, f"one of {', '.join((*known, NOTICE))}", source=prompt.source)
    others = [field for field in fields if field.startswith(OTHER)]
    lonely = [agent for agent, near in zip(task.agents, task.neighbours, strict=True) if not near]
    if others and lonely:
        allowed = f"own_… fields alone, since {lonely[0]!r} of {task.name} has no neighbour"
        raise ConfigError("prompt field", others[0], allowed)
    columns = {word.name: word.column for word in STATE_WORDS}
    for field in fields:
        column = columns.get(field.split("_", 1)[1])
        missing = [f"{agent}.{column}" for agent in task.agents if f"{agent}.{column}" not in task.state_names]
        if column is not None and missing:
            allowed = f"a feature of the task, since {task.name} has no {missing[0]!r} in its central state"
            raise ConfigError("prompt field", field, allowed)
