"""How far two labellings of the tenant corpus agree."""

from __future__ import annotations

from collections.abc import Callable

from records import read, table

__all__ = ["TABLES"]


def agreement() -> str:
    """A row for each dimension and phrasing, needs and stories together first."""
    lines = []
    for row in read("tenant-labels"):
        shown = [f"{cell['estimate']:.2f} [{cell['low']:.2f}, {cell['high']:.2f}]" for cell in _cells(row)]
        lines.append([row["dimension"], row["phrasing"] or "both", str(row["num_texts"]), *shown])
    titles = ["dimension", "texts", "n", "weighted kappa", "same level", "within one step"]
    return table(
        "tenant-labels", titles, lines, numbers=(2, 3, 4, 5), note="95 % intervals by bootstrap over families. "
    )


def _cells(row: dict[str, dict[str, float]]) -> tuple[dict[str, float], ...]:
    return row["weighted_kappa"], row["same"], row["adjacent"]


TABLES: dict[str, Callable[[], str]] = {"tenant-labels": agreement}
