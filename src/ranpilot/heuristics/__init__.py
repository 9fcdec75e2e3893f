"""Controllers without learning, one file each; the folder is the registry."""

from __future__ import annotations

from ranpilot.envs.controller import Controller
from ranpilot.family import Family
from ranpilot.heuristics._fixed import Fixed

__all__ = ["HEURISTICS", "Fixed"]

HEURISTICS: Family[type[Controller]] = Family("heuristic", "ranpilot.heuristics")
"""Every part is a `Controller` class that needs no arguments."""
