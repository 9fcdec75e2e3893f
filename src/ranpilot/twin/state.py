"""The arrays of a batch of networks, and how they are allocated.

Every array has the leading axis B; kernels see one network, the same tuples without that axis (`network_view`). Numbers
of packets and slots count from the reset. Empty places have serving cell -1. Counters only grow: what happened since a
moment is a difference of two copies.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranpilot.kernels import inner_kernel
from ranpilot.twin.scenario import Scenario

__all__ = [
    "DELAY_BINS",
    "HARQ_PROCESSES",
    "NEVER",
    "Cells",
    "Counters",
    "Identity",
    "Links",
    "Network",
    "Processes",
    "Queues",
    "Reports",
    "Users",
    "allocate",
    "network_view",
]

HARQ_PROCESSES = 8
"""Blocks of a user that can wait for their retransmission at once."""

DELAY_BINS = 72
"""Bins of the delay histogram: 6 an octave of (1 + delay in slots)."""

NEVER = np.iinfo(np.int32).max
"""A slot that never comes."""

# Columns of Counters.ue [B, U, NUM_UE_COUNTERS].
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
NUM_UE_COUNTERS = 18

# Columns of Counters.cell [B, C, NUM_CELL_COUNTERS].
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
NUM_CELL_COUNTERS = 25

Int64Array = NDArray[np.int64]
Int32Array = NDArray[np.int32]
Int16Array = NDArray[np.int16]
UInt8Array = NDArray[np.uint8]
FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]


class Identity(NamedTuple):
    """Who the network is to the random numbers."""

    seed: Int64Array
    """[B, 1]"""
    network: Int64Array
    """[B, 1]"""


class Cells(NamedTuple):
    """What belongs to a cell."""

    tx_power_dbm: FloatArray
    """[B, C] over the whole carrier"""
    prb_power_mw: FloatArray
    """[B, C] of one PRB"""
    connected_ues: Int32Array
    """[B, C]"""
    admission_limit: Int32Array
    """[B, C]"""
    next_ue: Int32Array
    """[B, C] where round robin goes on"""
    activity: Float32Array
    """[B, C, R] running mean of whether the cell transmits on the group"""
    los_view: FloatArray
    """[B, C + 1, 5] how each site looks at the shared line-of-sight fields"""
    shadowing_view: FloatArray
    """[B, C + 1, 5] the same for shadowing"""


class Users(NamedTuple):
    """What belongs to a place that a user can take."""

    serving_cell: Int32Array
    """[B, U] -1 where the place is empty"""
    call_id: Int32Array
    """[B, U] users that have taken the place so far"""
    x_m: FloatArray
    """[B, U]"""
    y_m: FloatArray
    """[B, U]"""
    velocity_x_mps: FloatArray
    """[B, U]"""
    velocity_y_mps: FloatArray
    """[B, U]"""
    goal_x_m: FloatArray
    """[B, U] where a user in random-waypoint motion turns"""
    goal_y_m: FloatArray
    """[B, U]"""
    speed_mps: FloatArray
    """[B, U]"""
    interrupted_until: Int32Array
    """[B, U] first slot in which the user can be served again"""
    failing_ticks: Int32Array
    """[B, U] RRC periods in a row with a failing link"""
    traffic_kind: Int32Array
    """[B, U] index into the scenario's mix"""
    deadline_slots: Int32Array
    """[B, U] NEVER where packets do not expire"""


class Links(NamedTuple):
    """What belongs to a pair of user and cell."""

    gain: FloatArray
    """[B, U, C] large-scale power gain"""
    gain_x_m: FloatArray
    """[B, U] where the user was when `gain` was computed"""
    gain_y_m: FloatArray
    """[B, U]"""
    sinr_l3_db: FloatArray
    """[B, U, C] filtered wideband SINR of the serving cell and what each other would give; NaN in empty places"""
    trace: Int32Array
    """[B, U, C] fading trace of the first branch"""
    trace_start: Int32Array
    """[B, U, C] step of the trace at slot 0"""
    steps_per_slot: FloatArray
    """[B, U] steps of the trace in a slot"""
    interferer: Int32Array
    """[B, U, K] strongest other cells, -1 for none"""


