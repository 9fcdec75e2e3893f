"""AURA: base stations as agents, an adviser, learned trust and delayed reward.

`make("aura", adviser="rules")` gives a controller; `CONFIGURATIONS` are the ones that are compared. The parts: agents
and their guards (`controller.py`), trust (`trust/`), alignment controller (`credit.py`), advisers (`advisers/`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ranpilot.systems.aura.config import AuraConfig
from ranpilot.systems.aura.configurations import CONFIGURATIONS, aura, aura_literal, guided, make, marl_only

if TYPE_CHECKING:
    from ranpilot.systems.aura.advisers import CachedPolicy, Delayed, adviser_names, make_adviser, without_text
    from ranpilot.systems.aura.controller import Aura
    from ranpilot.systems.aura.usage import Usage

__all__ = [
    "CONFIGURATIONS",
    "Aura",
    "AuraConfig",
    "CachedPolicy",
    "Delayed",
    "Usage",
    "adviser_names",
    "aura",
    "aura_literal",
    "guided",
    "make",
    "make_adviser",
    "marl_only",
    "without_text",
]

_LAZY = {
    "Aura": "controller",
    "CachedPolicy": "advisers",
    "Delayed": "advisers",
    "adviser_names": "advisers",
    "make_adviser": "advisers",
    "without_text": "advisers",
    "Usage": "usage",
}


def __getattr__(name: str) -> Any:
    """Load what needs compiled kernels only when it is used."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
