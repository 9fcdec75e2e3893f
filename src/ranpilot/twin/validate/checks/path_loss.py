"""Path loss and probability of line of sight against values worked out by hand from TR 38.901.

`data/path_loss.csv` holds them: RMa, UMa, UMi and InH, mixed and open, at twenty and more distances each, below and
beyond the breakpoint, for several heights and carriers, and UMa with effective environment heights as users above 13 m
draw them. Its header says how it was made.
"""

from __future__ import annotations

from collections.abc import Iterator

from ranpilot.twin.radio import los_probability, path_loss_db
from ranpilot.twin.radio.propagation import UMA, link_path_loss_db
from ranpilot.twin.validate.line import Effort, Line, compared
from ranpilot.twin.validate.table import read_table

__all__ = ["lines"]

PATH_LOSS_TOLERANCE_DB = 0.05
PROBABILITY_TOLERANCE = 1e-5
"""A few units of the table's last digit."""


def lines(effort: Effort) -> Iterator[Line]:
    """A line for each value of the table, whatever the effort: nothing is random here."""
    for row in read_table("path_loss"):
        yield _path_loss(row) if row["quantity"] == "path_loss_db" else _probability(row)


def _path_loss(row: dict[str, str]) -> Line:
    model, state, distance, bs_height, ut_height, environment, carrier = (
        row[key]
        for key in (
            "model", "state", "distance_2d_m", "bs_height_m", "ut_height_m", "environment_height_m", "carrier_ghz",
        )
    )  # fmt: skip
    link = float(distance), float(bs_height), float(ut_height), 1e9 * float(carrier), state == "los"
    tall = f"-over-{environment}m" if environment else ""
    # What is public takes 1 m; links of the twin draw a height and tell it.
    value_db = link_path_loss_db(UMA, *link, float(environment)) if environment else path_loss_db(model, *link)
    name = f"path-loss/{model}/{state}/{bs_height}m/{ut_height}m{tall}/{carrier}GHz/{distance}m"
    return compared(
        name, value_db, float(row["value"]), PATH_LOSS_TOLERANCE_DB, "dB", "TR 38.901 Table 7.4.1-1, by hand"
    )


def _probability(row: dict[str, str]) -> Line:
    model, distance, ut_height = (row[key] for key in ("model", "distance_2d_m", "ut_height_m"))
    value = los_probability(model, float(distance), float(ut_height))
    name = f"los-probability/{model}/{ut_height}m/{distance}m"
    return compared(name, value, float(row["value"]), PROBABILITY_TOLERANCE, "1", "TR 38.901 Table 7.4.2-1, by hand")
