"""What every language model here can do: say how likely each of some options is as the next word of a prompt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ranpilot.errors import ConfigError

__all__ = ["Chooser", "FloatArray", "check_choice"]

FloatArray = NDArray[np.float64]


class Chooser(Protocol):
    """A model that chooses; `name` says which adviser a result came from, `model_hash` which weights."""

    @property
    def name(self) -> str:
        """What results call this adviser: `untrained`, `endpoint:<model>`, ..."""

    @property
    def model_hash(self) -> str:
        """Hash of the weights; with the prompt it decides the answer."""

    def choose(self, prompts: Sequence[str], options: Sequence[str]) -> FloatArray:
        """Natural-log probability of every option after every prompt, [N, options]; each row sums to 1 as exp."""


def check_choice(prompts: Sequence[str], options: Sequence[str]) -> None:
    """Raise ConfigError unless these are lists of texts, with two or more different options and no empty prompt."""
    for field, texts in (("prompts", prompts), ("options", options)):
        if isinstance(texts, str):
            raise ConfigError(field, texts, "a list of texts, not one text")
        wrong = next((text for text in texts if not isinstance(text, str) or not text), None)
        if wrong is not None or any(text is None for text in texts):
            raise ConfigError(f"a member of {field}", wrong, "a text that is not empty")
    if len(options) < 2 or len(set(options)) != len(options):
        raise ConfigError("options", list(options), "two or more different texts")
