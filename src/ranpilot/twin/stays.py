"""Whose a seat is and since when, so that what is measured of a slice is never of two tenants.

As performance management has it, what is measured is a slice (its S-NSSAI): one that comes or goes within a period is
measured over the part of the period in which it is there. The counters of a seat run on when it changes hands; what
they had reached by then is kept beside them and taken off. Axes: B networks, C cells, S seats, U places for users.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranpilot.twin import slice_columns, state
from ranpilot.twin.description.slices import Slices
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.views import Counters, Mark

__all__ = ["Stays", "Turned", "look_at_stays", "no_turns", "note_turn", "since_arrival", "slots_there"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer]

MEMBER_COLUMNS = [state.UE_BITS_OUT, state.UE_BUSY_SLOTS]
"""What measurements of slices read of their members."""


class Stays(NamedTuple):
    """Who has each seat at the end of a span, and what part of the span is the tenant's."""

    tenant: IntArray
    """[B, S] index into the scenario's slices, -1 where the seat is nobody's"""
    name: NDArray[np.str_]
    """[B, S] of the tenant, empty where the seat is nobody's"""
    snssai: NDArray[np.str_]
    """[B, S] of the tenant as it is written, '1' or '2-00abcd'"""
    start_s: FloatArray
    """[B, S] begin of what is measured of it: that of the span, or when it came"""
    end_s: FloatArray
    """[B, S]"""

    def only(self, picked: NDArray[np.bool_]) -> Stays:
        """Those of the seats [B, S]; the others become nobody's."""
        tenant = np.where(picked, self.tenant, -1)
        return self._replace(
            tenant=tenant, name=np.where(picked, self.name, ""), snssai=np.where(picked, self.snssai, "")
        )


class Turned(NamedTuple):
    """What counters had reached when each seat changed hands last; zeros before that."""

    slices: NDArray[np.int64]
    """[B, C, S, NUM_SLICE_COUNTERS]"""
    slice_delay: NDArray[np.int64]
    """[B, C, S, DELAY_BINS]"""
    member: NDArray[np.int64]
    """[B, U, 2] delivered bits and busy slots of each place when its slice came; no places where none comes or goes"""


def no_turns(scenario: Scenario, counters: Counters) -> Turned:
    """Before any seat has changed hands; counters: of the networks, for their shapes."""
    num, num_ues = counters.ue.shape[:2] if _turns(scenario.slices) else (len(counters.ue), 0)
    member = np.zeros((num, num_ues, len(MEMBER_COLUMNS)), np.int64)
    return Turned(np.zeros_like(counters.slices), np.zeros_like(counters.slice_delay), member)


def note_turn(turned: Turned, network: state.Network, counters: Counters, slot: int) -> None:
    """Keep the counters of seats that changed hands at `slot`, and of the places of their members."""
    is_new = network.slice[..., slice_columns.SINCE_SLOT] == slot
    for kept, now in ((turned.slices, counters.slices), (turned.slice_delay, counters.slice_delay)):
        np.copyto(kept, now, where=is_new[:, None, :, None])
    seat = network.ue[..., state.SLICE]
    has_come = (seat >= 0) & np.take_along_axis(is_new, np.maximum(seat, 0), axis=1)
    np.copyto(turned.member, counters.ue[..., MEMBER_COLUMNS], where=has_come[..., None])


def since_arrival(
    turned: Turned, network: state.Network, counters: Counters, since: Mark
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Counters of seats, delays of seats, and [B, U, 2] of members, since the mark or since their tenant came."""
    member = counters.ue[..., MEMBER_COLUMNS] - since.counters.ue[..., MEMBER_COLUMNS]
    slices, slice_delay = counters.slices - since.counters.slices, counters.slice_delay - since.counters.slice_delay
    if turned.member.shape[1] == 0:
        return slices, slice_delay, member
    is_later = _came_later(network, since.slot)
    np.subtract(counters.slices, turned.slices, out=slices, where=is_later[:, None, :, None])
    np.subtract(counters.slice_delay, turned.slice_delay, out=slice_delay, where=is_later[:, None, :, None])
    seat = network.ue[..., state.SLICE]
    is_later_ue = (seat >= 0) & np.take_along_axis(is_later, np.maximum(seat, 0), axis=1)
    np.subtract(counters.ue[..., MEMBER_COLUMNS], turned.member, out=member, where=is_later_ue[..., None])
    return slices, slice_delay, member


def slots_there(network: state.Network, num_seats: int, slot: int, since: Mark) -> IntArray:
    """[B, S] slots up to `slot`, since the mark or since the tenant of a seat came; num_seats: 0 without slices."""
    came = network.slice[:, :num_seats, slice_columns.SINCE_SLOT]
    result: IntArray = slot - np.maximum(came.astype(np.int64), since.slot)
    return result


def look_at_stays(scenario: Scenario, network: state.Network, slot: int, since: Mark) -> Stays:
    """Who has each seat at `slot`, and since when after the mark; no seats without slices."""
    entries = () if scenario.slices is None else scenario.slices.tenants
    # The last is nobody, index -1.
    names, snssais = (np.array([*texts, ""]) for texts in ([e.name for e in entries], [e.snssai for e in entries]))
    num_seats = 0 if scenario.slices is None else network.slice.shape[1]
    tenant = network.slice[:, :num_seats, slice_columns.TENANT].astype(np.int64)
    start = (slot - slots_there(network, num_seats, slot, since)).astype(np.float64)
    end_s = np.full(tenant.shape, slot * scenario.slot_s)
    return Stays(tenant, names[tenant], snssais[tenant], start * scenario.slot_s, end_s)


def _turns(slices: Slices | None) -> bool:
    return slices is not None and slices.comes_and_goes


def _came_later(network: state.Network, slot: int) -> NDArray[np.bool_]:
    """[B, S] whether a seat changed hands after the measurements of `slot` were taken, at which it may have as well."""
    since = network.slice[..., slice_columns.SINCE_SLOT]
    return np.asarray((since >= slot) & (since > 0))
