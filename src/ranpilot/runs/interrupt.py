"""Ctrl-C as a request: the run goes on to the next safe point, writes a checkpoint and stops there."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType

__all__ = ["Interrupted", "StopRequest"]


class Interrupted(KeyboardInterrupt):
    """The run was stopped on request; everything up to here is on disk."""


class StopRequest:
    """While it is entered, the first Ctrl-C (or SIGTERM) is a request; the second Ctrl-C stops at once.

    also: another reason to stop, asked for at every safe point.
    """

    def __init__(self, also: Callable[[], bool] | None = None) -> None:
        self._signalled = False
        self._also = also
        self._before: dict[int, object] = {}

    @property
    def requested(self) -> bool:
        """Whether the run should end at the next safe point."""
        return self._signalled or (self._also is not None and self._also())

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._before.clear()

    def check(self) -> None:
        """Raise Interrupted where a stop was requested; call it only at safe points."""
        if self.requested:
            raise Interrupted

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._signalled and number == signal.SIGINT:
            raise KeyboardInterrupt
        self._signalled = True
