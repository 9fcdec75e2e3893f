"""Measurements of one user."""

from __future__ import annotations

from ranpilot.declare import Measurement
from ranpilot.twin import state as s
from ranpilot.twin.kpm.window import (
    OURS,
    FloatArray,
    Table,
    Window,
    of_serving_cell,
    ratio,
    reportable,
    ue_count,
    ue_kpm,
)

__all__ = [
    "MEASUREMENTS",
    "UE_DELAY",
    "UE_DROP_RATE",
    "UE_HANDOVERS",
    "UE_HANDOVERS_FAILED",
    "UE_HANDOVERS_REFUSED",
    "UE_HANDOVERS_STARTED",
    "UE_LINK_FAILURES",
    "UE_PING_PONGS",
    "UE_PRB_MEAN",
    "UE_REESTABLISHMENTS",
    "UE_RSRP",
    "UE_SINR",
    "UE_THROUGHPUT",
    "UE_VOLUME",
]

UE_THROUGHPUT = ue_kpm(
    "DRB.UEThpDl.UE", "kbit/s", 1e7, "higher", "Delivered bits over the time with data",
    formula="acknowledged bits / time with bits to send / 1000", source="TS 28.552 §5.1.1.3.1",
    differs="the last slot of a burst counts too",
)  # fmt: skip
UE_DELAY = ue_kpm(
    "DRB.RlcSduDelayDl.UE", "0.1 ms", 6e5, "lower", "Mean delay of delivered packets",
    formula="(slot of the acknowledgement − slot of arrival + 1) × slot, summed over delivered packets / their number",
    source="TS 28.552 §5.1.3.3.3", differs="ends at the acknowledgement, not at the first transmission",
)  # fmt: skip
UE_DROP_RATE = ue_kpm(
    "DRB.RlcPacketDropRateDl.UE", "1e-6", 1e6, "lower", "Packets expired or without room",
    formula="dropped packets / (dropped + delivered + lost) × 1e6", source="TS 28.552 §5.1.3.2.2",
)  # fmt: skip
UE_VOLUME = ue_kpm(
    "DRB.PdcpSduVolumeDL.UE", "Mbit", 1e6, "higher", "Delivered bits",
    formula="acknowledged bits, without padding / 1e6", source="TS 28.552 §5.1.2.1.1.1",
    differs="counted when acknowledged, not as they enter PDCP",
)  # fmt: skip
UE_PRB_MEAN = ue_kpm(
    "RRU.PrbUsedDl.UE", "PRB", 275.0, "neither", "PRBs in use, mean a slot",
    formula="PRBs in use, summed over slots / slots", source="TS 28.552 §5.1.1.2.5",
)  # fmt: skip
UE_LINK_FAILURES = ue_kpm(
    "RP.RadioLinkFailures.UE", "1", 1e6, "lower", "Radio link failures in this place", formula="expiries of T310"
)
UE_HANDOVERS = ue_kpm(
    "MM.HoExeInterSucc.UE", "1", 1e6, "neither", "Handovers that succeeded",
    formula="handovers whose target serves", source="TS 28.552 §5.1.1.6.1.8",
)  # fmt: skip
UE_HANDOVERS_REFUSED = ue_kpm(
    "MM.HoPrepInterFail.UE", "1", 1e6, "lower", "Handovers refused by a full target",
    formula="preparations refused", source="TS 28.552 §5.1.1.6.1.3",
)  # fmt: skip
UE_HANDOVERS_STARTED = ue_kpm(
    "MM.HoExeInterReq.UE", "1", 1e6, "neither", "Handovers commanded",
    formula="handover commands", source="TS 28.552 §5.1.1.6.1.7",
)  # fmt: skip
UE_HANDOVERS_FAILED = ue_kpm(
    "MM.HoExeInterFail.UE", "1", 1e6, "lower", "Handovers that T304 ended",
    formula="expiries of T304", source="TS 28.552 §5.1.1.6.1.9",
)  # fmt: skip
UE_PING_PONGS = ue_kpm(
    "RP.HoPingPong.UE", "1", 1e6, "lower", "Handovers back within the short stay",
    formula="successes back to the previous cell within the short stay",
)  # fmt: skip
UE_REESTABLISHMENTS = ue_kpm(
    "RRC.ReEstabSuccWithUeContext.UE", "1", 1e6, "neither", "Times connected again",
    formula="re-establishments", source="TS 28.552 §5.1.1.17.2",
)  # fmt: skip
UE_RSRP = Measurement(
    "L1M.SS-RSRP.UE", "dBm", "ue", -156.0, -31.0, "higher",
    "Filtered RSRP of the serving cell, NaN if empty or not measured",
    source=OURS, formula="layer-3 filtered RSRP at the end, held to the range of TS 38.133 §10.1.6",
    differs="nearest: E2SM-KPM §7.10.7, L1M.DL-SS-RSRP",
)  # fmt: skip
UE_SINR = Measurement(
    "L1M.SS-SINR.UE", "dB", "ue", -60.0, 60.0, "higher",
    "Filtered wideband SINR of the serving cell, NaN if empty",
    source=OURS, formula="layer-3 filtered SINR at the end, held to its bounds",
    differs="nearest: E2SM-KPM §7.10.8, L1M.DL-SS-SINR",
)  # fmt: skip


