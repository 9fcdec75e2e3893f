"""What a cell carries: resource blocks, volume, throughput, delay, losses, and the users that come and go."""

from __future__ import annotations

import functools

import numpy as np

from ranpilot.twin import state as s
from ranpilot.twin.delay_bins import delay_edges_slots
from ranpilot.twin.kpm.window import FloatArray, Int64Array, Table, Window, cell_count, cell_kpm, ratio

__all__ = [
    "ACTIVE_MEAN",
    "CELL_THROUGHPUT",
    "CONNECTED_MEAN",
    "CONNECTION_ATTEMPTS",
    "CQI_MEAN",
    "DEPARTURES",
    "LINK_FAILURES",
    "MEASUREMENTS",
    "PACKET_DELAY",
    "PACKET_DELAY_P95",
    "PACKET_DROP_RATE",
    "PACKET_LOSS_RATE",
    "PRB_MEAN",
    "PRB_USE",
    "REFUSED_CONNECTIONS",
    "RELEASES",
    "VOLUME",
    "delay_edges_ms",
    "delay_p95",
]

PRB_USE = cell_kpm(
    "RRU.PrbTotDl", "%", 100.0, "neither", "PRBs in use, share of all",
    formula="PRBs in use, summed over slots / (slots × PRBs of the carrier) × 100", source="TS 28.552 §5.1.1.2.1",
)  # fmt: skip
PRB_MEAN = cell_kpm(
    "RRU.PrbUsedDl", "PRB", 275.0, "neither", "PRBs in use, mean a slot",
    formula="PRBs in use, summed over slots / slots", source="TS 28.552 §5.1.1.2.5",
)  # fmt: skip
VOLUME = cell_kpm(
    "DRB.PdcpSduVolumeDL", "Mbit", 1e6, "higher", "Delivered bits",
    formula="acknowledged bits, without padding / 1e6", source="TS 28.552 §5.1.2.1.1.1",
    differs="counted when acknowledged, not as they enter PDCP",
)  # fmt: skip
CELL_THROUGHPUT = cell_kpm(
    "DRB.UEThpDl", "kbit/s", 1e7, "higher",
    "Delivered bits a user, over the time with data",
    formula="acknowledged bits / time with bits to send, summed over users / 1000", source="TS 28.552 §5.1.1.3.1",
    differs="the last slot of a burst counts too",
)  # fmt: skip
ACTIVE_MEAN = cell_kpm(
    "DRB.MeanActiveUeDl", "UE", 1000.0, "neither", "Users with data to send, mean",
    formula="users with bits to send, summed over slots / slots", source="TS 28.552 §5.1.1.23.1",
)  # fmt: skip
PACKET_DELAY = cell_kpm(
    "DRB.RlcSduDelayDl", "0.1 ms", 6e5, "lower",
    "Mean delay of delivered packets, arrival slot counted",
    formula="(slot of the acknowledgement − slot of arrival + 1) × slot, summed over delivered packets / their number",
    source="TS 28.552 §5.1.3.3.3", differs="ends at the acknowledgement, not at the first transmission",
)  # fmt: skip
PACKET_DELAY_P95 = cell_kpm(
    "RP.RlcSduDelayDl.P95", "0.1 ms", 6e5, "lower", "95th percentile of the delay of delivered packets",
    formula="upper edge of the bin of DRB.RlcSduDelayDlDist that 95 % of the delivered packets reach",
)  # fmt: skip
PACKET_DROP_RATE = cell_kpm(
    "DRB.RlcPacketDropRateDl", "1e-6", 1e6, "lower",
    "Packets expired or without room, of all that left the queue in any way",
    formula="dropped packets / (dropped + delivered + lost) × 1e6", source="TS 28.552 §5.1.3.2.2",
)  # fmt: skip
PACKET_LOSS_RATE = cell_kpm(
    "DRB.PacketLossRateUu", "1e-6", 1e6, "lower",
    "Packets lost after the last retransmission or in a block that a handover or a release cut off",
    formula="lost packets / (lost + delivered) × 1e6", source="TS 28.552 §5.1.1.35",
)  # fmt: skip
CONNECTED_MEAN = cell_kpm(
    "RRC.ConnMean", "UE", 1000.0, "neither", "Connected users, mean",
    formula="connected users, summed over slots / slots", source="TS 28.552 §5.1.1.4.1",
)  # fmt: skip
CQI_MEAN = cell_kpm(
    "CARR.WBCQIDist.Mean", "index", 15.0, "higher", "Mean of the wideband CQI's distribution",
    formula="wideband CQI (mean of the groups' CQIs, rounded), summed over reports / reports",
    differs="the distribution is TS 28.552 §5.1.1.11.1",
)  # fmt: skip
CONNECTION_ATTEMPTS = cell_kpm(
    "RRC.ConnEstabAtt", "1", 1e6, "neither", "Users that arrived",
    formula="arrivals", source="TS 28.552 §5.1.1.15.1",
)  # fmt: skip
REFUSED_CONNECTIONS = cell_kpm(
    "RRC.ConnEstabFailCause.NetworkReject", "1", 1e6, "lower", "Arrivals that found the cell full",
    formula="arrivals at the admission limit", source="TS 28.552 §5.1.1.15.3",
)  # fmt: skip
DEPARTURES = cell_kpm("RP.Departures", "1", 1e6, "neither", "Users whose session ended by itself", formula="departures")
RELEASES = cell_kpm("RP.Releases", "1", 1e6, "neither", "Users released by a control", formula="releases")
LINK_FAILURES = cell_kpm(
    "RP.RadioLinkFailures", "1", 1e6, "lower", "Radio link failures", formula="expiries of T310, at the serving cell"
)


