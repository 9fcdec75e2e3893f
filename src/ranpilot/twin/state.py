"""The arrays of a batch of networks, and how they are allocated.

Every array has the leading axis B; kernels see one network, the same tuple without that axis (`network_view`). Numbers
that belong to the same thing stand in one array, in columns named here: with an array a field, kernels that are handed
all of them took 97 s to compile, like this 52 s (and 33 s since parts with one caller are woven into it).
Numbers of packets and slots count from the reset. Empty places have serving cell -1. Counters only grow: what happened
since a moment is a difference of two copies.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranpilot.kernels import inner_kernel
from ranpilot.twin.delay_bins import DELAY_BINS
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.slice_columns import (
    NUM_CELL_SLICE_COLUMNS,
    NUM_CELL_SLICE_REALS,
    NUM_SLICE_COLUMNS,
    NUM_SLICE_COUNTERS,
)

__all__ = ["DELAY_BINS", "LAST_SLOT", "NEVER", "Network", "allocate", "network_view", "no_event"]

NEVER = np.iinfo(np.int32).max
"""A slot that never comes."""

LAST_SLOT = 2_147_483_000
"""Slots that an episode can have: packets keep the slot of their arrival in 32 bits."""

# Entries of Network.identity.
SEED = 0
NETWORK = 1
EVENTS_OFF = 2
"""1 where events that had not started were called off, for good."""
NUM_IDENTITIES = 3

# Columns of Network.cell.
CONNECTED_UES = 0
ADMISSION_LIMIT = 1
"""In force: the smaller of the two below, 0 off the air."""
SET_ADMISSION_LIMIT = 2
"""What controls have set."""
EVENT_ADMISSION_LIMIT = 3
"""What events allow, NEVER where they do not limit."""
IS_ON_AIR = 4
"""1 where the cell can transmit and be found: it is awake, and no event keeps it off."""
EVENT_OFF = 5
"""1 while an event keeps the cell off the air."""
SET_SLEEP_LEVEL = 6
"""What controls have set, one of the power states AWAKE to DEEP_SLEEP."""
SLEEP_LEVEL = 7
"""In force; what a cell wakes from until it is awake."""
AWAKE_SLOT = 8
"""First slot in which a cell that wakes is awake, NEVER for others."""
POWER_STATE = 9
"""Of a slot without transmission, one of the six below."""
SERVED_FROM = 10
"""First slot in which the cell can transmit, NEVER off the air and while it dozes."""
EMPTY_SLOTS = 11
"""Slots without transmission in a row, while the cell is awake and may doze."""
RADIATED_SHARE = 12
"""Power on a PRB relative to the cell's greatest, in units of 1 / FULL_SHARE."""
IS_BACKHAUL_LIMITED = 13
"""1 while packets reach the cell late."""
BACKHAUL_TIME_SLOTS = 14
"""That every packet spends on its way to the cell."""
BACKHAUL_BITS = 15
"""On their way to the cell."""
NUM_CELL_COLUMNS = 16

FULL_SHARE = 2**23
"""So fine that rounding is nothing, and so coarse that 275 PRBs in every slot of an episode fit into a counter."""

# Values of POWER_STATE; the first four are those of SLEEP_LEVEL too.
AWAKE = 0
MICRO_SLEEP = 1
LIGHT_SLEEP = 2
DEEP_SLEEP = 3
DOZING = 4
"""Light sleep that the cell goes into by itself, on the air: the first data wakes it."""
SWITCHED_OFF = 5
"""By an event."""
NUM_POWER_STATES = 6

