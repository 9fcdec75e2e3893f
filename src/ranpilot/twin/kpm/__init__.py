"""The measurements: name, unit, scope, bounds, and how each is computed from counters.

Names and units follow TS 28.552 where it defines the quantity; a name that begins with `RP.` is ours. A name that ends
in `.UE` is the same quantity for one user (as E2SM-KPM reports it), named apart so that every name has one scope.
All cover the time since the last `measure()`. A mean over nothing is 0 (the counts beside it tell).

A new scope or subject is a file of its own here, with a table `MEASUREMENTS`, and a line in the one below.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from ranpilot.errors import UnknownNameError
from ranpilot.twin.kpm import backhaul, cell, energy, handover, link, radio, slices, ue
from ranpilot.twin.kpm.backhaul import BACKHAUL_DELAY, BACKHAUL_LOSS
from ranpilot.twin.kpm.cell import (
    ACTIVE_MEAN,
    CELL_THROUGHPUT,
    CONNECTED_MEAN,
    CONNECTION_ATTEMPTS,
    CQI_MEAN,
    DEPARTURES,
    LINK_FAILURES,
    PACKET_DELAY,
    PACKET_DELAY_P95,
    PACKET_DROP_RATE,
    PACKET_LOSS_RATE,
    PRB_MEAN,
    PRB_USE,
    REFUSED_CONNECTIONS,
    RELEASES,
    VOLUME,
    delay_edges_ms,
)
from ranpilot.twin.kpm.energy import (
    ENERGY,
    ENERGY_EFFICIENCY,
    MEAN_POWER,
    TIME_ON_AIR,
    NetworkEnergy,
    network_energy,
)
from ranpilot.twin.kpm.handover import (
    HANDOVER_TIME,
    HANDOVERS_ASKED,
    HANDOVERS_FAILED,
    HANDOVERS_IN,
    HANDOVERS_OUT,
    HANDOVERS_REFUSED,
    HANDOVERS_STARTED,
    HANDOVERS_TO_WRONG_CELL,
    HANDOVERS_TOO_EARLY,
    HANDOVERS_TOO_LATE,
    PING_PONGS,
    PREPARATIONS_CUT,
    REESTABLISHMENT_TIME,
    REESTABLISHMENTS,
    SEARCHES,
    SEARCHES_EXPIRED,
)
from ranpilot.twin.kpm.histogram import (
    CQI_HISTOGRAM,
    DELAY_HISTOGRAM,
    HISTOGRAMS,
    MCS_HISTOGRAM,
    THROUGHPUT_HISTOGRAM,
    bin_edges,
    count_bins,
)
from ranpilot.twin.kpm.link import (
    LINK_RSRP,
    LINK_SINR,
)
from ranpilot.twin.kpm.radio import (
    BLOCK_ERRORS,
    BLOCKS,
    FIRST_BLOCKS,
    FIRST_ERRORS,
    INITIAL_BLER,
    RESIDUAL_ERRORS,
    SINR_MEAN,
    TX_POWER,
)
from ranpilot.twin.kpm.slices import (
    SLICE_ACTIVE_MEAN,
    SLICE_BACKLOG,
    SLICE_CONNECTED_MEAN,
    SLICE_DELAY,
    SLICE_DELAY_P95,
    SLICE_DROP_RATE,
    SLICE_LOSS_RATE,
    SLICE_OFFERED,
    SLICE_ON_TIME,
    SLICE_PRB_MEAN,
    SLICE_PRB_USE,
    SLICE_SERVED,
    SLICE_THROUGHPUT,
    SLICE_THROUGHPUT_P5,
    SLICE_VOLUME,
)
from ranpilot.twin.kpm.ue import (
    UE_DELAY,
    UE_DROP_RATE,
    UE_HANDOVERS,
    UE_HANDOVERS_FAILED,
    UE_HANDOVERS_REFUSED,
    UE_HANDOVERS_STARTED,
    UE_LINK_FAILURES,
    UE_PING_PONGS,
    UE_PRB_MEAN,
    UE_REESTABLISHMENTS,
    UE_RSRP,
    UE_SINR,
    UE_THROUGHPUT,
    UE_VOLUME,
)
from ranpilot.twin.kpm.window import FloatArray, Table, Window

__all__ = [
    "ACTIVE_MEAN",
    "BACKHAUL_DELAY",
    "BACKHAUL_LOSS",
    "BLOCKS",
    "BLOCK_ERRORS",
    "CELL_THROUGHPUT",
    "CONNECTED_MEAN",
    "CONNECTION_ATTEMPTS",
    "CQI_HISTOGRAM",
    "CQI_MEAN",
    "DELAY_HISTOGRAM",
    "DEPARTURES",
    "ENERGY",
    "ENERGY_EFFICIENCY",
    "FIRST_BLOCKS",
    "FIRST_ERRORS",
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
    "HISTOGRAMS",
    "INITIAL_BLER",
    "LINK_FAILURES",
    "LINK_RSRP",
    "LINK_SINR",
    "MCS_HISTOGRAM",
    "MEAN_POWER",
    "MEASUREMENTS",
    "PACKET_DELAY",
    "PACKET_DELAY_P95",
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
    "RESIDUAL_ERRORS",
    "SEARCHES",
    "SEARCHES_EXPIRED",
    "SINR_MEAN",
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
    "THROUGHPUT_HISTOGRAM",
    "TIME_ON_AIR",
    "TX_POWER",
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
    "VOLUME",
    "NetworkEnergy",
    "Window",
    "bin_edges",
    "compute",
    "count_bins",
    "delay_edges_ms",
    "network_energy",
]

MEASUREMENTS: Table = {
    **cell.MEASUREMENTS,
    **handover.MEASUREMENTS,
    **radio.MEASUREMENTS,
    **energy.MEASUREMENTS,
    **backhaul.MEASUREMENTS,
    **slices.MEASUREMENTS,
    **ue.MEASUREMENTS,
    **link.MEASUREMENTS,
}
"""Every measurement with the function that computes it."""


_OF_SLICES = frozenset(measurement.name for measurement in slices.MEASUREMENTS)
_COMPUTED = {measurement.name: function for measurement, function in MEASUREMENTS.items()}


def compute(window: Window, only: Collection[str] | None = None) -> dict[str, FloatArray]:
    """Measurements over a window: [B, C], [B, C, S], [B, U] or [B, U, C] by scope.

    only: names of those that are wanted, every one where None. Raises UnknownNameError.
    """
    for name in only or ():
        if name not in _COMPUTED:
            raise UnknownNameError("measurement", name, list(_COMPUTED))
    wanted = _COMPUTED if only is None else {name: _COMPUTED[name] for name in _COMPUTED if name in only}
    if window.slices.shape[2] > 0:
        return {name: function(window) for name, function in wanted.items()}
    # Without seats there is nothing to compute, which is faster said at once.
    nothing = np.zeros(window.slices.shape[:3])
    return {name: nothing.copy() if name in _OF_SLICES else function(window) for name, function in wanted.items()}
