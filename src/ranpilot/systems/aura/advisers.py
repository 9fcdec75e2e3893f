"""Advisers: any controller whose suggestions another may follow, and a language model's advice as a cached policy.

The model sees levels as bare words in a fixed order, the agent's own and its nearest neighbour's, and names one of the
task's actions. There are few distinct prompts (1 152 pairs of situations in `aura-paper`), so all of them are asked in
one batch before the first episode and kept as a table: advice then costs one look-up and has no latency.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import Controller, Decision, Observation, Outcome, TaskSpec, WhatIf
from ranpilot.envs.words import level_counts
from ranpilot.errors import ConfigError, UnknownNameError
from ranpilot.heuristics import HEURISTICS
from ranpilot.learning.q_table import LevelGrid, make_level_grid, read_levels
from ranpilot.llm.prompts import Prompt, load_prompt
from ranpilot.systems.aura.config import SITUATION

__all__ = ["CachedPolicy", "Chooses", "adviser_names", "make_adviser"]

PROMPTS = Path(__file__).parent / "prompts"
OWN, OTHER = "own_", "other_"
LANGUAGE_MODEL = "embedded"


class Chooses(Protocol):
    """What a language model must do here (every `ranpilot.llm` backend does)."""

    @property
    def name(self) -> str:
        """What results call it."""

    def choose(self, prompts: Sequence[str], options: Sequence[str]) -> NDArray[np.float64]:
        """Log-probability of every option after every prompt, [N, options]."""


@dataclass(frozen=True)
class Slot:
    """One word of the prompt: a feature of the agent itself or of its neighbour."""

    field: str
    is_own: bool
    feature: int


class CachedPolicy:
    """A language model's choice for every prompt there is, as a table."""

    def __init__(self, model: Chooses, prompt: Prompt | None = None) -> None:
        self._model = model
        self._prompt = load_prompt(PROMPTS, "choose", 1) if prompt is None else prompt

    @property
    def name(self) -> str:
        """What decisions call it, with the model's own name."""
        return f"language model ({self._model.name})"

    def reset(self, task: TaskSpec, num_networks: int, seed: int, what_if: WhatIf | None) -> None:
        """Ask for every distinct prompt of the task in one batch. Raises ConfigError for a prompt that does not fit."""
        self._slots = _slots(self._prompt)
        self._neighbour = np.array([_nearest(task, agent, self._slots) for agent in range(task.num_agents)])
        self._grid: LevelGrid = make_level_grid(task)
        self._agents = np.arange(task.num_agents)
        counts = level_counts(task)
        radix = np.array(
            [
                [counts[agent if slot.is_own else self._neighbour[agent], slot.feature] for slot in self._slots]
                for agent in self._agents
            ]
        )  # [A, W]
        self._strides = np.ones_like(radix)
        self._strides[:, :-1] = np.cumprod(radix[:, :0:-1], axis=1)[:, ::-1]
        texts = [list(self._texts(task, agent, radix[agent])) for agent in range(task.num_agents)]
        distinct = list(dict.fromkeys(text for of_agent in texts for text in of_agent))
        options = [f" {action}" for action in task.actions]
        logp = self._model.choose(distinct, options)
        choice = dict(zip(distinct, np.argmax(logp, axis=1), strict=True))
        self.table = np.zeros((task.num_agents, max(len(of_agent) for of_agent in texts)), dtype=np.int64)
        for agent, of_agent in enumerate(texts):
            self.table[agent, : len(of_agent)] = [choice[text] for text in of_agent]
        self.answers = {text: task.actions[int(option)] for text, option in choice.items()}

    def act(self, obs: Observation) -> NDArray[np.int64]:
        """The model's choice for each agent of each network, [B, A]."""
        levels, _ = read_levels(self._grid, obs.local)
        row = np.zeros(levels.shape[:2], dtype=np.int64)
        for word, slot in enumerate(self._slots):
            seen = levels[:, :, slot.feature] if slot.is_own else levels[:, self._neighbour, slot.feature]
            row += seen * self._strides[:, word]
        chosen: NDArray[np.int64] = self.table[self._agents[None, :], row]
        return chosen

    def observe(self, outcome: Outcome) -> None:
        """Nothing: the table is fixed."""

    def explain(self, network: int) -> tuple[Decision, ...]:
        """Nothing: who follows the advice explains it."""
        return ()

    def save(self, folder: Path) -> None:
        """Nothing: the table is asked for again, from the model's own memory of answers."""

    def _texts(self, task: TaskSpec, agent: int, radix: NDArray[np.int64]) -> Iterator[str]:
        """Every prompt of one agent, in the order of the table's rows."""
        for combination in product(*(range(count) for count in radix)):
            words = {}
            for slot, level in zip(self._slots, combination, strict=True):
                of_agent = agent if slot.is_own else int(self._neighbour[agent])
                words[slot.field] = task.features[slot.feature].words[of_agent][level]
            yield self._prompt.render(**words)


def adviser_names() -> list[str]:
    """Every name that `make_adviser` knows."""
    return sorted([*HEURISTICS.names(), LANGUAGE_MODEL])


def make_adviser(name: str) -> Controller:
    """The adviser of that name: a heuristic, or `embedded` for the language model that works offline.

    Raises UnknownNameError for another name.
    """
    if name == LANGUAGE_MODEL:
        from ranpilot import llm

        # float32 on every machine: bfloat16 would change some answers and with them the tables.
        return CachedPolicy(llm.load(LANGUAGE_MODEL, dtype="float32"))
    if name not in HEURISTICS.names():
        raise UnknownNameError("adviser", name, adviser_names())
    return HEURISTICS.load(name)()


def _slots(prompt: Prompt) -> tuple[Slot, ...]:
    """The words that the prompt asks for, in its order."""
    known = [side + name for side in (OWN, OTHER) for name in SITUATION]
    for field in prompt.fields:
        if field not in known:
            raise ConfigError("prompt field", field, f"one of {', '.join(known)}", source=prompt.source)
    return tuple(Slot(field, field.startswith(OWN), SITUATION.index(field.split("_", 1)[1])) for field in prompt.fields)


def _nearest(task: TaskSpec, agent: int, slots: tuple[Slot, ...]) -> int:
    """The agent whose words stand beside this agent's own."""
    if task.neighbours[agent]:
        return task.neighbours[agent][0]
    if any(not slot.is_own for slot in slots):
        allowed = f"own_… fields alone, since {task.agents[agent]!r} of {task.name} has no neighbour"
        raise ConfigError("prompt field", next(slot.field for slot in slots if not slot.is_own), allowed)
    return agent
