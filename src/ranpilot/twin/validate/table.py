"""Reference values from outside: small tables in the folder `data`, whose headers say where they are from."""

from __future__ import annotations

import csv
from pathlib import Path

__all__ = ["DATA", "read_table"]

DATA = Path(__file__).parent / "data"


def read_table(name: str) -> list[dict[str, str]]:
    """The rows of `data/<name>.csv` by column; lines that begin with # are its header."""
    text = (DATA / f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
