"""Transport block sizes against the standard, known values and a slow twin; code block segmentation."""

from __future__ import annotations

import importlib.util
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranpilot.errors import ConfigError
from ranpilot.twin.phy import transport_block_bits
from ranpilot.twin.phy.mcs import cqi_table, mcs_of_cqi, mcs_table, read_rows
from ranpilot.twin.phy.transport_block import code_blocks

SMALL_SIZES = [int(bits) for _, bits in read_rows("tbs_sizes.csv")]


def load_reference() -> ModuleType:
    path = Path(__file__).parents[2] / "reference" / "transport_block_reference.py"
    spec = importlib.util.spec_from_file_location("transport_block_reference", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


REFERENCE = load_reference()


@pytest.mark.parametrize(
    ("num_prb", "mcs", "table", "layers", "re_per_prb", "bits"),
    [
        # By hand. N_info = 144 * 2 * 120/1024 = 33.75; n = 3; 8 floor(4.2) = 32; the table has 32.
        (1, 0, 1, 1, 144, 32),
        # N_info = 1440 * 4 * 340/1024 = 1912.5; n = 10 - 6 = 4; 16 floor(119.5) = 1904; next size 1928.
        (10, 10, 1, 1, 144, 1928),
        # N_info = 15264 * 6 * 948/1024 = 84786.75; n = 16 - 5 = 11; 2048 round(41.39) = 83968;
        # C = ceil(83992 / 8424) = 10; 80 ceil(83992 / 80) - 24 = 83976.
        (106, 28, 1, 1, 144, 83976),
        # Rate 193/1024 <= 1/4: N_info = 15264 * 2 * 193/1024 = 5753.8; n = 12 - 5 = 7; 128 round(44.76) = 5760;
        # C = ceil(5784 / 3816) = 2; 16 ceil(5784 / 16) - 24 = 5768.
        (106, 2, 1, 1, 144, 5768),
        # The smallest: N_info = 12 * 2 * 30/1024 = 0.70.
        (1, 0, 3, 1, 12, 24),
        # A carrier of 273 blocks as a protocol analyser shows it (MCS 9 of the 256QAM table, 4 layers, 13 symbols less
        # 2 for DM-RS): 43 047 bytes.
        (273, 9, 2, 4, 132, 43047 * 8),
        # The largest transport block of NR with 4 layers, 256QAM and 273 blocks, as link budgets quote it.
        (273, 27, 2, 4, 156, 1277992),
    ],
)
def test_size_is_the_known_one(num_prb: int, mcs: int, table: int, layers: int, re_per_prb: int, bits: int) -> None:
    assert transport_block_bits(num_prb, mcs, table=table, layers=layers, re_per_prb=re_per_prb) == bits


@settings(deadline=None)
@given(
    num_prb=st.integers(1, 275),
    table_and_mcs=st.sampled_from([(table, mcs) for table in (1, 2, 3) for mcs in range(len(mcs_table(table)))]),
    layers=st.integers(1, 4),
    re_per_prb=st.integers(1, 168),
)
def test_size_is_that_of_the_standard_word_by_word(
    num_prb: int, table_and_mcs: tuple[int, int], layers: int, re_per_prb: int
) -> None:
    table, mcs = table_and_mcs
    scheme = mcs_table(table)[mcs]
    rate = Fraction(scheme.code_rate_x1024) / 1024
    bits = transport_block_bits(num_prb, mcs, table=table, layers=layers, re_per_prb=re_per_prb)
    assert bits == REFERENCE.reference_bits(num_prb, scheme.modulation_order, rate, layers, re_per_prb)
    assert bits % 8 == 0


@pytest.mark.parametrize("table", [1, 2, 3])
def test_more_blocks_never_carry_less(table: int) -> None:
    for mcs in range(len(mcs_table(table))):
        sizes = [transport_block_bits(num_prb, mcs, table=table) for num_prb in range(1, 107)]
        assert sizes == sorted(sizes)


def test_the_tables_have_the_standards_ends() -> None:
    """Spectral efficiencies as the last column of the standard's tables prints them."""
    assert [len(mcs_table(table)) for table in (1, 2, 3)] == [29, 28, 29]
    assert [len(cqi_table(table)) for table in (1, 2, 3)] == [15, 15, 15]
    rounded = [round(mcs_table(t)[m].spectral_efficiency, 4) for t, m in ((1, 0), (1, 16), (1, 28), (2, 20), (2, 27))]
    assert rounded == [0.2344, 2.5703, 5.5547, 5.332, 7.4062]
    assert [round(cqi_table(t)[0].spectral_efficiency, 4) for t in (1, 2, 3)] == [0.1523, 0.1523, 0.0586]
    assert [round(cqi_table(t)[14].spectral_efficiency, 4) for t in (1, 2, 3)] == [5.5547, 7.4062, 4.5234]
    assert REFERENCE.SMALL_SIZES == SMALL_SIZES
    assert len(SMALL_SIZES) == 93


@pytest.mark.parametrize("table", [1, 2, 3])
def test_the_mcs_of_a_cqi_is_the_highest_that_it_allows(table: int) -> None:
    chosen = mcs_of_cqi(table)
    schemes, rows = mcs_table(table), cqi_table(table)
    assert len(chosen) == 16
    assert chosen[0] == 0
    for cqi in range(1, 16):
        if rows[cqi - 1].spectral_efficiency >= schemes[0].spectral_efficiency:
            assert schemes[chosen[cqi]].spectral_efficiency <= rows[cqi - 1].spectral_efficiency
            better = [scheme.spectral_efficiency for scheme in schemes[chosen[cqi] + 1 :]]
            assert all(efficiency > rows[cqi - 1].spectral_efficiency for efficiency in better)
        else:
            assert chosen[cqi] == 0
    assert chosen[15] == len(schemes) - 1


@pytest.mark.parametrize(
    ("bits", "rate_x1024", "base_graph", "blocks", "block_bits"),
    [
        (32, 948.0, 2, 1, 48),  # up to 292 bits always graph 2; 16 CRC bits
        (3824, 686.0, 2, 1, 3840),  # R = 0.6699 <= 0.67
        (3824, 687.0, 1, 1, 3840),
        (3840, 679.0, 1, 1, 3864),  # above 3824 bits graph 1, 24 CRC bits
        (5768, 193.0, 2, 2, 2920),  # (5792 + 48) / 2; R <= 0.25 always graph 2
        (8424, 490.0, 1, 1, 8448),  # the largest that is not cut
        (8456, 490.0, 1, 2, 4264),  # (8480 + 48) / 2
        (83976, 948.0, 1, 10, 8424),  # (84000 + 240) / 10
    ],
)
def test_transport_blocks_are_cut_as_in_ts_38_212(
    bits: int, rate_x1024: float, base_graph: int, blocks: int, block_bits: int
) -> None:
    assert code_blocks(bits, rate_x1024) == (base_graph, blocks, block_bits)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_prb": 0}, "num_prb = 0, but must be a whole number 1 to 275."),
        ({"num_prb": 2.5}, "num_prb = 2.5, but must be a whole number 1 to 275."),
        ({"num_prb": float("nan")}, "num_prb = nan, but must be a whole number 1 to 275."),
        ({"mcs": 29}, "mcs = 29, but must be a whole number 0 to 28 (MCS table 1)."),
        ({"mcs": -1}, "mcs = -1, but must be a whole number 0 to 28 (MCS table 1)."),
        ({"mcs": 28, "table": 2}, "mcs = 28, but must be a whole number 0 to 27 (MCS table 2)."),
        ({"table": 4}, "table = 4, but must be 1, 2 or 3."),
        ({"layers": 5}, "layers = 5, but must be a whole number 1 to 4."),
        ({"re_per_prb": 169}, "re_per_prb = 169, but must be a whole number 1 to 168."),
    ],
)
def test_a_wrong_argument_is_refused_with_one_sentence(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        transport_block_bits(**({"num_prb": 10, "mcs": 10} | arguments))  # type: ignore[arg-type]
    assert str(caught.value) == message
