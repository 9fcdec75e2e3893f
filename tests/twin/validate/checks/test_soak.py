"""The check of long runs: nothing drifts, and what drifts would be seen. The million slots are marked slow."""

from __future__ import annotations

import numpy as np
import pytest

from ranpilot.twin.validate.checks import soak
from ranpilot.twin.validate.line import Effort


@pytest.mark.parametrize("effort", ["quick", pytest.param("full", marks=pytest.mark.slow)])
def test_all_claims_hold(effort: Effort) -> None:
    lines = list(soak.lines(effort))
    assert [(line.name, line.value) for line in lines if not line.holds] == []
    assert len(lines) == 20


def test_a_drift_of_two_hundredths_in_a_quarter_would_fail() -> None:
    generator = np.random.Generator(np.random.PCG64(1))
    still = generator.normal(1.0, 0.01, (40, 2))
    assert abs(soak._deviations(still)) < soak.MOST_DEVIATIONS
    assert soak._deviations(still + 0.02 * np.linspace(0, 1, 40)[:, None]) > soak.MOST_DEVIATIONS
    assert soak._deviations(np.ones((40, 2))) == 0.0
