"""Claims as checks: each says what is asked, what was measured, and whether it holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ranpilot.experiments.design import PAPER_SCENARIO, Experiment
from ranpilot.experiments.results import Results
from ranpilot.experiments.statistics import FamilyTest, difference, family_test, is_equivalent, ratio

__all__ = ["BAD_ADVISERS", "CONTROL", "HEADLINE", "Check", "families", "make_checks"]

CONTROL = "marl-only"
HEADLINE = ("guided", "aura")
"""Rows of the paper's own comparison, each against the control."""
BAD_ADVISERS = ("random", "maintain", "inverted-rules")

HALVED = 0.5
HARMLESS = 1.15
SIGNIFICANT = 0.01
LOW_LOAD_MARGIN = 0.1
"""Dropped requests an episode that count as no difference at low load."""
BUSY = ("normal", "high")


@dataclass(frozen=True)
class Check:
    """One claim at one load."""

    claim: str
    load: str
    row: str
    value: float | None
    limit: str
    holds: bool
    detail: str
    is_expected_to_fail: bool = False
    """True for the paper's own trust, which is kept to show that it fails."""


def families(results: Results) -> list[tuple[str, FamilyTest]]:
    """(load, test) of dropped requests for the paper's family and for all learning rows, where rows are disjoint."""
    experiment = results.experiment
    if experiment.shared_networks or not experiment.has_row(CONTROL) or experiment.seeds < 3:
        return []
    learning = [row.label for row in experiment.rows if row.learns]
    paper = [label for label in (CONTROL, *HEADLINE) if experiment.has_row(label)]
    found = []
    for load in experiment.loads:
        for name, labels in (("the paper's: " + ", ".join(paper), paper), ("all learning rows", learning)):
            if len(labels) > 1:
                groups = {label: results.per_seed(label, load) for label in labels}
                found.append((load, family_test(name, CONTROL, groups)))
    return found


def make_checks(results: Results, tests: list[tuple[str, FamilyTest]]) -> list[Check]:
    """Every claim that the rows and loads can answer; the claims are about `aura-paper` with disjoint networks."""
    experiment = results.experiment
    if experiment.scenario != PAPER_SCENARIO or experiment.shared_networks or not experiment.has_row(CONTROL):
        return []
    return [*_halved(results, tests), *_harmless(results), *_low(results)]


def bad_adviser_label(adviser: str, trust: str) -> str:
    """Label of the row with that adviser and trust."""
    return f"guided-{adviser}-{trust}"


def _halved(results: Results, tests: list[tuple[str, FamilyTest]]) -> Iterator[Check]:
    experiment = results.experiment
    for load in _loads(experiment, BUSY):
        test = next((test for at, test in tests if at == load and test.family.startswith("the paper's")), None)
        for label in (label for label in HEADLINE if experiment.has_row(label)):
            found = ratio(results.per_seed(label, load), results.per_seed(CONTROL, load), paired=False)
            p = None if test is None else test.dunn_holm_p[label]
            significant = p is not None and p < SIGNIFICANT
            said = "too few seeds for a rank test" if p is None else f"Dunn–Holm p = {p:.2g}"
            yield Check(
                "Dropped requests are at most half of those without advice (p < 0.01)",
                load,
                label,
                _finite(found.estimate),
                f"≤ {HALVED:g} ×, p < {SIGNIFICANT:g}",
                found.estimate <= HALVED and significant,
                f"{found.estimate:.2f} × [{found.low:.2f}, {found.high:.2f}], {said}",
            )


def _harmless(results: Results) -> Iterator[Check]:
    """Bad advice does little harm under counterfactual trust; the paper's score is expected to fail the same test."""
    experiment = results.experiment
    for trust in ("counterfactual", "score"):
        for adviser in BAD_ADVISERS:
            label = bad_adviser_label(adviser, trust)
            for load in _loads(experiment, BUSY) if experiment.has_row(label) else ():
                found = ratio(results.per_seed(label, load), results.per_seed(CONTROL, load), paired=False)
                yield Check(
                    f"Bad advice does little harm under {trust} trust",
                    load,
                    label,
                    _finite(found.estimate),
                    f"≤ {HARMLESS:g} ×",
                    found.estimate <= HARMLESS,
                    f"{found.estimate:.2f} × [{found.low:.2f}, {found.high:.2f}]",
                    is_expected_to_fail=trust == "score",
                )


def _low(results: Results) -> Iterator[Check]:
    experiment = results.experiment
    for load in _loads(experiment, ("low",)):
        for label in (label for label in HEADLINE if experiment.has_row(label)):
            found = difference(results.per_seed(label, load), results.per_seed(CONTROL, load), paired=False)
            yield Check(
                "At low load there is no difference worth naming (equivalence, not a p-value)",
                load,
                label,
                _finite(found.estimate),
                f"|difference| ≤ {LOW_LOAD_MARGIN:g} an episode",
                is_equivalent(found, LOW_LOAD_MARGIN),
                f"{found.estimate:+.3f} [{found.low:+.3f}, {found.high:+.3f}]",
            )


def _loads(experiment: Experiment, wanted: tuple[str, ...]) -> list[str]:
    return [load for load in experiment.loads if load in wanted]


def _finite(value: float) -> float | None:
    return value if abs(value) < float("inf") else None
