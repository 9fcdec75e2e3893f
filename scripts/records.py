"""The records in results/*.json, and tables in Markdown made of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

__all__ = [
    "BUSY",
    "COMMANDS",
    "Record",
    "decibels",
    "exists",
    "interval",
    "labels",
    "named",
    "number",
    "plain",
    "read",
    "short",
    "table",
]

RESULTS = Path(__file__).parent.parent / "results"
COMMANDS = {
    "aura-paper": "ranpilot compare aura --scenario aura-paper --json results/aura-paper.json",
    "aura-two-cell": "ranpilot compare aura --scenario two-cell --json results/aura-two-cell.json",
    "peers": "python benchmarks/peers.py results/peers.json",
    "scenarios": "make scenarios",
    "slicing-rules": "python scripts/slicing_rules.py",
    "tenant-labels": (
        "python scripts/label_tenants.py compare results/tenant-second-labels.jsonl results/tenant-labels.json"
    ),
    "calibrate-synthetic": "python scripts/recover_calibration.py --files 6 --json results/calibrate-synthetic.json",
    "calibrate-tractor-embb": "ranpilot twin calibrate runs/emulator/emulator-embb.yaml runs/emulator/embb.csv "
    "--fit load,path-loss --seconds 60 --json results/calibrate-tractor-embb.json",
    "calibrate-tractor-urllc": "ranpilot twin calibrate runs/emulator/emulator-urllc.yaml runs/emulator/urllc.csv "
    "--fit load,path-loss --seconds 10 --json results/calibrate-tractor-urllc.json",
    "known-good": "python benchmarks/known_good.py",
    "slicing-learners": (
        "python benchmarks/slicing_learners.py --learners ppo,masac --json results/slicing-learners.json"
    ),
    "twin-speed": "ranpilot twin bench --json results/twin-speed.json",
    "twin-validate": "ranpilot twin validate --json results/twin-validate.json",
}
BUSY = ("normal", "high")
INTERVALS = "IQM over seeds with 95 % bootstrap intervals where given. "

Record = dict[str, Any]


def table(
    name: str, header: Sequence[str], lines: Iterable[Sequence[str]], numbers: Iterable[int] = (), note: str = INTERVALS
) -> str:
    """A table with its command below it; numbers: columns that are set to the right."""
    return plain(header, lines, numbers) + f"\n{note}Made by `{COMMANDS[name]}`.\n"


def plain(header: Sequence[str], lines: Iterable[Sequence[str]], numbers: Iterable[int] = ()) -> str:
    """A table in Markdown."""
    right = set(numbers)
    rule = "".join(" ---: |" if column in right else " --- |" for column in range(len(header)))
    rows = [f"| {' | '.join(header)} |", f"|{rule}"]
    rows += ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]
    return "\n".join(rows) + "\n"


@cache
def read(name: str) -> tuple[Record, ...]:
    path = RESULTS / f"{name}.json"
    if not path.exists():
        raise SystemExit(f"results/{name}.json is missing; make it with: {COMMANDS[name]}")
    return tuple(json.loads(path.read_text(encoding="utf-8")))


def named(name: str, first: str) -> list[tuple[Record, tuple[str, ...]]]:
    """Records whose name begins with that word, with the other parts of the name; a claim may hold a slash."""
    parts = 3 if first in ("check", "found", "calibration-error", "agreement-with-rules") else 4
    found = []
    for record in read(name):
        head, _, rest = record["name"].partition("/")
        if head == first:
            found.append((record, tuple(rest.split("/", parts - 1))))
    return found


def labels(name: str) -> list[str]:
    return list(dict.fromkeys(place[2] for _, place in named(name, "dropped")))


def interval(record: Record | None, scale: float = 1.0, digits: int = 2, key: str = "value") -> str:
    """A record's number with its interval; key: `value`, or `ratio` or `difference` to learning alone."""
    names = ("value", "low", "high") if key == "value" else (key, f"{key}_low", f"{key}_high")
    numbers = [None if record is None else record.get(name) for name in names]
    if None in numbers:
        return "–"
    value, low, high = (f"{scale * number:.{digits}f}" for number in numbers if number is not None)
    return f"{value} [{low}, {high}]".replace("-", "−")


def number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}".replace(",", " ") if abs(value) >= 1000 else f"{value:.3g}"


def short(value: float) -> str:
    return f"{value:.4g}".replace("-", "−")


def decibels(value: float) -> str:
    return f"{value:.1f}".replace("-", "−")


def exists(name: str) -> bool:
    """Whether results/NAME.json is there."""
    return (RESULTS / f"{name}.json").exists()
