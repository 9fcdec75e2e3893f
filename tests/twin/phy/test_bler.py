"""Block error rates against the tables they come from, and what lies beyond those."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import ndtri

from ranpilot.errors import ConfigError
from ranpilot.twin.phy import block_error_rate, load_phy_tables
from ranpilot.twin.phy.bler import CODE_BLOCK_CLASSES, class_and_weight, code_block_error, transport_block_error
from ranpilot.twin.phy.mcs import mcs_table

ARCHIVE = Path(os.environ.get("RANPILOT_DATA", "data")) / "sionna_bler"
needs_archive = pytest.mark.skipif(
    not ARCHIVE.is_dir(), reason="needs the sionna_bler archive; set RANPILOT_DATA to the folder that holds it"
)


def ten_percent_db(mcs: int, code_block_bits: int, table: int, target: float = 0.1) -> float:
    return float(
        brentq(lambda sinr_db: block_error_rate(sinr_db, mcs, code_block_bits, table=table) - target, -25.0, 60.0)
    )


def source_curves(table: int) -> dict[tuple[int, int], tuple[np.ndarray, np.ndarray]]:
    content = json.loads((ARCHIVE / f"PDSCH_table{table}.json").read_text())
    schemes = content["category"]["1"]["index"][str(table)]["MCS"]
    return {
        (int(mcs), int(bits)): (np.array(curves["SNR_db"]), np.array(curve["BLER"]))
        for mcs, curves in schemes.items()
        for bits, curve in curves["CBS"].items()
    }


def test_worked_point_of_the_source() -> None:
    """Table 1, MCS 10, 1000 bits: 1.0 at 2.14 dB, 0.0127 at 3.93 dB."""
    assert block_error_rate(-5 + 4 * 25 / 14, 10, 1000) == pytest.approx(1.0, abs=1e-3)
    assert block_error_rate(-5 + 5 * 25 / 14, 10, 1000) == pytest.approx(0.0127, abs=3e-4)


@needs_archive
@pytest.mark.parametrize("table", [1, 2, 3])
@pytest.mark.parametrize("floor", [1 / 3000, 0.5 / 3000, 1e-4, 1e-6])
def test_ten_percent_points_are_within_0_3_db_of_the_source(table: int, floor: float) -> None:
    """For every MCS and size whose curve in that one table passes 10 %, interpolated in the probit domain.

    A count of 1 stands for half a success in 600 blocks. What a count of 0 stands for is not known; it does not matter.
    """
    differences_db = []
    for (mcs, bits), (snr_db, bler) in source_curves(table).items():
        if bler[-1] > 0.1:
            continue
        probit = ndtri(np.clip(bler, floor, 1 - 0.5 / 600))
        right = int(np.flatnonzero(bler > 0.1)[-1]) + 1
        ends = [right, right - 1]
        expected_db = float(np.interp(ndtri(0.1), probit[ends], snr_db[ends]))
        differences_db.append(ten_percent_db(mcs, bits, table) - expected_db)
    assert len(differences_db) >= 95
    assert np.abs(differences_db).max() < 0.3
    assert np.abs(np.median(differences_db)) < 0.05


@needs_archive
@pytest.mark.parametrize("table", [1, 2, 3])
def test_curves_pass_by_the_points_of_the_source(table: int) -> None:
    """Away from 0 and 1, to a quarter of a probit, where a few curves are moved by up to 0.15 dB."""
    errors = []
    for (mcs, bits), (snr_db, bler) in source_curves(table).items():
        for at_db, error_rate in zip(snr_db, bler, strict=True):
            if 0.01 < error_rate < 0.99:
                early, at, late = ndtri(block_error_rate([at_db - 0.15, at_db, at_db + 0.15], mcs, bits, table=table))
                assert late - 0.25 <= ndtri(error_rate) <= early + 0.25, (mcs, bits, at_db)
                errors.append(at - ndtri(error_rate))
    assert len(errors) > 150
    assert np.mean(np.abs(errors) < 0.25) > 0.95
    assert np.abs(np.mean(errors)) < 0.03


@pytest.mark.parametrize("table", [1, 2, 3])
def test_error_rate_falls_with_sinr_from_one_to_zero(table: int) -> None:
    sinr_db = np.linspace(-30, 60, 500)
    for mcs in range(len(mcs_table(table))):
        for bits in (24, 300, 2000, 8448):
            bler = block_error_rate(sinr_db, mcs, bits, table=table)
            assert (np.diff(bler) <= 1e-12).all()
            assert bler[0] > 0.999
            assert bler[-1] < 1e-3


@pytest.mark.parametrize("table", [1, 2, 3])
@pytest.mark.parametrize("bits", [500, 2000, 8448])
def test_a_higher_spectral_efficiency_needs_more_sinr(table: int, bits: int) -> None:
    """Within a modulation, and from each MCS to the next except where the modulation changes at equal efficiency."""
    schemes = mcs_table(table)
    needed_db = [ten_percent_db(mcs, bits, table) for mcs in range(len(schemes))]
    grows = np.diff([scheme.spectral_efficiency for scheme in schemes]) > 0.01
    assert (np.diff(needed_db)[grows] > 0.3).all()
    assert (np.diff(needed_db)[~grows] > 0.0).all()
    assert needed_db[-1] - needed_db[0] > 20.0


def test_every_curve_stays_behind_the_capacity_of_its_channel() -> None:
    """10 % at 8448 bits lies above the Shannon limit of its efficiency, by less than 3.5 dB (1.2 dB for QPSK)."""
    for table in (1, 2, 3):
        for mcs, scheme in enumerate(mcs_table(table)):
            limit_db = 10 * np.log10(2**scheme.spectral_efficiency - 1)
            gap_db = ten_percent_db(mcs, 8448, table) - limit_db
            assert 0.2 < gap_db < 3.5, (table, mcs)


def test_the_same_modulation_and_rate_has_the_same_curve_in_every_table() -> None:
    assert block_error_rate(0.5, 11, 700, table=1) == block_error_rate(0.5, 5, 700, table=2)  # 16QAM 378
    assert block_error_rate(0.5, 16, 700, table=3) == block_error_rate(0.5, 5, 700, table=2)


def test_low_rates_that_the_source_lacks_follow_repetition() -> None:
    """Below the mother code's rate 1/5, half the rate needs 3.01 dB less: QPSK 157 and 78 are rows."""
    gain_db = ten_percent_db(1, 1000, 1) - ten_percent_db(4, 1000, 3)
    assert gain_db == pytest.approx(10 * np.log10(157 / 78), abs=0.02)


