"""Write the tables in README and docs, between their `begin table` and `end table` lines.

They are made of results/*.json, of what the twin declares (measurements, histograms, controls), and of the files of
traffic models. A results file is what a command wrote with `--json`; the command stands under the table, and in
results/README.md. The pictures in docs/images that show results are drawn too, unless pages are named: `make_docs.py
docs/kpm.md` writes those alone. `--check` changes nothing and fails where a table in the docs is not the one that it
should be.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import adviser_tables
import aura_tables
import calibration_tables
import declared_tables
import learning_tables
import peer_tables
import scenario_table
import slicing_tables
import tenant_tables
import traffic_tables
from records import Record, decibels, exists, named, number, read, short, table

from ranpilot.experiments.figures import draw_calibration, draw_gain, draw_reliability, draw_seeds
from ranpilot.twin.validate import Line
from ranpilot.twin.validate.summary import allowed, summarise

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"
BLOCK = re.compile(r"(<!-- begin table: ([\w-]+) -->\n).*?(<!-- end table: \2 -->)", re.DOTALL)


def main() -> int:
    is_check = "--check" in sys.argv
    named_pages = [Path(word).resolve() for word in sys.argv[1:] if word != "--check"]
    pages = [ROOT / "README.md", ROOT / "benchmarks" / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
    every_page = [*pages, *sorted(ROOT.glob("src/**/README.md"))]
    changed = []
    for path in named_pages or every_page:
        text = path.read_text(encoding="utf-8")
        filled = BLOCK.sub(lambda match: match[1] + TABLES[match[2]]() + match[3], text)
        if filled != text:
            changed.append(str(path.relative_to(ROOT)))
            if not is_check:
                path.write_text(filled, encoding="utf-8")
    if not is_check and not named_pages:
        draw_pictures()
    print("changed: " + ", ".join(changed) if changed else "all tables stand as they should")
    return 1 if changed and is_check else 0


def speed() -> str:
    """What the twin's benchmark measured, beside what it must reach and what is aimed at."""
    lines = [
        [f"`{r['name']}`", number(r["value"]), r["unit"], f"{r['spread']:.0%}", number(r.get("reference")),
         number(r.get("aim")), str(r["n"])]
        for r in read("twin-speed")
    ]  # fmt: skip
    header = ["measured", "median", "unit", "half the range", "must", "aim", "n"]
    return table("twin-speed", header, lines, numbers=(1, 3, 4, 5, 6), note="")


def twin_validate() -> str:
    """Every kind of line in each check: how many hold, and which comes closest to its bounds."""
    lines = []
    for check, found in _checks().items():
        for part in summarise(found):
            if not part.claims:
                continue
            worst = part.worst or part.lines[0]
            verdict = f"**{len(part.failing)} fail**" if part.failing else "all hold"
            off = "–" if worst.difference is None else short(worst.difference)
            numbers = [f"{short(worst.value)} {worst.unit}".removesuffix(" 1"), off, allowed(worst)]
            lines.append(
                [check, part.kind, str(len(part.claims)), verdict, f"`{part.place(worst)}`", *numbers, worst.source]
            )
    titles = ["check", "lines of", "claims", "", "closest to its bounds", "value", "off by", "allowed", "held against"]
    return table("twin-validate", titles, lines, numbers=(2,), note="")


def twin_reported() -> str:
    """Numbers without a claim, curves left out."""
    lines = [
        [f"`{line.name}`", short(line.value), line.unit.replace("1", "–"), str(line.n), line.source]
        for found in _checks().values()
        for line in found
        if not line.is_claim and not line.name.startswith("cdf/")
    ]
    return table("twin-validate", ["measured", "value", "unit", "n", "what"], lines, numbers=(1, 3), note="")


def twin_curves() -> str:
    """Percentiles of the large-scale calibration, with the mean of the companies where there is one."""
    shown = (5, 25, 50, 75, 95)
    lines = []
    for scenario, quantities in _curves().items():
        for quantity, curve in quantities.items():
            what, who = quantity.removesuffix("_db").replace("_", " "), f"{curve[50]['n']} users"
            lines.append([scenario, what, *(decibels(curve[percent]["value"]) for percent in shown), who])
            if curve[50]["reference"] is not None:
                held = (decibels(curve[percent]["reference"]) for percent in shown)
                lines.append(["", "", *held, f"{curve[50]['source']}: mean"])
    titles = ["scenario", "dB", *(f"{percent} %" for percent in shown), "of"]
    return table("twin-validate", titles, lines, numbers=range(2, 7), note="")


def _curves() -> dict[str, dict[str, list[Record]]]:
    """Records of the lines cdf/SCENARIO/QUANTITY/PERCENT, in the order of the percentiles."""
    found: dict[str, dict[str, list[Record]]] = {}
    for record in read("twin-validate"):
        if record["name"].startswith("cdf/"):
            _, scenario, quantity, _ = record["name"].split("/")
            found.setdefault(scenario, {}).setdefault(quantity, []).append(record)
    return found


def draw_pictures() -> None:
    """The pictures of the docs, as far as their results are there."""
    if exists("twin-validate") and _curves():
        _save("twin-calibration", draw_calibration(_curves()))
    for name, is_paired in (("aura-paper", False), ("aura-two-cell", True)):
        if not exists(name):
            continue
        drops: dict[str, dict[str, list[float]]] = {}
        for record, (_, load, row, _) in named(name, "dropped"):
            drops.setdefault(load, {})[row] = record["per_seed"]
        bins: dict[str, dict[str, Record]] = {}
        for record, (_, load, row) in named(name, "calibration-error"):
            bins.setdefault(load, {})[row] = record
        _save(f"{name}-seeds", draw_seeds(drops, paired=is_paired))
        _save(f"{name}-gain", draw_gain(drops))
        _save(f"{name}-reliability", draw_reliability(bins))


def _save(name: str, svg: str | None) -> None:
    """Write a picture on white, so that it is readable on a dark page too."""
    if svg is not None:
        head, rest = svg.split(">", 1)
        IMAGES.joinpath(f"{name}.svg").write_text(
            f'{head}>\n <rect width="100%" height="100%" fill="#ffffff"/>{rest}', encoding="utf-8"
        )


def _checks() -> dict[str, list[Line]]:
    """The lines of the validation, check by check."""
    found: dict[str, list[Line]] = {}
    for record in read("twin-validate"):
        found.setdefault(record["check"], []).append(Line.from_json(record))
    return found


TABLES: dict[str, Callable[[], str]] = {
    "speed": speed,
    "twin-validate": twin_validate,
    "twin-reported": twin_reported,
    "twin-curves": twin_curves,
    **aura_tables.TABLES,
    **adviser_tables.TABLES,
    **calibration_tables.TABLES,
    **declared_tables.TABLES,
    **peer_tables.TABLES,
    **learning_tables.TABLES,
    **scenario_table.TABLES,
    **slicing_tables.TABLES,
    **tenant_tables.TABLES,
    **traffic_tables.TABLES,
}

if __name__ == "__main__":
    sys.exit(main())
