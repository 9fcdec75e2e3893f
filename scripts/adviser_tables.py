"""The tables of the advisers' scores, from results/adviser.json (scripts/make_adviser.py)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import mean
from typing import Any

__all__ = ["TABLES"]

FILE = Path(__file__).parent.parent / "results" / "adviser.json"
COMMAND = "python scripts/make_adviser.py"
METHODS = {"lora": "trained, LoRA on ten layers", "full": "trained, four layers fully"}
YARDSTICKS = {
    "random": "chance", "best constant": "best constant", "rules": "rules", "kpm-rules": "kpm-rules",
    "trees on numbers": "trees on numbers", "trees on words": "trees on words",
    "ignoring the text": "best action with the event called off",
}  # fmt: skip
TASKS = {"aura-paper": "aura-paper", "power-handover": "two-cell", "power-handover, focus": "two-cell, focus"}
GROUPS = {"no notice": "no announcement", "notice": "announcement", "flips": "flips"}
COLUMNS = (
    ("aura-paper", "no notice"), ("power-handover", "no notice"), ("power-handover", "notice"),
    ("power-handover, focus", "notice"), ("power-handover, focus", "flips"),
)  # fmt: skip
THIRD, SIX_TENTHS, LESS_THIRD = 1.0 / 3.0, 0.6, 0.7
ASKED = (
    ("aura-paper", "no notice", "best constant", THIRD),
    ("power-handover", "no notice", "best constant", THIRD),
    ("power-handover", "notice", "best constant", SIX_TENTHS),
    ("power-handover, focus", "flips", "ignoring the text", LESS_THIRD),
)

Record = dict[str, Any]


def regret() -> str:
    """Held-out regret of every row in every group; of trained rows the mean and the range over seeds."""
    heads = [f"{TASKS[task]}, {GROUPS[group]} ({_size(task, group)})" for task, group in COLUMNS]
    lines = [["untrained", *(_one(task, "untrained", group) for task, group in COLUMNS)]]
    lines += [[text, *(_one(task, row, group) for task, group in COLUMNS)] for row, text in YARDSTICKS.items()]
    for method, text in METHODS.items():
        lines.append([f"**{text}**", *(_range(task, "trained", group, method) for task, group in COLUMNS)])
        known = [_range(task, "trained, known wording", group, method) for task, group in COLUMNS]
        lines.append([f"{text}, wordings of the training", *known])
    return _table(["row", *heads], lines)


def targets() -> str:
    """What was asked of the trained rows, as ratios of mean regrets over the seeds."""
    lines = []
    for task, group, beside, asked in ASKED:
        cells = [f"{_share(task, group, beside, method):.2f}" for method in METHODS]
        lines.append([f"{TASKS[task]}, {GROUPS[group]}", beside, f"at most {asked:.2f}", *cells])
    return _table(["states", "regret as a share of that of", "asked", *METHODS.values()], lines)


def effects() -> str:
    """How many answers announcements change in states where nothing happens."""
    lines = []
    for task in ("aura-paper", "power-handover"):
        for kind in dict.fromkeys(r["name"].split("/")[2] for r in _records() if _starts(r, "answers_changed", task)):
            cells = []
            for method in METHODS:
                found = [r["value"] for r in _of_method(method) if r["name"] == f"answers_changed/{task}/{kind}"]
                cells.append(f"{100 * mean(found):.0f} % [{100 * min(found):.0f}, {100 * max(found):.0f}]")
            lines.append([TASKS[task], kind, *cells])
    return _table(["states of", "texts", *METHODS.values()], lines)


def _records() -> list[Record]:
    if not FILE.exists():
        raise SystemExit(f"results/{FILE.name} is missing; make it with: {COMMAND}")
    found: list[Record] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def _of_method(method: str) -> list[Record]:
    return [record for record in _records() if record["method"] == method]


def _starts(record: Record, first: str, task: str) -> bool:
    return bool(record["name"].startswith(f"{first}/{task}/"))


def _found(task: str, row: str, group: str, method: str = "lora") -> list[Record]:
    return [record for record in _of_method(method) if record["name"] == f"regret/{task}/{row}/{group}"]


def _size(task: str, group: str) -> str:
    found = _found(task, "best constant", group)
    return str(found[0]["n"]) if found else "none"


def _one(task: str, row: str, group: str) -> str:
    found = _found(task, row, group)
    return f"{found[0]['value']:.3f} ± {found[0]['standard_error']:.3f}" if found else "–"


def _range(task: str, row: str, group: str, method: str) -> str:
    values = [record["value"] for record in _found(task, row, group, method)]
    return f"{mean(values):.3f} [{min(values):.3f}, {max(values):.3f}]" if values else "–"


def _share(task: str, group: str, beside: str, method: str) -> float:
    own = mean(record["value"] for record in _found(task, "trained", group, method))
    return own / mean(record["value"] for record in _found(task, beside, group, method))


def _table(header: list[str], lines: Iterable[list[str]]) -> str:
    rows = [header, ["---", *["---:"] * (len(header) - 1)], *lines]
    body = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    seeds = len({record["seed"] for record in _of_method("lora")})
    return f"{body}\n\nTrained rows: mean over {seeds} seeds [least, greatest]. Made by `{COMMAND}`.\n"


TABLES: dict[str, Callable[[], str]] = {
    "adviser-regret": regret,
    "adviser-targets": targets,
    "adviser-effects": effects,
}