# Columns of Network.cell_real.
TX_POWER_DBM = 0
"""Over the whole carrier while the cell is on the air: the smaller of SET_POWER_DBM and EVENT_POWER_DBM."""
PRB_POWER_MW = 1
"""Radiated on one PRB, 0 off the air."""
ARRIVAL_FACTOR = 2
"""By which events multiply the arrivals."""
DEPARTURE_FACTOR = 3
SET_POWER_DBM = 4
"""What controls have set."""
EVENT_POWER_DBM = 5
"""What events allow, infinite where they do not limit."""
INDIVIDUAL_OFFSET_DB = 6
"""Added to the cell's RSRP where users compare cells."""
DOWNTILT_DEG = 7
"""Electrical, of the cell's antenna; gains follow where they are computed anew."""
ON_AIR_PRB_POWER_MW = 8
"""What one PRB radiates, or would if the cell were on the air."""
TRAFFIC_FACTOR = 9
"""By which events multiply the packets of the users."""
BACKHAUL_RATE_BITS = 10
"""A slot, infinite where there is no limit."""
BACKHAUL_ROOM_BITS = 11
"""That may be on their way at most, infinite where there is no limit."""
BACKHAUL_CREDIT_BITS = 12
"""That have been carried of the packet at the head."""
NUM_CELL_REALS = 13

# Rows of Network.field_view.
LOS_VIEW = 0
SHADOWING_VIEW = 1

# Columns of Network.event.
EVENT_KIND = 0
"""Index into the scenario's kinds, -1 for no event."""
EVENT_CELL = 1
ANNOUNCED_SLOT = 2
"""First slot in which it is known; NEVER for no event, like the next two, and for one that nobody is told of."""
START_SLOT = 3
"""First slot in which it is in force."""
STOP_SLOT = 4
"""First slot in which it no longer is."""
EVENT_SEED = 5
"""A random number of the event's own: what is told of it is drawn from that, so that copies are told the same."""
NUM_EVENT_COLUMNS = 6

# Columns of Network.ue.
SERVING_CELL = 0
"""-1 where the place is empty."""
CALL_ID = 1
"""Users that have taken the place so far."""
INTERRUPTED_UNTIL = 2
"""First slot in which the user can be served again."""
OUT_OF_SYNC = 3
"""Out-of-sync indications since the last in-sync one."""
TRAFFIC_KIND = 4
"""Index into the scenario's mix, -1 at a place without traffic."""
DEADLINE_SLOTS = 5
"""NEVER where packets do not expire."""
WAITING = 6
"""Blocks that wait for their retransmission."""
OLDEST = 7
"""Number of the oldest packet in the ring: [OLDEST, SENDING) are sent and not yet settled, [SENDING, END) wait, and
ON_THE_WAY more have not reached the cell."""
SENDING = 8
"""Number of the first packet with bits to send."""
END = 9
"""Number that the next packet gets as it reaches the cell."""
BACKLOG_BITS = 10
"""Bits of packets that wait."""
TAKEN = 11
"""Packets of the running block already taken from the traffic model."""
NEXT_ARRIVAL_SLOT = 12
"""Slot of the next packet of the running block, NEVER after the last."""
CONNECTION = 13
"""What goes on with the user's connection, one of the five below."""
TARGET_CELL = 14
"""Of the handover in preparation."""
PHASE_UNTIL = 15
"""First slot after preparation, T304 or T311."""
LOST_SLOT = 16
"""First slot without service in the running interruption."""
SOURCE_CELL = 17
"""Where the handover in execution, or to blame for a failure, came from; -1 for none."""
PREVIOUS_CELL = 18
"""Where the last handover that succeeded came from; -1 for none since the connection was made."""
CHANGED_SLOT = 19
"""First slot that the target of that handover served."""
T310_UNTIL = 20
"""Slot in which T310 expires, NEVER while it does not run."""
IN_SYNC = 21
"""In-sync indications since the last out-of-sync one, while T310 runs."""
NEXT_REPORT_SLOT = 22
"""First slot in which triggered cells are reported again."""
SLICE = 23
"""Seat of its slice; -1 at a place that no slice has taken."""
ON_THE_WAY = 24
"""Packets in the ring behind END, which have not reached the cell."""
ON_THE_WAY_BITS = 25
NUM_UE_COLUMNS = 26

