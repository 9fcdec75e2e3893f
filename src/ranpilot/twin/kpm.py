"""The measurements: name, unit, scope, bounds, and how each is computed from counters.

Names and units follow TS 28.552 where it defines the quantity; a name that begins with `RP.` is ours. A name that ends
in `.UE` is the same quantity for one user (as E2SM-KPM reports it), named apart so that every name has one scope.
All cover the time since the last `measure()`. A mean over nothing is 0 (the counts beside it tell).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranpilot.declare import Measurement
from ranpilot.twin import state as s
from ranpilot.twin.delay_bins import delay_edges_slots

__all__ = [
    "CELL_THROUGHPUT",
    "CONNECTED_MEAN",
    "CONNECTION_ATTEMPTS",
    "CQI_MEAN",
    "DEPARTURES",
    "HANDOVERS_ASKED",
    "HANDOVERS_FAILED",
    "HANDOVERS_IN",
    "HANDOVERS_OUT",
    "HANDOVERS_REFUSED",
    "HANDOVERS_STARTED",
    "HANDOVERS_TOO_EARLY",
    "HANDOVERS_TOO_LATE",
    "HANDOVERS_TO_WRONG_CELL",
    "HANDOVER_TIME",
    "INITIAL_BLER",
    "LINK_FAILURES",
    "LINK_RSRP",
    "LINK_SINR",
    "MEASUREMENTS",
    "PACKET_DELAY",
    "PACKET_DROP_RATE",
    "PACKET_LOSS_RATE",
    "PING_PONGS",
    "PRB_MEAN",
    "PRB_USE",
    "PREPARATIONS_CUT",
    "REESTABLISHMENTS",
    "REESTABLISHMENT_TIME",
    "REFUSED_CONNECTIONS",
    "RELEASES",
    "SEARCHES",
    "SEARCHES_EXPIRED",
    "SINR_MEAN",
    "TX_POWER",
    "UE_DELAY",
    "UE_DROP_RATE",
    "UE_HANDOVERS",
    "UE_HANDOVERS_FAILED",
    "UE_HANDOVERS_REFUSED",
    "UE_HANDOVERS_STARTED",
    "UE_LINK_FAILURES",
    "UE_PING_PONGS",
    "UE_REESTABLISHMENTS",
    "UE_RSRP",
    "UE_SINR",
    "UE_THROUGHPUT",
    "VOLUME",
    "Window",
    "compute",
    "delay_edges_ms",
]

FloatArray = NDArray[np.float64]
Int64Array = NDArray[np.int64]


class Window(NamedTuple):
    """What happened in a span of slots, and the state at its end."""

    ue: FloatArray
    """[B, U, NUM_UE_COUNTERS]"""
    cell: FloatArray
    """[B, C, NUM_CELL_COUNTERS]"""
    delay: Int64Array
    """[B, C, DELAY_BINS]"""
    serving_cell: Int64Array
    """[B, U]"""
    ue_sinr_db: FloatArray
    """[B, U] of the serving cell, NaN in empty places"""
    link_sinr_db: FloatArray
    """[B, U, C]"""
    link_rsrp_dbm: FloatArray
    """[B, U, C], NaN in empty places and where it is not measured"""
    tx_power_dbm: FloatArray
    """[B, C]"""
    num_slots: int
    slot_s: float
    num_prbs: int


def _cell(name: str, unit: str, high: float, better: str, description: str, source: str = "TS 28.552") -> Measurement:
    return Measurement(name, unit, "cell", 0.0, high, better, description, source)  # type: ignore[arg-type]


def _ue(name: str, unit: str, high: float, better: str, description: str, source: str = "TS 28.552") -> Measurement:
    return Measurement(name, unit, "ue", 0.0, high, better, description, source)  # type: ignore[arg-type]


OURS = "ranpilot"
PRB_USE = _cell("RRU.PrbTotDl", "%", 100.0, "neither", "PRBs in use, share of all", "TS 28.552 §5.1.1.2.1")
PRB_MEAN = _cell("RRU.PrbUsedDl", "PRB", 275.0, "neither", "PRBs in use, mean a slot", "TS 28.552 §5.1.1.2.5")
VOLUME = _cell("DRB.PdcpSduVolumeDL", "Mbit", 1e6, "higher", "Delivered bits", "TS 28.552 §5.1.2.1.1")
CELL_THROUGHPUT = _cell(
    "DRB.UEThpDl", "kbit/s", 1e7, "higher", "Delivered bits a user, over the time with data", "TS 28.552 §5.1.1.3.1"
)
PACKET_DELAY = _cell(
    "DRB.RlcSduDelayDl", "0.1 ms", 6e5, "lower", "Mean delay of delivered packets, arrival slot counted", "TS 28.552"
)
PACKET_DELAY_P95 = _cell(
    "RP.RlcSduDelayDl.P95", "0.1 ms", 6e5, "lower", "95th percentile (upper edge of the histogram's bin)", OURS
)
PACKET_DROP_RATE = _cell(
    "DRB.RlcPacketDropRateDl",
    "1e-6",
    1e6,
    "lower",
    "Packets expired or without room, of all that left the queue in any way",
)
PACKET_LOSS_RATE = _cell(
    "RP.PacketLossRateDl",
    "1e-6",
    1e6,
    "lower",
    "Packets lost after the last retransmission or in a block that a handover or a release cut off",
    OURS,
)
CONNECTED_MEAN = _cell("RRC.ConnMean", "UE", 1000.0, "neither", "Connected users, mean", "TS 28.552 §5.1.1.4.1")
CQI_MEAN = _cell("CARR.WBCQIDist.Mean", "index", 15.0, "higher", "Mean of the wideband CQI's distribution")
CONNECTION_ATTEMPTS = _cell("RRC.ConnEstabAtt", "1", 1e6, "neither", "Users that arrived", "TS 28.552 §5.1.1.15")
REFUSED_CONNECTIONS = _cell(
    "RRC.ConnEstabFailCause.NetworkReject", "1", 1e6, "lower", "Arrivals that found the cell full"
)
DEPARTURES = _cell("RP.Departures", "1", 1e6, "neither", "Users whose session ended by itself", OURS)
RELEASES = _cell("RP.Releases", "1", 1e6, "neither", "Users released by a control", OURS)
LINK_FAILURES = _cell("RP.RadioLinkFailures", "1", 1e6, "lower", "Radio link failures", OURS)
HANDOVERS_ASKED = _cell("MM.HoPrepInterReq", "1", 1e6, "neither", "Handovers asked for", "TS 28.552 §5.1.1.6.1")
HANDOVERS_REFUSED = _cell(
    "MM.HoPrepInterFail",
    "1",
    1e6,
    "lower",
    "Handovers refused by a full target or a user on its way elsewhere, at the source",
    "TS 28.552 §5.1.1.6.1.3",
)
PREPARATIONS_CUT = _cell("RP.HoPrepCut", "1", 1e6, "lower", "Preparations that a radio link failure ended", OURS)
HANDOVERS_STARTED = _cell(
    "MM.HoExeInterReq", "1", 1e6, "neither", "Handovers commanded, at the source", "TS 28.552 §5.1.1.6.1.7"
)
HANDOVERS_OUT = _cell(
    "MM.HoExeInterSucc", "1", 1e6, "neither", "Handovers to another cell that succeeded", "TS 28.552 §5.1.1.6.1.8"
)
HANDOVERS_FAILED = _cell(
    "MM.HoExeInterFail", "1", 1e6, "lower", "Handovers that T304 ended, at the source", "TS 28.552 §5.1.1.6.1.9"
)
HANDOVER_TIME = _cell(
    "MM.HoExeInterReq.TimeMean",
    "ms",
    1e5,
    "lower",
    "Mean time from command to service of handovers that succeeded, at the source",
    "TS 28.552 §5.1.1.6.1.10",
)
PING_PONGS = _cell(
    "RP.HoPingPong", "1", 1e6, "lower", "Handovers back to the cell before, within rrc.handover.short_stay_ms", OURS
)
HANDOVERS_TOO_LATE = _cell(
    "HO.IntraSys.TooLate",
    "1",
    1e6,
    "lower",
    "Failures long after a handover, connected again in another cell; at the cell that was lost",
    "TS 28.552 §5.1.1.25.1",
)
HANDOVERS_TOO_EARLY = _cell(
    "HO.IntraSys.TooEarly",
    "1",
    1e6,
    "lower",
    "Failures in or soon after a handover, connected again at its source; at the source",
    "TS 28.552 §5.1.1.25.1",
)
HANDOVERS_TO_WRONG_CELL = _cell(
    "HO.IntraSys.ToWrongCell",
    "1",
    1e6,
    "lower",
    "Failures in or soon after a handover, connected again in a third cell; at the source",
    "TS 28.552 §5.1.1.25.1",
)
SEARCHES = _cell("RP.ReEstabSearches", "1", 1e6, "lower", "Users who began to search, at the cell they lost", OURS)
SEARCHES_EXPIRED = _cell("RP.T311Expiries", "1", 1e6, "lower", "Searches that found no cell in time", OURS)
REESTABLISHMENTS = _cell(
    "RRC.ReEstabSuccWithUeContext", "1", 1e6, "neither", "Users who connected again", "TS 28.552 §5.1.1.17.2"
)
REESTABLISHMENT_TIME = _cell(
    "RP.ReEstabTimeMean", "ms", 1e6, "lower", "Mean time from the loss until served again, at the cell found", OURS
)
HANDOVERS_IN = _cell("RP.HandoversIn", "1", 1e6, "neither", "Handovers from another cell", OURS)
INITIAL_BLER = _cell("RP.InitialBlerDl", "%", 100.0, "neither", "First transmissions that failed", OURS)
BLOCKS = _cell("TB.TotNbrDl", "1", 1e9, "neither", "Transport blocks sent, retransmissions included")
BLOCK_ERRORS = _cell("TB.ErrTotalNbrDl", "1", 1e9, "lower", "Transport blocks that failed")
RESIDUAL_ERRORS = _cell("TB.ResidualErrNbrDl", "1", 1e9, "lower", "Transport blocks given up")
TX_POWER = Measurement("RP.TxPower", "dBm", "cell", -10.0, 60.0, "lower", "Transmit power of the carrier", OURS)
SINR_MEAN = Measurement(
    "L1M.SS-SINR.Mean", "dB", "cell", -60.0, 60.0, "higher", "Mean over connected users of filtered wideband SINR", OURS
)
UE_THROUGHPUT = _ue("DRB.UEThpDl.UE", "kbit/s", 1e7, "higher", "Delivered bits over the time with data")
UE_DELAY = _ue("DRB.RlcSduDelayDl.UE", "0.1 ms", 6e5, "lower", "Mean delay of delivered packets")
UE_DROP_RATE = _ue("DRB.RlcPacketDropRateDl.UE", "1e-6", 1e6, "lower", "Packets expired or without room")
UE_VOLUME = _ue("DRB.PdcpSduVolumeDL.UE", "Mbit", 1e6, "higher", "Delivered bits")
UE_PRB_MEAN = _ue("RRU.PrbUsedDl.UE", "PRB", 275.0, "neither", "PRBs in use, mean a slot")
UE_LINK_FAILURES = _ue("RP.RadioLinkFailures.UE", "1", 1e6, "lower", "Radio link failures in this place", OURS)
UE_HANDOVERS = _ue("MM.HoExeInterSucc.UE", "1", 1e6, "neither", "Handovers that succeeded")
UE_HANDOVERS_REFUSED = _ue("MM.HoPrepInterFail.UE", "1", 1e6, "lower", "Handovers refused by a full target")
UE_HANDOVERS_STARTED = _ue("MM.HoExeInterReq.UE", "1", 1e6, "neither", "Handovers commanded")
UE_HANDOVERS_FAILED = _ue("MM.HoExeInterFail.UE", "1", 1e6, "lower", "Handovers that T304 ended")
UE_PING_PONGS = _ue("RP.HoPingPong.UE", "1", 1e6, "lower", "Handovers back within the short stay", OURS)
UE_REESTABLISHMENTS = _ue("RRC.ReEstabSuccWithUeContext.UE", "1", 1e6, "neither", "Times connected again")
UE_RSRP = Measurement(
    "L1M.SS-RSRP.UE",
    "dBm",
    "ue",
    -156.0,
    -31.0,
    "higher",
    "Filtered RSRP of the serving cell, NaN if empty or not measured",
    OURS,
)
UE_SINR = Measurement(
    "L1M.SS-SINR.UE",
    "dB",
    "ue",
    -60.0,
    60.0,
    "higher",
    "Filtered wideband SINR of the serving cell, NaN if empty",
    OURS,
)
LINK_SINR = Measurement(
    "L1M.SS-SINR.Link",
    "dB",
    "link",
    -60.0,
    60.0,
    "higher",
    "Filtered wideband SINR that each cell gives or would",
    OURS,
)
LINK_RSRP = Measurement(
    "L1M.SS-RSRP.Link", "dBm", "link", -156.0, -31.0, "higher", "Filtered RSRP of each cell, NaN if not measured", OURS
)


def compute(window: Window) -> dict[str, FloatArray]:
    """Every measurement over a window: [B, C], [B, U] or [B, U, C] by scope."""
    return {measurement.name: function(window) for measurement, function in MEASUREMENTS.items()}


def delay_edges_ms(slot_s: float) -> FloatArray:
    """Upper edges [DELAY_BINS] of the delay histogram in ms; the last bin is open."""
    return delay_edges_slots() * (slot_s * 1e3)


def _count(column: int) -> Callable[[Window], FloatArray]:
    return lambda window: window.cell[..., column]


def _ue_count(column: int) -> Callable[[Window], FloatArray]:
    return lambda window: window.ue[..., column]


def _volume(window: Window) -> FloatArray:
    return window.cell[..., s.CELL_BITS_OUT] / 1e6


def _ue_volume(window: Window) -> FloatArray:
    return window.ue[..., s.UE_BITS_OUT] / 1e6


def _ratio(above: FloatArray, below: FloatArray, scale: float = 1.0) -> FloatArray:
    """above / below * scale, 0 where nothing is below."""
    result = np.zeros(below.shape)
    np.divide(above, below, out=result, where=below > 0)
    result *= scale
    return result


def _prb_use(window: Window) -> FloatArray:
    return window.cell[..., s.CELL_PRBS] / max(1, window.num_slots * window.num_prbs) * 100.0


def _prb_mean(window: Window) -> FloatArray:
    return window.cell[..., s.CELL_PRBS] / max(1, window.num_slots)


def _cell_throughput(window: Window) -> FloatArray:
    scale = 1e-3 / window.slot_s
    return _ratio(window.cell[..., s.CELL_BITS_OUT], window.cell[..., s.CELL_BUSY_SLOTS], scale)


def _cell_delay(window: Window) -> FloatArray:
    scale = window.slot_s * 1e4
    return _ratio(window.cell[..., s.CELL_DELAY_SLOTS], window.cell[..., s.CELL_PACKETS_OUT], scale)


def _cell_delay_p95(window: Window) -> FloatArray:
    below = np.cumsum(window.delay, axis=-1)
    total = below[..., -1:]
    bin_index = (below < 0.95 * total).sum(axis=-1)
    edges = delay_edges_ms(window.slot_s) * 10.0
    result: FloatArray = edges[bin_index] * (total[..., 0] > 0)
    return result


def _drop_rate(window: Window) -> FloatArray:
    dropped = window.cell[..., s.CELL_PACKETS_DROPPED]
    settled = dropped + window.cell[..., s.CELL_PACKETS_OUT] + window.cell[..., s.CELL_PACKETS_LOST]
    return _ratio(dropped, settled, 1e6)


def _loss_rate(window: Window) -> FloatArray:
    lost = window.cell[..., s.CELL_PACKETS_LOST]
    return _ratio(lost, lost + window.cell[..., s.CELL_PACKETS_OUT], 1e6)


def _connected(window: Window) -> FloatArray:
    return window.cell[..., s.CELL_CONNECTED_SUM] / max(1, window.num_slots)


def _cqi(window: Window) -> FloatArray:
    return _ratio(window.cell[..., s.CELL_CQI_SUM], window.cell[..., s.CELL_CQI_REPORTS])


def _initial_bler(window: Window) -> FloatArray:
    return _ratio(window.cell[..., s.CELL_FIRST_ERRORS], window.cell[..., s.CELL_FIRST_BLOCKS], 100.0)


def _tx_power(window: Window) -> FloatArray:
    return window.tx_power_dbm


def _link_sinr(window: Window) -> FloatArray:
    return _reportable(window.link_sinr_db, LINK_SINR)


def _link_rsrp(window: Window) -> FloatArray:
    return _reportable(window.link_rsrp_dbm, LINK_RSRP)


def _ue_rsrp(window: Window) -> FloatArray:
    serving = np.maximum(window.serving_cell, 0)[..., None]
    return _reportable(np.take_along_axis(window.link_rsrp_dbm, serving, axis=-1)[..., 0], UE_RSRP)


def _handover_time(window: Window) -> FloatArray:
    scale = window.slot_s * 1e3
    return _ratio(window.cell[..., s.CELL_HANDOVER_SLOTS], window.cell[..., s.CELL_HANDOVERS_OUT], scale)


def _reestablishment_time(window: Window) -> FloatArray:
    scale = window.slot_s * 1e3
    return _ratio(window.cell[..., s.CELL_REESTABLISHMENT_SLOTS], window.cell[..., s.CELL_REESTABLISHMENTS], scale)


def _ue_sinr(window: Window) -> FloatArray:
    return _reportable(window.ue_sinr_db, UE_SINR)


def _reportable(value: FloatArray, measurement: Measurement) -> FloatArray:
    """A report saturates at the ends of its range (as TS 38.133 §10.1.6 and §10.1.16 have it); NaN stays."""
    result: FloatArray = np.clip(value, measurement.low, measurement.high)
    return result


def _sinr_mean(window: Window) -> FloatArray:
    is_mine = window.serving_cell[..., None] == np.arange(window.cell.shape[1])  # [B, U, C]
    total = np.where(is_mine, _link_sinr(window), 0.0).sum(axis=1)
    return _ratio(total, is_mine.sum(axis=1))


def _ue_throughput(window: Window) -> FloatArray:
    return _ratio(window.ue[..., s.UE_BITS_OUT], window.ue[..., s.UE_BUSY_SLOTS], 1e-3 / window.slot_s)


def _ue_delay(window: Window) -> FloatArray:
    return _ratio(window.ue[..., s.UE_DELAY_SLOTS], window.ue[..., s.UE_PACKETS_OUT], window.slot_s * 1e4)


def _ue_drop_rate(window: Window) -> FloatArray:
    dropped = window.ue[..., s.UE_PACKETS_EXPIRED] + window.ue[..., s.UE_PACKETS_OVERFLOWED]
    settled = dropped + window.ue[..., s.UE_PACKETS_OUT] + window.ue[..., s.UE_PACKETS_LOST]
    return _ratio(dropped, settled, 1e6)


def _ue_prb_mean(window: Window) -> FloatArray:
    return window.ue[..., s.UE_PRBS] / max(1, window.num_slots)


MEASUREMENTS: dict[Measurement, Callable[[Window], FloatArray]] = {
    PRB_USE: _prb_use,
    PRB_MEAN: _prb_mean,
    VOLUME: _volume,
    CELL_THROUGHPUT: _cell_throughput,
    PACKET_DELAY: _cell_delay,
    PACKET_DELAY_P95: _cell_delay_p95,
    PACKET_DROP_RATE: _drop_rate,
    PACKET_LOSS_RATE: _loss_rate,
    CONNECTED_MEAN: _connected,
    CQI_MEAN: _cqi,
    CONNECTION_ATTEMPTS: _count(s.CELL_ARRIVALS),
    REFUSED_CONNECTIONS: _count(s.CELL_BLOCKED),
    DEPARTURES: _count(s.CELL_DEPARTURES),
    RELEASES: _count(s.CELL_RELEASES),
    LINK_FAILURES: _count(s.CELL_FAILURES),
    HANDOVERS_ASKED: _count(s.CELL_HANDOVERS_ASKED),
    HANDOVERS_REFUSED: _count(s.CELL_HANDOVERS_REFUSED),
    PREPARATIONS_CUT: _count(s.CELL_PREPARATIONS_CUT),
    HANDOVERS_STARTED: _count(s.CELL_HANDOVERS_STARTED),
    HANDOVERS_OUT: _count(s.CELL_HANDOVERS_OUT),
    HANDOVERS_FAILED: _count(s.CELL_HANDOVERS_FAILED),
    HANDOVERS_IN: _count(s.CELL_HANDOVERS_IN),
    HANDOVER_TIME: _handover_time,
    PING_PONGS: _count(s.CELL_PING_PONGS),
    HANDOVERS_TOO_LATE: _count(s.CELL_TOO_LATE),
    HANDOVERS_TOO_EARLY: _count(s.CELL_TOO_EARLY),
    HANDOVERS_TO_WRONG_CELL: _count(s.CELL_WRONG_CELL),
    SEARCHES: _count(s.CELL_SEARCHES),
    SEARCHES_EXPIRED: _count(s.CELL_SEARCHES_EXPIRED),
    REESTABLISHMENTS: _count(s.CELL_REESTABLISHMENTS),
    REESTABLISHMENT_TIME: _reestablishment_time,
    INITIAL_BLER: _initial_bler,
    BLOCKS: _count(s.CELL_BLOCKS),
    BLOCK_ERRORS: _count(s.CELL_BLOCK_ERRORS),
    RESIDUAL_ERRORS: _count(s.CELL_RESIDUAL_ERRORS),
    TX_POWER: _tx_power,
    SINR_MEAN: _sinr_mean,
    UE_THROUGHPUT: _ue_throughput,
    UE_DELAY: _ue_delay,
    UE_DROP_RATE: _ue_drop_rate,
    UE_VOLUME: _ue_volume,
    UE_PRB_MEAN: _ue_prb_mean,
    UE_LINK_FAILURES: _ue_count(s.UE_FAILURES),
    UE_HANDOVERS: _ue_count(s.UE_HANDOVERS),
    UE_HANDOVERS_REFUSED: _ue_count(s.UE_HANDOVERS_REFUSED),
    UE_HANDOVERS_STARTED: _ue_count(s.UE_HANDOVERS_STARTED),
    UE_HANDOVERS_FAILED: _ue_count(s.UE_HANDOVERS_FAILED),
    UE_PING_PONGS: _ue_count(s.UE_PING_PONGS),
    UE_REESTABLISHMENTS: _ue_count(s.UE_REESTABLISHMENTS),
    UE_RSRP: _ue_rsrp,
    UE_SINR: _ue_sinr,
    LINK_SINR: _link_sinr,
    LINK_RSRP: _link_rsrp,
}
"""Every measurement with the function that computes it."""
