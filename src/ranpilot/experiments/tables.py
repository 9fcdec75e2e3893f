"""Every number of a report, as plain values for JSON: what the HTML shows is read from here and nowhere else."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from ranpilot.experiments.aura_rows import CONTROL, HEADLINE
from ranpilot.experiments.calibration import measure_calibration
from ranpilot.experiments.checks import families, make_checks
from ranpilot.experiments.findings import Finding, make_findings
from ranpilot.experiments.results import METRICS, CellResult, Results
from ranpilot.experiments.statistics import (
    difference,
    iqm,
    iqm_interval,
    probability_of_improvement,
    ratio,
)
from ranpilot.experiments.wording import against_text, interval_text, number_text

__all__ = ["SEEDS_FOR_A_CLAIM", "by_load", "headline", "summarise", "text_table"]

SEEDS_FOR_A_CLAIM = 5
"""With fewer seeds a result is called an illustration."""

MAX_DECISIONS = 12
TERMINAL_COLUMNS = ("dropped", "failures_handover", "used", "agreed")


def summarise(results: Results) -> dict[str, Any]:
    """Tables, tests, checks, losing seeds, decisions and cost of an experiment."""
    tests = families(results)
    checks = make_checks(results, tests)
    experiment = results.experiment
    return {
        "experiment": experiment.model_dump(mode="json"),
        "is_illustration": experiment.seeds < SEEDS_FOR_A_CLAIM,
        "headline": headline(results),
        "rows": [_row(results, label, load) for load in experiment.loads for label in _labels(results)],
        "tests": [{"load": load, **_plain_test(asdict(test))} for load, test in tests],
        "checks": [asdict(check) for check in checks],
        "findings": [_plain_finding(finding) for finding in make_findings(results)],
        "losing_seeds": _losing_seeds(results),
        "decisions": _decisions(results),
        "cost": _cost(results),
        "glossary": {name: text for name, text in METRICS.items() if _is_measured(results, name)},
    }


def headline(results: Results) -> str:
    """The result in one sentence, without claiming what the intervals do not show."""
    experiment = results.experiment
    load = experiment.loads[-1]
    guided = next((label for label in reversed(HEADLINE) if experiment.has_row(label)), None)
    if guided is None or not experiment.has_row(CONTROL):
        dropped = (f"{row.label} {number_text(iqm(results.per_seed(row.label, load)))}" for row in experiment.rows)
        return f"Dropped hand-off requests an episode at {load} load on {experiment.scenario}: {', '.join(dropped)}."
    own, base = results.per_seed(guided, load), results.per_seed(CONTROL, load)
    change = difference(own, base, paired=experiment.shared_networks)
    of = ratio(own, base, paired=experiment.shared_networks)
    adviser = experiment.row(guided).adviser
    numbers = f"{number_text(iqm(own))} hand-off requests an episode"
    alone = number_text(iqm(base))
    what = f"At {load} load on {experiment.scenario}, base stations that weigh the advice of '{adviser}'"
    if change.high < 0:
        share = f", so {100 * (1 - of.estimate):.0f} % fewer with advice" if math.isfinite(of.estimate) else ""
        return f"{what} drop {numbers}; learning alone they drop {alone}{share}."
    if change.low > 0:
        return f"{what} drop more than when they learn alone: {numbers}, {alone} alone."
    return f"{what} show no clear difference from learning alone: they drop {numbers}, {alone} alone."


def _labels(results: Results) -> list[str]:
    return [row.label for row in results.experiment.rows]


def _row(results: Results, label: str, load: str) -> dict[str, Any]:
    cell = results.cell(label, load)
    intervals: dict[str, dict[str, Any]] = {}
    for metric in METRICS:
        values = cell.per_seed(metric)
        if values is not None:
            intervals[metric] = iqm_interval(values).as_json()
    calibration = measure_calibration(cell)
    return {
        "label": label,
        "load": load,
        "group": cell.row.group,
        "adviser": _adviser(cell),
        "trust": cell.row.trust,
        "test_episodes": len(cell.phase("test")),
        "train_episodes": len(cell.phase("train")),
        "agreement_with_rules": cell.agreement_with_rules,
        "calibration": None if calibration is None else {**asdict(calibration), "error": calibration.error.as_json()},
        "metrics": intervals,
        "per_seed": [round(float(v), 6) for v in results.per_seed(label, load)],
        "per_agent_dropped": [round(float(v), 6) for v in cell.per_agent("dropped").mean(axis=0)],
        "against_control": _against_control(results, label, load),
    }


def _adviser(cell: CellResult) -> str | None:
    """Who advised, with the name that it gave itself (`embedded: language model (untrained)`)."""
    asked = cell.row.adviser
    called = next((d["adviser"] for d in cell.summary["decisions"] if d["adviser"] is not None), asked)
    return called if asked in (None, called) else f"{asked}: {called}"


def _against_control(results: Results, label: str, load: str) -> dict[str, Any] | None:
    experiment = results.experiment
    if label == CONTROL or not experiment.has_row(CONTROL):
        return None
    own, base = results.per_seed(label, load), results.per_seed(CONTROL, load)
    paired = experiment.shared_networks
    return {
        "control": CONTROL,
        "control_iqm": iqm_interval(base).estimate,
        "difference": difference(own, base, paired=paired).as_json(),
        "ratio": ratio(own, base, paired=paired).as_json(),
        "probability_of_improvement": probability_of_improvement(own, base),
        "paired": paired,
    }


def _losing_seeds(results: Results) -> list[dict[str, Any]]:
    """Seeds of advised rows that dropped more than the control: than its own seed where shared, than its IQM else."""
    experiment = results.experiment
    if not experiment.has_row(CONTROL):
        return []
    found = []
    for row, load in experiment.cells():
        if row.adviser is None or row.label == CONTROL:
            continue
        own, base = results.per_seed(row.label, load), results.per_seed(CONTROL, load)
        limit = base if experiment.shared_networks else np.full(len(own), iqm_interval(base).estimate)
        for seed in np.flatnonzero(own > limit).tolist():
            found.append(
                {
                    "label": row.label,
                    "load": load,
                    "network": experiment.first_network(row) + seed,
                    "dropped": float(own[seed]),
                    "control": float(limit[seed]),
                }
            )
    return found


def _decisions(results: Results) -> list[dict[str, Any]]:
    """Decisions of the last test episode where advice and own choice differed, a few of each advised row."""
    found: list[dict[str, Any]] = []
    for row, load in results.experiment.cells():
        if row.adviser is None:
            continue
        all_of_row = results.cell(row.label, load).summary["decisions"]
        disputed = [d for d in all_of_row if d["suggested"] is not None and d["suggested"] != d["own"]]
        found += [{"label": row.label, "load": load, **d} for d in disputed[:MAX_DECISIONS]]
    return found


def _cost(results: Results) -> dict[str, Any]:
    wall = results.wall
    played = wall["environment_s"] + wall["controller_s"]
    return {**wall, "slots_per_s": wall["slots"] / wall["environment_s"] if played else None}


def _is_measured(results: Results, metric: str) -> bool:
    return any(cell.per_seed(metric) is not None for cell in results.cells.values())


def _plain_finding(finding: Finding) -> dict[str, Any]:
    return {**asdict(finding), "value": finding.value.as_json()}


def _plain_test(test: dict[str, Any]) -> dict[str, Any]:
    return {**test, "dunn_holm_p": dict(test["dunn_holm_p"])}


def by_load(rows: Sequence[Mapping[str, Any]], what: str) -> dict[str, dict[str, Any]]:
    """That field of a summary's rows by load and row, where there is one."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        of_load = found.setdefault(row["load"], {})
        if row[what] is not None:
            of_load[row["label"]] = row[what]
    return found


def text_table(summary: Mapping[str, Any], columns: Sequence[str] = TERMINAL_COLUMNS) -> list[list[str]]:
    """Header and lines of the table for a terminal."""
    lines = [["load", "row", *columns, "vs " + CONTROL]]
    for row in summary["rows"]:
        cells = [interval_text(row["metrics"].get(column)) for column in columns]
        lines.append([row["load"], row["label"], *cells, against_text(row["against_control"])])
    return lines