class Reports(NamedTuple):
    """What cells know of links, and how they adapt."""

    cqi: UInt8Array
    """[B, U, R] report in use, 0 = out of range or none"""
    cqi_on_its_way: UInt8Array
    """[B, U, R] report measured and not yet in use"""
    offset_db: FloatArray
    """[B, U] outer loop: subtracted from the reported SINR"""
    mean_rate: FloatArray
    """[B, U] acknowledged bits a slot, running mean of proportional fair"""


class Processes(NamedTuple):
    """Blocks that wait for their retransmission; block_bits 0 = free process."""

    waiting: Int32Array
    """[B, U] how many of the user's processes are taken"""
    block_bits: Int32Array
    """[B, U, H] transport block size"""
    payload_bits: Int64Array
    """[B, U, H] bits of packets in it"""
    groups: Int64Array
    """[B, U, H] bit mask of its resource-block groups"""
    mcs: Int32Array
    """[B, U, H]"""
    due_slot: Int32Array
    """[B, U, H]"""
    transmissions: Int32Array
    """[B, U, H] so far"""
    sinr: FloatArray
    """[B, U, H] sum of the effective SINRs so far, linear (chase combining)"""
    first_packet: Int32Array
    """[B, U, H] number of the first packet whose last bit is in the block"""
    num_packets: Int32Array
    """[B, U, H] how many packets have their last bit in the block"""


class Queues(NamedTuple):
    """Packets of a user in a ring: [oldest, sending) are sent and not yet settled, [sending, end) wait."""

    bits_left: Int32Array
    """[B, U, Q] not yet sent"""
    arrival_slot: Int32Array
    """[B, U, Q]"""
    oldest: Int32Array
    """[B, U] number of the oldest packet in the ring"""
    sending: Int32Array
    """[B, U] number of the first packet with bits to send"""
    end: Int32Array
    """[B, U] number that the next packet gets"""
    backlog_bits: Int64Array
    """[B, U] sum of bits_left"""
    taken: Int32Array
    """[B, U] packets of this block already taken from the traffic model"""
    next_arrival_slot: Int32Array
    """[B, U] slot of the next packet of this block, NEVER after the last"""


class Counters(NamedTuple):
    """What happened since the reset."""

    ue: Int64Array
    """[B, U, NUM_UE_COUNTERS]"""
    cell: Int64Array
    """[B, C, NUM_CELL_COUNTERS]"""
    delay: Int64Array
    """[B, C, DELAY_BINS] delivered packets by delay"""


class Network(NamedTuple):
    """Everything that changes while networks run."""

    identity: Identity
    cells: Cells
    users: Users
    links: Links
    reports: Reports
    processes: Processes
    queues: Queues
    counters: Counters


