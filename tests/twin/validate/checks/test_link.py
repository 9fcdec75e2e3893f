"""What the link is held against holds, and the checks can fail."""

from __future__ import annotations

import pytest

from ranpilot.twin.validate.checks import bler, link_tables
from ranpilot.twin.validate.line import Line


def failing(lines: list[Line]) -> list[str]:
    return [f"{line.name} = {line.value:g}" for line in lines if not line.holds]


def test_the_tables_are_those_of_the_standard() -> None:
    lines = list(link_tables.lines("quick"))
    assert failing(lines) == []
    assert sum(line.n for line in lines if "wrong" in line.name) == 86 + 45 + 390


def test_the_tables_check_sees_a_wrong_row(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = (*link_tables.mcs_table(1)[:-1], link_tables.ModulationAndCoding(6, 947.0))
    monkeypatch.setattr(link_tables, "mcs_table", lambda table: wrong)
    assert "link-tables/mcs-1/wrong-rows = 1" in failing(list(link_tables.lines("quick")))


def test_block_error_rates_are_those_of_the_source() -> None:
    lines = list(bler.lines("quick"))
    assert failing(lines) == []
    assert sum(line.n for line in lines if "10-percent/" in line.name) == 353


def test_the_block_error_check_sees_a_curve_that_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    true = bler.block_error_rate
    monkeypatch.setattr(
        bler, "block_error_rate", lambda sinr_db, *place, table: true(sinr_db + 0.6, *place, table=table)
    )
    assert len(failing(list(bler.lines("quick")))) == 15
