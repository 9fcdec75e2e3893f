"""Conversions between dB and linear."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranpilot.units import db_to_linear, dbm_to_mw, linear_to_db, mw_to_dbm, noise_dbm


@given(st.floats(-150, 150))
def test_decibels_survive_the_round_trip(value_db: float) -> None:
    assert linear_to_db(db_to_linear(value_db)) == pytest.approx(value_db, abs=1e-9)
    assert mw_to_dbm(dbm_to_mw(value_db)) == pytest.approx(value_db, abs=1e-9)


def test_known_levels() -> None:
    assert db_to_linear(3.0) == pytest.approx(1.9953, abs=1e-4)
    assert dbm_to_mw(np.array([0.0, 30.0])) == pytest.approx([1.0, 1000.0])


def test_thermal_noise_of_20_mhz_at_9_db_noise_figure_is_minus_92_dbm() -> None:
    assert noise_dbm(20e6, 9.0) == pytest.approx(-174 + 10 * math.log10(20e6) + 9)
    assert noise_dbm(20e6, 9.0) == pytest.approx(-91.99, abs=0.01)
