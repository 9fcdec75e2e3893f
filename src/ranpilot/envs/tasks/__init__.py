"""The tasks on the twin, one file each; the folder is the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ranpilot.family import Family

if TYPE_CHECKING:
    from ranpilot.envs.twin_task import TwinTask

__all__ = ["TASKS"]

TASKS: Family[type[TwinTask]] = Family("task", "ranpilot.envs.tasks")
"""Every part is an environment class with `make(scenario, num, seed, *, load, split, first_network, variant)`."""