def _ue_volume(window: Window) -> FloatArray:
    return window.ue[..., s.UE_BITS_OUT] / 1e6


def _ue_rsrp(window: Window) -> FloatArray:
    return reportable(of_serving_cell(window.link_rsrp_dbm, window.serving_cell), UE_RSRP)


def _ue_sinr(window: Window) -> FloatArray:
    return reportable(window.ue_sinr_db, UE_SINR)


def _ue_throughput(window: Window) -> FloatArray:
    return ratio(window.ue[..., s.UE_BITS_OUT], window.ue[..., s.UE_BUSY_SLOTS], 1e-3 / window.slot_s)


def _ue_delay(window: Window) -> FloatArray:
    return ratio(window.ue[..., s.UE_DELAY_SLOTS], window.ue[..., s.UE_PACKETS_OUT], window.slot_s * 1e4)


def _ue_drop_rate(window: Window) -> FloatArray:
    dropped = window.ue[..., s.UE_PACKETS_EXPIRED] + window.ue[..., s.UE_PACKETS_OVERFLOWED]
    settled = dropped + window.ue[..., s.UE_PACKETS_OUT] + window.ue[..., s.UE_PACKETS_LOST]
    return ratio(dropped, settled, 1e6)


def _ue_prb_mean(window: Window) -> FloatArray:
    return window.ue[..., s.UE_PRBS] / max(1, window.num_slots)


MEASUREMENTS: Table = {
    UE_THROUGHPUT: _ue_throughput,
    UE_DELAY: _ue_delay,
    UE_DROP_RATE: _ue_drop_rate,
    UE_VOLUME: _ue_volume,
    UE_PRB_MEAN: _ue_prb_mean,
    UE_LINK_FAILURES: ue_count(s.UE_FAILURES),
    UE_HANDOVERS: ue_count(s.UE_HANDOVERS),
    UE_HANDOVERS_REFUSED: ue_count(s.UE_HANDOVERS_REFUSED),
    UE_HANDOVERS_STARTED: ue_count(s.UE_HANDOVERS_STARTED),
    UE_HANDOVERS_FAILED: ue_count(s.UE_HANDOVERS_FAILED),
    UE_PING_PONGS: ue_count(s.UE_PING_PONGS),
    UE_REESTABLISHMENTS: ue_count(s.UE_REESTABLISHMENTS),
    UE_RSRP: _ue_rsrp,
    UE_SINR: _ue_sinr,
}
