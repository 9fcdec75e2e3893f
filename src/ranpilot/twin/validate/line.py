"""One line of the validation: what the twin gives, what it is held against, and how far apart they may be."""

from __future__ import annotations

import math
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

    @property
    def is_claim(self) -> bool:
        """Whether the line can fail."""
        return self.low is not None or self.high is not None

    @property
    def holds(self) -> bool:
        """Whether the value is inside the bounds; a NaN never is."""
        low = -math.inf if self.low is None else self.low
        high = math.inf if self.high is None else self.high
        return not self.is_claim or low <= self.value <= high

    def to_json(self) -> dict[str, Any]:
        """As `--json` writes it."""
        difference = None if self.reference is None else self.value - self.reference
        record = {"name": self.name, "value": self.value, "unit": self.unit, "reference": self.reference}
        bounds = {"low": self.low, "high": self.high, "holds": self.holds if self.is_claim else None}
        return record | {"difference": difference} | bounds | {"n": self.n, "seed": self.seed, "source": self.source}


def compared(
    name: str, value: float, reference: float, tolerance: float, unit: str, source: str, *, n: int = 1,
    seed: int | None = None,
) -> Line:  # fmt: skip
    """A value that may differ from its reference by `tolerance` either way."""
    low, high = reference - tolerance, reference + tolerance
    return Line(name, float(value), unit, low, high, float(reference), source, n, seed)


def within(  # noqa: PLR0913  # one number each
    name: str, value: float, low: float | None, high: float | None, unit: str, source: str, *,
    reference: float | None = None, n: int = 1, seed: int | None = None,
) -> Line:  # fmt: skip
    """A value that has to be within bounds."""
    return Line(name, float(value), unit, low, high, reference, source, n, seed)


def reported(name: str, value: float, unit: str, source: str, *, n: int = 1, seed: int | None = None) -> Line:
    """A value without a claim."""
    return Line(name, float(value), unit, None, None, None, source, n, seed)
