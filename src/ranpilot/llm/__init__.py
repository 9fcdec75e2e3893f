"""Language models: choose among options, loading of weights, memory of answers.

`ranpilot.llm.load("embedded")` gives the model that works offline; every file of `backends/` is one more. What follows
the first colon of a name is the backend's argument: `load("embedded:adviser")`, `load("endpoint:qwen2.5:7b")`. The
backend says with `ARGUMENT` which of its settings that is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ranpilot.errors import ConfigError
from ranpilot.family import Family
from ranpilot.llm.chooser import Chooser
from ranpilot.llm.generator import Generator, Message, Sampling
from ranpilot.llm.prompts import Prompt, load_prompt

__all__ = ["BACKENDS", "Chooser", "Generator", "Message", "Prompt", "Sampling", "load", "load_prompt", "names"]

BACKENDS: Family[Callable[..., Chooser]] = Family("language model", "ranpilot.llm.backends")


def names() -> list[str]:
    """Every language model that `load` knows, sorted."""
    return BACKENDS.names()


def load(name: str = "embedded", **settings: Any) -> Chooser:
    """The language model called `name`, made with the settings of its own file (for `embedded`: depth, dtype, ...).

    name: a backend, or `backend:argument` where the backend takes an argument.
    Raises: UnknownNameError, which lists the known names; MissingExtraError without torch and transformers;
    BackendError where its weights cannot be had; ConfigError for a setting or an argument that it does not take.
    """
    backend, colon, argument = name.partition(":")
    part = BACKENDS.load(backend)
    if not colon:
        return part(**settings)
    field = getattr(part, "ARGUMENT", None)
    if field is None:
        raise ConfigError("language model", name, f"{backend!r} alone (it takes no argument)")
    if not argument:
        raise ConfigError("language model", name, f"{backend!r}, or {backend!r} with its {field} after the colon")
    if field in settings:
        raise ConfigError(f"{backend}.{field}", settings[field], f"left out, since the name says {name!r}")
    return part(**{field: argument}, **settings)
