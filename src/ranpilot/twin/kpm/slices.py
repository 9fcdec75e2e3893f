"""What each slice gets in each cell: resource blocks, volume, rates, delays, losses, and how much of it was promised.

[B, C, S] by seat; a scenario without slices has no seats, [B, C, 0]. A value is of the tenant who has the seat at the
end, since it came (`Networks.stays` says who and since when), and 0 where the seat is free.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ranpilot.declare import Better, Measurement
from ranpilot.twin import slice_columns as seats
from ranpilot.twin.kpm.cell import (
    ACTIVE_MEAN,
    CELL_THROUGHPUT,
    PACKET_DELAY,
    PACKET_DELAY_P95,
    PACKET_DROP_RATE,
    PACKET_LOSS_RATE,
    PRB_MEAN,
    VOLUME,
    delay_p95,
)
from ranpilot.twin.kpm.window import OURS, FloatArray, Table, Window, ratio

__all__ = [
    "MEASUREMENTS",
    "SLICE_ACTIVE_MEAN",
    "SLICE_BACKLOG",
    "SLICE_CONNECTED_MEAN",
    "SLICE_DELAY",
    "SLICE_DELAY_P95",
    "SLICE_DROP_RATE",
    "SLICE_LOSS_RATE",
    "SLICE_OFFERED",
    "SLICE_ON_TIME",
    "SLICE_PRB_MEAN",
    "SLICE_PRB_USE",
    "SLICE_SERVED",
    "SLICE_THROUGHPUT",
    "SLICE_THROUGHPUT_P5",
    "SLICE_VOLUME",
]


def _kpm(
    name: str,
    unit: str,
    high: float,
    better: Better,
    description: str,
    *,
    formula: str,
    like: Measurement | None = None,
) -> Measurement:
    """Of a slice in a cell; like: the cell's measurement that it is the part of."""
    source, differs = (OURS, "") if like is None else (like.source, like.differs)
    return Measurement(f"{name}.SNSSAI", unit, "slice", 0.0, high, better, description, source, formula, differs)


SLICE_PRB_USE = _kpm(
    "RP.PrbTotDl", "%", 100.0, "neither", "PRBs in use by the slice, share of all",
    formula="PRBs of its blocks, summed over slots / (slots in which it is there × PRBs of the carrier) × 100",
)  # fmt: skip
SLICE_PRB_MEAN = _kpm(
    "RRU.PrbUsedDl", "PRB", 275.0, "neither", "PRBs in use by the slice, mean a slot",
    formula="PRBs of its blocks, summed over slots / slots in which it is there",
    like=PRB_MEAN,
)  # fmt: skip
SLICE_VOLUME = _kpm(
    "DRB.PdcpSduVolumeDL", "Mbit", 1e6, "higher", "Delivered bits",
    formula="acknowledged bits, without padding / 1e6",
    like=VOLUME,
)  # fmt: skip
SLICE_OFFERED = _kpm(
    "RP.OfferedVolumeDl", "Mbit", 1e6, "neither", "Bits that arrived for its members", formula="arrived bits / 1e6"
)
SLICE_SERVED = _kpm(
    "RP.ServedShareDl", "%", 100.0, "higher", "Delivered bits, share of those that arrived",
    formula="acknowledged bits / arrived bits × 100, at most 100 (what waited before may be delivered now)",
)  # fmt: skip
SLICE_THROUGHPUT = _kpm(
    "DRB.UEThpDl", "kbit/s", 1e7, "higher", "Delivered bits a member, over the time with data",
    formula="acknowledged bits / time with bits to send, summed over members / 1000",
    like=CELL_THROUGHPUT,
)  # fmt: skip
SLICE_THROUGHPUT_P5 = _kpm(
    "RP.UEThpDl.P5", "kbit/s", 1e7, "higher", "Throughput that 95 % of the members in the cell get at least",
    formula="value at place ⌊0.05 n⌋ (from 0) of DRB.UEThpDl.UE of the n members with data who are there at the end",
)  # fmt: skip
SLICE_DELAY = _kpm(
    "DRB.RlcSduDelayDl", "0.1 ms", 6e5, "lower", "Mean delay of delivered packets, arrival slot counted",
    formula="(slot of the acknowledgement − slot of arrival + 1) × slot, summed over delivered packets / their number",
    like=PACKET_DELAY,
)  # fmt: skip
SLICE_DELAY_P95 = _kpm(
    "RP.RlcSduDelayDl.P95", "0.1 ms", 6e5, "lower", "95th percentile of the delay of delivered packets",
    formula="upper edge of the bin of delays that 95 % of the delivered packets reach",
    like=PACKET_DELAY_P95,
)  # fmt: skip
SLICE_ON_TIME = _kpm(
    "RP.RlcSduOnTimeDl", "%", 100.0, "higher", "Packets delivered within the delay budget of the SLA",
    formula="delivered within sla.delay_ms / (delivered + dropped + lost) × 100; 0 for an SLA without delay",
)  # fmt: skip
SLICE_DROP_RATE = _kpm(
    "DRB.RlcPacketDropRateDl", "1e-6", 1e6, "lower", "Packets expired or without room",
    formula="dropped packets / (dropped + delivered + lost) × 1e6",
    like=PACKET_DROP_RATE,
)  # fmt: skip
SLICE_LOSS_RATE = _kpm(
    "DRB.PacketLossRateUu", "1e-6", 1e6, "lower", "Packets lost after the last retransmission or cut off",
    formula="lost packets / (lost + delivered) × 1e6",
    like=PACKET_LOSS_RATE,
)  # fmt: skip
SLICE_CONNECTED_MEAN = _kpm(
    "RP.ConnMean", "UE", 1000.0, "neither", "Connected members, mean",
    formula="connected members, summed over slots / slots in which it is there",
)  # fmt: skip
SLICE_ACTIVE_MEAN = _kpm(
    "DRB.MeanActiveUeDl", "UE", 1000.0, "neither", "Members with data to send, mean",
    formula="members with bits to send, summed over slots / slots in which it is there",
    like=ACTIVE_MEAN,
)  # fmt: skip
SLICE_BACKLOG = _kpm(
    "RP.BacklogDl", "Mbit", 1e6, "lower", "Bits that wait for its members at the end",
    formula="bits in the queues of the members that the cell serves at the end / 1e6",
)  # fmt: skip


