"""The reference values that lie in `validate/data`: small CSV files whose headers tell where their numbers are from."""

from __future__ import annotations

import csv
from importlib import resources

__all__ = ["read_reference"]


def read_reference(name: str) -> list[dict[str, str]]:
    """The rows of a file of `validate/data` by the names of its columns; lines that begin with # are left out."""
    text = resources.files("ranpilot.twin.validate").joinpath("data", name).read_text(encoding="utf-8")
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
