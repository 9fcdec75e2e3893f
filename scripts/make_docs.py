"""Write the tables in README and docs from results/*.json, between their `begin table` and `end table` lines.

Each results file is what a command wrote with `--json`; the command stands under the table, and in results/README.md.
The pictures in docs/images that show results are drawn too. `--check` changes nothing and fails where a table in the
docs is not the one that the results give.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import adviser_tables

from ranpilot.experiments.figures import draw_calibration, draw_gain, draw_reliability, draw_seeds
from ranpilot.experiments.plots import MAIN_ROWS
from ranpilot.twin.validate import Line
from ranpilot.twin.validate.summary import allowed, summarise

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "results"
IMAGES = ROOT / "docs" / "images"
BLOCK = re.compile(r"(<!-- begin table: ([\w-]+) -->\n).*?(<!-- end table: \2 -->)", re.DOTALL)
COMMANDS = {
    "aura-paper": "ranpilot compare aura --scenario aura-paper --json results/aura-paper.json",
    "aura-two-cell": "ranpilot compare aura --scenario two-cell --json results/aura-two-cell.json",
    "twin-speed": "ranpilot twin bench --json results/twin-speed.json",
    "twin-validate": "ranpilot twin validate --json results/twin-validate.json",
}
BUSY = ("normal", "high")
INTERVALS = "IQM over seeds with 95 % bootstrap intervals where given. "

Record = dict[str, Any]


def main() -> int:
    is_check = "--check" in sys.argv
    changed = []
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("src/**/README.md"))]:
        text = path.read_text(encoding="utf-8")
        filled = BLOCK.sub(lambda match: match[1] + TABLES[match[2]]() + match[3], text)
        if filled != text:
            changed.append(str(path.relative_to(ROOT)))
            if not is_check:
                path.write_text(filled, encoding="utf-8")
    if not is_check:
        draw_pictures()
    print("changed: " + ", ".join(changed) if changed else "all tables stand as the results give them")
    return 1 if changed and is_check else 0


def speed() -> str:
    """Cell-slots per second of the twin at each batch size and number of threads."""
    lines = [[f"`{r['name']}`", _number(r["value"]), r["unit"], str(r["n"])] for r in _read("twin-speed")]
    return _table("twin-speed", ["measured", "median", "unit", "n"], lines, numbers=(1, 3), note="")


def twin_validate() -> str:
    """Every kind of line in each check: how many hold, and which comes closest to its bounds."""
    lines = []
    for check, found in _checks().items():
        for part in summarise(found):
            if not part.claims:
                continue
            worst = part.worst or part.lines[0]
            verdict = f"**{len(part.failing)} fail**" if part.failing else "all hold"
            off = "–" if worst.difference is None else _short(worst.difference)
            numbers = [f"{_short(worst.value)} {worst.unit}".removesuffix(" 1"), off, allowed(worst)]
            lines.append(
                [check, part.kind, str(len(part.claims)), verdict, f"`{part.place(worst)}`", *numbers, worst.source]
            )
    titles = ["check", "lines of", "claims", "", "closest to its bounds", "value", "off by", "allowed", "held against"]
    return _table("twin-validate", titles, lines, numbers=(2,), note="")


def twin_reported() -> str:
    """Numbers without a claim, curves left out."""
    lines = [
        [f"`{line.name}`", _short(line.value), line.unit.replace("1", "–"), str(line.n), line.source]
        for found in _checks().values()
        for line in found
        if not line.is_claim and not line.name.startswith("cdf/")
    ]
    return _table("twin-validate", ["measured", "value", "unit", "n", "what"], lines, numbers=(1, 3), note="")


def twin_curves() -> str:
    """Percentiles of the large-scale calibration, with the mean of the companies where there is one."""
    shown = (5, 25, 50, 75, 95)
    lines = []
    for scenario, quantities in _curves().items():
        for quantity, curve in quantities.items():
            what, who = quantity.removesuffix("_db").replace("_", " "), f"{curve[50]['n']} users"
            lines.append([scenario, what, *(_decibels(curve[percent]["value"]) for percent in shown), who])
            if curve[50]["reference"] is not None:
                held = (_decibels(curve[percent]["reference"]) for percent in shown)
                lines.append(["", "", *held, f"{curve[50]['source']}: mean"])
    titles = ["scenario", "dB", *(f"{percent} %" for percent in shown), "of"]
    return _table("twin-validate", titles, lines, numbers=range(2, 7), note="")


def _curves() -> dict[str, dict[str, list[Record]]]:
    """Records of the lines cdf/SCENARIO/QUANTITY/PERCENT, in the order of the percentiles."""
    found: dict[str, dict[str, list[Record]]] = {}
    for record in _read("twin-validate"):
        if record["name"].startswith("cdf/"):
            _, scenario, quantity, _ = record["name"].split("/")
            found.setdefault(scenario, {}).setdefault(quantity, []).append(record)
    return found


def aura_paper() -> str:
    """Dropped hand-off requests of every row at every load, with intervals."""
    return _drops("aura-paper", _labels("aura-paper"))


def aura_paper_main() -> str:
    """The same for the main rows."""
    return _drops("aura-paper", [label for label in MAIN_ROWS if label in _labels("aura-paper")])


def aura_failures() -> str:
    """Failures of both kinds and requests at the loads where something is dropped."""
    return _metrics("aura-paper", BUSY, {"failures": "failures", "failures_handover": "hand-off failures"})


def aura_use() -> str:
    """Use of advice, agreement and trust."""
    columns = {"used": "use of advice", "agreed": "advice = own choice", "matched": "executed = advice"}
    return _metrics("aura-paper", BUSY, columns, percent=True)


def aura_reward() -> str:
    """Requests and reward of every row."""
    return _metrics("aura-paper", BUSY, {"requests": "requests", "reward": "reward"})


def aura_twin() -> str:
    """Drops on the twin, in all and while something is announced; differences network by network."""
    dropped = {place[2]: record for record, place in _named("aura-two-cell", "dropped")}
    announced = {place[2]: record for record, place in _named("aura-two-cell", "dropped_announced")}
    used = {place[2]: record for record, place in _named("aura-two-cell", "used")}
    lines = [
        [
            label,
            _interval(record),
            _interval(record, key="difference"),
            _interval(announced.get(label)),
            _interval(used.get(label), 100, 1),
        ]
        for label, record in dropped.items()
    ]
    titles = ["row", "dropped", "minus marl-only (paired)", "of these while announced", "use of advice %"]
    return _table("aura-two-cell", titles, lines, numbers=range(1, 5))


def aura_paper_checks() -> str:
    """What the command itself checked."""
    verdicts = {True: "yes", False: "**no**", None: "not applicable"}
    lines = []
    for record, (load, row, claim) in _named("aura-paper", "check"):
        expected = " (expected)" if record["is_expected_to_fail"] and not record["holds"] else ""
        lines.append([claim, load, row, record["detail"], record["reference"], verdicts[record["holds"]] + expected])
    return _table("aura-paper", ["claim", "load", "row", "measured", "asked", "holds"], lines)


def aura_found() -> str:
    """What has no threshold on `aura-paper`."""
    return _found("aura-paper")


def aura_twin_found() -> str:
    """What has no threshold on the twin, where there are no thresholds at all."""
    return _found("aura-two-cell")


def aura_calibration() -> str:
    """Calibration error of the trust of each advised row."""
    found: dict[str, dict[str, Record]] = {}
    for record, (_, load, row) in _named("aura-paper", "calibration-error"):
        found.setdefault(row, {})[load] = record
    lines = [
        [row, *(f"{_interval(of.get(load))} ({of[load]['n']})" if load in of else "–" for load in BUSY)]
        for row, of in found.items()
    ]
    return _table("aura-paper", ["row", *(f"{load} load (tried)" for load in BUSY)], lines, numbers=(1, 2))


def aura_agreement() -> str:
    """How often each language model says what the rules say."""
    found = [
        (record, scenario, row)
        for name in ("aura-paper", "aura-two-cell")
        if (RESULTS / f"{name}.json").exists()
        for record, (scenario, load, row) in _named(name, "agreement-with-rules")
        if load == "high"
    ]
    lines = [[scenario, row, record["adviser"], f"{100 * record['value']:.1f} %"] for record, scenario, row in found]
    return _table("aura-paper", ["scenario", "row", "adviser", "agrees on"], lines, numbers=(3,))


def aura_headlines() -> str:
    """What the paper reports, and the same here."""
    checks = {(claim, row, load): record for record, (load, row, claim) in _named("aura-paper", "check")}
    found = {(topic, row, load): record for record, (load, row, topic) in _named("aura-paper", "found")}

    def both(records: Mapping[tuple[str, str, str], Record], words: str, loads: Iterable[str] = BUSY) -> str:
        texts = (
            f"{load}: {record['detail']}"
            for load in loads
            for (said, row, at), record in records.items()
            if said.startswith(words) and (row, at) == ("aura", load)
        )
        return "<br>".join(texts)

    halved, delayed = "Dropped requests are at most half of those without", "Delayed reward:"
    lines = [
        ["drops more than halved at normal and high load, p < 0.01", both(checks, halved)],
        ["no significant difference at low load", both(checks, "At low load", ("low",))],
        ["failures fall", both(checks, "Steps with any failure")],
        ["(failed hand-offs alone)", both(checks, "Steps with a failed hand-off")],
        ["the model decides less than 60 % of the time", both(checks, "Advice that differs")],
        ["AURA uses slightly less advice than guided agents", both(found, f"{delayed} use")],
        ["AURA drops fewer requests than guided agents", both(found, f"{delayed} dropped")],
    ]
    return _table("aura-paper", ["the paper reports", "here, advised by rules"], lines)


def systems() -> str:
    """One line for each system that exists, with its headline measured."""
    drops = {r["name"]: r for r in _read("aura-paper")}
    names = {
        "marl-only": "stations learn alone (MARL-only)",
        "marl-only-10x": "the same, ten times longer",
        "marl-neighbours-10x": "ten times longer, with the neighbour's state",
        "guided": "with advice of rules, counterfactual trust (guided)",
        "aura": "the same with delayed reward (AURA)",
        "guided-score": "with the paper's own trust (score)",
        "guided-inverted-rules-counterfactual": "inverted advice, counterfactual trust",
        "guided-inverted-rules-score": "inverted advice, the paper's own trust",
        "guided-untrained": "advice of the embedded model, untrained",
        "guided-trained": "advice of the embedded model, trained on the twin",
        "random": "random actions",
        "rules": "the rules alone (best heuristic with the same information)",
        "lookahead-oracle": "look-ahead oracle (sees the whole state)",
    }
    lines = [
        [text, *(_interval(drops.get(f"dropped/aura-paper/{load}/{row}/iqm")) for load in BUSY)]
        for row, text in names.items()
    ]
    title = "AURA on `aura-paper`, 20 seeds: dropped hand-off requests an episode"
    return _table("aura-paper", [title, *(f"{load} load" for load in BUSY)], lines, numbers=(1, 2))


def draw_pictures() -> None:
    """The pictures of the docs, as far as their results are there."""
    if (RESULTS / "twin-validate.json").exists() and _curves():
        _save("twin-calibration", draw_calibration(_curves()))
    for name, is_paired in (("aura-paper", False), ("aura-two-cell", True)):
        if not (RESULTS / f"{name}.json").exists():
            continue
        drops: dict[str, dict[str, list[float]]] = {}
        for record, (_, load, row, _) in _named(name, "dropped"):
            drops.setdefault(load, {})[row] = record["per_seed"]
        bins: dict[str, dict[str, Record]] = {}
        for record, (_, load, row) in _named(name, "calibration-error"):
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


def _drops(name: str, labels: Sequence[str]) -> str:
    """Dropped hand-off requests of those rows at every load, and where there are many also as a ratio."""
    found = {tuple(place[1:3]): record for record, place in _named(name, "dropped")}
    columns = [
        (f"{load} load{title}", load, key)
        for load in dict.fromkeys(load for load, _ in found)
        for key, title in (("value", ""), ("ratio", ", × marl-only"))
        if key == "value" or load in BUSY
    ]
    lines = [[label, *(_interval(found.get((load, label)), key=key) for _, load, key in columns)] for label in labels]
    return _table(name, ["row", *(title for title, _, _ in columns)], lines, numbers=range(1, len(columns) + 1))


def _metrics(name: str, loads: Sequence[str], columns: Mapping[str, str], *, percent: bool = False) -> str:
    """Metrics of every row that has one of them, load by load."""
    scale, digits = (100.0, 1) if percent else (1.0, 2)
    found = {r["name"]: r for r in _read(name)}
    scenario = name.removeprefix("aura-") if name != "aura-paper" else name
    lines = []
    for label in _labels(name):
        records = [found.get(f"{m}/{scenario}/{load}/{label}/iqm") for load in loads for m in columns]
        if any(records):
            lines.append([label, *(_interval(record, scale, digits) for record in records)])
    titles = [f"{title}{' %' if percent else ''}, {load}" for load in loads for title in columns.values()]
    return _table(name, ["row", *titles], lines, numbers=range(1, len(titles) + 1))


def _found(name: str) -> str:
    lines = [
        [topic, load, row, record["against"], record["detail"]] for record, (load, row, topic) in _named(name, "found")
    ]
    return _table(name, ["as found", "load", "row", "against", "measured"], lines)


def _checks() -> dict[str, list[Line]]:
    """The lines of the validation, check by check."""
    found: dict[str, list[Line]] = {}
    for record in _read("twin-validate"):
        found.setdefault(record["check"], []).append(Line.from_json(record))
    return found


def _table(
    name: str, header: Sequence[str], lines: Iterable[Sequence[str]], numbers: Iterable[int] = (), note: str = INTERVALS
) -> str:
    """A table in Markdown with its command below it; numbers: columns that are set to the right."""
    right = set(numbers)
    rule = "".join(" ---: |" if column in right else " --- |" for column in range(len(header)))
    rows = [f"| {' | '.join(header)} |", f"|{rule}"]
    rows += ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]
    return "\n".join(rows) + f"\n\n{note}Made by `{COMMANDS[name]}`.\n"


@cache
def _read(name: str) -> tuple[Record, ...]:
    path = RESULTS / f"{name}.json"
    if not path.exists():
        raise SystemExit(f"results/{name}.json is missing; make it with: {COMMANDS[name]}")
    return tuple(json.loads(path.read_text(encoding="utf-8")))


def _named(name: str, first: str) -> list[tuple[Record, tuple[str, ...]]]:
    """Records whose name begins with that word, with the other parts of the name; a claim may hold a slash."""
    parts = 3 if first in ("check", "found", "calibration-error", "agreement-with-rules") else 4
    found = []
    for record in _read(name):
        head, _, rest = record["name"].partition("/")
        if head == first:
            found.append((record, tuple(rest.split("/", parts - 1))))
    return found


def _labels(name: str) -> list[str]:
    return list(dict.fromkeys(place[2] for _, place in _named(name, "dropped")))


def _interval(record: Record | None, scale: float = 1.0, digits: int = 2, key: str = "value") -> str:
    """A record's number with its interval; key: `value`, or `ratio` or `difference` to learning alone."""
    names = ("value", "low", "high") if key == "value" else (key, f"{key}_low", f"{key}_high")
    numbers = [None if record is None else record.get(name) for name in names]
    if None in numbers:
        return "–"
    value, low, high = (f"{scale * number:.{digits}f}" for number in numbers if number is not None)
    return f"{value} [{low}, {high}]".replace("-", "−")


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}".replace(",", " ") if abs(value) >= 1000 else f"{value:.3g}"


def _short(value: float) -> str:
    return f"{value:.4g}".replace("-", "−")


def _decibels(value: float) -> str:
    return f"{value:.1f}".replace("-", "−")


TABLES: dict[str, Callable[[], str]] = {
    "speed": speed,
    "twin-validate": twin_validate,
    "twin-reported": twin_reported,
    "twin-curves": twin_curves,
    "systems": systems,
    "aura-paper": aura_paper,
    "aura-paper-main": aura_paper_main,
    "aura-paper-checks": aura_paper_checks,
    "aura-headlines": aura_headlines,
    "aura-failures": aura_failures,
    "aura-use": aura_use,
    "aura-reward": aura_reward,
    "aura-found": aura_found,
    "aura-calibration": aura_calibration,
    "aura-agreement": aura_agreement,
    "aura-twin": aura_twin,
    "aura-twin-found": aura_twin_found,
    **adviser_tables.TABLES,
}

if __name__ == "__main__":
    sys.exit(main())
