"""Histograms of a cell: packets by delay, reports by CQI, PRBs by MCS, users by throughput."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ranpilot.declare import Distribution
from ranpilot.twin import state as s
from ranpilot.twin.kpm.cell import delay_edges_ms
from ranpilot.twin.kpm.ue import MEASUREMENTS as OF_USERS
from ranpilot.twin.kpm.ue import UE_THROUGHPUT
from ranpilot.twin.kpm.window import FloatArray, Window

__all__ = [
    "CQI_HISTOGRAM",
    "DELAY_HISTOGRAM",
    "HISTOGRAMS",
    "MCS_HISTOGRAM",
    "THROUGHPUT_HISTOGRAM",
    "Histogram",
    "bin_edges",
    "count_bins",
]

DELAY_HISTOGRAM = Distribution(
    "DRB.RlcSduDelayDlDist.Bin", "1", "ms", "cell",
    "upper edges: every slot up to 32 slots, from there 16 to an octave; the last, 65 536 slots, holds all beyond",
    "Delivered packets by their delay, arrival slot counted",
    "TS 28.552 §5.1.3.3.6", "delivered packets in the bin",
    "ends at the acknowledgement, not at the first transmission",
)  # fmt: skip
CQI_HISTOGRAM = Distribution(
    "CARR.WBCQIDist.Bin", "1", "index", "cell", "CQI 0 to 15",
    "Reports by wideband CQI",
    "TS 28.552 §5.1.1.11.1", "reports whose groups' CQIs have this mean, rounded",
    "X of BinX.BinY.BinZ; the rank Y is 1, the table Z the scenario's",
)  # fmt: skip
MCS_HISTOGRAM = Distribution(
    "CARR.PDSCHMCSDist.Bin", "PRB", "index", "cell", "MCS 0 to 31",
    "PRBs sent by MCS; a retransmission has the MCS of its block",
    "TS 28.552 §5.1.1.12.1", "PRBs of blocks with this MCS, summed over slots",
    "Z of BinX.BinY.BinZ; the rank X is 1, the table Y the scenario's",
)  # fmt: skip
THROUGHPUT_HISTOGRAM = Distribution(
    "DRB.UEThpDlDist.Bin", "UE", "kbit/s", "cell",
    "upper edges 10, 20, 50, 100, ... 1 000 000; the last holds all beyond",
    "Users that had data by their throughput over the period, at the cell that serves them at its end",
    "TS 28.552 §5.1.1.3.2", "users whose DRB.UEThpDl.UE lies in the bin",
    "of users over the period, not of bursts",
)  # fmt: skip

THROUGHPUT_EDGES_KBPS = np.append(np.outer(10.0 ** np.arange(1, 6), [1.0, 2.0, 5.0]).ravel(), 1e6)


class Histogram(NamedTuple):
    """How a distribution is counted, and its bins."""

    fill: Callable[[Window], FloatArray]
    """[B, C, bins]"""
    edges: Callable[[float], FloatArray]
    """Upper edges [bins] in the distribution's bin unit, by the length of a slot in s"""


def count_bins(window: Window) -> dict[str, FloatArray]:
    """What fell into each bin in a window: [B, C, bins] by name."""
    return {distribution.name: histogram.fill(window) for distribution, histogram in HISTOGRAMS.items()}


def bin_edges(slot_s: float) -> dict[str, FloatArray]:
    """Upper edges of the bins, or the values that they stand for, by name."""
    return {distribution.name: histogram.edges(slot_s) for distribution, histogram in HISTOGRAMS.items()}


def _delay(window: Window) -> FloatArray:
    return window.delay.astype(np.float64)


def _cqi(window: Window) -> FloatArray:
    return window.quality[..., s.FIRST_CQI_BIN : s.FIRST_MCS_BIN].astype(np.float64)


def _mcs(window: Window) -> FloatArray:
    return window.quality[..., s.FIRST_MCS_BIN :].astype(np.float64)


def _throughput(window: Window) -> FloatArray:
    """[B, C, bins]; a throughput of exactly an edge is in that bin."""
    throughput_kbps = OF_USERS[UE_THROUGHPUT](window)
    index = np.searchsorted(_throughput_edges(window.slot_s)[:-1], throughput_kbps)
    is_here = (window.serving_cell >= 0) & (window.ue[..., s.UE_BUSY_SLOTS] > 0)
    network, user = np.nonzero(is_here)
    counts = np.zeros((*window.cell.shape[:2], len(THROUGHPUT_EDGES_KBPS) + 1))
    np.add.at(counts, (network, window.serving_cell[network, user], index[network, user]), 1.0)
    return counts


def _throughput_edges(_slot_s: float) -> FloatArray:
    return np.append(THROUGHPUT_EDGES_KBPS, np.inf)


def _indices(num: int) -> Callable[[float], FloatArray]:
    return lambda _slot_s: np.arange(num, dtype=np.float64)


HISTOGRAMS: dict[Distribution, Histogram] = {
    DELAY_HISTOGRAM: Histogram(_delay, delay_edges_ms),
    CQI_HISTOGRAM: Histogram(_cqi, _indices(s.FIRST_MCS_BIN - s.FIRST_CQI_BIN)),
    MCS_HISTOGRAM: Histogram(_mcs, _indices(s.NUM_QUALITY_BINS - s.FIRST_MCS_BIN)),
    THROUGHPUT_HISTOGRAM: Histogram(_throughput, _throughput_edges),
}
"""Every histogram with how it is counted."""
