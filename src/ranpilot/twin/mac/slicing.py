"""Who of the slices of a cell may take how many groups of a slot: RRMPolicyRatio, honoured to the group in every slot.

Retransmissions come first and count for their slice. Then slices are offered their minima, again and again until each
has its own or cannot use what is free; then, group by group, what is left: to slices that want more and are below their
maximum, in proportion to the members that do (by Sainte-Lague's divisors), but for groups that another slice keeps as
dedicated. An offer is a set of groups, those where the slice's members do best; among them the slice's own scheduler
gives the groups out. Where retransmissions leave less than the minima ask for, slices take turns to be first.

A share of a fractional number of groups is met by whole groups that are once more and once less, never by more than
one, and on average exactly. Minima that sum to more than everything (a slice came after they were set) are all scaled
down alike. Source: TS 28.541 §4.3.36 (the ratios); how they are met inside a slot is left to the implementation there.
"""

from __future__ import annotations

import math

from ranpilot.kernels import inner_kernel, woven_kernel
from ranpilot.twin import slice_columns as seats
from ranpilot.twin import state as s
from ranpilot.twin.mac.proportional_fair import LEAST_MEAN_RATE
from ranpilot.twin.mac.scratch import (
    ACTIVE,
    BLOCK_GROUPS,
    BLOCK_UE,
    BLOCKS,
    CAP,
    GRANTED,
    IN_USE,
    IS_LENDING,
    IS_STUCK,
    LENT,
    NUM_CANDIDATES,
    NUM_LISTED,
    NUM_WHO,
    OFFER,
    OPEN,
    QUOTA,
    RESERVE,
    USED,
    WANTED_BITS,
    WANTING,
    Scratch,
)
from ranpilot.twin.parameters import GROUP_BITS, NOT_THERE, Parameters

__all__ = ["begin_offers", "close_offer", "end_offers", "make_offers", "open_offer"]

GOLDEN = 0.6180339887498949
"""Its multiples, without their whole parts, fill the unit interval evenly."""

MARGIN = 1e-9
"""Of a group: three tenths and seven tenths are a whole, whatever rounding leaves."""


@woven_kernel
def begin_offers(net: s.Network, parameters: Parameters, scratch: Scratch, cell: int, slot: int) -> None:
    """Set aside the candidates of a cell, and find what its slices may take and retransmissions have taken."""
    scratch.listed[NUM_WHO] = scratch.cell[cell, NUM_CANDIDATES]
    scratch.listed[IN_USE] = scratch.cell[cell, ACTIVE]
    scratch.listed[IS_LENDING] = 0
    for index in range(scratch.listed[NUM_WHO]):
        scratch.listed[NUM_LISTED + index] = scratch.candidate[cell, index]
    _set_quotas(net, scratch, cell, len(parameters.grid.group_prbs), slot)


@woven_kernel
def make_offers(net: s.Network, parameters: Parameters, scratch: Scratch, slot: int) -> bool:
    """Write how many groups each slice may take in the next round; whether there is anything to offer."""
    num_seats, num_groups = len(net.slice), len(parameters.grid.group_prbs)
    for seat in range(num_seats):
        scratch.slice[seat, OFFER] = scratch.slice[seat, WANTING] = 0
    for index in range(scratch.listed[NUM_WHO]):
        ue = scratch.listed[NUM_LISTED + index]
        if _may_take(net, scratch, ue) and scratch.slice[net.ue[ue, s.SLICE], IS_STUCK] == 0:
            scratch.slice[net.ue[ue, s.SLICE], WANTING] += 1
    free = num_groups - _count(scratch.listed[IN_USE])
    if scratch.listed[IS_LENDING] == 0:
        if _offer_quotas(scratch, num_seats, free, slot):
            return True
        scratch.listed[IS_LENDING] = 1
    return _offer_rest(scratch, num_seats, free, slot)


@woven_kernel
def open_offer(net: s.Network, parameters: Parameters, scratch: Scratch, cell: int, seat: int) -> bool:
    """Leave a scheduler nothing but the members of a slice and the groups that it may take; whether there are any."""
    num_members = 0
    for index in range(scratch.listed[NUM_WHO]):
        ue = scratch.listed[NUM_LISTED + index]
        if net.ue[ue, s.SLICE] == seat and _may_take(net, scratch, ue):
            scratch.candidate[cell, num_members] = ue
            num_members += 1
    scratch.cell[cell, NUM_CANDIDATES] = num_members
    scratch.listed[OPEN] = _best_groups(net, parameters, scratch, cell, scratch.slice[seat, OFFER])
    everything = (1 << len(parameters.grid.group_prbs)) - 1
    scratch.cell[cell, ACTIVE] = everything & ~scratch.listed[OPEN]
    if scratch.listed[OPEN] == 0:
        scratch.slice[seat, IS_STUCK] = 1
        return False
    return True


@woven_kernel
def close_offer(scratch: Scratch, cell: int, seat: int) -> None:
    """Count what the slice has taken."""
    granted = 0
    for index in range(scratch.cell[cell, NUM_CANDIDATES]):
        granted |= scratch.ue[scratch.candidate[cell, index], GRANTED]
    taken = granted & scratch.listed[OPEN]
    num_taken = _count(taken)
    scratch.listed[IN_USE] |= taken
    scratch.slice[seat, USED] += num_taken
    if scratch.listed[IS_LENDING] == 1:
        scratch.slice[seat, LENT] += num_taken
    if num_taken == 0:
        scratch.slice[seat, IS_STUCK] = 1


