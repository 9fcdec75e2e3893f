"""The scenarios of the twin by name: `names()` and `load(name)`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ranpilot.twin.scenario import Scenario

__all__ = ["load", "names"]


def names() -> list[str]:
    """The names of the scenarios that ship, sorted."""
    from ranpilot.twin.scenario_file import scenario_names

    return scenario_names()


def load(name: str | Path) -> Scenario:
    """A named scenario, or the one in a YAML file. Raises UnknownNameError, ConfigError."""
    from ranpilot.twin.scenario_file import load_scenario

    return load_scenario(name)
