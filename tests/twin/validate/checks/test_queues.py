"""The check of queues: its own references agree with each other, all claims hold, and they are sharp enough to fail."""

from __future__ import annotations

import numpy as np
import pytest

from ranpilot.twin.validate.checks import queues
from ranpilot.twin.validate.checks.queues import Queue, quantile, sojourn_law
from ranpilot.twin.validate.line import Line


@pytest.fixture(scope="module")
def lines() -> list[Line]:
    return list(queues.lines("quick"))


def test_all_claims_hold_and_could_fail(lines: list[Line]) -> None:
    assert [line.name for line in lines if not line.holds] == []
    assert len(lines) == 14
    for line in lines:
        assert line.high is not None and line.reference is not None
        tolerance = line.high - line.reference
        assert 0.0 < tolerance < (0.15 if line.name.endswith("99") else 0.09) * line.reference, line.name


def test_a_queue_with_a_hundredth_more_load_would_fail(lines: list[Line]) -> None:
    (line,) = (line for line in lines if line.name == "queue/M-D-1/load-0.8/mean-delay")
    heavier = queues._pollaczek_khinchine(Queue("", 0.81, (1,), 1))
    assert line.high is not None and heavier > line.high


@pytest.mark.parametrize("load", [0.3, 0.8])
def test_the_recursion_has_the_mean_of_pollaczek_and_khinchine_for_whole_slots(load: float) -> None:
    for sizes in ((1,), (2,), (1, 1, 1, 1, 6)):
        law = sojourn_law(Queue("", load, sizes, 1))
        assert law.sum() == pytest.approx(1.0)
        assert law @ np.arange(len(law)) == pytest.approx(queues._pollaczek_khinchine(Queue("", load, sizes, 1)))


def test_the_recursion_is_what_an_obvious_simulation_gives() -> None:
    generator = np.random.Generator(np.random.PCG64(3))
    sizes, units, load = np.array([1, 1, 1, 2, 16]), 4, 0.7
    left, delays = 0, []
    for count in generator.poisson(load * units / sizes.mean(), 200_000):
        for size in generator.choice(sizes, count):
            left += size
            delays.append(-(-left // units))
        left = max(left - units, 0)
    law = sojourn_law(Queue("", load, tuple(sizes.tolist()), units))
    for level in (0.5, 0.9, 0.99):
        assert np.searchsorted(np.cumsum(law), level) == pytest.approx(np.quantile(delays, level), rel=0.08)
    assert law @ np.arange(len(law)) == pytest.approx(np.mean(delays), rel=0.04)


def test_a_quantile_lies_on_the_line_of_the_tail() -> None:
    upper = np.array([1.0, 2.0, 4.0, 8.0])
    beyond = np.exp(-0.5 * upper)
    share = -np.diff(np.concatenate([[1.0], beyond]))
    assert quantile(upper, np.append(share[:-1], beyond[-2]), 0.5) == pytest.approx(2.0 * np.log(2.0))


def test_an_exponential_of_a_profile_has_the_moments_of_one() -> None:
    table = np.array(queues._profile(2.0, [8])["components"][0]["phases"][0]["idle_s"])
    low, high, mean = table.T
    power = (high - low) / (mean - low) - 1.0
    second = low**2 + 2 * low * (high - low) / (power + 1) + (high - low) ** 2 / (2 * power + 1)
    assert mean.mean() == pytest.approx(2.0, rel=1e-9)
    assert second.mean() == pytest.approx(8.0, rel=1e-3)
