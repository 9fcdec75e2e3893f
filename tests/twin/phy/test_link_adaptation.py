"""Effective SINR, CQI and MCS choice, and the packed tables."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ranpilot.errors import ConfigError
from ranpilot.twin.phy import load_phy_tables, transport_block_bits
from ranpilot.twin.phy.bler import transport_block_error
from ranpilot.twin.phy.effective_sinr import effective_sinr_db
from ranpilot.twin.phy.link_adaptation import cqi_from_groups, cqi_from_sinr_db, index_from_sinr_db
from ranpilot.twin.phy.mcs import cqi_table, mcs_table
from ranpilot.twin.phy.transport_block import code_blocks

SINRS = st.lists(st.floats(0.01, 1e5), min_size=1, max_size=20)


@settings(deadline=None)
@given(sinr=SINRS, beta=st.floats(1.0, 140.0))
def test_effective_sinr_is_the_exponential_mean(sinr: list[float], beta: float) -> None:
    linear = np.array(sinr)
    smallest = linear.min()
    expected = smallest - beta * np.log(np.mean(np.exp(-(linear - smallest) / beta)))
    effective_db = effective_sinr_db(linear, 0, len(linear), beta)
    assert effective_db == pytest.approx(10 * np.log10(expected), abs=1e-9)
    tolerance_db = 1e-9
    assert 10 * np.log10(smallest) - tolerance_db <= effective_db <= 10 * np.log10(linear.mean()) + tolerance_db


def test_effective_sinr_by_hand() -> None:
    """beta 2, SINR 1 and 3: -2 ln((e^-0.5 + e^-1.5) / 2) = 1.7598 = 2.455 dB."""
    assert effective_sinr_db(np.array([9.0, 1.0, 3.0, 9.0]), 1, 3, 2.0) == pytest.approx(2.4546, abs=1e-3)


def test_equal_sinrs_are_their_own_effective_sinr() -> None:
    for sinr_db in (-15.0, 0.0, 20.0, 50.0):
        groups = np.full(14, 10 ** (sinr_db / 10), dtype=np.float32)
        assert effective_sinr_db(groups, 0, 14, 1.6) == pytest.approx(sinr_db, abs=1e-4)


@pytest.mark.parametrize("table", [1, 2, 3])
def test_tables_hold_what_the_public_functions_compute(table: int) -> None:
    tables = load_phy_tables(table, 52, 144)
    for mcs, scheme in enumerate(mcs_table(table)):
        for num_prb in (1, 4, 23, 52):
            bits = transport_block_bits(num_prb, mcs, table=table)
            assert tables.tbs_bits[mcs, num_prb] == bits
            assert tables.num_code_blocks[mcs, num_prb] == code_blocks(bits, scheme.code_rate_x1024).num_blocks
        assert tables.spectral_efficiency[mcs] == pytest.approx(scheme.spectral_efficiency)
    assert (tables.tbs_bits[:, 0] == 0).all()
    assert ((tables.size_weight >= 0) & (tables.size_weight <= 1)).all()
    assert not any(array.flags.writeable for array in tables)
    assert load_phy_tables(table, 52, 144) is tables


@pytest.mark.parametrize(("table", "target"), [(1, 0.1), (2, 0.1), (3, 1e-5)])
def test_a_cqi_is_reported_from_the_sinr_at_which_its_block_meets_the_target(table: int, target: float) -> None:
    """TS 38.214 §5.2.2.1; where a CQI's modulation and rate is an MCS, that MCS's transport block tells."""
    tables = load_phy_tables(table, 106)
    schemes = mcs_table(table)
    compared = 0
    for cqi, row in enumerate(cqi_table(table), start=1):
        threshold_db = float(tables.cqi_threshold_db[cqi])
        assert cqi_from_sinr_db(tables.cqi_threshold_db, threshold_db + 1e-3) == cqi
        assert cqi_from_sinr_db(tables.cqi_threshold_db, threshold_db - 1e-3) == cqi - 1
        if row in schemes:
            mcs = schemes.index(row)
            blocks = tables.num_code_blocks[mcs, 106]
            place = tables.size_class[mcs, 106], tables.size_weight[mcs, 106]
            error = transport_block_error(tables.probit, mcs, *place, blocks, threshold_db)
            assert error == pytest.approx(target, rel=5e-3)
            compared += 1
    assert compared >= 13
    assert (np.diff(tables.cqi_threshold_db) > 0).all()
    assert cqi_from_sinr_db(tables.cqi_threshold_db, -30.0) == 0
    assert cqi_from_sinr_db(tables.cqi_threshold_db, 50.0) == 15


def test_cqi_1_and_15_stand_where_link_curves_put_them() -> None:
    """QPSK 78/1024 needs about -8 dB, 64QAM 948/1024 about 19.5 dB (ideal channel estimation, one branch)."""
    tables = load_phy_tables(1, 106)
    assert -9.0 < tables.cqi_threshold_db[1] < -6.5
    assert 18.5 < tables.cqi_threshold_db[15] < 20.5


@settings(deadline=None)
@example(sinr=[1.0, 2.0, 2.0, 4.0, 4.0, 7.0, 8.0, 23.0, 27.0, 0.25, 0.25, 0.25, 0.25])
@given(sinr=st.lists(st.floats(0.05, 1000.0), min_size=13, max_size=13))
def test_cqi_of_groups_is_the_highest_that_meets_its_own_threshold(sinr: list[float]) -> None:
    tables = load_phy_tables(1, 52)
    linear = np.array(sinr)
    meets = [
        effective_sinr_db(linear, 0, 13, float(tables.cqi_beta[cqi])) >= tables.cqi_threshold_db[cqi]
        for cqi in range(16)
    ]
    expected = max(cqi for cqi in range(16) if meets[cqi])
    assert cqi_from_groups(tables.cqi_threshold_db, tables.cqi_beta, linear, 0, 13) == expected


@pytest.mark.parametrize("table", [1, 2, 3])
def test_the_mcs_of_a_cqi_keeps_the_promise_at_its_threshold(table: int) -> None:
    tables = load_phy_tables(table, 106)
    for cqi in range(1, 16):
        mcs = tables.mcs_of_cqi[cqi]
        if tables.spectral_efficiency[mcs] <= tables.cqi_efficiency[cqi]:
            assert tables.mcs_threshold_db[mcs] <= tables.cqi_threshold_db[cqi] + 0.01


def test_index_from_sinr_takes_the_highest_threshold_met() -> None:
    threshold_db = np.array([-np.inf, 1.0, 2.0, 4.0], dtype=np.float32)
    assert [index_from_sinr_db(threshold_db, sinr_db) for sinr_db in (-99.0, 1.0, 3.9, 4.0, 9.0)] == [0, 1, 2, 3, 3]


def test_wrong_sizes_are_refused() -> None:
    with pytest.raises(ConfigError, match="max_prb = 0, but must be a whole number 1 to 275"):
        load_phy_tables(1, 0)
    with pytest.raises(ConfigError, match="table = 7, but must be 1, 2 or 3"):
        load_phy_tables(7)
