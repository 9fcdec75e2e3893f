"""The table of docs/scenarios.md, from results/scenarios.json."""

from __future__ import annotations

from collections.abc import Callable

from records import Record, read, table

__all__ = ["TABLES"]

LOADS = ("low", "normal", "high")


def scenarios() -> str:
    """Cells, users, carrier and PRB use at each load of every named scenario."""
    found: dict[str, dict[str, Record]] = {}
    for record in read("scenarios"):
        found.setdefault(record["scenario"], {})[record["load"]] = record
    lines = []
    for name, loads in found.items():
        normal = loads["normal"]
        uses = [f"{loads[load]['value']:.1f} ± {loads[load]['spread']:.1f}" for load in LOADS]
        lines.append([f"[`{name}`](#{name})", str(normal["cells"]), _users(normal), normal["carrier"], *uses])
    header = ["scenario", "cells", "users", "carrier", *(f"PRB use, {load} %" for load in LOADS)]
    return table("scenarios", header, lines, numbers=(1, 2, 4, 5, 6), note="Users are the mean at normal load. ")


def _users(record: Record) -> str:
    """How many there are, of how many places where not all are taken."""
    users, places = round(record["users"]), record["places"]
    return str(users) if users == places else f"{users} of {places}"


TABLES: dict[str, Callable[[], str]] = {"scenarios": scenarios}
