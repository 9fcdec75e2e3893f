"""What can be read of running networks. Axes: B networks, C cells, U places for users, E windows of events."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["CellView", "Counters", "EventView", "Mark", "SliceView", "UserView"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer]


class CellView(NamedTuple):
    """What can be read of cells at any moment; arrays are copies."""

    tx_power_dbm: FloatArray
    """[B, C] over the whole carrier now, or as soon as it is on the air"""
    connected_ues: IntArray
    """[B, C]"""
    admission_limit: IntArray
    """[B, C] connected users at most, now; 0 off the air"""
    set_power_dbm: FloatArray
    """[B, C] what controls have set; an event may hold what is radiated below it"""
    individual_offset_db: FloatArray
    """[B, C] added to the cell's RSRP where users compare cells"""
    downtilt_deg: FloatArray
    """[B, C] electrical; means nothing for a cell without an antenna"""
    is_on_air: NDArray[np.bool_]
    """[B, C] whether it is awake and no event keeps it off the air"""
    sleep_level: IntArray
    """[B, C] 0 awake, 1 micro, 2 light, 3 deep sleep; that of its sleep while it wakes"""


class UserView(NamedTuple):
    """What can be read of places that users can take; arrays are copies."""

    serving_cell: IntArray
    """[B, U] -1 where the place is empty"""
    call_id: IntArray
    """[B, U] users that have taken the place so far: a changed number is another user"""
    sinr_l3_db: FloatArray
    """[B, U, C] filtered wideband SINR of the serving cell and what each other on the air would give; NaN elsewhere"""
    rsrp_l3_dbm: FloatArray
    """[B, U, C] filtered RSRP; NaN in empty places, of cells off the air and where the scenario does not measure it"""
    failures: IntArray
    """[B, U] radio link failures in this place since the reset"""
    interrupted: NDArray[np.bool_]
    """[B, U] whether a handover or a failed link still interrupts the user"""
    x_m: FloatArray
    """[B, U]"""
    y_m: FloatArray
    """[B, U]"""
    backlog_bits: IntArray
    """[B, U]"""
    head_delay_slots: IntArray
    """[B, U] that the oldest packet with bits to send has waited, its arrival slot counted; 0 where there is none"""
    cqi: FloatArray
    """[B, U] mean over groups of the reports in use; 0 where there is none"""
    height_m: FloatArray
    """[B, U]"""
    indoor_m: FloatArray
    """[B, U] way from the outer wall to a user in a building; 0 outdoors"""
    penetration_db: FloatArray
    """[B, U] what that wall and that way take"""
    scheduling_weight: FloatArray
    """[B, U] in force; means nothing where the place is empty"""
    seat: IntArray
    """[B, U] of the user's slice, 0 where the scenario has none; -1 at a place that no slice has taken"""
    traffic_kind: IntArray
    """[B, U] index into the traffic mix; -1 at a place that no slice has taken"""
    deadline_slots: IntArray
    """[B, U] after which a packet is discarded; NEVER (`twin/state.py`) where it is not"""


class SliceView(NamedTuple):
    """The slices of every network, by seat; a scenario without slices has one seat, tenant 0, without ratios."""

    tenant: IntArray
    """[B, S] index into the scenario's slices, -1 while the seat is free"""
    since_slot: IntArray
    """[B, S] first slot of the tenant"""
    num_members: IntArray
    """[B, S] users that it brought; 0 where users come and go by themselves"""
    min_ratio: FloatArray
    """[B, C, S] in percent, as set; like the next three it means nothing while the seat is free"""
    max_ratio: FloatArray
    """[B, C, S] in percent"""
    dedicated_ratio: FloatArray
    """[B, C, S] in percent"""
    scheduler: IntArray
    """[B, C, S] as the control `SLICE_SCHEDULER` counts them"""


class EventView(NamedTuple):
    """The events of every network: at random, one a window in the order of time, then those of the schedule."""

    kind: IntArray
    """[B, E] index into the scenario's kinds of events, -1 where there is no event"""
    cell: IntArray
    """[B, E] -1 where there is no event"""
    announced_slot: IntArray
    """[B, E] first slot in which it is told; NEVER (`twin/state.py`) where nobody is, or where there is no event"""
    start_slot: IntArray
    """[B, E] first slot in which it is in force, NEVER where there is no event"""
    stop_slot: IntArray
    """[B, E] first slot in which it no longer is"""
    seed: IntArray
    """[B, E] a random number of the event's own, for what is told of it"""


class Counters(NamedTuple):
    """What happened, in columns that `twin/state.py` names."""

    ue: NDArray[np.int64]
    """[B, U, NUM_UE_COUNTERS]"""
    cell: NDArray[np.int64]
    """[B, C, NUM_CELL_COUNTERS]"""
    delay: NDArray[np.int64]
    """[B, C, DELAY_BINS] delivered packets by delay"""
    quality: NDArray[np.int64]
    """[B, C, NUM_QUALITY_BINS] reports by CQI and PRBs by MCS"""
    slices: NDArray[np.int64]
    """[B, C, S, NUM_SLICE_COUNTERS], columns in `twin/slice_columns.py`; no seats in a scenario without slices"""
    slice_delay: NDArray[np.int64]
    """[B, C, S, DELAY_BINS]"""


class Mark(NamedTuple):
    """A moment of running networks that measurements can begin from."""

    counters: Counters
    slot: int
