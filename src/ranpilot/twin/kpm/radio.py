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
    "FIRST_BLOCKS",
    "FIRST_ERRORS",
    "INITIAL_BLER",
    "MEASUREMENTS",
    "RESIDUAL_ERRORS",
    "SINR_MEAN",
    "TX_POWER",
]

INITIAL_BLER = cell_kpm(
    "RP.InitialBlerDl", "%", 100.0, "neither", "First transmissions that failed",
    formula="TB.IntialErrNbrDl / TB.TotNbrDlInitial × 100",
)  # fmt: skip
FIRST_BLOCKS = cell_kpm(
    "TB.TotNbrDlInitial", "1", 1e9, "neither", "Transport blocks sent for the first time",
    formula="first transmissions", source="TS 28.552 §5.1.1.7.1",
)  # fmt: skip
FIRST_ERRORS = cell_kpm(
    "TB.IntialErrNbrDl", "1", 1e9, "lower", "First transmissions that failed",
    formula="first transmissions that were not decoded", source="TS 28.552 §5.1.1.7.2",
    differs="the name is spelt like this there",
)  # fmt: skip
BLOCKS = cell_kpm(
    "TB.TotNbrDl", "1", 1e9, "neither", "Transport blocks sent, retransmissions included",
    formula="transmissions", source="TS 28.552 §5.1.1.7.3",
)  # fmt: skip
BLOCK_ERRORS = cell_kpm(
    "TB.ErrTotNbrDl", "1", 1e9, "lower", "Transmissions that failed",
    formula="transmissions that were not decoded", source="TS 28.552 §5.1.1.7.4",
)  # fmt: skip
RESIDUAL_ERRORS = cell_kpm(
    "TB.ResidualErrNbrDl", "1", 1e9, "lower", "Transport blocks given up",
    formula="blocks not decoded in their last transmission", source="TS 28.552 §5.1.1.7.5",
)  # fmt: skip
TX_POWER = Measurement(
    "RP.TxPower", "dBm", "cell", -10.0, 60.0, "lower", "Transmit power of the carrier at full load",
    source=OURS, formula="power in force at the end", differs="nearest: TS 28.552 §5.1.1.29.2, CARR.MeanTxPwr",
)  # fmt: skip
SINR_MEAN = Measurement(
    "L1M.SS-SINR.Mean", "dB", "cell", -60.0, 60.0, "higher",
    "Mean over connected users of filtered wideband SINR",
    source=OURS, formula="L1M.SS-SINR.UE at the end, in dB, summed over users / users",
    differs="nearest: E2SM-KPM §7.10.8, L1M.DL-SS-SINR",
)  # fmt: skip


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
    FIRST_BLOCKS: cell_count(s.CELL_FIRST_BLOCKS),
    FIRST_ERRORS: cell_count(s.CELL_FIRST_ERRORS),
    BLOCKS: cell_count(s.CELL_BLOCKS),
    BLOCK_ERRORS: cell_count(s.CELL_BLOCK_ERRORS),
    RESIDUAL_ERRORS: cell_count(s.CELL_RESIDUAL_ERRORS),
    TX_POWER: _tx_power,
    SINR_MEAN: _sinr_mean,
}
