"""The joint situations of an agent and its nearest neighbour, as rows of a table and as prompts.

The fields of a prompt say which levels make a situation (`own_capacity`, `other_coverage`, ...) and in which order;
a field `notice` takes an announcement. Rows of one agent count through the levels, the last field fastest.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import FloatArray, TaskSpec
from ranpilot.errors import ConfigError
from ranpilot.learning.q_table import Seen, make_level_grid, read_levels
from ranpilot.llm.prompts import Prompt, load_prompt
from ranpilot.systems.aura.config import SITUATION
from ranpilot.systems.aura.notices import notice_part

__all__ = ["PROMPTS", "Situations", "choose_prompt"]

PROMPTS = Path(__file__).parent / "prompts"
OWN, OTHER, NOTICE = "own_", "other_", "notice"


def choose_prompt(version: int = 2) -> Prompt:
    """The prompt that asks for an action; version 2 takes a notice, and without one reads as version 1."""
    return load_prompt(PROMPTS, "choose", version)


class Situations:
    """Every situation of every agent of a task; `rows[a]` of them for agent a."""

    def __init__(self, task: TaskSpec, prompt: Prompt | None = None) -> None:
        """Raises ConfigError for a prompt that does not fit the task."""
        self.task = task
        self.prompt = choose_prompt() if prompt is None else prompt
        self.reads_notices = NOTICE in self.prompt.fields
        self._fields = [field for field in self.prompt.fields if field != NOTICE]
        _check_fields(task, self.prompt.source, self._fields)
        features = [SITUATION.index(field.split("_", 1)[1]) for field in self._fields]
        seen = [Seen(d, field.startswith(OTHER)) for d, field in zip(features, self._fields, strict=True)]
        self._grid = make_level_grid(task, seen)
        self.rows: NDArray[np.int64] = self._grid.counts.prod(axis=1)

    def read(self, local: FloatArray) -> NDArray[np.int64]:
        """Row [N, A] of the situation of every agent, from normalised features [N, A, D]."""
        return read_levels(self._grid, local)[1]

    def text(self, agent: int, row: int, notice: str = "") -> str:
        """The prompt of one situation of one agent, with an announcement (of anyone's writing; it is cleaned here)."""
        grid, words = self._grid, {NOTICE: notice_part(notice)} if self.reads_notices else {}
        for w, field in enumerate(self._fields):
            level = row // int(grid.strides[agent, w]) % int(grid.counts[agent, w])
            words[field] = self.task.features[grid.feature[w]].words[grid.agent[agent, w]][level]
        return self.prompt.render(**words)

    def texts(self, agent: int) -> Iterator[str]:
        """The prompt without announcement of every situation of one agent, in the order of rows."""
        return (self.text(agent, row) for row in range(int(self.rows[agent])))


def _check_fields(task: TaskSpec, source: str, fields: list[str]) -> None:
    known = [side + name for side in (OWN, OTHER) for name in SITUATION]
    for field in fields:
        if field not in known:
            raise ConfigError("prompt field", field, f"one of {', '.join((*known, NOTICE))}", source=source)
    others = [field for field in fields if field.startswith(OTHER)]
    lonely = [agent for agent, near in zip(task.agents, task.neighbours, strict=True) if not near]
    if others and lonely:
        allowed = f"own_… fields alone, since {lonely[0]!r} of {task.name} has no neighbour"
        raise ConfigError("prompt field", others[0], allowed)
