"""Progress with time left: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.progress import Progress as RichBar
    from rich.progress import TaskID

__all__ = ["PlainProgress", "Progress", "RichProgress", "SilentProgress", "make_progress"]

_SECONDS_BETWEEN_LINES = 15.0


class Progress(Protocol):
    """What a long run tells while it runs."""

    def __enter__(self) -> Progress:
        """Begin to show."""
        ...

    def __exit__(self, *_: object) -> None:
        """Stop showing."""
        ...

    def expect(self, total: float, done: float) -> None:
        """How much work there is, and how much was done before this session (it does not count for the speed)."""
        ...

    def advance(self, amount: float, text: str) -> None:
        """Some work was done; `text` says on what."""
        ...

    def note(self, text: str) -> None:
        """Say one line."""
        ...


class SilentProgress:
    """Says nothing."""

    def __enter__(self) -> SilentProgress:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def expect(self, total: float, done: float) -> None:
        """Nothing is shown."""

    def advance(self, amount: float, text: str) -> None:
        """Nothing is shown."""

    def note(self, text: str) -> None:
        """Nothing is shown."""


class PlainProgress:
    """A line on stderr every quarter of a minute."""

    def __init__(self) -> None:
        self._total = self._done = self._before = 0.0
        self._start: float | None = None
        self._last = time.monotonic()

    def __enter__(self) -> PlainProgress:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def expect(self, total: float, done: float) -> None:
        """Start to count."""
        self._total, self._done, self._start = total, done, None
        self._last = time.monotonic()

    def advance(self, amount: float, text: str) -> None:
        """Count, and write a line where the last one is old."""
        now = time.monotonic()
        if self._start is None:
            # What came before the first episode (processes start, kernels compile) says nothing about the speed.
            self._start, self._before = now, self._done + amount
        self._done += amount
        if now - self._last < _SECONDS_BETWEEN_LINES and self._done < self._total:
            return
        self._last = now
        measured = self._done - self._before
        left = _clock((self._total - self._done) * (now - self._start) / measured) if measured > 0 else "?"
        self.note(f"{100 * self._done / max(self._total, 1e-9):3.0f} %  {left} left  {text}")

    def note(self, text: str) -> None:
        """Write the line."""
        print(text, file=sys.stderr, flush=True)  # noqa: T201


class RichProgress:
    """A bar with time left."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        self._bar: RichBar = Bar(
            TextColumn("[bold]{task.description:<44}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            speed_estimate_period=120,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> RichProgress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def expect(self, total: float, done: float) -> None:
        """Start the bar."""
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task("starting", total=total, completed=round(done))

    def advance(self, amount: float, text: str) -> None:
        """Move the bar."""
        if self._task is not None:
            self._bar.update(self._task, advance=amount, description=text[:44])

    def note(self, text: str) -> None:
        """Write a line above the bar."""
        self._bar.console.print(text, highlight=False, markup=False)


def make_progress(show: bool) -> Progress:
    """A bar on a terminal, lines elsewhere, nothing where `show` is false."""
    if not show:
        return SilentProgress()
    return RichProgress() if sys.stderr.isatty() else PlainProgress()


def _clock(seconds: float) -> str:
    whole = int(seconds)
    return (
        f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
        if whole >= 3600
        else f"{whole // 60}:{whole % 60:02d}"
    )