# Values of CONNECTION.
CONNECTED = 0
PREPARING = 1
"""A handover is in preparation, the source serves."""
ACCESSING = 2
"""Commanded to the cell that is its serving one now, not yet there; T304 runs."""
SEARCHING = 3
"""The link failed, the place is still held in the last cell; T311 runs."""
STRANDED = 4
"""T311 expired where nobody leaves: without a connection, still searching."""

# Columns of Network.trigger.
HELD_TICKS = 0
"""RRC periods in a row in which the event's entering (once triggered: leaving) condition has held."""
IS_TRIGGERED = 1

# Columns of Network.ue_real.
X_M = 0
Y_M = 1
VELOCITY_X_MPS = 2
VELOCITY_Y_MPS = 3
GOAL_X_M = 4
"""Where a user in random-waypoint motion turns."""
GOAL_Y_M = 5
SPEED_MPS = 6
GAIN_X_M = 7
"""Where the user was when its large-scale gains were computed."""
GAIN_Y_M = 8
STEPS_PER_SLOT = 9
"""Steps of its fading traces in a slot."""
OFFSET_DB = 10
"""Outer loop of link adaptation: subtracted from the reported SINR."""
MEAN_RATE = 11
"""Acknowledged bits a slot, running mean of proportional fair."""
HEIGHT_M = 12
INDOOR_M = 13
"""Way from the outer wall to a user in a building; 0 outdoors."""
PENETRATION_DB = 14
"""What the wall and that way take."""
USER_KEY = 15
"""A whole number of the user's own, drawn as it comes."""
SCHEDULING_WEIGHT = 16
"""What controls have set, 1 for a new user: multiplies the metric of every scheduler."""
TURN_CREDIT = 17
"""Of a turn in round robin: what weights below the greatest have saved up."""
NUM_UE_REALS = 18

# Columns of Network.trace.
TRACE = 0
"""Fading trace of the first receive branch."""
TRACE_START = 1
"""Step of the trace at slot 0."""

# Columns of Network.process.
BLOCK_BITS = 0
"""Transport block size; 0 = free process."""
PAYLOAD_BITS = 1
"""Bits of packets in the block."""
GROUPS = 2
"""Bit mask of its resource-block groups."""
MCS = 3
DUE_SLOT = 4
TRANSMISSIONS = 5
"""So far."""
FIRST_PACKET = 6
"""Number of the first packet whose last bit is in the block."""
NUM_PACKETS = 7
"""How many packets have their last bit in the block."""
NUM_PROCESS_COLUMNS = 8

# Columns of Network.packet.
BITS_LEFT = 0
"""Not yet sent."""
ARRIVAL_SLOT = 1

# Columns of Network.ue_count.
UE_PACKETS_IN = 0
UE_BITS_IN = 1
UE_PACKETS_OUT = 2
UE_BITS_OUT = 3
"""Bits of acknowledged blocks, without padding."""
UE_PACKETS_EXPIRED = 4
"""Deadline passed before the last bit was sent."""
UE_BITS_EXPIRED = 5
UE_PACKETS_OVERFLOWED = 6
"""No room in the queue on arrival."""
UE_BITS_OVERFLOWED = 7
UE_PACKETS_LOST = 8
"""Last bit in a block that was given up, or that a handover or a release interrupted."""
UE_BITS_LOST = 9
UE_PACKETS_FLUSHED = 10
"""Still queued when the user left."""
UE_BITS_FLUSHED = 11
UE_DELAY_SLOTS = 12
"""Sum over delivered packets, the arrival slot counted."""
UE_BUSY_SLOTS = 13
"""Slots that began with something to send."""
UE_FAILURES = 14
"""Radio link failures."""
UE_HANDOVERS = 15
UE_HANDOVERS_REFUSED = 16
UE_PRBS = 17
UE_HANDOVERS_STARTED = 18
UE_HANDOVERS_FAILED = 19
UE_PING_PONGS = 20
UE_REESTABLISHMENTS = 21
UE_PACKETS_BACKHAUL_LOST = 22
"""No room on the way to the cell."""
UE_BITS_BACKHAUL_LOST = 23
NUM_UE_COUNTERS = 24

