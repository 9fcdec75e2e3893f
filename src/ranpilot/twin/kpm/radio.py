"""The air interface of a cell: transport blocks and their errors, power, SINR."""

from __future__ import annotations

import numpy as np

from ranpilot.declare import Measurement
from ranpilot.twin import state as s
from ranpilot.twin.kpm.link import LINK_SINR
from ranpilot.twin.kpm.window import OURS, FloatArray, Table, Window, cell_count, cell_kpm, ratio, reportable

__all__ = [
    "BLOCKS",
    "BLOCK_ERRORS",
    "INITIAL_BLER",
    "MEASUREMENTS",
    "RESIDUAL_ERRORS",
    "SINR_MEAN",
    "TX_POWER",
]

INITIAL_BLER = cell_kpm("RP.InitialBlerDl", "%", 100.0, "neither", "First transmissions that failed", OURS)
BLOCKS = cell_kpm("TB.TotNbrDl", "1", 1e9, "neither", "Transport blocks sent, retransmissions included")
BLOCK_ERRORS = cell_kpm("TB.ErrTotalNbrDl", "1", 1e9, "lower", "Transport blocks that failed")
RESIDUAL_ERRORS = cell_kpm("TB.ResidualErrNbrDl", "1", 1e9, "lower", "Transport blocks given up")
TX_POWER = Measurement("RP.TxPower", "dBm", "cell", -10.0, 60.0, "lower", "Transmit power of the carrier", OURS)
SINR_MEAN = Measurement(
    "L1M.SS-SINR.Mean", "dB", "cell", -60.0, 60.0, "higher", "Mean over connected users of filtered wideband SINR", OURS
)


def _initial_bler(window: Window) -> FloatArray:
    return ratio(window.cell[..., s.CELL_FIRST_ERRORS], window.cell[..., s.CELL_FIRST_BLOCKS], 100.0)


def _tx_power(window: Window) -> FloatArray:
    return window.tx_power_dbm


def _sinr_mean(window: Window) -> FloatArray:
    is_mine = window.serving_cell[..., None] == np.arange(window.cell.shape[1])  # [B, U, C]
    total = np.where(is_mine, reportable(window.link_sinr_db, LINK_SINR), 0.0).sum(axis=1)
    return ratio(total, is_mine.sum(axis=1))


MEASUREMENTS: Table = {
    INITIAL_BLER: _initial_bler,
    BLOCKS: cell_count(s.CELL_BLOCKS),
    BLOCK_ERRORS: cell_count(s.CELL_BLOCK_ERRORS),
    RESIDUAL_ERRORS: cell_count(s.CELL_RESIDUAL_ERRORS),
    TX_POWER: _tx_power,
    SINR_MEAN: _sinr_mean,
}
