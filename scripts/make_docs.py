"""Write the tables in README and docs from results/*.json, between their `begin table` and `end table` lines.

Each results file is what a command wrote with `--json`; the command stands under the table, and in results/README.md.
`--check` changes nothing and fails where a table in the docs is not the one that the results give.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "results"
BLOCK = re.compile(r"(<!-- begin table: ([\w-]+) -->\n).*?(<!-- end table: \2 -->)", re.DOTALL)
PAPER_COMMAND = "ranpilot compare aura --scenario aura-paper --json results/aura-paper.json"
SPEED_COMMAND = "ranpilot twin bench --json results/twin-speed.json"

Records = list[dict[str, Any]]


def main() -> int:
    changed = []
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("src/**/README.md"))]:
        text = path.read_text(encoding="utf-8")
        filled = BLOCK.sub(lambda match: match[1] + TABLES[match[2]]() + match[3], text)
        if filled != text:
            changed.append(str(path.relative_to(ROOT)))
            if "--check" not in sys.argv:
                path.write_text(filled, encoding="utf-8")
    print("changed: " + ", ".join(changed) if changed else "all tables stand as the results give them")
    return 1 if changed and "--check" in sys.argv else 0


def speed() -> str:
    """Cell-slots per second of the twin at each batch size and number of threads."""
    rows = ["| measured | median | unit | n |", "| --- | ---: | --- | ---: |"]
    rows += [f"| `{r['name']}` | {_number(r['value'])} | {r['unit']} | {r['n']} |" for r in _read("twin-speed")]
    return _with_command(rows, SPEED_COMMAND)


def aura_paper() -> str:
    """Dropped hand-off requests of every row at every load, with intervals."""
    records = {r["name"]: r for r in _read("aura-paper") if r["name"].startswith("dropped/")}
    loads = _unique(name.split("/")[2] for name in records)
    labels = _unique(name.split("/")[3] for name in records)
    rows = ["| row | " + " | ".join(f"{load} load" for load in loads) + " |", "| --- |" + " ---: |" * len(loads)]
    for label in labels:
        cells = [_interval(records.get(f"dropped/aura-paper/{load}/{label}/iqm")) for load in loads]
        rows.append(f"| {label} | " + " | ".join(cells) + " |")
    return _with_command(rows, PAPER_COMMAND)


def aura_paper_checks() -> str:
    """What the command itself checked."""
    rows = ["| claim | load | row | measured | asked | holds |", "| --- | --- | --- | ---: | --- | --- |"]
    for record in _read("aura-paper"):
        if record["name"].startswith("check/"):
            _, load, row, claim = record["name"].split("/", 3)
            holds = "yes" if record["holds"] else "**no**"
            rows.append(f"| {claim} | {load} | {row} | {_number(record['value'])} | {record['reference']} | {holds} |")
    return _with_command(rows, PAPER_COMMAND)


def systems() -> str:
    """One line for each system that exists, with its headline measured."""
    drops = {r["name"]: r for r in _read("aura-paper")}

    def at(load: str, row: str) -> str:
        return _interval(drops.get(f"dropped/aura-paper/{load}/{row}/iqm"))

    rows = [
        "| AURA on `aura-paper`, 20 seeds: dropped hand-off requests an episode | normal load | high load |",
        "| --- | ---: | ---: |",
    ]
    names = {
        "marl-only": "stations learn alone (MARL-only)",
        "guided": "with advice of rules, counterfactual trust (guided)",
        "aura": "the same with delayed reward (AURA)",
        "guided-score": "with the paper's own trust (score)",
        "guided-inverted-rules-counterfactual": "inverted advice, counterfactual trust",
        "guided-inverted-rules-score": "inverted advice, the paper's own trust",
        "guided-embedded": "advice of the embedded model, untrained",
        "random": "random actions",
        "rules": "the rules alone (best heuristic with the same information)",
        "lookahead-oracle": "look-ahead oracle (sees the whole state)",
    }
    rows += [f"| {text} | {at('normal', row)} | {at('high', row)} |" for row, text in names.items()]
    return _with_command(rows, PAPER_COMMAND)


def _with_command(rows: list[str], command: str) -> str:
    return "\n".join(rows) + f"\n\nIQM over seeds with 95 % bootstrap intervals where given. Made by `{command}`.\n"


def _read(name: str) -> Records:
    path = RESULTS / f"{name}.json"
    records: Records = json.loads(path.read_text(encoding="utf-8"))
    return records


def _interval(record: dict[str, Any] | None) -> str:
    if record is None:
        return "–"
    return f"{record['value']:.2f} [{record['low']:.2f}, {record['high']:.2f}]"


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}".replace(",", " ") if abs(value) >= 1000 else f"{value:.3g}"


def _unique(names: Any) -> list[str]:
    return list(dict.fromkeys(names))


TABLES: dict[str, Callable[[], str]] = {
    "speed": speed,
    "aura-paper": aura_paper,
    "aura-paper-checks": aura_paper_checks,
    "systems": systems,
}

if __name__ == "__main__":
    sys.exit(main())
