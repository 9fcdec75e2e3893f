"""The report of an experiment: `report.json` with every number, `report.html` that opens without a network."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from markupsafe import Markup

from ranpilot.experiments.aura_rows import CONTROL
from ranpilot.experiments.figures import draw_gain, draw_reliability, draw_seeds
from ranpilot.experiments.page import render_page
from ranpilot.experiments.plots import MANY_ROWS, colour_of, draw_bars, draw_curves
from ranpilot.experiments.records import flat_records
from ranpilot.experiments.results import Results
from ranpilot.experiments.scenario_pictures import Picture, draw_scenario
from ranpilot.experiments.tables import (
    SEEDS_FOR_A_CLAIM,
    by_load,
    summarise,
    text_table,
)
from ranpilot.experiments.wording import against_text, interval_text
from ranpilot.runs import write_atomic, write_json

__all__ = ["Lesson", "Part", "Report", "make_part", "make_report"]

MOST_NAMED = 4
"""More advisers than these are named in the table only."""

TEMPLATE = Path(__file__).with_name("report.html.j2")


@dataclass(frozen=True)
class Part:
    """One experiment in a report."""

    title: str
    summary: Mapping[str, Any]
    bars: str
    all_bars: str | None
    """Every row, where `bars` has the main ones alone."""
    seeds: str | None
    gain: str | None
    reliability: str | None
    use: str | None
    curves: str | None
    scenario_pictures: Sequence[Picture]
    sessions: Sequence[Mapping[str, Any]]
    config: str
    note: str = ""
    """What a reader must know before believing it."""


@dataclass(frozen=True)
class Lesson:
    """What a language model learned before it advised."""

    title: str
    note: str
    tables: Sequence[tuple[str, list[list[str]]]]
    """Title, and header and lines, of each table."""
    curve: str
    """SVG"""
    numbers: Mapping[str, Any]


@dataclass(frozen=True)
class Report:
    """A finished report: the page, and the numbers in it."""

    page: str
    numbers: Mapping[str, Any]
    path: Path | None = None
    """The page's file, once written."""
    lessons: Sequence[Lesson] = ()

    def save(self, path: str | Path) -> Path:
        """Write the page to `path`."""
        target = Path(path)
        write_atomic(target, self.page.encode())
        return target

    def write(self, folder: Path) -> Report:
        """Write `report.html` and then `report.json`, which so exists only beside a whole page."""
        html = self.save(folder / "report.html")
        write_json(folder / "report.json", self.numbers)
        return replace(self, path=html)

    def tables(self) -> list[tuple[str, list[list[str]]]]:
        """Title, and header and lines, of every part's table for a terminal."""
        lessons = [(title, lines) for lesson in self.lessons for title, lines in lesson.tables]
        return [*lessons, *((part["title"], text_table(part)) for part in self.numbers["parts"])]

    def table(self) -> str:
        """Every part's table as plain text, columns aligned."""
        blocks = []
        for title, lines in self.tables():
            widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
            rows = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
            blocks.append("\n".join([title, *(row.rstrip() for row in rows)]))
        return "\n\n".join(blocks)

    def flat(self, threads: int = 1) -> list[dict[str, Any]]:
        """Every number as a list of records with a name, as `--json FILE` writes them."""
        return [record for part in self.numbers["parts"] for record in flat_records(part, threads)]


def make_part(title: str, results: Results, sessions: Sequence[Mapping[str, Any]]) -> Part:
    """Numbers and pictures of a finished experiment."""
    has_use = any(cell.per_seed("used") is not None for cell in results.cells.values())
    has_many = len(results.experiment.rows) > MANY_ROWS
    summary = summarise(results)
    drops = by_load(summary["rows"], "per_seed")
    return Part(
        title=title,
        summary=summary,
        bars=draw_bars(results, main=has_many),
        all_bars=draw_bars(results) if has_many else None,
        seeds=draw_seeds(drops, paired=results.experiment.shared_networks),
        gain=draw_gain(drops),
        reliability=draw_reliability(by_load(summary["rows"], "calibration")),
        use=draw_bars(results, "used", main=has_many) if has_use else None,
        curves=draw_curves(results),
        scenario_pictures=draw_scenario(results.experiment),
        sessions=sessions,
        config=json.dumps(results.experiment.model_dump(mode="json"), indent=1),
    )


