"""Language models: choose among options, loading of weights, memory of answers.

`ranpilot.llm.load("embedded")` gives the model that works offline; every file of `backends/` is one more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ranpilot.family import Family
from ranpilot.llm.chooser import Chooser
from ranpilot.llm.prompts import Prompt, load_prompt

__all__ = ["BACKENDS", "Chooser", "Prompt", "load", "load_prompt", "names"]

BACKENDS: Family[Callable[..., Chooser]] = Family("language model", "ranpilot.llm.backends")


def names() -> list[str]:
    """Every language model that `load` knows, sorted."""
    return BACKENDS.names()


def load(name: str = "embedded", **settings: Any) -> Chooser:
    """The language model called `name`, made with the settings of its own file (for `embedded`: depth, dtype, ...).

    Raises: UnknownNameError, which lists the known names; MissingExtraError without torch and transformers;
    BackendError where its weights cannot be had; ConfigError for a setting that it does not take.
    """
    return BACKENDS.load(name)(**settings)
