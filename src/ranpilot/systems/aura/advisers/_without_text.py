"""The same adviser without announcements: what its text is worth is the difference."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ranpilot.envs.controller import Action, Controller, Decision, Observation, Outcome, TaskSpec, WhatIf

__all__ = ["NO_TEXT", "WithoutText", "without_text"]

NO_TEXT = "+no-text"
"""Behind an adviser's name: the adviser without text."""


class WithoutText:
    """An adviser that sees id -1 in place of every announcement."""

    def __init__(self, adviser: Controller) -> None:
        self._adviser = adviser

    @property
    def name(self) -> str:
        """The adviser's own name, and that it reads no text."""
        return f"{getattr(self._adviser, 'name', type(self._adviser).__name__)} without text"

    @property
    def model_hash(self) -> str:
        """Hash of the adviser's model, empty where there is none."""
        return str(getattr(self._adviser, "model_hash", ""))

    def reset(self, task: TaskSpec, num_networks: int, seed: int, what_if: WhatIf | None) -> None:
        """Reset the adviser."""
        self._adviser.reset(task, num_networks, seed, what_if)

    def act(self, obs: Observation) -> Action:
        """What the adviser says without having read anything, [B, A]."""
        return self._adviser.act(_blank(obs))

    def observe(self, outcome: Outcome) -> None:
        """Hand the outcome on, without text."""
        self._adviser.observe(replace(outcome, next_obs=_blank(outcome.next_obs)))

    def explain(self, network: int) -> tuple[Decision, ...]:
        """The adviser's own explanation."""
        return self._adviser.explain(network)

    def save(self, folder: Path) -> None:
        """Save the adviser."""
        self._adviser.save(folder)

    def load(self, folder: Path) -> None:
        """Load the adviser, where it has anything to load."""
        restore = getattr(self._adviser, "load", None)
        if restore is not None:
            restore(folder)


def without_text(adviser: Controller) -> WithoutText:
    """The adviser, blind to announcements."""
    return WithoutText(adviser)


def _blank(obs: Observation) -> Observation:
    return replace(obs, notice_ids=np.full_like(obs.notice_ids, -1))
