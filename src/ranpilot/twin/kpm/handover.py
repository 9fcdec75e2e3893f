"""Mobility of a cell: handovers, failures in and after them, and the way back; at the source where not said."""

from __future__ import annotations

from ranpilot.twin import state as s
from ranpilot.twin.kpm.window import FloatArray, Table, Window, cell_count, cell_kpm, ratio

__all__ = [
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
    "MEASUREMENTS",
    "PING_PONGS",
    "PREPARATIONS_CUT",
    "REESTABLISHMENTS",
    "REESTABLISHMENT_TIME",
    "SEARCHES",
    "SEARCHES_EXPIRED",
]

HANDOVERS_ASKED = cell_kpm(
    "MM.HoPrepInterReq", "1", 1e6, "neither", "Handovers asked for",
    formula="events A3 or A5 and forced handovers that ask for a preparation", source="TS 28.552 §5.1.1.6.1.1",
)  # fmt: skip
HANDOVERS_REFUSED = cell_kpm(
    "MM.HoPrepInterFail", "1", 1e6, "lower",
    "Handovers refused by a full target or a user on its way elsewhere",
    formula="preparations refused", source="TS 28.552 §5.1.1.6.1.3",
)  # fmt: skip
PREPARATIONS_CUT = cell_kpm(
    "RP.HoPrepCut", "1", 1e6, "lower", "Preparations that a radio link failure ended",
    formula="radio link failures during a preparation",
)  # fmt: skip
HANDOVERS_STARTED = cell_kpm(
    "MM.HoExeInterReq", "1", 1e6, "neither", "Handovers commanded",
    formula="handover commands", source="TS 28.552 §5.1.1.6.1.7",
)  # fmt: skip
HANDOVERS_OUT = cell_kpm(
    "MM.HoExeInterSucc", "1", 1e6, "neither", "Handovers to another cell that succeeded",
    formula="handovers whose target serves", source="TS 28.552 §5.1.1.6.1.8",
)  # fmt: skip
HANDOVERS_FAILED = cell_kpm(
    "MM.HoExeInterFail", "1", 1e6, "lower", "Handovers that T304 ended",
    formula="expiries of T304", source="TS 28.552 §5.1.1.6.1.9",
)  # fmt: skip
HANDOVER_TIME = cell_kpm(
    "MM.HoExeInterReq.TimeMean", "ms", 1e5, "lower", "Mean time from command to service of handovers that succeeded",
    formula="time from command to service, summed over successes / successes", source="TS 28.552 §5.1.1.6.1.10",
)  # fmt: skip
PING_PONGS = cell_kpm(
    "RP.HoPingPong", "1", 1e6, "lower",
    "Handovers back to the cell before, within rrc.handover.short_stay_ms; at the cell that was left again",
    formula="successes back to the previous cell within the short stay",
)  # fmt: skip
HANDOVERS_TOO_LATE = cell_kpm(
    "HO.IntraSys.TooLate", "1", 1e6, "lower",
    "Failures long after a handover, connected again in another cell; at the cell that was lost",
    formula="re-establishments judged too late", source="TS 28.552 §5.1.1.25.1",
)  # fmt: skip
HANDOVERS_TOO_EARLY = cell_kpm(
    "HO.IntraSys.TooEarly", "1", 1e6, "lower",
    "Failures in or soon after a handover, connected again at its source",
    formula="re-establishments judged too early", source="TS 28.552 §5.1.1.25.1",
)  # fmt: skip
HANDOVERS_TO_WRONG_CELL = cell_kpm(
    "HO.IntraSys.ToWrongCell", "1", 1e6, "lower",
    "Failures in or soon after a handover, connected again in a third cell",
    formula="re-establishments judged as to the wrong cell", source="TS 28.552 §5.1.1.25.1",
)  # fmt: skip
SEARCHES = cell_kpm(
    "RP.ReEstabSearches", "1", 1e6, "lower", "Users who began to search, at the cell they lost",
    formula="starts of T311",
)  # fmt: skip
SEARCHES_EXPIRED = cell_kpm(
    "RP.T311Expiries", "1", 1e6, "lower", "Searches that found no cell in time, at the cell that was lost",
    formula="expiries of T311",
)  # fmt: skip
REESTABLISHMENTS = cell_kpm(
    "RRC.ReEstabSuccWithUeContext", "1", 1e6, "neither", "Users who connected again, at the cell found",
    formula="re-establishments", source="TS 28.552 §5.1.1.17.2",
)  # fmt: skip
REESTABLISHMENT_TIME = cell_kpm(
    "RP.ReEstabTimeMean", "ms", 1e6, "lower", "Mean time from the loss until served again, at the cell found",
    formula="time from loss to service, summed over re-establishments / re-establishments",
)  # fmt: skip
HANDOVERS_IN = cell_kpm(
    "RP.HandoversIn", "1", 1e6, "neither", "Handovers from another cell that succeeded, at the target",
    formula="handovers whose target serves",
)  # fmt: skip


def _handover_time(window: Window) -> FloatArray:
    scale = window.slot_s * 1e3
    return ratio(window.cell[..., s.CELL_HANDOVER_SLOTS], window.cell[..., s.CELL_HANDOVERS_OUT], scale)


def _reestablishment_time(window: Window) -> FloatArray:
    scale = window.slot_s * 1e3
    return ratio(window.cell[..., s.CELL_REESTABLISHMENT_SLOTS], window.cell[..., s.CELL_REESTABLISHMENTS], scale)


MEASUREMENTS: Table = {
    HANDOVERS_ASKED: cell_count(s.CELL_HANDOVERS_ASKED),
    HANDOVERS_REFUSED: cell_count(s.CELL_HANDOVERS_REFUSED),
    PREPARATIONS_CUT: cell_count(s.CELL_PREPARATIONS_CUT),
    HANDOVERS_STARTED: cell_count(s.CELL_HANDOVERS_STARTED),
    HANDOVERS_OUT: cell_count(s.CELL_HANDOVERS_OUT),
    HANDOVERS_FAILED: cell_count(s.CELL_HANDOVERS_FAILED),
    HANDOVERS_IN: cell_count(s.CELL_HANDOVERS_IN),
    HANDOVER_TIME: _handover_time,
    PING_PONGS: cell_count(s.CELL_PING_PONGS),
    HANDOVERS_TOO_LATE: cell_count(s.CELL_TOO_LATE),
    HANDOVERS_TOO_EARLY: cell_count(s.CELL_TOO_EARLY),
    HANDOVERS_TO_WRONG_CELL: cell_count(s.CELL_WRONG_CELL),
    SEARCHES: cell_count(s.CELL_SEARCHES),
    SEARCHES_EXPIRED: cell_count(s.CELL_SEARCHES_EXPIRED),
    REESTABLISHMENTS: cell_count(s.CELL_REESTABLISHMENTS),
    REESTABLISHMENT_TIME: _reestablishment_time,
}
