"""Pictures of the network itself: map, signal quality, delay. Only a scenario of the twin has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ranpilot.experiments.design import Experiment

__all__ = ["Picture", "draw_scenario"]


@dataclass(frozen=True)
class Picture:
    """A picture with its caption."""

    title: str
    note: str
    svg: str


def draw_scenario(experiment: Experiment) -> Sequence[Picture]:
    """Map, SINR and delay of the experiment's scenario; nothing for `aura-paper`, which has no geometry."""
    return []
