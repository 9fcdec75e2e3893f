"""Pictures of what was found: drawn where there is something to draw, the same each time."""

from __future__ import annotations

import numpy as np

from ranpilot.experiments.figures import draw_gain, draw_reliability, draw_seeds

SPREAD = np.linspace(-0.5, 0.5, 8)
WAY = {"marl-only": 20, "marl-only-10x": 19, "marl-neighbours-10x": 11, "guided": 6}
DROPS = {load: {row: (middle + SPREAD).tolist() for row, middle in WAY.items()} for load in ("low", "high")}


def test_the_gain_is_drawn_with_its_shares_where_there_is_something_to_gain() -> None:
    svg = draw_gain(DROPS)
    assert svg is not None
    assert all(f">{share} %<" in svg for share in (7, 57, 36))
    assert "high load" in svg
    assert "low load" not in svg
    assert draw_gain({"high": {"marl-only": [1.0], "guided": [1.0]}}) is None


def test_losing_seeds_are_red_whether_rows_share_networks_or_not() -> None:
    worse = {"high": {"marl-only": [5.0, 6.0, 7.0, 8.0], "guided": [4.0, 5.0, 6.0, 9.0]}}
    for paired in (True, False):
        svg = draw_seeds(worse, paired=paired)
        assert svg is not None
        assert svg.count("#dc2626") > 0
        assert svg == draw_seeds(worse, paired=paired)
    better = {"high": {"marl-only": [5.0, 6.0, 7.0, 8.0], "guided": [1.0, 1.5, 1.2, 1.1]}}
    assert "#dc2626" not in str(draw_seeds(better, paired=True))
    assert draw_seeds({"high": {"guided": [1.0]}}, paired=False) is None


def test_levels_of_trust_with_few_answers_are_not_drawn() -> None:
    bins = {"bin_count": [0] * 9 + [50], "bin_trust": [None] * 9 + [0.95], "bin_won": [None] * 9 + [0.9]}
    assert "guided" in str(draw_reliability({"high": {"guided": bins}}))
    few = {**bins, "bin_count": [0] * 9 + [9]}
    assert draw_reliability({"high": {"guided": few}}) is None
    assert draw_reliability({}) is None
