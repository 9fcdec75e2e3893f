"""What a cell carries: resource blocks, volume, throughput, delay, losses, and the users that come and go."""

from __future__ import annotations

import numpy as np

from ranpilot.twin import state as s
from ranpilot.twin.delay_bins import delay_edges_slots
from ranpilot.twin.kpm.window import OURS, FloatArray, Table, Window, cell_count, cell_kpm, ratio

__all__ = [
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
]

PRB_USE = cell_kpm("RRU.PrbTotDl", "%", 100.0, "neither", "PRBs in use, share of all", "TS 28.552 §5.1.1.2.1")
PRB_MEAN = cell_kpm("RRU.PrbUsedDl", "PRB", 275.0, "neither", "PRBs in use, mean a slot", "TS 28.552 §5.1.1.2.5")
VOLUME = cell_kpm("DRB.PdcpSduVolumeDL", "Mbit", 1e6, "higher", "Delivered bits", "TS 28.552 §5.1.2.1.1")
CELL_THROUGHPUT = cell_kpm(
    "DRB.UEThpDl", "kbit/s", 1e7, "higher", "Delivered bits a user, over the time with data", "TS 28.552 §5.1.1.3.1"
)
PACKET_DELAY = cell_kpm(
    "DRB.RlcSduDelayDl", "0.1 ms", 6e5, "lower", "Mean delay of delivered packets, arrival slot counted", "TS 28.552"
)
PACKET_DELAY_P95 = cell_kpm(
    "RP.RlcSduDelayDl.P95", "0.1 ms", 6e5, "lower", "95th percentile (upper edge of the histogram's bin)", OURS
)
PACKET_DROP_RATE = cell_kpm(
    "DRB.RlcPacketDropRateDl",
    "1e-6",
    1e6,
    "lower",
    "Packets expired or without room, of all that left the queue in any way",
)
PACKET_LOSS_RATE = cell_kpm(
    "RP.PacketLossRateDl",
    "1e-6",
    1e6,
    "lower",
    "Packets lost after the last retransmission or in a block that a handover or a release cut off",
    OURS,
)
CONNECTED_MEAN = cell_kpm("RRC.ConnMean", "UE", 1000.0, "neither", "Connected users, mean", "TS 28.552 §5.1.1.4.1")
CQI_MEAN = cell_kpm("CARR.WBCQIDist.Mean", "index", 15.0, "higher", "Mean of the wideband CQI's distribution")
CONNECTION_ATTEMPTS = cell_kpm("RRC.ConnEstabAtt", "1", 1e6, "neither", "Users that arrived", "TS 28.552 §5.1.1.15")
REFUSED_CONNECTIONS = cell_kpm(
    "RRC.ConnEstabFailCause.NetworkReject", "1", 1e6, "lower", "Arrivals that found the cell full"
)
DEPARTURES = cell_kpm("RP.Departures", "1", 1e6, "neither", "Users whose session ended by itself", OURS)
RELEASES = cell_kpm("RP.Releases", "1", 1e6, "neither", "Users released by a control", OURS)
LINK_FAILURES = cell_kpm("RP.RadioLinkFailures", "1", 1e6, "lower", "Radio link failures", OURS)


def delay_edges_ms(slot_s: float) -> FloatArray:
    """Upper edges [DELAY_BINS] of the delay histogram in ms; the last bin is open."""
    return delay_edges_slots() * (slot_s * 1e3)


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
    below = np.cumsum(window.delay, axis=-1)
    total = below[..., -1:]
    bin_index = (below < 0.95 * total).sum(axis=-1)
    edges = delay_edges_ms(window.slot_s) * 10.0
    result: FloatArray = edges[bin_index] * (total[..., 0] > 0)
    return result


def _drop_rate(window: Window) -> FloatArray:
    dropped = window.cell[..., s.CELL_PACKETS_DROPPED]
    settled = dropped + window.cell[..., s.CELL_PACKETS_OUT] + window.cell[..., s.CELL_PACKETS_LOST]
    return ratio(dropped, settled, 1e6)


def _loss_rate(window: Window) -> FloatArray:
    lost = window.cell[..., s.CELL_PACKETS_LOST]
    return ratio(lost, lost + window.cell[..., s.CELL_PACKETS_OUT], 1e6)


def _connected(window: Window) -> FloatArray:
    return window.cell[..., s.CELL_CONNECTED_SUM] / max(1, window.num_slots)


def _cqi(window: Window) -> FloatArray:
    return ratio(window.cell[..., s.CELL_CQI_SUM], window.cell[..., s.CELL_CQI_REPORTS])


MEASUREMENTS: Table = {
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
    CONNECTION_ATTEMPTS: cell_count(s.CELL_ARRIVALS),
    REFUSED_CONNECTIONS: cell_count(s.CELL_BLOCKED),
    DEPARTURES: cell_count(s.CELL_DEPARTURES),
    RELEASES: cell_count(s.CELL_RELEASES),
    LINK_FAILURES: cell_count(s.CELL_FAILURES),
}
