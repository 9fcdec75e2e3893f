"""MCS, CQI and transport block tables against the standard, number by number.

The MCS and CQI tables are compared with a second transcription of TS 38.214 (data/mcs_cqi.csv) whose printed spectral
efficiencies catch a slip in either; transport block sizes with the clause worked through in exact fractions
(data/tbs.csv, made by tests/reference/transport_block_reference.py) and with sizes that others publish.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from ranpilot.twin.phy.mcs import ModulationAndCoding, cqi_table, mcs_table
from ranpilot.twin.phy.transport_block import scheme_transport_block_bits, transport_block_bits
from ranpilot.twin.validate.line import Effort, Line, compared
from ranpilot.twin.validate.table import read_table

__all__ = ["lines"]

CLAUSES = {"mcs": "TS 38.214 Table 5.1.3.1-{}", "cqi": "TS 38.214 Table 5.2.2.1-{}"}

KNOWN_SIZES = (
    # Table 5.1.3.1-2, 4 layers, 273 PRBs, 156 elements: the largest block of NR, as link budgets quote it.
    ("largest", 273, 27, 2, 4, 156, 1277992),
    # What a protocol analyser shows on a 100 MHz carrier: 43 047 bytes at MCS 9 of the 256QAM table.
    ("analyser", 273, 9, 2, 4, 132, 344376),
    # By hand: N_info = 1440 * 4 * 340 / 1024 = 1912.5, n = 4, 16 floor(119.5) = 1904, the next size is 1928.
    ("by-hand/small", 10, 10, 1, 1, 144, 1928),
    # By hand: 5753.8 at rate 193/1024 <= 1/4, n = 7, 5760, C = 2, 16 ceil(5784 / 16) - 24.
    ("by-hand/low-rate", 106, 2, 1, 1, 144, 5768),
    # By hand: 84786.75, n = 11, 83968, C = 10, 80 ceil(83992 / 80) - 24.
    ("by-hand/large", 106, 28, 1, 1, 144, 83976),
)


def lines(effort: Effort) -> Iterator[Line]:
    """Rows that differ from the standard, table by table, and transport block sizes."""
    rows = read_table("mcs_cqi")
    for kind, tables in (("mcs", mcs_table), ("cqi", cqi_table)):
        for table in (1, 2, 3):
            expected = [row for row in rows if row["kind"] == kind and int(row["table"]) == table]
            ours = tables(table)
            wrong = sum(_differs(scheme, row) for scheme, row in zip(ours, expected, strict=False))
            wrong += abs(len(ours) - len(expected))
            source = CLAUSES[kind].format(table if kind == "mcs" else table + 1)
            yield compared(f"link-tables/{kind}-{table}/wrong-rows", wrong, 0, 0, "1", source, n=len(expected))
    yield from _sizes()


def _differs(scheme: ModulationAndCoding, row: dict[str, str]) -> bool:
    same_scheme = scheme == (int(row["modulation_order"]), float(row["code_rate_x1024"]))
    # Halves are rounded up in print: 2.40625 stands there as 2.4063.
    printed = math.floor(scheme.spectral_efficiency * 1e4 + 0.5) / 1e4
    return not same_scheme or printed != float(row["spectral_efficiency"])


def _sizes() -> Iterator[Line]:
    rows = read_table("tbs")
    wrong = 0
    for row in rows:
        scheme = ModulationAndCoding(int(row["modulation_order"]), float(row["code_rate_x1024"]))
        place = int(row["num_prb"]), int(row["layers"]), int(row["re_per_prb"])
        wrong += scheme_transport_block_bits(scheme, *place) != int(row["tbs_bits"])
    source = "TS 38.214 §5.1.3.2"
    yield compared("link-tables/tbs/wrong-sizes", wrong, 0, 0, "1", source, n=len(rows))
    for name, num_prb, mcs, table, layers, re_per_prb, bits in KNOWN_SIZES:
        ours = transport_block_bits(num_prb, mcs, table=table, layers=layers, re_per_prb=re_per_prb)
        yield compared(f"link-tables/tbs/{name}", ours, bits, 0, "bit", source)