# Columns of Network.cell_count.
CELL_PRBS = 0
"""Sum over slots of PRBs in use."""
CELL_BLOCKS = 1
CELL_BLOCK_ERRORS = 2
CELL_FIRST_BLOCKS = 3
CELL_FIRST_ERRORS = 4
CELL_RESIDUAL_ERRORS = 5
"""Blocks given up after their last transmission."""
CELL_PACKETS_IN = 6
CELL_PACKETS_OUT = 7
CELL_PACKETS_DROPPED = 8
"""Expired and overflowed."""
CELL_PACKETS_LOST = 9
CELL_BITS_OUT = 10
CELL_DELAY_SLOTS = 11
CELL_BUSY_SLOTS = 12
"""Sum over users of slots that began with something to send."""
CELL_CQI_SUM = 13
CELL_CQI_REPORTS = 14
CELL_CONNECTED_SUM = 15
"""Sum over slots of connected users."""
CELL_HANDOVERS_ASKED = 16
CELL_HANDOVERS_REFUSED = 17
"""The target was full; counted at the source cell."""
CELL_HANDOVERS_OUT = 18
CELL_HANDOVERS_IN = 19
CELL_FAILURES = 20
CELL_ARRIVALS = 21
CELL_BLOCKED = 22
"""Arrivals that found the cell full."""
CELL_DEPARTURES = 23
"""Users whose session ended by itself."""
CELL_RELEASES = 24
"""Users that a control released."""
CELL_HANDOVERS_STARTED = 25
"""Executions commanded, at the source."""
CELL_HANDOVERS_FAILED = 26
"""T304 expired, at the source."""
CELL_PREPARATIONS_CUT = 27
"""Preparations that a radio link failure ended, at the source."""
CELL_PING_PONGS = 28
"""Handovers back within the short stay, at the cell that was left again."""
CELL_HANDOVER_SLOTS = 29
"""Slots from command to service of handovers that succeeded, at the source."""
CELL_SEARCHES = 30
"""Users who began to search, at the cell that they lost."""
CELL_REESTABLISHMENTS = 31
"""Users who connected again, at the cell that they found."""
CELL_REESTABLISHMENT_SLOTS = 32
"""Slots from loss to service of those."""
CELL_SEARCHES_EXPIRED = 33
"""T311 expired, at the cell that was lost."""
CELL_TOO_LATE = 34
"""Failures in a cell long after a handover and connected again in another, at the first."""
CELL_TOO_EARLY = 35
"""Failures in or soon after a handover and connected again at its source, at the source."""
CELL_WRONG_CELL = 36
"""Failures in or soon after a handover and connected again in a third cell, at the source."""
CELL_EMPTY_SLOTS = 37
"""The first of NUM_POWER_STATES columns: slots without transmission in each power state."""
CELL_SENDING_SLOTS = 43
"""Slots with a transmission."""
CELL_RADIATED = 44
"""Sum over slots of PRBs in use x RADIATED_SHARE."""
CELL_LIGHT_SLEEPS = 45
"""Times that the cell went into light sleep, told to or dozing."""
CELL_DEEP_SLEEPS = 46
CELL_BACKHAUL_PACKETS = 47
"""Packets that a limited backhaul brought."""
CELL_BACKHAUL_SLOTS = 48
"""Sum of the time that those were on their way."""
CELL_BACKHAUL_LOST = 49
"""Packets that found no room on their way."""
NUM_CELL_COUNTERS = 50

# Columns of Network.quality_count.
FIRST_CQI_BIN = 0
"""Reports by wideband CQI, 0 to 15."""
FIRST_MCS_BIN = 16
"""PRBs sent by MCS, 0 to 31; a retransmission has the MCS of its block."""
NUM_QUALITY_BINS = 48

