"""The declarations: what can be measured in a network, as a number or a histogram, and what can be set in it.

Each is declared once, as a module constant (`twin/kpm/`, `twin/controls.py`, a task of its own). Observation
bounds, action spaces, words, JSON schemas, table columns and RIC messages are all made from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Better", "Control", "ControlKind", "Distribution", "Measurement", "Scope"]

Scope = Literal["network", "cell", "slice", "ue", "link"]
"""What one value belongs to; `slice` is a slice within a cell ([B, C, S]), `link` a pair of UE and cell ([B, U, C])."""

Better = Literal["higher", "lower", "neither"]
ControlKind = Literal["continuous", "integer", "flag"]


@dataclass(frozen=True)
class Measurement:
    """A quantity that a network reports: its name, unit, scope, bounds, and which direction is good."""

    name: str
    unit: str
    scope: Scope
    low: float
    high: float
    better: Better
    description: str = ""
    source: str = ""
    """The standard and clause that define it, or whose it is."""
    formula: str = ""
    """How it is computed from what is counted, in words."""
    differs: str = ""
    """From the source, or what comes nearest where there is none."""


@dataclass(frozen=True)
class Distribution:
    """A histogram that a network reports: its name, the unit of what is counted, and which bins there are."""

    name: str
    unit: str
    bin_unit: str
    scope: Scope
    bins: str
    description: str = ""
    source: str = ""
    formula: str = ""
    differs: str = ""


@dataclass(frozen=True)
class Control:
    """A quantity that a controller may set, with its range and the O-RAN interface that carries it."""

    name: str
    scope: Scope
    kind: ControlKind
    low: float
    high: float
    unit: str
    interface: str
    description: str = ""
