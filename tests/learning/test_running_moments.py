"""Running moments against those of everything at once."""

from __future__ import annotations

import numpy as np
import pytest

from ranpilot.learning.running_moments import RunningMoments


def test_batch_by_batch_they_are_those_of_all() -> None:
    numbers = np.random.default_rng(0).normal(1000.0, 3.0, size=500)
    moments = RunningMoments()
    assert (moments.mean, moments.deviation) == (0.0, 1.0)
    for part in (numbers[:1], numbers[1:200].reshape(-1, 1), numbers[200:]):
        moments.add(part)
    assert moments.mean == pytest.approx(numbers.mean())
    assert moments.deviation == pytest.approx(numbers.std(), rel=1e-9)


def test_they_go_on_where_they_were_kept() -> None:
    first, second = RunningMoments(), RunningMoments()
    first.add(np.array([1.0, 2.0, 4.0]))
    second.restore("returns", {name: array.copy() for name, array in first.arrays("returns").items()})
    for moments in (first, second):
        moments.add(np.array([8.0]))
    assert (first.mean, first.deviation) == (second.mean, second.deviation)


def test_equal_numbers_have_a_deviation_that_can_be_divided_by() -> None:
    moments = RunningMoments()
    moments.add(np.full(5, 3.0))
    assert (moments.mean, moments.deviation) == (3.0, 1.0)
