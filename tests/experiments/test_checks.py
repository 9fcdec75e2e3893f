"""Claims hold or fail as the numbers say, and do not apply where they are not asked."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ranpilot.experiments.checks import Check, families, make_checks
from ranpilot.experiments.results import Results

MadeResults = Callable[..., Results]
SEEDS = 20
SPREAD = np.linspace(-0.5, 0.5, SEEDS)


def _drops(middle: float, handover: float = 5.0, failures: float = 20.0, used: float = 0.3) -> dict[str, np.ndarray]:
    named = {"dropped": middle, "failures_handover": handover, "failures": failures, "used": used, "agreed": 0.6}
    return {name: value + SPREAD * (0.01 if value < 1 else 1.0) for name, value in {**named, "matched": 0.9}.items()}


def _checked(results: Results) -> dict[tuple[str, str], Check]:
    return {(check.row, check.claim): check for check in make_checks(results, families(results))}


def _one(checks: dict[tuple[str, str], Check], row: str, words: str) -> Check:
    found = [check for (label, claim), check in checks.items() if label == row and words in claim]
    assert len(found) == 1, [claim for _, claim in checks]
    return found[0]


def test_claims_hold_where_the_numbers_carry_them(made_results: MadeResults) -> None:
    rows = {
        "marl-only": _drops(20, handover=16, failures=28),
        "marl-only-10x": _drops(19),
        "marl-neighbours-10x": _drops(11),
        "guided": _drops(6.6),
        "aura": _drops(6.6),
        "guided-maintain-score": _drops(24),
        "guided-maintain-ab": _drops(22),
        "noisy-60": _drops(14),
        "guided-noisy-60-counterfactual": _drops(11),
        "rules": _drops(6.4),
        "lookahead-oracle": _drops(4.8),
    }
    checks = _checked(made_results("aura-paper", rows))
    for words in (
        "at most half of those without advice (p", "ten times longer learning alone", "with the neighbour's state",
        "look-ahead oracle", "the adviser alone", "failed hand-off", "any failure", "less than 60 %",
    ):  # fmt: skip
        assert _one(checks, "guided", words).holds, words
    assert "p = " in _one(checks, "aura", "without advice (p").detail
    assert _one(checks, "guided-maintain-ab", "Bad advice").holds
    score = _one(checks, "guided-maintain-score", "Bad advice")
    assert score.holds is False
    assert score.is_expected_to_fail
    assert _one(checks, "guided-noisy-60-counterfactual", "better than learning alone").holds
    assert _one(checks, "guided-noisy-60-counterfactual", "better than that adviser alone").holds


def test_claims_fail_where_the_numbers_do_not_carry_them(made_results: MadeResults) -> None:
    rows = {
        "marl-only": _drops(20),
        "marl-only-10x": _drops(12),
        "marl-neighbours-10x": _drops(11),
        "guided": _drops(10.6, used=0.7),
        "noisy-60": _drops(10.8),
        "guided-noisy-60-counterfactual": _drops(11),
        "rules": _drops(9),
        "lookahead-oracle": _drops(4.8),
    }
    checks = _checked(made_results("aura-paper", rows))
    for (row, claim), check in checks.items():
        assert check.holds is (row != "guided" and "learning alone" in claim), (row, claim)
    assert len(checks) == 10


@pytest.mark.parametrize(("agrees", "holds"), [(0.79, None), (None, None), (0.85, True)])
def test_the_trained_model_is_held_to_the_rules_only_where_it_says_the_same(
    made_results: MadeResults, agrees: float | None, holds: bool | None
) -> None:
    rows = {"marl-only": _drops(20), "guided-trained": _drops(7), "aura-trained": _drops(7)}
    agreement = {} if agrees is None else {"guided-trained": agrees, "aura-trained": agrees}
    check = _one(_checked(made_results("aura-paper", rows, agreement=agreement)), "aura-trained", "(p < 0.01)")
    assert check.holds is holds
    assert ("79 % of the prompts, asked where it does on 80 %" in check.detail) == (agrees == 0.79)


def test_low_load_is_an_equivalence_and_not_a_p_value(made_results: MadeResults) -> None:
    near = {"marl-only": {"dropped": 0.03 + 0.01 * SPREAD}, "guided": {"dropped": 0.02 + 0.01 * SPREAD}}
    far = {"marl-only": {"dropped": 0.03 + 0.01 * SPREAD}, "guided": {"dropped": 0.03 + 2 * SPREAD + 1}}
    assert [check.holds for check in make_checks(made_results("aura-paper", near, "low"), ())] == [True]
    assert [check.holds for check in make_checks(made_results("aura-paper", far, "low"), ())] == [False]


def test_on_the_twin_nothing_is_claimed(made_results: MadeResults) -> None:
    results = made_results("two-cell", {"marl-only": _drops(20), "guided": _drops(6)})
    assert families(results) == []
    assert make_checks(results, ()) == []