def make_report(title: str, parts: Sequence[Part], lessons: Sequence[Lesson] = ()) -> Report:
    """The page over all parts; the first part's result is the headline, lessons stand behind it."""
    page = render_page(
        TEMPLATE,
        title=title,
        lead=_lead(parts[0].summary),
        parts=parts,
        lessons=lessons,
        control=CONTROL,
        min_seeds=SEEDS_FOR_A_CLAIM,
        interval=_two_lines,
        against=_against,
        percent=_percent,
        group_checks=_group_checks,
        colour=_colour,
        group_decisions=_group_decisions,
        group_findings=_group_findings,
        group_rows=_group_rows,
        verdict=_verdict,
    )
    summaries = [{"title": part.title, "provenance": list(part.sessions), **part.summary} for part in parts]
    taught = [{"title": lesson.title, **lesson.numbers} for lesson in lessons]
    return Report(page, {"title": title, "parts": summaries, "lessons": taught}, lessons=lessons)


def _lead(summary: Mapping[str, Any]) -> str:
    experiment = summary["experiment"]
    advisers = sorted({row["adviser"] for row in summary["rows"] if row["adviser"]})
    named = f" Advisers: {', '.join(advisers)}." if 0 < len(advisers) <= MOST_NAMED else ""
    return (
        f"Scenario {experiment['scenario']}, {', '.join(experiment['loads'])} load, {experiment['seeds']} seeds, "
        f"{experiment['train_episodes']} training and {experiment['test_episodes']} test episodes.{named}"
    )


def _two_lines(interval: Mapping[str, Any] | None) -> Markup:
    """The estimate, and its interval small below it."""
    return _small_interval(interval_text(interval))


def _against(against: Mapping[str, Any] | None) -> Markup:
    return _small_interval(against_text(against))


def _small_interval(text: str) -> Markup:
    estimate, bracket, rest = text.partition(" [")
    low_high, _, unit = rest.partition("]")
    return Markup(f'{estimate}{unit}<br><span class="ci">[{low_high}]</span>') if bracket else Markup(text)


def _percent(interval: Mapping[str, Any] | None) -> Markup:
    if interval is None or interval["estimate"] is None:
        return Markup("–")
    low, high = 100 * interval["low"], 100 * interval["high"]
    return _small_interval(f"{100 * interval['estimate']:.0f} % [{low:.0f}, {high:.0f}]")


def _group_checks(checks: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    for claim, group in groupby(checks, key=lambda check: check["claim"]):
        yield claim, list(group)


def _group_findings(findings: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    for topic, group in groupby(findings, key=lambda finding: finding["topic"]):
        yield topic, list(group)


def _group_rows(rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    for group, members in groupby(rows, key=lambda row: row["group"]):
        yield group, list(members)


def _verdict(check: Mapping[str, Any]) -> tuple[str, str]:
    """Style and word of a check's outcome."""
    if check["holds"] is None:
        return "warn", "not applicable"
    if check["holds"]:
        return "holds", "holds"
    return ("warn", "fails, as expected") if check["is_expected_to_fail"] else ("fails", "fails")


def _colour(row: Mapping[str, Any]) -> str:
    return colour_of(row["label"], row["train_episodes"] > 0)


def _group_decisions(decisions: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str, list[Mapping[str, Any]]]]:
    for (label, load), group in groupby(decisions, key=lambda d: (d["label"], d["load"])):
        yield label, load, list(group)
