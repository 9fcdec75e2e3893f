"""Block error rates against the tables that they are made from, and in themselves.

The SNR at which each curve of the source falls to 10 % is taken from that one table (data/bler_ten_percent.csv, made by
scripts/make_bler_reference.py), while our curve stands for a modulation and code rate in all three tables. Curves fall
with SINR; their 10 % points fall with the code block size from 100 bits on (at high code rates 24 bits need less SNR
than 100, in the source too); a transport block fails more often the more code blocks it has.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np

from ranpilot.twin.phy import block_error_rate, load_phy_tables
from ranpilot.twin.phy.bler import CODE_BLOCK_CLASSES, transport_block_error
from ranpilot.twin.phy.mcs import mcs_table
from ranpilot.twin.validate.line import Effort, Line, compared, within
from ranpilot.twin.validate.table import read_table

__all__ = ["lines"]

SIZES = (24, 100, 500, 1000, 2000)
SOURCE = "Sionna 2.2.0 PDSCH tables"
SINR_DB = np.linspace(-30.0, 60.0, 1801)


def lines(effort: Effort) -> Iterator[Line]:
    """The largest distance from the source for each table and size, and counts of what must not be."""
    rows = read_table("bler_ten_percent")
    for table in (1, 2, 3):
        for bits in SIZES:
            points = [(int(row["mcs"]), float(row["snr_db"])) for row in rows if _is_of(row, table, bits)]
            apart_db = [abs(_ten_percent_db(mcs, bits, table) - snr_db) for mcs, snr_db in points]
            name = f"bler/10-percent/table-{table}/{bits}-bits/greatest-distance"
            yield within(name, max(apart_db), None, 0.3, "dB", SOURCE, reference=0.0, n=len(points))
    yield from _shape(effort)


def _is_of(row: dict[str, str], table: int, bits: int) -> bool:
    return int(row["table"]) == table and int(row["code_block_bits"]) == bits


def _ten_percent_db(mcs: int, bits: int, table: int) -> float:
    """By bisection."""
    low_db, high_db = -30.0, 60.0
    while high_db - low_db > 1e-3:
        middle_db = (low_db + high_db) / 2.0
        if block_error_rate(middle_db, mcs, bits, table=table) > 0.1:
            low_db = middle_db
        else:
            high_db = middle_db
    return high_db


def _shape(effort: Effort) -> Iterator[Line]:
    """Every MCS, with all sizes that have a curve and the sizes between them."""
    between = [round(math.sqrt(low * high)) for low, high in itertools.pairwise(CODE_BLOCK_CLASSES)]
    sizes = sorted({*CODE_BLOCK_CLASSES, *between}) if effort == "full" else list(CODE_BLOCK_CLASSES[::2])
    rising = outside = curves = 0
    growth_db = -math.inf
    for table in (1, 2, 3):
        for mcs in range(len(mcs_table(table))):
            bler = np.array([block_error_rate(SINR_DB, mcs, bits, table=table) for bits in sizes])  # [size, SINR]
            rising += int((np.diff(bler, axis=1) > 0.0).sum())
            outside += int((~((bler >= 0.0) & (bler <= 1.0))).sum())
            needed_db = [_ten_percent_db(mcs, bits, table) for bits in sizes if bits >= 100]
            growth_db = max(growth_db, *np.diff(needed_db))
            curves += len(sizes)
    source = "by definition"
    yield compared("bler/rises-with-sinr", rising, 0, 0, "1", source, n=curves * (len(SINR_DB) - 1))
    yield compared("bler/not-a-probability", outside, 0, 0, "1", source, n=curves * len(SINR_DB))
    # The interpolation over SINR and size gives way by 0.01 dB where two sizes need the same.
    yield within("bler/10-percent-point/greatest-rise-with-size", growth_db, None, 0.02, "dB", source, n=curves)
    yield compared("bler/falls-with-code-blocks", _falls_with_code_blocks(), 0, 0, "1", source, n=16 * 20)


def _falls_with_code_blocks() -> int:
    """How often a transport block of more code blocks fails less often."""
    probit = load_phy_tables(1, 2).probit
    wrong = 0
    for mcs in (0, 9, 19, 28):
        for sinr_db in (-8.0, 4.0, 12.0, 20.0):
            rates = [transport_block_error(probit, mcs, 12, 0.5, count, sinr_db) for count in range(1, 22)]
            wrong += sum(later < earlier for earlier, later in itertools.pairwise(rates))
    return wrong
