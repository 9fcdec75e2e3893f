"""Rice factor and delay spread by the table, and the delay spread of a profile with a direct path."""

from __future__ import annotations

import numpy as np
import pytest

from ranpilot.errors import UnknownNameError
from ranpilot.twin.radio.small_scale import median_delay_spread_s, model_rice_factor_db, scattered_delay_spread_s

# (model, GHz, in sight) -> ns, worked out by hand from TR 38.901 Table 7.5-6.
MEDIANS_NS = [
    ("RMa", 0.7, False, 37.15),
    ("RMa", 3.5, True, 32.36),
    ("UMa", 2.0, False, 364.1),  # 6 GHz counts below 6 GHz
    ("UMa", 6.0, True, 93.33),
    ("UMa", 28.0, False, 265.9),
    ("UMi", 1.0, True, 55.65),  # 2 GHz counts below 2 GHz
    ("UMi", 6.0, False, 92.72),
    ("UMi", 28.0, True, 32.29),
    ("InH", 3.5, False, 38.94),  # 6 GHz counts below 6 GHz
    ("InH", 30.0, True, 19.64),
]


@pytest.mark.parametrize(("model", "carrier_ghz", "los", "expected_ns"), MEDIANS_NS)
def test_medians_are_the_tables(model: str, carrier_ghz: float, los: bool, expected_ns: float) -> None:
    assert median_delay_spread_s(model, carrier_ghz * 1e9, los) * 1e9 == pytest.approx(expected_ns, rel=5e-4)


def test_rice_factors_are_the_tables() -> None:
    assert [model_rice_factor_db(model) for model in ("RMa", "UMa", "UMi", "InH")] == [7.0, 9.0, 9.0, 7.0]


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="umi"):
        model_rice_factor_db("umi")
    with pytest.raises(UnknownNameError, match="umi"):
        median_delay_spread_s("umi", 2e9, True)


@pytest.mark.parametrize("rice", [0.0, 1.0, 8.0])
def test_the_whole_profile_has_the_delay_spread_that_was_asked_for(rice: float) -> None:
    spread_s = scattered_delay_spread_s(100e-9, rice)
    delay_s = (np.arange(400_000) + 0.5) * 1e-11
    scattered = np.exp(-delay_s / spread_s)
    scattered /= scattered.sum() * (rice + 1.0)
    mean_s = (scattered * delay_s).sum()
    # The direct path at delay 0 holds the rest of the power.
    variance = (scattered * (delay_s - mean_s) ** 2).sum() + rice / (rice + 1.0) * mean_s**2
    assert np.sqrt(variance) == pytest.approx(100e-9, rel=1e-2)