def test_large_code_blocks_are_steeper_about_the_same_median() -> None:
    """Ours: beyond 2000 bits the curve narrows by sqrt(2000 / bits)."""

    def width_db(bits: int) -> float:
        return ten_percent_db(15, bits, 1, 0.02) - ten_percent_db(15, bits, 1, 0.5)

    assert ten_percent_db(15, 8448, 1, 0.5) == pytest.approx(ten_percent_db(15, 2000, 1, 0.5), abs=0.01)
    assert width_db(8448) == pytest.approx(width_db(2000) * np.sqrt(2000 / 8448), rel=0.05)


def test_sizes_between_the_sources_lie_between() -> None:
    for bits in (150, 300, 700, 1400):
        below, above = (
            max(s for s in (24, 100, 500, 1000, 2000) if s < bits),
            min(s for s in (500, 1000, 2000) if s > bits),
        )
        around_db = sorted((ten_percent_db(12, below, 1), ten_percent_db(12, above, 1)))
        assert around_db[0] - 0.05 <= ten_percent_db(12, bits, 1) <= around_db[1] + 0.05


def test_class_and_weight_cover_all_sizes() -> None:
    assert class_and_weight(24) == (0, 0.0)
    assert class_and_weight(8448) == (len(CODE_BLOCK_CLASSES) - 2, pytest.approx(1.0))
    size_class, weight = class_and_weight(1183)
    assert CODE_BLOCK_CLASSES[size_class] == 1000
    assert weight == pytest.approx(np.log(1.183) / np.log(1.4))


def test_a_transport_block_fails_unless_all_code_blocks_succeed() -> None:
    probit = load_phy_tables(1, 10).probit
    single = code_block_error(probit, 10, 8, 0.3, 3.5)
    assert 0.01 < single < 0.9
    assert transport_block_error(probit, 10, 8, 0.3, 1, 3.5) == single
    assert transport_block_error(probit, 10, 8, 0.3, 7, 3.5) == pytest.approx(1 - (1 - single) ** 7, rel=1e-12)
    assert transport_block_error(probit, 10, 8, 0.3, 7, -40.0) == 1.0
    assert 0.0 <= transport_block_error(probit, 10, 8, 0.3, 7, 60.0) < 1e-9


def test_arrays_give_arrays_and_numbers_give_numbers() -> None:
    grid = block_error_rate(np.array([[1.0, 2.0], [3.0, 4.0]]), 10, 1000)
    assert grid.shape == (2, 2)
    assert grid[1, 0] == block_error_rate(3.0, 10, 1000)
    assert isinstance(block_error_rate(3.0, 10, 1000), float)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sinr_db": float("nan")}, "sinr_db = nan, but must be finite."),
        ({"sinr_db": "good"}, "sinr_db = 'good', but must be a number or an array of numbers."),
        ({"sinr_db": [1.0, float("inf")]}, "sinr_db = inf, but must be finite."),
        ({"mcs": 29}, "mcs = 29, but must be a whole number 0 to 28 (MCS table 1)."),
        ({"table": 0}, "table = 0, but must be 1, 2 or 3."),
        ({"code_block_bits": 23}, "code_block_bits = 23, but must be 24 to 8448."),
        ({"code_block_bits": 8449}, "code_block_bits = 8449, but must be 24 to 8448."),
    ],
)
def test_a_wrong_argument_is_refused_with_one_sentence(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        block_error_rate(**({"sinr_db": 3.0, "mcs": 10, "code_block_bits": 1000} | arguments))  # type: ignore[arg-type]
    assert str(caught.value) == message
