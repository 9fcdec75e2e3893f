"""The check of shadowing: all claims hold, and a wrong sigma would be seen."""

from __future__ import annotations

import dataclasses

import pytest

from ranpilot.twin.validate.checks import shadowing
from ranpilot.twin.validate.line import Line


@pytest.fixture(scope="module")
def lines() -> list[Line]:
    return list(shadowing.lines("quick"))


def test_all_claims_hold(lines: list[Line]) -> None:
    assert {line.name: line.value for line in lines if not line.holds} == {}
    assert len(lines) == 4 * (len(shadowing.CASES) + len(shadowing.INDOORS)) + 2


def test_it_is_sharp_enough_to_fail(lines: list[Line]) -> None:
    """A sigma that is a tenth off and a decorrelation distance that is a half off lie outside."""
    for line in lines:
        assert line.reference is not None
        if line.name.endswith("sigma"):
            assert not dataclasses.replace(line, value=1.1 * line.reference).holds
        if line.name.endswith("at-1-decorrelation-distances"):
            assert not dataclasses.replace(line, value=line.reference**1.5).holds
