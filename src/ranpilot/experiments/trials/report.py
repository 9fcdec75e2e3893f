"""The report of a comparison: `report.json` with every number, `report.html` that opens without a network."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ranpilot.experiments.page import render_page
from ranpilot.experiments.trials.figures import draw_gains, draw_learning, draw_timeline
from ranpilot.experiments.trials.results import Found
from ranpilot.experiments.trials.summary import SEEDS_FOR_A_CLAIM, flat_trials, summarise_trials, trials_table
from ranpilot.runs import write_atomic, write_json

__all__ = ["TrialsReport", "make_trials_report"]

TEMPLATE = Path(__file__).with_name("report.html.j2")


@dataclass(frozen=True)
class TrialsReport:
    """A finished report: the page, and the numbers in it."""

    page: str
    numbers: Mapping[str, Any]
    path: Path | None = None
    """The page's file, once written."""

    def save(self, path: str | Path) -> Path:
        """Write the page to `path`."""
        target = Path(path)
        write_atomic(target, self.page.encode())
        return target

    def write(self, folder: Path) -> TrialsReport:
        """Write `report.html` and then `report.json`, which so exists only beside a whole page."""
        html = self.save(folder / "report.html")
        write_json(folder / "report.json", self.numbers)
        return replace(self, path=html)

    def tables(self) -> list[tuple[str, list[list[str]]]]:
        """Title, and header and lines, of the table for a terminal."""
        return [(part["title"], trials_table(part)) for part in self.numbers["parts"]]

    def flat(self, threads: int = 1) -> list[dict[str, Any]]:
        """Every number as a list of records with a name, as `--json FILE` writes them."""
        return [record for part in self.numbers["parts"] for record in flat_trials(part, threads)]


def make_trials_report(title: str, found: Found, sessions: Sequence[Mapping[str, Any]]) -> TrialsReport:
    """The page and its numbers; sessions: where and when each part of it ran."""
    summary = summarise_trials(found)
    load = found.trials.loads[-1]
    shown = [entrant.label for entrant in found.trials.entrants if _is_worth_a_picture(summary, entrant.label, load)]
    timelines = {label: found.timeline(label, load) for label in shown}
    page = render_page(
        TEMPLATE,
        title=title,
        s=summary,
        t=summary["trials"],
        table=trials_table(summary),
        gains=draw_gains(summary),
        learning=draw_learning(summary),
        timelines=[(label, draw_timeline(of, f"slices under {label}")) for label, of in timelines.items() if of],
        timeline_load=load,
        min_seeds=SEEDS_FOR_A_CLAIM,
        sessions=sessions,
        config=json.dumps(summary["trials"], indent=1),
    )
    part = {"title": title, "provenance": list(sessions), "checks": [], "findings": [], **summary}
    return TrialsReport(page, {"title": title, "parts": [part]})


def _is_worth_a_picture(summary: Mapping[str, Any], label: str, load: str) -> bool:
    """Learners, the best heuristic and the oracle."""
    row = next(row for row in summary["rows"] if row["label"] == label and row["load"] == load)
    return bool(row["kind"] != "heuristic" or label == summary["best_heuristic"][load])