def allocate(scenario: Scenario, num: int) -> Network:
    """Empty arrays for `num` networks of `scenario`."""
    num_cells, num_ues = scenario.num_cells, scenario.num_places
    num_groups = scenario.carrier.num_groups
    num_interferers = max(1, min(num_cells - 1, scenario.radio.individual_interferers))
    cell, ue = (num, num_cells), (num, num_ues)
    process = (*ue, HARQ_PROCESSES)

    def ints(shape: tuple[int, ...], value: int = 0) -> Int32Array:
        return np.full(shape, value, dtype=np.int32)

    return Network(
        Identity(np.zeros((num, 1), np.int64), np.zeros((num, 1), np.int64)),
        Cells(
            tx_power_dbm=np.zeros(cell),
            prb_power_mw=np.zeros(cell),
            connected_ues=ints(cell),
            admission_limit=ints(cell),
            next_ue=ints(cell),
            activity=np.zeros((*cell, num_groups), np.float32),
            los_view=np.zeros((num, num_cells + 1, 5)),
            shadowing_view=np.zeros((num, num_cells + 1, 5)),
        ),
        Users(
            ints(ue, -1),
            ints(ue),
            *(np.zeros(ue) for _ in range(7)),
            interrupted_until=ints(ue),
            failing_ticks=ints(ue),
            traffic_kind=ints(ue),
            deadline_slots=ints(ue, NEVER),
        ),
        Links(
            gain=np.zeros((*ue, num_cells)),
            gain_x_m=np.zeros(ue),
            gain_y_m=np.zeros(ue),
            sinr_l3_db=np.full((*ue, num_cells), np.nan),
            trace=ints((*ue, num_cells)),
            trace_start=ints((*ue, num_cells)),
            steps_per_slot=np.zeros(ue),
            interferer=ints((*ue, num_interferers), -1),
        ),
        Reports(
            np.zeros((*ue, num_groups), np.uint8), np.zeros((*ue, num_groups), np.uint8), np.zeros(ue), np.zeros(ue)
        ),
        Processes(
            waiting=ints(ue),
            block_bits=ints(process),
            payload_bits=np.zeros(process, np.int64),
            groups=np.zeros(process, np.int64),
            mcs=ints(process),
            due_slot=ints(process),
            transmissions=ints(process),
            sinr=np.zeros(process),
            first_packet=ints(process),
            num_packets=ints(process),
        ),
        Queues(
            bits_left=ints((*ue, scenario.traffic.buffer_packets)),
            arrival_slot=ints((*ue, scenario.traffic.buffer_packets)),
            oldest=ints(ue),
            sending=ints(ue),
            end=ints(ue),
            backlog_bits=np.zeros(ue, np.int64),
            taken=ints(ue),
            next_arrival_slot=ints(ue, NEVER),
        ),
        Counters(
            np.zeros((*ue, NUM_UE_COUNTERS), np.int64),
            np.zeros((*cell, NUM_CELL_COUNTERS), np.int64),
            np.zeros((*cell, DELAY_BINS), np.int64),
        ),
    )


@inner_kernel
def network_view(batch: Network, b: int) -> Network:
    """Network `b` of a batch: the same arrays without the leading axis."""
    cells, users, links = batch.cells, batch.users, batch.links
    reports, processes, queues, counters = batch.reports, batch.processes, batch.queues, batch.counters
    return Network(
        Identity(batch.identity.seed[b], batch.identity.network[b]),
        Cells(
            cells.tx_power_dbm[b],
            cells.prb_power_mw[b],
            cells.connected_ues[b],
            cells.admission_limit[b],
            cells.next_ue[b],
            cells.activity[b],
            cells.los_view[b],
            cells.shadowing_view[b],
        ),
        Users(
            users.serving_cell[b],
            users.call_id[b],
            users.x_m[b],
            users.y_m[b],
            users.velocity_x_mps[b],
            users.velocity_y_mps[b],
            users.goal_x_m[b],
            users.goal_y_m[b],
            users.speed_mps[b],
            users.interrupted_until[b],
            users.failing_ticks[b],
            users.traffic_kind[b],
            users.deadline_slots[b],
        ),
        Links(
            links.gain[b],
            links.gain_x_m[b],
            links.gain_y_m[b],
            links.sinr_l3_db[b],
            links.trace[b],
            links.trace_start[b],
            links.steps_per_slot[b],
            links.interferer[b],
        ),
        Reports(reports.cqi[b], reports.cqi_on_its_way[b], reports.offset_db[b], reports.mean_rate[b]),
        Processes(
            processes.waiting[b],
            processes.block_bits[b],
            processes.payload_bits[b],
            processes.groups[b],
            processes.mcs[b],
            processes.due_slot[b],
            processes.transmissions[b],
            processes.sinr[b],
            processes.first_packet[b],
            processes.num_packets[b],
        ),
        Queues(
            queues.bits_left[b],
            queues.arrival_slot[b],
            queues.oldest[b],
            queues.sending[b],
            queues.end[b],
            queues.backlog_bits[b],
            queues.taken[b],
            queues.next_arrival_slot[b],
        ),
        Counters(counters.ue[b], counters.cell[b], counters.delay[b]),
    )
