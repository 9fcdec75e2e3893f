"""One line of the validation: what the twin gives, what it is held against, and how far apart they may be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Effort", "Line", "compared", "reported", "within"]

Effort = Literal["quick", "full"]
"""quick: samples as small as a test can afford; full: those that the published table is made with."""


@dataclass(frozen=True)
class Line:
    """A number of the twin; where it has bounds, the line passes if it is inside them."""

    name: str
    """A path such as `path-loss/UMa/nlos/500m`."""
    value: float
    unit: str
    low: float | None
    """Least value that passes; None = any."""
    high: float | None
    reference: float | None
    """What it is held against; None for a number that is only reported."""
    source: str
    """Where the reference is from: a clause, a closed form, a file."""
    n: int = 1
    """Samples that the value was made from."""
    seed: int | None = None

    def __post_init__(self) -> None:
        """Make plain numbers of NumPy's, which JSON does not know."""
        for name in ("value", "low", "high", "reference"):
            number = getattr(self, name)
            object.__setattr__(self, name, None if number is None else float(number))
        for name in ("n", "seed"):
            number = getattr(self, name)
            object.__setattr__(self, name, None if number is None else int(number))

    @property
    def is_claim(self) -> bool:
        """Whether the line can fail."""
        return self.low is not None or self.high is not None

    @property
    def holds(self) -> bool:
        """Whether the value is a number and inside the bounds."""
        low = -math.inf if self.low is None else self.low
        high = math.inf if self.high is None else self.high
        return math.isfinite(self.value) and low <= self.value <= high

    @property
    def difference(self) -> float | None:
        """Value − reference, in the line's unit; None without a reference."""
        return None if self.reference is None else self.value - self.reference

    @property
    def strain(self) -> float:
        """Share of the room between reference (or middle of the bounds) and bound that is used up.

        Infinite where the line fails, 0 where there is no bound or nothing to measure from.
        """
        if not self.holds:
            return math.inf
        origin = self.reference
        if origin is None and self.low is not None and self.high is not None:
            origin = (self.low + self.high) / 2
        if origin is None or self.value == origin:
            return 0.0
        bound = self.high if self.value > origin else self.low
        return 0.0 if bound is None or bound == origin else abs(self.value - origin) / abs(bound - origin)

    def to_json(self) -> dict[str, Any]:
        """As `--json` writes it; a value that is no number is null there and never holds."""
        is_number = math.isfinite(self.value)
        return {
            "name": self.name,
            "value": self.value if is_number else None,
            "unit": self.unit,
            "reference": self.reference,
            "difference": self.difference if is_number else None,
            "low": self.low,
            "high": self.high,
            "holds": self.holds if self.is_claim or not is_number else None,
            "n": self.n,
            "seed": self.seed,
            "source": self.source,
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Line:
        """The line that `to_json` gave this record of."""
        value = math.nan if record["value"] is None else record["value"]
        return cls(**{key: record[key] for key in cls.__dataclass_fields__} | {"value": value})


def compared(
    name: str, value: float, reference: float, tolerance: float, unit: str, source: str, *, n: int = 1,
    seed: int | None = None,
) -> Line:  # fmt: skip
    """A value that may differ from its reference by `tolerance` either way."""
    low, high = reference - tolerance, reference + tolerance
    return Line(name, value, unit, low, high, reference, source, n, seed)


def within(  # noqa: PLR0913  # one number each
    name: str, value: float, low: float | None, high: float | None, unit: str, source: str, *,
    reference: float | None = None, n: int = 1, seed: int | None = None,
) -> Line:  # fmt: skip
    """A value that has to be within bounds."""
    return Line(name, value, unit, low, high, reference, source, n, seed)


def reported(name: str, value: float, unit: str, source: str, *, n: int = 1, seed: int | None = None) -> Line:
    """A value without a claim."""
    return Line(name, value, unit, None, None, None, source, n, seed)
