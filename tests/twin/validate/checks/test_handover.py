"""The check of handovers: all claims hold, and wrong rules would be seen."""

from __future__ import annotations

import pytest

from ranpilot.twin.validate.checks import handover
from ranpilot.twin.validate.line import Line


@pytest.fixture(scope="module")
def found() -> list[Line]:
    return list(handover.lines("quick"))


def test_all_claims_hold(found: list[Line]) -> None:
    assert [f"{line.name}: {line.value:g}" for line in found if not line.holds] == []


def test_rates_are_sharp_enough_to_fail(found: list[Line]) -> None:
    flows = [line for line in found if "/fluid-flow/" in line.name]
    assert len(flows) == 2
    for line in flows:
        assert line.high is not None and line.reference is not None
        assert line.high - line.reference < 0.35 * line.reference
    assert sum(line.n for line in found if "/individual-offset/" in line.name) > 200


def test_a_timer_that_is_one_period_late_would_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    right = handover.failure_ms
    monkeypatch.setattr(handover, "failure_ms", lambda series: (lambda ms: ms and ms + 10.0)(right(series)))
    assert sum(not line.holds for line in handover._failure_lines()) == 5


def test_a_failure_needs_its_row_of_indications() -> None:
    assert handover.failure_ms([-10.0, -10.0, -5.0] * 40) is None
    assert handover.failure_ms([-7.0] * 100) is None
