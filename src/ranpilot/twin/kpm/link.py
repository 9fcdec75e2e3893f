"""Measurements of a link: a user and a cell, the serving one or another."""

from __future__ import annotations

from ranpilot.declare import Measurement
from ranpilot.twin.kpm.window import OURS, FloatArray, Table, Window, reportable

__all__ = [
    "LINK_RSRP",
    "LINK_SINR",
    "MEASUREMENTS",
]

LINK_SINR = Measurement(
    "L1M.SS-SINR.Link", "dB", "link", -60.0, 60.0, "higher", "Filtered wideband SINR that each cell gives or would",
    source=OURS, formula="layer-3 filtered SINR at the end, held to its bounds",
)  # fmt: skip
LINK_RSRP = Measurement(
    "L1M.SS-RSRP.Link", "dBm", "link", -156.0, -31.0, "higher", "Filtered RSRP of each cell, NaN if not measured",
    source=OURS, formula="layer-3 filtered RSRP at the end, held to the range of TS 38.133 §10.1.6",
)  # fmt: skip


def _link_sinr(window: Window) -> FloatArray:
    return reportable(window.link_sinr_db, LINK_SINR)


def _link_rsrp(window: Window) -> FloatArray:
    return reportable(window.link_rsrp_dbm, LINK_RSRP)


MEASUREMENTS: Table = {
    LINK_SINR: _link_sinr,
    LINK_RSRP: _link_rsrp,
}
