"""Write down the 10 % points of the Sionna tables, each curve interpolated by itself.

Usage: python scripts/make_bler_reference.py [DATA]   (DATA defaults to $RANPILOT_DATA, else ./data)
Writes src/ranpilot/twin/validate/data/bler_ten_percent.csv, which `ranpilot twin validate` compares our curves with.
Nothing is pooled here: a line is one curve of one table. Between the last point above 10 % and the next one, the probit
of BLER is taken as linear in SNR; a point without an error counts as half an error in 3000 blocks, one without a
success as half a success in 600, since the source stops at 600 errors or 3000 blocks. A curve that never falls to 10 %
has no line.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from scipy.special import ndtri

TARGET = Path(__file__).parents[1] / "src" / "ranpilot" / "twin" / "validate" / "data" / "bler_ten_percent.csv"
LOWEST, HIGHEST = 0.5 / 3000, 1 - 0.5 / 600
HEADER = """\
# SNR in dB at which each PDSCH curve of Sionna has a block error rate of 0.1.
# Source: Sionna 2.2.0 (PyPI sionna-no-rt, sionna/sys/bler_tables/PDSCH_table{1,2,3}.json), Copyright (c) 2021-2026
# NVIDIA CORPORATION & AFFILIATES, Apache-2.0. Made by scripts/make_bler_reference.py, whose docstring tells how it
# interpolates.
table,mcs,code_block_bits,snr_db
"""


def ten_percent_db(snr_db: list[float], bler: list[float]) -> float | None:
    """Where one curve falls through 10 % for the last time."""
    above = [index for index, value in enumerate(bler) if value > 0.1]
    if not above or above[-1] == len(bler) - 1:
        return None
    left = above[-1]
    high, low = (float(ndtri(min(max(bler[index], LOWEST), HIGHEST))) for index in (left, left + 1))
    part = (high - float(ndtri(0.1))) / (high - low)
    return snr_db[left] + part * (snr_db[left + 1] - snr_db[left])


def main() -> None:
    """Read the archive, write the file."""
    data = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("RANPILOT_DATA", "data"))
    lines = []
    for table in (1, 2, 3):
        content = json.loads((data / "sionna_bler" / f"PDSCH_table{table}.json").read_text())
        schemes = content["category"]["1"]["index"][str(table)]["MCS"]
        for mcs in sorted(schemes, key=int):
            for bits in sorted(schemes[mcs]["CBS"], key=int):
                at_db = ten_percent_db(schemes[mcs]["SNR_db"], schemes[mcs]["CBS"][bits]["BLER"])
                if at_db is not None:
                    lines.append(f"{table},{mcs},{bits},{at_db:.4f}")
    TARGET.write_text(HEADER + "\n".join(lines) + "\n")
    print(f"{len(lines)} curves")


if __name__ == "__main__":
    main()
