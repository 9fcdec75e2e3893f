"""Scenarios as hypothesis draws them: the decisions of `validate/random_scenario.py` made by hypothesis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st

from ranpilot.twin.validate.random_scenario import random_values

T = TypeVar("T")


class Drawn:
    """Decisions that hypothesis can shrink: the first option and the lower bound are the simplest."""

    def __init__(self, draw: Any) -> None:
        self._draw = draw

    def one_of(self, options: Sequence[T]) -> T:
        value: T = self._draw(st.sampled_from(options))
        return value

    def whole(self, low: int, high: int) -> int:
        value: int = self._draw(st.integers(low, high))
        return value

    def number(self, low: float, high: float) -> float:
        value: float = self._draw(st.floats(low, high))
        return value


@st.composite
def decisions(draw: Any) -> Drawn:
    """What decides within one example; later decisions may depend on networks that run."""
    return Drawn(draw)


@st.composite
def scenario_values(draw: Any) -> dict[str, Any]:
    """The values of a small scenario that is valid."""
    return random_values(Drawn(draw))
