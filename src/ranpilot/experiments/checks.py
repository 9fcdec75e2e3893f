"""Claims as checks: each says what is asked, what was measured, and whether it holds.

The thresholds are about `aura-paper` with disjoint networks. What has no threshold stands in `findings.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ranpilot.experiments.aura_rows import (
    BAD_ADVISERS,
    BUSY,
    CONTROL,
    CONTROL_LONG,
    HEADLINE,
    NEIGHBOURS_LONG,
    ORACLE,
    TRAINED,
    TRUSTS,
    advised_label,
)
from ranpilot.experiments.design import PAPER_SCENARIO, Experiment
from ranpilot.experiments.results import Results
from ranpilot.experiments.statistics import FamilyTest, difference, family_test, iqm, is_equivalent, ratio
from ranpilot.experiments.wording import signed_text, times_text

__all__ = ["Check", "families", "make_checks"]

HALVED = 0.5
SIGNIFICANT = 0.01
ENOUGH_AGREEMENT = 0.8
"""Share of prompts where the trained model must say what the rules say, for the same claims as with rules."""
AGAINST_NEIGHBOURS = 0.8
NEAR_ORACLE, NEAR_RULES = 1.5, 1.1
MOST_USE = 0.6
HARMLESS = 1.15
LOW_LOAD_MARGIN = 0.1
"""Dropped requests an episode that count as no difference at low load."""
LOW, HIGH = "low", "high"


@dataclass(frozen=True)
class Check:
    """One claim at one load."""

    claim: str
    load: str
    row: str
    value: float | None
    limit: str
    holds: bool | None
    """None where the claim does not apply; `detail` says why."""
    detail: str
    is_expected_to_fail: bool = False
    """True for the paper's own trust, which is kept to show that it fails."""


def families(results: Results) -> list[tuple[str, FamilyTest]]:
    """(load, test) of dropped requests for each named family of rows, where rows are disjoint."""
    experiment = results.experiment
    if experiment.shared_networks or not experiment.has_row(CONTROL) or experiment.seeds < 3:
        return []
    learning = [row.label for row in experiment.rows if row.learns]
    paper, trained = (_present(experiment, (CONTROL, *labels)) for labels in (HEADLINE, TRAINED))
    named = (
        (f"the paper's: {', '.join(paper)}", paper),
        (f"with the trained model: {', '.join(trained)}", trained),
        ("all learning rows", learning),
    )
    found = []
    for load in experiment.loads:
        for name, labels in named:
            if len(labels) > 1:
                groups = {label: results.per_seed(label, load) for label in labels}
                found.append((load, family_test(name, CONTROL, groups)))
    return found


def make_checks(results: Results, tests: Sequence[tuple[str, FamilyTest]]) -> list[Check]:
    """Every claim that the rows and loads can answer."""
    experiment = results.experiment
    if experiment.scenario != PAPER_SCENARIO or experiment.shared_networks or not experiment.has_row(CONTROL):
        return []
    return [
        *_halved(results, tests),
        *_stronger_learners(results),
        *_near_the_best(results),
        *_failures(results),
        *_use(results),
        *_low(results),
        *_harmless(results),
        *_insurance(results),
    ]


def _halved(results: Results, tests: Sequence[tuple[str, FamilyTest]]) -> Iterator[Check]:
    claim = "Dropped requests are at most half of those without advice (p < 0.01)"
    for load, label in _cells(results.experiment, BUSY, (*HEADLINE, *TRAINED)):
        p = next((test.dunn_holm_p[label] for at, test in tests if at == load and label in test.dunn_holm_p), None)
        found = ratio(results.per_seed(label, load), results.per_seed(CONTROL, load), paired=False)
        said = "too few seeds for a rank test" if p is None else f"Dunn–Holm p = {p:.2g}"
        detail = f"{times_text(found)}, {said}"
        holds: bool | None = found.estimate <= HALVED and p is not None and p < SIGNIFICANT
        agrees = results.cell(label, load).agreement_with_rules
        if label in TRAINED and agrees is not None:
            detail += f"; the model agrees with the rules on {100 * agrees:.0f} % of the prompts"
        if label in TRAINED and (agrees is None or agrees < ENOUGH_AGREEMENT):
            holds = None
            detail += f", asked where it does on {100 * ENOUGH_AGREEMENT:.0f} %"
        limit = f"≤ {HALVED:g} ×, p < {SIGNIFICANT:g}"
        yield Check(claim, load, label, _finite(found.estimate), limit, holds, detail)


def _stronger_learners(results: Results) -> Iterator[Check]:
    claim = "Dropped requests are at most half of those of ten times longer learning alone"
    yield from _ratios(results, claim, BUSY, HEADLINE, CONTROL_LONG, HALVED)
    claim = "At high load, against learning ten times longer with the neighbour's state"
    yield from _ratios(results, claim, (HIGH,), HEADLINE, NEIGHBOURS_LONG, AGAINST_NEIGHBOURS)