def delay_edges_ms(slot_s: float) -> FloatArray:
    """Upper edges [DELAY_BINS] of the delay histogram in ms; the last bin is open."""
    return _delay_edges_ms(slot_s).copy()


@functools.cache
def _delay_edges_ms(slot_s: float) -> FloatArray:
    edges: FloatArray = delay_edges_slots() * (slot_s * 1e3)
    edges.setflags(write=False)
    return edges


def delay_p95(delay: Int64Array, slot_s: float) -> FloatArray:
    """95th percentile [...] of delays counted in bins [..., DELAY_BINS], in 0.1 ms; 0 of none."""
    below = np.cumsum(delay, axis=-1)
    total = below[..., -1:]
    edges = _delay_edges_ms(slot_s) * 10.0
    result: FloatArray = edges[(below < 0.95 * total).sum(axis=-1)] * (total[..., 0] > 0)
    return result


def _volume(window: Window) -> FloatArray:
    return window.cell[..., s.CELL_BITS_OUT] / 1e6


def _prb_use(window: Window) -> FloatArray:
    return window.cell[..., s.CELL_PRBS] / max(1, window.num_slots * window.num_prbs) * 100.0


def _prb_mean(window: Window) -> FloatArray:
    return window.cell[..., s.CELL_PRBS] / max(1, window.num_slots)


def _cell_throughput(window: Window) -> FloatArray:
    scale = 1e-3 / window.slot_s
    return ratio(window.cell[..., s.CELL_BITS_OUT], window.cell[..., s.CELL_BUSY_SLOTS], scale)


def _cell_delay(window: Window) -> FloatArray:
    scale = window.slot_s * 1e4
    return ratio(window.cell[..., s.CELL_DELAY_SLOTS], window.cell[..., s.CELL_PACKETS_OUT], scale)


def _cell_delay_p95(window: Window) -> FloatArray:
    return delay_p95(window.delay, window.slot_s)


def _drop_rate(window: Window) -> FloatArray:
    dropped = window.cell[..., s.CELL_PACKETS_DROPPED]
    settled = dropped + window.cell[..., s.CELL_PACKETS_OUT] + window.cell[..., s.CELL_PACKETS_LOST]
    return ratio(dropped, settled, 1e6)


def _loss_rate(window: Window) -> FloatArray:
    lost = window.cell[..., s.CELL_PACKETS_LOST]
    return ratio(lost, lost + window.cell[..., s.CELL_PACKETS_OUT], 1e6)


def _connected(window: Window) -> FloatArray:
    return window.cell[..., s.CELL_CONNECTED_SUM] / max(1, window.num_slots)


def _active(window: Window) -> FloatArray:
    return window.cell[..., s.CELL_BUSY_SLOTS] / max(1, window.num_slots)


def _cqi(window: Window) -> FloatArray:
    return ratio(window.cell[..., s.CELL_CQI_SUM], window.cell[..., s.CELL_CQI_REPORTS])


MEASUREMENTS: Table = {
    PRB_USE: _prb_use,
    PRB_MEAN: _prb_mean,
    VOLUME: _volume,
    CELL_THROUGHPUT: _cell_throughput,
    ACTIVE_MEAN: _active,
    PACKET_DELAY: _cell_delay,
    PACKET_DELAY_P95: _cell_delay_p95,
    PACKET_DROP_RATE: _drop_rate,
    PACKET_LOSS_RATE: _loss_rate,
    CONNECTED_MEAN: _connected,
    CQI_MEAN: _cqi,
    CONNECTION_ATTEMPTS: cell_count(s.CELL_ARRIVALS),
    REFUSED_CONNECTIONS: cell_count(s.CELL_BLOCKED),
    DEPARTURES: cell_count(s.CELL_DEPARTURES),
    RELEASES: cell_count(s.CELL_RELEASES),
    LINK_FAILURES: cell_count(s.CELL_FAILURES),
}
