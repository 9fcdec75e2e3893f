"""Teaching the embedded model to choose: returns of tried actions become soft targets over the option tokens.

A state is rendered as bare words with the announcement in front (`aura/situations.py`). The target of a state is
softmax(R / (temperature * spread)), R the mean return of each action and spread the typical standard deviation of R
over actions. Announcements are worded anew in every pass from the training wordings of their kind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.announcements import text_kind, wordings
from ranpilot.envs.controller import TaskSpec
from ranpilot.envs.make import Split
from ranpilot.errors import ConfigError
from ranpilot.llm.adapt import Adaptation, AdaptConfig, Lessons, adapt
from ranpilot.llm.chooser import Chooser
from ranpilot.systems.aura.situations import Situations
from ranpilot.systems.rldtf.labels import Labels

__all__ = ["TEMPERATURE", "Ground", "choose_all", "make_lessons", "option_tokens", "reword", "soft_targets", "train"]

TEMPERATURE = 0.25


@dataclass(frozen=True)
class Ground:
    """The labels of one task and load, and how its states are put into words."""

    name: str
    spec: TaskSpec
    labels: Labels

    @cached_property
    def situations(self) -> Situations:
        """The rows and prompts of the task."""
        return Situations(self.spec)

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """[N] row of each state among the agent's situations."""
        every = self.situations.read(self.labels.observation())
        found: NDArray[np.int64] = every[np.arange(len(self.labels)), self.labels.agent]
        return found

    def prompts(self, texts: Sequence[str] | None = None) -> list[str]:
        """[N] what the model reads, with `texts` in place of the announcements that stand there."""
        told = self.labels.text.tolist() if texts is None else texts
        states = zip(self.labels.agent.tolist(), self.rows.tolist(), told, strict=True)
        return [self.situations.text(agent, row, text) for agent, row, text in states]


def option_tokens(spec: TaskSpec) -> tuple[str, ...]:
    """The option tokens of a task's actions."""
    return tuple(f" {action}" for action in spec.actions)


def reword(texts: Sequence[str], split: Split, seed: Sequence[int]) -> list[str]:
    """Every announcement in a wording of its kind drawn from a split; where there is none, nothing."""
    rng = np.random.default_rng(seed)
    drawn = rng.random(len(texts))
    known = [wordings(text_kind(text), split) if text else ("",) for text in texts]
    return [of_kind[int(u * len(of_kind))] for of_kind, u in zip(known, drawn, strict=True)]


def soft_targets(labels: Labels, temperature: float) -> NDArray[np.float64]:
    """[N, K] probabilities, the higher the better an action's mean return."""
    if not temperature > 0:
        raise ConfigError("temperature", temperature, "above 0")
    # Where nothing is at stake, every action is as good as any other.
    scale = temperature * labels.spread or 1.0
    height = labels.mean / scale
    weight: NDArray[np.float64] = np.exp(height - height.max(axis=1, keepdims=True))
    targets: NDArray[np.float64] = weight / weight.sum(axis=1, keepdims=True)
    return targets


def make_lessons(grounds: Sequence[Ground], temperature: float, seed: int) -> Lessons:
    """What the model is taught from all grounds together. Raises ConfigError where their actions differ."""
    options = {option_tokens(ground.spec) for ground in grounds}
    if len(options) != 1:
        raise ConfigError("tasks", [ground.name for ground in grounds], "tasks with the same actions")

    def prompts(epoch: int) -> list[str]:
        texts = [reword(g.labels.text.tolist(), "train", [seed, epoch, place]) for place, g in enumerate(grounds)]
        return [prompt for ground, told in zip(grounds, texts, strict=True) for prompt in ground.prompts(told)]

    gains = [g.labels.mean - g.labels.mean.mean(axis=1, keepdims=True) for g in grounds]
    rewards = [gain / (g.labels.spread or 1.0) for gain, g in zip(gains, grounds, strict=True)]
    targets = [soft_targets(ground.labels, temperature) for ground in grounds]
    return Lessons(prompts, np.concatenate(targets), options.pop(), np.concatenate(rewards))


def train(
    grounds: Sequence[Ground],
    config: AdaptConfig,
    *,
    temperature: float = TEMPERATURE,
    checkpoint: Path | None = None,
    on_step: Callable[[Adaptation], None] | None = None,
) -> Adaptation:
    """Train on all grounds together, going on from the checkpoint where there is one."""
    lessons = make_lessons(grounds, temperature, config.seed)
    return adapt(lessons, config, checkpoint=checkpoint, on_step=on_step)


def choose_all(model: Chooser, ground: Ground, texts: Sequence[str] | None = None) -> NDArray[np.int64]:
    """[N] the model's best option in every state, with `texts` in place of the announcements."""
    chosen: NDArray[np.int64] = model.choose(ground.prompts(texts), option_tokens(ground.spec)).argmax(axis=1)
    return chosen