Int64Array = NDArray[np.int64]
Int32Array = NDArray[np.int32]
UInt8Array = NDArray[np.uint8]
FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]


class Network(NamedTuple):
    """Everything that changes while networks run."""

    identity: Int64Array
    """[B, NUM_IDENTITIES] who the network is to the random numbers, and whether coming events are off"""
    cell: Int64Array
    """[B, C, NUM_CELL_COLUMNS]"""
    cell_real: FloatArray
    """[B, C, NUM_CELL_REALS]"""
    activity: Float32Array
    """[B, C, R] running mean of whether the cell transmits on the group"""
    field_view: FloatArray
    """[B, 2, sites + 1, 5] how each site looks at the shared fields of line of sight and shadowing"""
    event: Int64Array
    """[B, E, NUM_EVENT_COLUMNS] past, present and coming events: one row a window, then those of the schedule"""
    ue: Int64Array
    """[B, U, NUM_UE_COLUMNS]"""
    ue_real: FloatArray
    """[B, U, NUM_UE_REALS]"""
    gain: FloatArray
    """[B, U, C] large-scale power gain, linear"""
    sinr_l3_db: FloatArray
    """[B, U, C] filtered wideband SINR of the serving cell and what each other on the air would give; NaN elsewhere"""
    rsrp_l3_dbm: FloatArray
    """[B, U, C] filtered RSRP; NaN in empty places, of cells off the air and where it is not measured"""
    trigger: Int32Array
    """[B, U, C, 2] how far each neighbour is in being reported"""
    trace: Int32Array
    """[B, U, C, 2]"""
    interferer: Int32Array
    """[B, U, K] strongest other cells, -1 for none"""
    cqi: UInt8Array
    """[B, U, R] report in use, 0 = out of range or none"""
    cqi_on_its_way: UInt8Array
    """[B, U, R] report measured and not yet in use"""
    process: Int64Array
    """[B, U, H, NUM_PROCESS_COLUMNS] blocks that wait for their retransmission"""
    process_sinr: FloatArray
    """[B, U, H] sum of a block's effective SINRs so far, linear (chase combining)"""
    packet: Int32Array
    """[B, U, Q, 2] packets of a user in a ring"""
    ue_count: Int64Array
    """[B, U, NUM_UE_COUNTERS]"""
    cell_count: Int64Array
    """[B, C, NUM_CELL_COUNTERS]"""
    delay_count: Int64Array
    """[B, C, DELAY_BINS] delivered packets by delay"""
    quality_count: Int64Array
    """[B, C, NUM_QUALITY_BINS] reports by CQI and PRBs by MCS"""
    slice: Int64Array
    """[B, S, NUM_SLICE_COLUMNS] who has which seat; columns of this and the next four in `slice_columns.py`"""
    cell_slice: Int64Array
    """[B, C, S, NUM_CELL_SLICE_COLUMNS]"""
    cell_slice_real: FloatArray
    """[B, C, S, NUM_CELL_SLICE_REALS]"""
    slice_count: Int64Array
    """[B, C, S, NUM_SLICE_COUNTERS]; no seats in a scenario without slices"""
    slice_delay: Int64Array
    """[B, C, S, DELAY_BINS] delivered packets by delay; no seats in a scenario without slices"""


