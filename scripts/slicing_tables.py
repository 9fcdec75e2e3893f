"""The table of docs/slicing.md, from results/slicing-rules.json."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from records import Record, read, table

__all__ = ["TABLES"]

LOADS = ("low", "normal", "high")


def rules() -> str:
    """Reward of every rule at each load, and its difference to equal shares on the same networks."""
    found: dict[tuple[str, str], dict[str, Record]] = {}
    for record in read("slicing-rules"):
        _, variant, load, rule = record["name"].split("/")
        found.setdefault((variant, rule), {})[load] = record
    lines = []
    for variant in sorted({variant for variant, _ in found}):
        rows = {rule: loads for (of, rule), loads in found.items() if of == variant}
        best_first = sorted(rows.items(), key=lambda row: -row[1]["high"]["value"])
        for rule, loads in best_first:
            cells = [f"{loads[load]['value']:.3f}" for load in LOADS]
            gain = np.subtract(loads["high"]["per_network"], rows["equal"]["high"]["per_network"])
            error = gain.std(ddof=1) / np.sqrt(len(gain))
            against = "–" if rule == "equal" else f"{gain.mean():+.3f} ± {error:.3f}"
            lines.append([f"`{variant}`", f"`{rule}`", *cells, against, f"{100 * loads['high']['violated']:.1f} %"])
    count, steps = (read("slicing-rules")[0][key] for key in ("n", "steps"))
    note = f"Mean of {count} held-out networks and {steps} steps; ± is a standard error over networks. "
    header = ["variant", "rule", "low", "normal", "high", "against `equal`, high", "violated, high"]
    return table("slicing-rules", header, lines, numbers=(2, 3, 4, 5, 6), note=note)


TABLES: dict[str, Callable[[], str]] = {"slicing-rules": rules}
