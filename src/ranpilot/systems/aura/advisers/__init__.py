"""Advisers: any controller whose suggestions another may follow. The folder is the registry.

`make_adviser("noisy-rules:80")` gives the part of the file `noisy_rules.py` with the argument after the colon; the name
of a heuristic gives that heuristic; `+no-text` behind either gives the same adviser without announcements.
"""

from __future__ import annotations

from collections.abc import Callable

from ranpilot.envs.controller import Controller
from ranpilot.errors import ConfigError, UnknownNameError
from ranpilot.family import Family
from ranpilot.heuristics import HEURISTICS
from ranpilot.llm.prompts import load_prompt
from ranpilot.systems.aura.advisers._cached_policy import CachedPolicy, Chooses
from ranpilot.systems.aura.advisers._delayed import Delayed
from ranpilot.systems.aura.advisers._without_text import NO_TEXT, WithoutText, without_text
from ranpilot.systems.aura.situations import PROMPTS

__all__ = [
    "ADVISERS",
    "PROMPTS",
    "CachedPolicy",
    "Chooses",
    "Delayed",
    "WithoutText",
    "adviser_names",
    "load_prompt",
    "make_adviser",
    "without_text",
]

ADVISERS: Family[Callable[..., Controller]] = Family("adviser", "ranpilot.systems.aura.advisers")
"""Each part is called with `argument`, the text after the colon (None without one), and the rest of `make_adviser`."""


def adviser_names() -> list[str]:
    """Every name that `make_adviser` knows, without arguments and suffix."""
    return sorted({*ADVISERS.names(), *HEURISTICS.names()})


def make_adviser(name: str, *, train_episodes: int = 500, first_network: int = 0) -> Controller:
    """The adviser of that name: `part`, `part:argument`, either with `+no-text` behind it.

    train_episodes: for advisers that change in the course of the training; first_network: id of the batch's first
    network, for those that draw.
    Raises UnknownNameError for another name, ConfigError for an argument that the part does not take.
    """
    whole = name.removesuffix(NO_TEXT)
    part, colon, argument = whole.partition(":")
    if part in ADVISERS.names():
        given = argument if colon else None
        made = ADVISERS.load(part)(argument=given, train_episodes=train_episodes, first_network=first_network)
    elif part in HEURISTICS.names():
        if colon:
            raise ConfigError("adviser", name, f"{part!r}, which takes nothing after a colon")
        made = HEURISTICS.load(part)()
    else:
        raise UnknownNameError("adviser", part, adviser_names())
    return without_text(made) if whole != name else made
