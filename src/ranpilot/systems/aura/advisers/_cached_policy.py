"""A language model's advice as a table: every prompt without an announcement is asked before the first episode.

The model sees levels as bare words in a fixed order, the agent's own and its nearest neighbour's, and names one of the
task's actions. An adapter is asked in the version of the prompt that its record names, any other model in the newest.
There are few distinct prompts (at most 2 304 for a station of `aura-paper`), so all of them are asked in one batch and
kept: advice then costs one look-up and has no latency.

An announcement that stands at the agent's site comes in front of the words. There are too many pairs of announcement
and situation to ask for all, so those that are new in a step are asked together then. That takes a model some time,
which a simulated network does not wait for: a notice counts as absent until `notice_latency_s` after it came. So a
result does not depend on the machine's speed. Announcements are known by their text, never by their id, since training
and held-out environments have different texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import Decision, Observation, Outcome, TaskSpec, WhatIf
from ranpilot.errors import ActionError, ConfigError
from ranpilot.llm.prompts import Prompt
from ranpilot.runs.arrays import read_arrays, save_arrays
from ranpilot.systems.aura.notices import clean_notice
from ranpilot.systems.aura.situations import Situations, prompt_of

__all__ = ["CachedPolicy", "Chooses"]

NO_NOTICE = 0
UNASKED = -1
SLACK_S = 1e-9
"""Times are multiples of a slot, which is no binary fraction."""


class Chooses(Protocol):
    """What a language model must do here (every `ranpilot.llm` backend does)."""

    @property
    def name(self) -> str:
        """What results call it."""

    def choose(self, prompts: Sequence[str], options: Sequence[str]) -> NDArray[np.float64]:
        """Log-probability of every option after every prompt, [N, options]."""


class CachedPolicy:
    """A language model's choice for every situation, and for every announcement as it comes."""

    def __init__(self, model: Chooses, prompt: Prompt | None = None, *, notice_latency_s: float = 1.0) -> None:
        if not notice_latency_s >= 0:
            raise ConfigError("adviser.notice_latency_s", notice_latency_s, "at least 0")
        self._model = model
        self._prompt = prompt_of(model) if prompt is None else prompt
        self.notice_latency_s = notice_latency_s

    @property
    def name(self) -> str:
        """What decisions call it, with the model's own name."""
        return f"language model ({self._model.name})"

    @property
    def model_hash(self) -> str:
        """Hash of the model's weights where it has one: with another hash it is another adviser."""
        return str(getattr(self._model, "model_hash", ""))

    def reset(self, task: TaskSpec, num_networks: int, seed: int, what_if: WhatIf | None) -> None:
        """Ask for every prompt without announcement in one batch. Raises ConfigError for a prompt that does not fit."""
        self._situations = Situations(task, self._prompt)
        self._agents = np.arange(task.num_agents)
        self._options = [f" {action}" for action in task.actions]
        self._slot_s = task.step_s / task.slots_per_step
        self.answers: dict[str, str] = {}
        texts = [list(self._situations.texts(agent)) for agent in range(task.num_agents)]
        self._ask(text for of_agent in texts for text in of_agent)
        self.table = np.zeros((task.num_agents, max(len(of_agent) for of_agent in texts)), dtype=np.int64)
        for agent, of_agent in enumerate(texts):
            self.table[agent, : len(of_agent)] = [self._choice_of(text) for text in of_agent]
        self._num_networks = num_networks
        self._forget_notices(())
        nothing = np.zeros((num_networks, 0), dtype=np.int64)
        self._notice, self._since_slot = nothing, nothing.copy()

    def act(self, obs: Observation) -> NDArray[np.int64]:
        """The model's choice for each agent of each network, [B, A]."""
        row = self._situations.read(obs)
        chosen: NDArray[np.int64] = self.table[self._agents[None, :], row]
        if obs.notice_ids.shape[1] > 0 and self._situations.reads_notices:
            notice = self._available_notices(obs)
            if notice.any():
                chosen = self._choose_with_notices(chosen, row, notice)
        return chosen

    def observe(self, outcome: Outcome) -> None:
        """Nothing: the model does not change."""

    def explain(self, network: int) -> tuple[Decision, ...]:
        """Nothing: who follows the advice explains it."""
        return ()

    def save(self, folder: Path) -> None:
        """Write which announcements stand since when; answers are in the model's own memory of answers."""
        save_arrays(
            folder / "notices.npz",
            {"adviser": "cached policy", "num_networks": self._num_networks},
            {"notice": self._notice, "since_slot": self._since_slot, "texts": np.array(self._texts[1:], dtype=np.str_)},
        )

    def load(self, folder: Path) -> None:
        """Go on from what `save` wrote, after a `reset`. Raises CheckpointError where it cannot be read."""
        identity = {"adviser": "cached policy", "num_networks": self._num_networks}
        found = read_arrays(folder / "notices.npz", identity)
        self._notice, self._since_slot = found["notice"].astype(np.int64), found["since_slot"].astype(np.int64)
        self._forget_notices(str(text) for text in found["texts"])

    def _ask(self, prompts: Iterable[str]) -> None:
        """Learn the model's choice for those of the prompts that it was not asked yet, in one batch."""
        new = [prompt for prompt in dict.fromkeys(prompts) if prompt not in self.answers]
        if not new:
            return
        best = np.argmax(self._model.choose(new, self._options), axis=1)
        for prompt, option in zip(new, best, strict=True):
            self.answers[prompt] = self._options[int(option)].removeprefix(" ")

    def _choice_of(self, prompt: str) -> int:
        return self._options.index(f" {self.answers[prompt]}")

    def _forget_notices(self, texts: Iterable[str]) -> None:
        """Begin with these announcements, whose answers are looked up again when they are needed."""
        self._texts = ["", *texts]
        self._tables = [self.table, *(np.full_like(self.table, UNASKED) for _ in self._texts[1:])]
        self._read_texts: tuple[str, ...] = ()
        self._number_of = np.zeros(1, dtype=np.int64)

    def _number(self, texts: tuple[str, ...]) -> NDArray[np.int64]:
        """Our number of each of the environment's texts, and NO_NOTICE at the end, where id -1 points."""
        if texts is not self._read_texts and texts != self._read_texts:
            numbers = [self._number_one(clean_notice(text)) for text in texts]
            self._read_texts, self._number_of = texts, np.array([*numbers, NO_NOTICE], dtype=np.int64)
        return self._number_of

    def _number_one(self, text: str) -> int:
        if text not in self._texts:
            self._texts.append(text)
            self._tables.append(np.full_like(self.table, UNASKED))
        return self._texts.index(text)

    def _available_notices(self, obs: Observation) -> NDArray[np.int64]:
        """Number of the announcement at each agent's site whose answers are there by now, [B, A]."""
        if obs.notice_ids.shape != (self._num_networks, len(self._agents)):
            allowed = f"{(self._num_networks, len(self._agents))}, one column for each agent"
            raise ActionError("notice_ids of the observation: shape", obs.notice_ids.shape, allowed)
        notice = self._number(obs.texts)[obs.notice_ids]
        if self._notice.shape != notice.shape:
            self._notice, self._since_slot = np.zeros_like(notice), np.zeros_like(notice)
        slot = np.broadcast_to(np.asarray(obs.slot, dtype=np.int64)[:, None], notice.shape)
        came = (notice != self._notice) | np.asarray(obs.first)[:, None]
        self._since_slot = np.where(came, slot, self._since_slot)
        self._notice = notice
        age_s = (slot - self._since_slot) * self._slot_s
        return np.where(age_s >= self.notice_latency_s - SLACK_S, notice, NO_NOTICE)

    def _choose_with_notices(
        self, chosen: NDArray[np.int64], row: NDArray[np.int64], notice: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """`chosen` [B, A] with the choices under announcements in place; asks for the pairs that are new."""
        network, agent = np.nonzero(notice)
        wanted = list(zip(notice[network, agent].tolist(), agent.tolist(), row[network, agent].tolist(), strict=True))
        new = [key for key in dict.fromkeys(wanted) if self._tables[key[0]][key[1], key[2]] == UNASKED]
        prompts = [self._situations.text(a, r, self._texts[number]) for number, a, r in new]
        self._ask(prompts)
        for (number, a, r), prompt in zip(new, prompts, strict=True):
            self._tables[number][a, r] = self._choice_of(prompt)
        chosen = chosen.copy()
        chosen[network, agent] = [self._tables[number][a, r] for number, a, r in wanted]
        return chosen
