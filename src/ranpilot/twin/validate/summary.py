"""Many lines as a few: how many of a kind pass, and which of them comes closest to failing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ranpilot.twin.validate.line import Line

__all__ = ["Summary", "allowed", "summarise"]

MOST_KINDS = 8


@dataclass(frozen=True)
class Summary:
    """The lines of one kind: those whose names begin with the same words and that share their unit."""

    kind: str
    unit: str
    lines: tuple[Line, ...]

    def place(self, line: Line) -> str:
        """The rest of a line's name behind the kind."""
        return line.name.removeprefix(self.kind).strip("/") or line.name

    @property
    def claims(self) -> tuple[Line, ...]:
        """Lines that can fail; a number that is none always does."""
        return tuple(line for line in self.lines if line.is_claim or not line.holds)

    @property
    def failing(self) -> tuple[Line, ...]:
        """Claims that do."""
        return tuple(line for line in self.lines if not line.holds)

    @property
    def worst(self) -> Line | None:
        """The claim with the least room left, among equals the one furthest from its reference; None without claims."""
        return max(self.claims, key=lambda line: (line.strain, abs(line.difference or 0.0)), default=None)


def summarise(lines: Iterable[Line]) -> list[Summary]:
    """Lines by kind, in the order in which their first words appear.

    The kind is the first word of the name, or the first two where those make up to `MOST_KINDS` kinds of it.
    """
    found: dict[str, list[Line]] = {}
    for line in lines:
        found.setdefault(line.name.split("/")[0], []).append(line)
    kinds: dict[tuple[str, str], list[Line]] = {}
    for word, of_word in found.items():
        longer = {_first_two(line) for line in of_word}
        for line in of_word:
            kind = _first_two(line) if len(longer) <= MOST_KINDS else word
            kinds.setdefault((kind, line.unit), []).append(line)
    return [Summary(kind, unit, tuple(of_kind)) for (kind, unit), of_kind in kinds.items()]


def _first_two(line: Line) -> str:
    """The first two words of a name of three and more, the first of a shorter one."""
    words = line.name.split("/")
    return "/".join(words[:2]) if len(words) > 2 else words[0]


def allowed(line: Line) -> str:
    """The bounds of a line in words: around its reference, from where to where, or on one side."""
    low, high, reference = line.low, line.high, line.reference
    if low is None and high is None:
        return "a number"
    if low is None or high is None:
        return f"≤ {high:.6g}" if high is not None else f"≥ {low:.6g}"
    if reference is None:
        return f"{low:.6g} to {high:.6g}"
    above, below = high - reference, reference - low
    if abs(above - below) > 1e-9 * max(abs(above), abs(reference)):
        return f"{reference:.6g}, {low:.6g} to {high:.6g}"
    return f"{reference:.6g} ± {above:.3g}" if above else f"{reference:.10g}"