def _over_slots(column: int) -> Callable[[Window], FloatArray]:
    return lambda window: window.slices[..., column] / _slots(window)


def _megabits(column: int) -> Callable[[Window], FloatArray]:
    return lambda window: window.slices[..., column] / 1e6


def _slots(window: Window) -> NDArray[np.integer]:
    """[B, 1, S] that the tenant of a seat was there, at least 1."""
    result: NDArray[np.integer] = np.maximum(window.slice_slots, 1)[:, None, :]
    return result


def _prb_use(window: Window) -> FloatArray:
    result: FloatArray = window.slices[..., seats.SLICE_PRBS] / (_slots(window) * window.num_prbs) * 100.0
    return result


def _served(window: Window) -> FloatArray:
    share = ratio(window.slices[..., seats.SLICE_BITS_OUT], window.slices[..., seats.SLICE_BITS_IN], 100.0)
    return np.minimum(share, 100.0)


def _throughput(window: Window) -> FloatArray:
    busy = window.slices[..., seats.SLICE_BUSY_SLOTS]
    return ratio(window.slices[..., seats.SLICE_BITS_OUT], busy, 1e-3 / window.slot_s)


def _throughput_p5(window: Window) -> FloatArray:
    result = np.zeros(window.slices.shape[:3])
    bits, busy = window.member[..., 0], window.member[..., 1]
    is_member = (window.serving_cell >= 0) & (window.seat >= 0) & (busy > 0)
    if result.size == 0 or not is_member.any():
        return result
    network, ue = np.nonzero(is_member)
    where = np.ravel_multi_index((network, window.serving_cell[network, ue], window.seat[network, ue]), result.shape)
    rate = bits[network, ue] / busy[network, ue] * (1e-3 / window.slot_s)
    ranked = rate[np.lexsort((rate, where))]
    count = np.bincount(where, minlength=result.size)
    first = np.cumsum(count) - count
    has_any = count > 0
    result.ravel()[has_any] = ranked[(first + np.floor(0.05 * count).astype(np.int64))[has_any]]
    return result


def _backlog(window: Window) -> FloatArray:
    result = np.zeros(window.slices.shape[:3])
    network, ue = np.nonzero((window.serving_cell >= 0) & (window.seat >= 0))
    if result.size:
        where = (network, window.serving_cell[network, ue], window.seat[network, ue])
        np.add.at(result, where, window.backlog_bits[network, ue] / 1e6)
    return result


def _delay(window: Window) -> FloatArray:
    scale = window.slot_s * 1e4
    return ratio(window.slices[..., seats.SLICE_DELAY_SLOTS], window.slices[..., seats.SLICE_PACKETS_OUT], scale)


def _delay_p95(window: Window) -> FloatArray:
    return delay_p95(window.slice_delay, window.slot_s)


def _settled(window: Window) -> FloatArray:
    """Packets that left the queues in any way."""
    columns = [seats.SLICE_PACKETS_OUT, seats.SLICE_PACKETS_DROPPED, seats.SLICE_PACKETS_LOST]
    result: FloatArray = window.slices[..., columns].sum(axis=-1)
    return result


def _on_time(window: Window) -> FloatArray:
    return ratio(window.slices[..., seats.SLICE_PACKETS_ON_TIME], _settled(window), 100.0)


def _drop_rate(window: Window) -> FloatArray:
    return ratio(window.slices[..., seats.SLICE_PACKETS_DROPPED], _settled(window), 1e6)


def _loss_rate(window: Window) -> FloatArray:
    lost = window.slices[..., seats.SLICE_PACKETS_LOST]
    return ratio(lost, lost + window.slices[..., seats.SLICE_PACKETS_OUT], 1e6)


MEASUREMENTS: Table = {
    SLICE_PRB_USE: _prb_use,
    SLICE_PRB_MEAN: _over_slots(seats.SLICE_PRBS),
    SLICE_VOLUME: _megabits(seats.SLICE_BITS_OUT),
    SLICE_OFFERED: _megabits(seats.SLICE_BITS_IN),
    SLICE_SERVED: _served,
    SLICE_THROUGHPUT: _throughput,
    SLICE_THROUGHPUT_P5: _throughput_p5,
    SLICE_DELAY: _delay,
    SLICE_DELAY_P95: _delay_p95,
    SLICE_ON_TIME: _on_time,
    SLICE_DROP_RATE: _drop_rate,
    SLICE_LOSS_RATE: _loss_rate,
    SLICE_CONNECTED_MEAN: _over_slots(seats.SLICE_CONNECTED_SUM),
    SLICE_ACTIVE_MEAN: _over_slots(seats.SLICE_BUSY_SLOTS),
    SLICE_BACKLOG: _backlog,
}
