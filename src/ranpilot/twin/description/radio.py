"""What the radio channel consists of."""

from __future__ import annotations

from typing import Annotated, Literal

from ranpilot.twin.bounds import Part, bounded

__all__ = ["Radio"]


class Radio(Part):
    """What the channel consists of; parts are switched off in tests against closed forms."""

    shadowing: bool = True
    line_of_sight: Literal["random", "always", "never"] = "random"
    fading: bool = True
    delay_spread_ns: Annotated[float, bounded(1.0, 5000.0, "ns")] = 300.0
    individual_interferers: Annotated[int, bounded(1, 8, "cell")] = 3
    """Strongest interferers with a fading of their own; the rest are summed at their mean power."""
