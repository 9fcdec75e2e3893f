"""The table of other simulators in benchmarks/README.md, from results/peers.json."""

from __future__ import annotations

from collections.abc import Callable

from records import number, read, table

__all__ = ["TABLES"]

CELLS = ("1", "3", "7")


def peers() -> str:
    """Cell-milliseconds in a second of CPU time at each number of cells, and how many times as fast the twin is."""
    speeds: dict[str, dict[str, str]] = {}
    ratios: dict[str, dict[str, str]] = {}
    for record in read("peers"):
        what, name, cells = record["name"].split("/")
        key, value = cells.removeprefix("cells-"), record.get("cpu_value")
        if what == "ratio":
            ratios.setdefault(name, {})[key] = f"{number(value)} ({number(record['value'])})"
        else:
            speeds.setdefault(name, {})[key] = record["reason"] if value is None else number(value)
    lines = [
        [f"`{name}`", *(found[cells] for cells in CELLS), *(ratios.get(name, {}).get(cells, "–") for cells in CELLS)]
        for name, found in speeds.items()
    ]
    counts = [f"{cells} cell{'s' if cells != '1' else ''}" for cells in CELLS]
    header = ["cell-ms / CPU s", *counts, *(f"twin / it, {count}" for count in counts)]
    return table("peers", header, lines, numbers=range(1, 7), note="In brackets: by wall time. ")


TABLES: dict[str, Callable[[], str]] = {"peers": peers}
