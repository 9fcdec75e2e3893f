"""Quotas of slices (RRMPolicyRatio, TS 28.541 §4.3.36) held slot by slot in any networks, in whole groups.

A share of n groups may be met by the whole number below or above. In every slot and cell:
- maximum: a slice that gets new blocks has, with its retransmissions, no more groups than its maximum;
- minimum: a slice that has less than its minimum has no member with something to send for whom a group is free, nor one
  who could use every group of a slice that was lent some;
- dedicated: no slice is lent a group that another one's dedicated part would need;
- members: every block is of a present slice, counted for it, and alone on its groups.
How a slot is shared out beyond that is ours, and is held against a slow twin in the tests.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranpilot.twin import slice_columns as seats
from ranpilot.twin import state as s
from ranpilot.twin.mac import scratch as working
from ranpilot.twin.network import Networks
from ranpilot.twin.parameters import NOT_THERE

__all__ = ["CellSlot", "Share", "count_broken", "watch_quotas"]

ROUNDING = 1e-6
"""Of a group."""

IntArray = NDArray[np.integer]


class Share(NamedTuple):
    """What a slice may take of a cell, in groups, and what it took in a slot."""

    least: float
    most: float
    dedicated: float
    repeated: int
    """Groups of retransmissions."""
    new: int
    """Bit mask of the groups of new blocks."""
    unmet: tuple[int, ...]
    """Of each member that wanted more: bit mask of the groups on which it reports that it can be reached."""

    @property
    def used(self) -> int:
        """Groups, retransmissions included."""
        return self.repeated + self.new.bit_count()

    @property
    def is_lent(self) -> bool:
        """Whether new blocks take it beyond any minimum that a slot can have."""
        return self.new != 0 and self.used > _above(self.least)


class CellSlot(NamedTuple):
    """A cell in a slot."""

    free: int
    """Bit mask of the groups that nobody has."""
    shares: tuple[Share, ...]
    """Of the slices that are there."""


def watch_quotas(networks: Networks, slots: int) -> Counter[str]:
    """Advance networks of a scenario with slices slot by slot; how often each rule was broken in a cell and slot."""
    found: Counter[str] = Counter()
    for _ in range(slots):
        before = (networks._state.ue.copy(), networks._state.cell.copy(), networks._state.slice_count.copy())
        slot = networks.slot
        networks.advance(1)
        for b in range(networks.num):
            found.update(_look_at_network(networks, slot, b, before))
    return +found


def count_broken(cell: CellSlot) -> Counter[str]:
    """The rules maximum, minimum and dedicated that are broken in a cell and slot."""
    found: Counter[str] = Counter()
    kept = sum(max(0, _below(share.dedicated) - share.used) for share in cell.shares)
    is_lent = any(share.is_lent for share in cell.shares)
    found["dedicated"] += int(is_lent and cell.free.bit_count() < kept)
    for share in cell.shares:
        found["maximum"] += int(share.new != 0 and share.used > _above(share.most))
        if share.used < _below(share.least):
            others = [other.new for other in cell.shares if other.is_lent]
            found["minimum"] += int(any(reached & cell.free for reached in share.unmet))
            found["minimum"] += int(any(new & ~reached == 0 for new in others for reached in share.unmet))
    return found


def _above(groups: float) -> int:
    return math.ceil(groups - ROUNDING)


def _below(groups: float) -> int:
    return math.floor(groups + ROUNDING)


def _look_at_network(
    networks: Networks, slot: int, b: int, before: tuple[IntArray, IntArray, IntArray]
) -> Counter[str]:
    """What is broken in the slot that network `b` has just run through; before: users, cells and counters before it."""
    net, scratch, grid = networks._state, networks._scratch, networks._parameters.grid
    is_tick = (slot + 1) % grid.tick_slots == 0
    # Slices come and go before users are scheduled, RRC comes after.
    ue = before[0][b] if is_tick else net.ue[b]
    tenant = net.slice[b, :, seats.TENANT]
    num_cells, num_seats = net.cell.shape[1], len(tenant)
    found: Counter[str] = Counter()
    busy = [0] * num_cells
    repeated = np.zeros((num_cells, num_seats), np.int64)
    new = np.zeros((num_cells, num_seats), np.int64)
    prbs = np.zeros((num_cells, num_seats), np.int64)
    is_served = np.zeros(len(ue), np.bool_)
    for who, groups, process in scratch.block[b, : scratch.total[b, working.BLOCKS]].tolist():
        cell, seat = ue[who, s.SERVING_CELL], ue[who, s.SLICE]
        found["members"] += int(seat < 0 or tenant[seat] == NOT_THERE or (busy[cell] & groups) != 0)
        busy[cell] |= groups
        if process < 0:
            new[cell, seat] |= groups
        else:
            repeated[cell, seat] += groups.bit_count()
        is_served[who] = True
        prbs[cell, seat] += sum(int(size) for group, size in enumerate(grid.group_prbs) if groups >> group & 1)
    counted = net.slice_count[b, ..., seats.SLICE_PRBS] - before[2][b, ..., seats.SLICE_PRBS]
    found["members"] += int((counted != prbs).sum())
    wanting = [] if is_tick else _wanting(networks, slot, b, before, is_served)
    everything = (1 << len(grid.group_prbs)) - 1
    for cell in range(num_cells):
        shares = _shares(networks, b, cell, (repeated[cell], new[cell]), wanting)
        found.update(count_broken(CellSlot(everything & ~busy[cell], shares)))
    return found


def _shares(
    networks: Networks, b: int, cell: int, taken: tuple[IntArray, IntArray], wanting: list[tuple[int, int, int]]
) -> tuple[Share, ...]:
    """Of the slices of a network in a cell; minima that sum to more than everything are scaled down alike."""
    net, num_groups = networks._state, len(networks._parameters.grid.group_prbs)
    real = net.cell_slice_real[b, cell]
    present = np.nonzero(net.slice[b, :, seats.TENANT] != NOT_THERE)[0].tolist()
    scale = num_groups / max(1.0, float(real[present, seats.MIN_SHARE].sum()))
    return tuple(
        Share(
            least=float(real[seat, seats.MIN_SHARE]) * scale,
            most=float(real[seat, seats.MAX_SHARE]) * num_groups,
            dedicated=float(real[seat, seats.DEDICATED_SHARE]) * scale,
            repeated=int(taken[0][seat]),
            new=int(taken[1][seat]),
            unmet=tuple(reached for where, of, reached in wanting if (where, of) == (cell, seat)),
        )
        for seat in present
    )


def _wanting(
    networks: Networks, slot: int, b: int, before: tuple[IntArray, IntArray, IntArray], is_served: NDArray[np.bool_]
) -> list[tuple[int, int, int]]:
    """Cell, seat and reachable groups of every user who could have been given more groups than it was."""
    net, ue = networks._state, networks._state.ue[b]
    cell = ue[:, s.SERVING_CELL]
    could = (cell >= 0) & (slot >= ue[:, s.INTERRUPTED_UNTIL])
    could &= slot >= before[1][b, np.maximum(cell, 0), s.SERVED_FROM]
    could &= before[0][b, :, s.WAITING] < net.process.shape[2]
    could &= net.ue_real[b, :, s.SCHEDULING_WEIGHT] > 0.0
    # Who has nothing waits with all it has; who has some was satisfied as far as the reports promise, or not.
    wanted = np.where(is_served, networks._scratch.ue_real[b, :, working.WANTED_BITS], ue[:, s.BACKLOG_BITS])
    result = []
    for who in np.nonzero(could & (wanted > 0))[0].tolist():
        reached = sum(1 << group for group in np.nonzero(net.cqi[b, who] > 0)[0].tolist())
        result.append((int(cell[who]), int(ue[who, s.SLICE]), reached))
    return result
