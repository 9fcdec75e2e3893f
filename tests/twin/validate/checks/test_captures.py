"""The check of captures: twin and emulator agree, and would not in another network."""

from __future__ import annotations

import numpy as np
import pytest

from ranpilot.twin.validate.checks import captures
from ranpilot.twin.validate.checks.captures import mean_burst, read_log


def test_all_claims_hold_for_every_class() -> None:
    lines = list(captures.lines("quick"))
    assert [line.name for line in lines if not line.holds] == []
    assert len(lines) == 21


@pytest.mark.parametrize(
    ("constant", "value", "line"),
    [("QUEUE_PACKETS", 512, "overflow"), ("NUM_PRBS", 50, "overflow"), ("GROUP_PRBS", 9, "prbs")],
)
def test_another_network_than_the_emulators_would_fail(
    monkeypatch: pytest.MonkeyPatch, constant: str, value: int, line: str
) -> None:
    monkeypatch.setattr(captures, constant, value)
    monkeypatch.setattr(captures, "CLASSES", ("mmtc",) if line == "prbs" else ("urllc",))
    assert f"captures/{captures.CLASSES[0]}/{line}" in {each.name for each in captures.lines("quick") if not each.holds}


def test_bursts_are_runs_of_periods() -> None:
    assert mean_burst(np.array([0, 2e3, 2e3, 0, 0, 5e3, 0, 9e3, 9e3, 9e3])) == 2.0
    assert mean_burst(np.zeros(4)) == 0.0


def test_a_log_is_spread_over_its_window() -> None:
    log = read_log("embb")
    assert [len(column) for column in log] == [960] * 3
    assert log.granted_prbs.max() <= 18.1 * 250
    assert log.sent_bits[0] == 242_056
