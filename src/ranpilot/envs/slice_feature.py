"""One number that is seen of a slice in a cell, and the scale on which it stands in [0, 1].

What the scale shows can be read back: who computes with bits and milliseconds asks the feature, not a constant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["SliceFeature"]

FloatArray = NDArray[np.floating]

LEAST_SHOWN = 0.1
"""On the scale of decades, so that a small value differs from none."""


@dataclass(frozen=True)
class SliceFeature:
    """A value from `low` to `high` in its own unit; beyond either end it is shown, and read back, as that end.

    scale: `linear`: value / high. `log`: log(1 + value) / log(1 + high), for what spans decades and may be 0.
    `decades`: 0.1 at low to 1 at high on a logarithmic scale, and 0 for a value that there is not (NaN).
    """

    name: str
    unit: str
    high: float
    scale: Literal["linear", "log", "decades"] = "linear"
    low: float = 0.0

    def shown(self, value: FloatArray) -> FloatArray:
        """The value as it is seen, in [0, 1], same shape."""
        if self.scale == "linear":
            place: NDArray[Any] = np.nan_to_num(value / self.high)
        elif self.scale == "log":
            place = np.nan_to_num(np.log1p(value) / np.log1p(self.high))
        else:
            ratio = np.log(np.clip(value, self.low, self.high) / self.low) / np.log(self.high / self.low)
            place = np.nan_to_num(LEAST_SHOWN + (1.0 - LEAST_SHOWN) * ratio)
        np.clip(place, 0.0, 1.0, out=place)
        return place

    def value(self, shown: FloatArray) -> FloatArray:
        """What is seen in the feature's unit again, same shape; NaN where there is none."""
        if self.scale == "linear":
            result: FloatArray = shown * self.high
        elif self.scale == "log":
            result = np.expm1(shown * np.log1p(self.high))
        else:
            ratio = (shown - LEAST_SHOWN) / (1.0 - LEAST_SHOWN)
            result = np.where(
                shown < LEAST_SHOWN / 2.0, np.nan, self.low * np.exp(ratio * np.log(self.high / self.low))
            )
        return result