@woven_kernel
def end_offers(scratch: Scratch, cell: int) -> None:
    """Put the candidates back."""
    scratch.cell[cell, NUM_CANDIDATES] = scratch.listed[NUM_WHO]
    scratch.cell[cell, ACTIVE] = scratch.listed[IN_USE]
    for index in range(scratch.listed[NUM_WHO]):
        scratch.candidate[cell, index] = scratch.listed[NUM_LISTED + index]


@woven_kernel
def _set_quotas(net: s.Network, scratch: Scratch, cell: int, num_groups: int, slot: int) -> None:
    share = net.cell_slice_real[cell]
    total = 0.0
    for seat in range(len(net.slice)):
        if net.slice[seat, seats.TENANT] != NOT_THERE:
            total += share[seat, seats.MIN_SHARE]
    scale = num_groups / max(1.0, total)
    turn = slot * GOLDEN
    edge = (turn - math.floor(turn)) * (1.0 - 2.0 * MARGIN) + MARGIN
    for seat in range(len(net.slice)):
        scratch.slice[seat, USED] = scratch.slice[seat, LENT] = scratch.slice[seat, IS_STUCK] = 0
        scratch.slice[seat, QUOTA] = scratch.slice[seat, CAP] = scratch.slice[seat, RESERVE] = 0
        if net.slice[seat, seats.TENANT] == NOT_THERE:
            continue
        phase = edge - math.floor(edge)
        least = share[seat, seats.MIN_SHARE] * scale
        scratch.slice[seat, QUOTA] = int(phase + least)
        scratch.slice[seat, RESERVE] = int(phase + share[seat, seats.DEDICATED_SHARE] * scale)
        most = int(phase + share[seat, seats.MAX_SHARE] * num_groups + MARGIN)
        scratch.slice[seat, CAP] = max(min(most, num_groups), scratch.slice[seat, QUOTA])
        edge += least
    for block in range(scratch.total[BLOCKS]):
        _count_retransmission(net, scratch, cell, block)


@inner_kernel
def _count_retransmission(net: s.Network, scratch: Scratch, cell: int, block: int) -> None:
    ue = scratch.block[block, BLOCK_UE]
    if net.ue[ue, s.SERVING_CELL] == cell:
        scratch.slice[net.ue[ue, s.SLICE], USED] += _count(scratch.block[block, BLOCK_GROUPS])


@woven_kernel
def _offer_quotas(scratch: Scratch, num_seats: int, free: int, slot: int) -> bool:
    """Offer slices what they have not yet had of their minima, as far as it goes."""
    left = free
    for turn in range(num_seats):
        seat = (slot + turn) % num_seats
        if scratch.slice[seat, WANTING] > 0:
            scratch.slice[seat, OFFER] = min(left, max(0, scratch.slice[seat, QUOTA] - scratch.slice[seat, USED]))
            left -= scratch.slice[seat, OFFER]
    return left < free


@woven_kernel
def _offer_rest(scratch: Scratch, num_seats: int, free: int, slot: int) -> bool:
    """Offer what no other slice keeps, group by group to the one that has borrowed least for each member that wants."""
    left = free
    while left > 0:
        kept = 0
        for seat in range(num_seats):
            kept += _kept(scratch, seat)
        best = -1
        best_claim = 0.0
        for turn in range(num_seats):
            seat = (slot + turn) % num_seats
            taken = scratch.slice[seat, USED] + scratch.slice[seat, OFFER]
            if taken < scratch.slice[seat, CAP] and left > kept - _kept(scratch, seat):
                claim = scratch.slice[seat, WANTING] / (scratch.slice[seat, LENT] + scratch.slice[seat, OFFER] + 0.5)
                if claim > best_claim:
                    best = seat
                    best_claim = claim
        if best < 0:
            break
        scratch.slice[best, OFFER] += 1
        left -= 1
    return left < free


@inner_kernel
def _kept(scratch: Scratch, seat: int) -> int:
    """Groups that are still kept free for a slice."""
    return int(max(0, scratch.slice[seat, RESERVE] - scratch.slice[seat, USED] - scratch.slice[seat, OFFER]))


@inner_kernel
def _may_take(net: s.Network, scratch: Scratch, ue: int) -> bool:
    """Whether a candidate can be given groups at all."""
    return bool(scratch.ue_real[ue, WANTED_BITS] > 0.0 and net.ue_real[ue, s.SCHEDULING_WEIGHT] > 0.0)


@woven_kernel
def _best_groups(net: s.Network, parameters: Parameters, scratch: Scratch, cell: int, wanted: int) -> int:
    """Bit mask of `wanted` free groups: those on which the best of the candidates has most, over its mean rate."""
    num_groups = len(parameters.grid.group_prbs)
    group_bits = parameters.link.cqi[GROUP_BITS]
    for group in range(num_groups):
        scratch.group_value[group] = -1.0
        if (scratch.listed[IN_USE] >> group) & 1:
            continue
        best = 0.0
        for index in range(scratch.cell[cell, NUM_CANDIDATES]):
            ue = scratch.candidate[cell, index]
            best = max(best, group_bits[net.cqi[ue, group]] / (net.ue_real[ue, s.MEAN_RATE] + LEAST_MEAN_RATE))
        scratch.group_value[group] = best
    mask = 0
    for _ in range(wanted):
        best_group = -1
        best_value = 0.0
        for group in range(num_groups):
            if scratch.group_value[group] > best_value:
                best_group = group
                best_value = scratch.group_value[group]
        if best_group < 0:
            break
        mask |= 1 << best_group
        scratch.group_value[best_group] = -1.0
    return mask


@inner_kernel
def _count(mask: int) -> int:
    """Groups in a bit mask."""
    count = 0
    while mask != 0:
        mask &= mask - 1
        count += 1
    return count
