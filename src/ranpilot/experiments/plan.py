"""What can be spread over processes: pieces of an experiment that are played and resumed each by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ranpilot.runs import CellFolder, StopRequest

__all__ = ["Job", "Plan", "Tick"]

Job = tuple[str, str]
"""Who controls, and where or with which seed: also the names of its folder in the run."""

Tick = Callable[[float, str], None]
"""Told after each episode: the work done, and what is running."""


class Plan(Protocol):
    """All pieces of an experiment; small, and handed to worker processes whole."""

    def jobs(self) -> list[Job]:
        """Every piece."""
        ...

    def work(self, job: Job) -> float:
        """How long it takes, in units that only have to be the same for all."""
        ...

    def done(self, job: Job, folder: CellFolder) -> float:
        """How much of that is on disk."""
        ...

    def play(self, job: Job, folder: CellFolder, tick: Tick, stop: StopRequest, checkpoint_s: float) -> None:
        """Play what is missing of the piece.

        Raises Interrupted at the next end of an episode once a stop is requested; everything before it is on disk.
        """
        ...