def allocate(scenario: Scenario, num: int) -> Network:
    """Empty arrays for `num` networks of `scenario`."""
    num_cells, num_groups = scenario.num_cells, scenario.carrier.num_groups
    num_interferers = max(1, min(num_cells - 1, scenario.radio.individual_interferers))
    cell, ue = (num, num_cells), (num, scenario.num_places)
    ues = np.zeros((*ue, NUM_UE_COLUMNS), np.int64)
    ues[..., SERVING_CELL] = -1
    ues[..., NEXT_ARRIVAL_SLOT] = ues[..., DEADLINE_SLOTS] = ues[..., T310_UNTIL] = NEVER
    num_seats = scenario.slices.num_seats if scenario.slices else 1
    counted = (*cell, num_seats if scenario.slices else 0)
    num_events = scenario.events.num_events if scenario.events else 0
    return Network(
        identity=np.zeros((num, NUM_IDENTITIES), np.int64),
        cell=np.zeros((*cell, NUM_CELL_COLUMNS), np.int64),
        cell_real=np.zeros((*cell, NUM_CELL_REALS)),
        activity=np.zeros((*cell, num_groups), np.float32),
        field_view=np.zeros((num, 2, len(scenario.layout.sites) + 1, 5)),
        event=np.tile(no_event(), (num, num_events, 1)),
        ue=ues,
        ue_real=np.zeros((*ue, NUM_UE_REALS)),
        gain=np.zeros((*ue, num_cells)),
        sinr_l3_db=np.full((*ue, num_cells), np.nan),
        rsrp_l3_dbm=np.full((*ue, num_cells), np.nan),
        trigger=np.zeros((*ue, num_cells, 2), np.int32),
        trace=np.zeros((*ue, num_cells, 2), np.int32),
        interferer=np.full((*ue, num_interferers), -1, np.int32),
        cqi=np.zeros((*ue, num_groups), np.uint8),
        cqi_on_its_way=np.zeros((*ue, num_groups), np.uint8),
        process=np.zeros((*ue, scenario.link.harq_processes, NUM_PROCESS_COLUMNS), np.int64),
        process_sinr=np.zeros((*ue, scenario.link.harq_processes)),
        packet=np.zeros((*ue, scenario.traffic.buffer_packets, 2), np.int32),
        ue_count=np.zeros((*ue, NUM_UE_COUNTERS), np.int64),
        cell_count=np.zeros((*cell, NUM_CELL_COUNTERS), np.int64),
        delay_count=np.zeros((*cell, DELAY_BINS), np.int64),
        quality_count=np.zeros((*cell, NUM_QUALITY_BINS), np.int64),
        slice=np.zeros((num, num_seats, NUM_SLICE_COLUMNS), np.int64),
        cell_slice=np.zeros((*cell, num_seats, NUM_CELL_SLICE_COLUMNS), np.int64),
        cell_slice_real=np.zeros((*cell, num_seats, NUM_CELL_SLICE_REALS)),
        slice_count=np.zeros((*counted, NUM_SLICE_COUNTERS), np.int64),
        slice_delay=np.zeros((*counted, DELAY_BINS), np.int64),
    )


def no_event() -> Int64Array:
    """A row of the table of events, [NUM_EVENT_COLUMNS], that holds none."""
    row = np.full(NUM_EVENT_COLUMNS, NEVER, np.int64)
    row[EVENT_KIND] = row[EVENT_CELL] = -1
    row[EVENT_SEED] = 0
    return row


@inner_kernel
def network_view(batch: Network, b: int) -> Network:
    """Network `b` of a batch: the same arrays without the leading axis."""
    return Network(
        batch.identity[b],
        batch.cell[b],
        batch.cell_real[b],
        batch.activity[b],
        batch.field_view[b],
        batch.event[b],
        batch.ue[b],
        batch.ue_real[b],
        batch.gain[b],
        batch.sinr_l3_db[b],
        batch.rsrp_l3_dbm[b],
        batch.trigger[b],
        batch.trace[b],
        batch.interferer[b],
        batch.cqi[b],
        batch.cqi_on_its_way[b],
        batch.process[b],
        batch.process_sinr[b],
        batch.packet[b],
        batch.ue_count[b],
        batch.cell_count[b],
        batch.delay_count[b],
        batch.quality_count[b],
        batch.slice[b],
        batch.cell_slice[b],
        batch.cell_slice_real[b],
        batch.slice_count[b],
        batch.slice_delay[b],
    )