def _near_the_best(results: Results) -> Iterator[Check]:
    claim = "At high load not far from the look-ahead oracle, which sees the whole state"
    yield from _ratios(results, claim, (HIGH,), HEADLINE, ORACLE, NEAR_ORACLE)
    claim = "At high load not worse than the adviser alone"
    yield from _ratios(results, claim, (HIGH,), HEADLINE, "rules", NEAR_RULES)


def _failures(results: Results) -> Iterator[Check]:
    claim = "Steps with a failed hand-off are at most half of those without advice"
    yield from _ratios(results, claim, BUSY, HEADLINE, CONTROL, HALVED, metric="failures_handover")
    for load, label in _cells(results.experiment, BUSY, HEADLINE):
        own, base = (results.per_seed(of, load, "failures") for of in (label, CONTROL))
        found = difference(own, base, paired=False)
        yield Check(
            "Steps with any failure are fewer than without advice",
            load,
            label,
            found.estimate,
            "interval of the difference < 0",
            found.high < 0,
            f"{signed_text(found)} of {iqm(base):.2f}",
        )


def _use(results: Results) -> Iterator[Check]:
    for load, label in _cells(results.experiment, BUSY, (*HEADLINE, *TRAINED)):
        used, agreed, matched = (iqm(results.per_seed(label, load, of)) for of in ("used", "agreed", "matched"))
        yield Check(
            "Advice that differs from the own choice is executed in less than 60 % of the decisions",
            load,
            label,
            used,
            f"< {MOST_USE:g}",
            used < MOST_USE,
            f"{100 * used:.1f} %; advice and own choice agree in {100 * agreed:.0f} %, "
            f"what is executed is the advice in {100 * matched:.0f} %",
        )


def _low(results: Results) -> Iterator[Check]:
    for load, label in _cells(results.experiment, (LOW,), HEADLINE):
        found = difference(results.per_seed(label, load), results.per_seed(CONTROL, load), paired=False)
        yield Check(
            "At low load there is no difference worth naming (equivalence, not a p-value)",
            load,
            label,
            _finite(found.estimate),
            f"|difference| ≤ {LOW_LOAD_MARGIN:g} an episode",
            is_equivalent(found, LOW_LOAD_MARGIN),
            signed_text(found, 3),
        )


def _harmless(results: Results) -> Iterator[Check]:
    """Bad advice does little harm under our trusts; the paper's score is expected to fail the same test."""
    for trust in TRUSTS:
        labels = [advised_label(adviser, trust) for adviser in BAD_ADVISERS]
        claim = f"Bad advice does little harm under {trust} trust"
        yield from _ratios(results, claim, BUSY, labels, CONTROL, HARMLESS, is_expected_to_fail=trust == "score")


def _insurance(results: Results) -> Iterator[Check]:
    """With an adviser that is right for 60 % of the prompts, trust beats both parties."""
    label = advised_label("noisy-60", "counterfactual")
    for other, called in ((CONTROL, "learning alone"), ("noisy-60", "that adviser alone")):
        for load, row in _cells(results.experiment, BUSY, (label,)):
            if results.experiment.has_row(other):
                found = ratio(results.per_seed(row, load), results.per_seed(other, load), paired=False)
                yield Check(
                    f"With an adviser that is right for 60 % of the prompts, better than {called}",
                    load,
                    row,
                    _finite(found.estimate),
                    "interval of the ratio < 1",
                    found.high < 1,
                    times_text(found),
                )


def _ratios(
    results: Results,
    claim: str,
    loads: Sequence[str],
    labels: Sequence[str],
    control: str,
    limit: float,
    *,
    metric: str = "dropped",
    is_expected_to_fail: bool = False,
) -> Iterator[Check]:
    """The metric of each row is at most `limit` times that of the control; nothing where a row is missing."""
    for load, label in _cells(results.experiment, loads, labels) if results.experiment.has_row(control) else ():
        own, base = (results.per_seed(of, load, metric) for of in (label, control))
        found = ratio(own, base, paired=False)
        detail = times_text(found)
        if control != CONTROL:
            detail += f" of {control}"
        value, holds = _finite(found.estimate), found.estimate <= limit
        yield Check(claim, load, label, value, f"≤ {limit:g} ×", holds, detail, is_expected_to_fail)


def _cells(experiment: Experiment, loads: Sequence[str], labels: Sequence[str]) -> list[tuple[str, str]]:
    """Those (load, row) that the experiment has, load by load."""
    return [(load, label) for load in experiment.loads if load in loads for label in _present(experiment, labels)]


def _present(experiment: Experiment, labels: Sequence[str]) -> list[str]:
    return [label for label in labels if experiment.has_row(label)]


def _finite(value: float) -> float | None:
    return value if abs(value) < float("inf") else None
