"""One measured case of the benchmark, and what is asked of it."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Case", "write_json"]


class Case(NamedTuple):
    """Repeated measurements of one thing."""

    name: str
    """A path such as `cell_slots_per_s/reference/batch-16/threads-1`."""
    values: tuple[float, ...]
    unit: str
    threads: int = 1
    must: float | None = None
    """What has to be reached, at least for rates and at most for everything else."""
    aim: float | None = None

    @property
    def median(self) -> float:
        """Median over the runs."""
        return float(np.median(self.values))

    @property
    def spread(self) -> float:
        """Half the range of the runs over their median."""
        return (max(self.values) - min(self.values)) / (2.0 * self.median)

    def record(self) -> dict[str, Any]:
        """As it stands in a JSON file of results."""
        value = round(self.median, 4)
        limits = {} if self.must is None else {"reference": self.must, "difference": round(value - self.must, 4)}
        aim = {} if self.aim is None else {"aim": self.aim}
        said = {"name": self.name, "value": value, "unit": self.unit, **limits, **aim, "n": len(self.values)}
        return {**said, "seed": 0, "threads": self.threads, "spread": round(self.spread, 4)}


def write_json(path: Path, records: list[dict[str, Any]]) -> None:
    """Write records whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".tmp", delete=False, encoding="utf-8") as file:
        json.dump(records, file, indent=2)
    os.replace(file.name, path)
