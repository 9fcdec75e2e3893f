"""LLM-guided and learned control of radio access networks, on a packet-level digital twin.

Everything public is loaded when it is first used, so that importing the package stays fast. Where Gymnasium was
imported before, its registry learns the ids `ranpilot/…` at once; otherwise with the first `make`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ranpilot import llm, scenarios, twin
    from ranpilot.envs.views import make, make_vec
    from ranpilot.experiments.adviser import train_adviser
    from ranpilot.experiments.api import compare, evaluate, load, run, train

__all__ = [
    "__version__",
    "compare",
    "evaluate",
    "llm",
    "load",
    "make",
    "make_vec",
    "run",
    "scenarios",
    "train",
    "train_adviser",
    "twin",
]

__version__: str


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    import importlib

    modules = ("llm", "scenarios", "twin")
    places = {
        "compare": "experiments.api",
        "evaluate": "experiments.api",
        "load": "experiments.api",
        "make": "envs.views",
        "make_vec": "envs.views",
        "run": "experiments.api",
        "train": "experiments.api",
        "train_adviser": "experiments.adviser",
    }
    if name == "__version__":
        from importlib.metadata import version

        return version("ranpilot")
    if name in modules:
        return importlib.import_module(f"{__name__}.{name}")
    if name in places:
        return getattr(importlib.import_module(f"{__name__}.{places[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


if "gymnasium" in sys.modules:
    from ranpilot.envs.make import register_ids

    register_ids()
