"""The checks of fading: all claims hold, and a channel that is wrong would be seen."""

from __future__ import annotations

import numpy as np
import pytest

from ranpilot.twin.validate.checks import fading, fading_networks


def test_all_claims_hold() -> None:
    assert [line.name for line in fading.lines("quick") if not line.holds] == []


def test_all_claims_on_networks_hold() -> None:
    lines = list(fading_networks.lines("quick"))
    assert [line.name for line in lines if not line.holds] == []
    # Sharp enough to fail: a bound leaves less than 15 % of the value (of errors, most).
    for line in lines:
        if line.is_claim and line.high is not None and line.reference is not None and "sinr" not in line.name:
            assert line.high - line.reference < 0.15 * line.reference, line.name


def test_a_slower_doppler_would_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    right = fading._rays
    monkeypatch.setattr(fading, "_rays", lambda num, cycles, *rest: right(num, 0.7 * cycles, *rest))
    failing = {line.name.split("/")[1] for line in fading.lines("quick") if not line.holds}
    assert {"doppler", "level-crossings", "fade-duration"} <= failing


def test_a_shorter_delay_spread_and_a_fixed_envelope_would_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    right = fading._rays

    def wrong(num: int, cycles: np.ndarray, frequency_hz: np.ndarray, *rest: float) -> np.ndarray:
        channels: np.ndarray = right(num, cycles, 0.5 * frequency_hz, *rest)
        return np.sign(channels.real) * np.sqrt(np.abs(channels)) * np.exp(1j * np.angle(channels))

    monkeypatch.setattr(fading, "_rays", wrong)
    failing = {"/".join(line.name.split("/")[1:3]) for line in fading.lines("quick") if not line.holds}
    assert {"envelope/rays", "frequency-correlation/rays", "two-branches/rays"} <= failing
