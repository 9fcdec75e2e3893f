"""A cell's backhaul while an event limits it; packets that come while nothing does are not counted."""

from __future__ import annotations

from ranpilot.twin import state as s
from ranpilot.twin.kpm.window import FloatArray, Table, Window, cell_count, cell_kpm, ratio

__all__ = ["BACKHAUL_DELAY", "BACKHAUL_LOSS", "MEASUREMENTS"]

BACKHAUL_DELAY = cell_kpm(
    "RP.BackhaulDelayDl", "0.1 ms", 1e8, "lower", "Mean time on a limited backhaul of packets that came by it",
    formula="time from offer to arrival at the cell, summed over packets / packets",
)  # fmt: skip
BACKHAUL_LOSS = cell_kpm(
    "RP.BackhaulLossDl", "1", 1e9, "lower", "Packets that found no room on a limited backhaul",
    formula="packets lost on their way to the cell",
)  # fmt: skip


def _backhaul_delay(window: Window) -> FloatArray:
    slots, packets = window.cell[..., s.CELL_BACKHAUL_SLOTS], window.cell[..., s.CELL_BACKHAUL_PACKETS]
    return ratio(slots, packets, window.slot_s * 1e4)


MEASUREMENTS: Table = {BACKHAUL_DELAY: _backhaul_delay, BACKHAUL_LOSS: cell_count(s.CELL_BACKHAUL_LOST)}
