"""What has no threshold: numbers that are worked out by hand here."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ranpilot.experiments.findings import Finding, make_findings
from ranpilot.experiments.results import Results

MadeResults = Callable[..., Results]
SPREAD = np.linspace(-0.1, 0.1, 8)


def _found(results: Results, topic: str) -> list[Finding]:
    return [finding for finding in make_findings(results) if finding.topic.startswith(topic)]


def test_the_gain_is_split_into_samples_information_and_the_rest(made_results: MadeResults) -> None:
    # From 20 to 6 in steps of 1, 8 and 5.
    drops = {"marl-only": 20, "marl-only-10x": 19, "marl-neighbours-10x": 11, "guided": 6}
    rows = {label: {"dropped": middle + SPREAD} for label, middle in drops.items()}
    steps = _found(made_results("aura-paper", rows), "Share of the gain from")
    assert [step.value.estimate for step in steps] == pytest.approx([100 / 14, 800 / 14, 500 / 14])
    assert all(step.value.low < step.value.estimate < step.value.high for step in steps)
    assert sum(step.value.estimate for step in steps) == pytest.approx(100)


def test_without_a_gain_nothing_is_split(made_results: MadeResults) -> None:
    drops = {"marl-only": 20, "marl-only-10x": 19, "marl-neighbours-10x": 11, "guided": 20}
    rows = {label: {"dropped": middle + SPREAD} for label, middle in drops.items()}
    assert _found(made_results("aura-paper", rows), "Share of the gain from") == []


def test_the_delayed_reward_is_reported_with_p_whatever_it_does(made_results: MadeResults) -> None:
    rows = {
        "guided": {"dropped": 7 + SPREAD, "used": 0.30 + SPREAD / 100},
        "aura": {"dropped": 5 + SPREAD, "used": 0.28 + SPREAD / 100},
    }
    drops, use = _found(made_results("aura-paper", rows), "Delayed reward")
    assert drops.value.estimate == pytest.approx(-2)
    assert drops.p is not None
    assert drops.p < 0.01
    assert (use.value.estimate, use.unit) == (pytest.approx(-2), "%")


def test_the_share_of_the_gain_that_text_brings_is_paired_by_network(made_results: MadeResults) -> None:
    """Alone 10, blind 6, reading 4 drops on events, and networks that differ by far more than that."""
    network = np.linspace(0, 30, 8)
    rows = {
        label: {"dropped": network + middle + 5, "dropped_announced": network + middle + noise * SPREAD}
        for label, middle, noise in (
            ("marl-only", 10, 1), ("guided-trained", 4, 0), ("guided-trained-no-text", 6, -1),
        )
    }  # fmt: skip
    found = {finding.topic: finding for finding in make_findings(made_results("two-cell", rows))}
    share = found["Share of the gain that text brings on announced events"].value
    assert share.estimate == pytest.approx(100 * 2 / 6)
    assert share.high - share.low < 5
    saved = found["Saved by the text on announced events"].value
    assert saved.low <= saved.estimate <= saved.high
    assert found["Saved by the text in all steps"].value.estimate == pytest.approx(2)


def test_without_a_gain_text_has_no_share_of_it(made_results: MadeResults) -> None:
    rows = {
        label: {"dropped": middle + SPREAD, "dropped_announced": middle + SPREAD[::-1]}
        for label, middle in (("marl-only", 4), ("guided-trained", 4), ("guided-trained-no-text", 6))
    }
    found = {finding.topic: finding for finding in make_findings(made_results("two-cell", rows))}
    share = found["Share of the gain that text brings on announced events"]
    assert np.isnan(share.value.estimate)
    assert "no clear gain" in share.text
    assert found["Saved by the text on announced events"].value.estimate == pytest.approx(2)


def test_where_nothing_is_announced_only_the_whole_is_told(made_results: MadeResults) -> None:
    rows = {label: {"dropped": 5 + SPREAD} for label in ("guided-trained", "guided-trained-no-text")}
    topics = [finding.topic for finding in make_findings(made_results("two-cell", rows))]
    assert topics == ["Saved by the text in all steps"]
