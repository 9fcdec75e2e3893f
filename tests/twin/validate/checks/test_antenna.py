"""The check of antennas: all claims hold, and a wrong pattern would be seen."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ranpilot.twin.validate.checks import antenna


def test_all_claims_hold() -> None:
    lines = list(antenna.lines("quick"))
    assert {line.name: line.value for line in lines if not line.holds} == {}
    assert len(lines) > 100


def test_a_wrong_tilt_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    right: Callable[..., np.ndarray] = antenna.antenna_gain_db

    def wrong(*angles: float, downtilt_deg: float = 0.0, **rest: float) -> np.ndarray:
        return right(*angles, downtilt_deg=downtilt_deg + 1.0, **rest)

    monkeypatch.setattr(antenna, "antenna_gain_db", wrong)
    assert any(not line.holds for line in antenna.lines("quick"))
