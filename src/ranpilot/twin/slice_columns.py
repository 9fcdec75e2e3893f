"""Columns of the arrays of slices. Axes: B networks, C cells, S seats (slices that a network has at once at most).

A scenario without slices has one seat that everybody sits in, without quotas and without counters.
"""

from __future__ import annotations

# Columns of Network.slice, [B, S].
TENANT = 0
"""Index into the scenario's slices, -1 while the seat is free."""
SINCE_SLOT = 1
"""First slot of the tenant, or first in which the seat was free."""
NUM_MEMBERS = 2
"""Users that it brought."""
BUDGET_SLOTS = 3
"""Delay within which a packet is on time; -1 where the SLA has no delay."""
NUM_SLICE_COLUMNS = 4

# Columns of Network.cell_slice, [B, C, S].
SCHEDULER = 0
NEXT_UE = 1
"""Where round robin goes on."""
SLICE_DEADLINE_SLOTS = 2
"""0 = as the kind of traffic says."""
NUM_CELL_SLICE_COLUMNS = 3

# Columns of Network.cell_slice_real, [B, C, S]: shares of the cell's groups, then steps of the outer loop in dB, 0 = as
# the kind of traffic says.
MIN_SHARE = 0
MAX_SHARE = 1
DEDICATED_SHARE = 2
SLICE_STEP_UP_DB = 3
SLICE_STEP_DOWN_DB = 4
NUM_CELL_SLICE_REALS = 5

# Columns of Network.slice_count, [B, C, S].
SLICE_PRBS = 0
"""Sum over slots of PRBs in use."""
SLICE_PACKETS_IN = 1
SLICE_BITS_IN = 2
SLICE_PACKETS_OUT = 3
SLICE_BITS_OUT = 4
SLICE_PACKETS_DROPPED = 5
"""Expired and overflowed."""
SLICE_PACKETS_LOST = 6
SLICE_PACKETS_ON_TIME = 7
"""Delivered within the delay budget of the SLA."""
SLICE_DELAY_SLOTS = 8
SLICE_BUSY_SLOTS = 9
"""Sum over users of slots that began with something to send."""
SLICE_CONNECTED_SUM = 10
"""Sum over slots of connected members."""
NUM_SLICE_COUNTERS = 11
