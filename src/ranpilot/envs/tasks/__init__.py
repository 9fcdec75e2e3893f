"""The tasks on the twin, one file each; the folder is the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ranpilot.family import Family

if TYPE_CHECKING:
    from ranpilot.envs.tasks.power_handover import PowerHandover
    from ranpilot.envs.tasks.slicing import Slicing

__all__ = ["TASKS"]

TASKS: Family[type[PowerHandover | Slicing]] = Family("task", "ranpilot.envs.tasks")
"""Every part is an environment class with `make(scenario, num, seed, *, load, split, first_network, variant)`."""
