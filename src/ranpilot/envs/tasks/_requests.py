"""Hand-off requests of `power-handover`: how they open, age, are moved, refused and lost.

A link is *bad* while the L3-filtered wideband SINR of its serving cell is below `Rule.bad_db`; a neighbour is *usable*
while it would give more than `Rule.usable_db`. Links are looked at once every RRC period (10 ms). A request is open
once `Rule.hold_samples` looks in a row (200 ms) found the link bad with a usable neighbour, and ends at the first look
that does not. Its age is the number of control steps at whose end it was open.

The functions know arrays only: B networks, C cells, U places for users; no network object and no random numbers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ranpilot.envs.controller import BoolArray, FloatArray, IntArray
from ranpilot.kernels import kernel

__all__ = [
    "Calls",
    "Links",
    "Orders",
    "Room",
    "Rule",
    "Tally",
    "age_requests",
    "count_links",
    "follow_links",
    "make_calls",
    "make_links",
    "make_orders",
    "make_tally",
    "move_requests",
]


class Rule(NamedTuple):
    """The numbers of the task."""

    bad_db: float
    usable_db: float
    hold_samples: int
    """Looks in a row, one every RRC period."""
    patience_steps: int
    most_moves: int
    """Requests that one cell may move in one step."""
    pingpong_steps: int


class Calls(NamedTuple):
    """What is remembered of the call in every place, all [B, U]."""

    call_id: IntArray
    """int64, which call was there at the last look."""
    serving_cell: IntArray
    """int32, -1 where the place is empty."""
    held_samples: IntArray
    """int32, looks in a row that found a bad link with a usable neighbour."""
    age_steps: IntArray
    """int32, 0 while no request is open at the end of a step."""
    moved_from: IntArray
    """int32, the cell that the call was last moved away from, -1 for none."""
    moved_step: IntArray
    """int32, the step of that move."""
    failures: IntArray
    """int64, radio link failures of the place up to the last look."""


class Room(NamedTuple):
    """Who finds room, both [B, C] int64."""

    calls: IntArray
    """At each cell; follows the moves."""
    capacity: IntArray
    """Calls that a cell may hold now."""


class Tally(NamedTuple):
    """What happened in the running step, all [B, C] int64, counted at the cell that served the call."""

    requests: IntArray
    """Requests seen open for the first time at the step's end."""
    refused: IntArray
    timed_out: IntArray
    failed: IntArray
    """Radio link failures while a request was open."""
    lost: IntArray
    """Radio link failures without an open request: outages that ended the call."""
    pingpong: IntArray


class Orders(NamedTuple):
    """What the network is told, both [B, U]."""

    target: IntArray
    """int32, cell to move to, -1 for none."""
    release: BoolArray
    """Calls that end now."""


class Links(NamedTuple):
    """The links as they are now, all [B, C] int64."""

    calls: IntArray
    bad: IntArray
    requests: IntArray
    """Open requests."""
    outages: IntArray
    """Bad links without a usable neighbour."""
    oldest_age: IntArray
    """Age of the oldest open request in steps."""


def make_calls(num_networks: int, num_places: int) -> Calls:
    """Empty places."""
    shape = (num_networks, num_places)
    return Calls(
        call_id=np.zeros(shape, np.int64),
        serving_cell=np.full(shape, -1, np.int32),
        held_samples=np.zeros(shape, np.int32),
        age_steps=np.zeros(shape, np.int32),
        moved_from=np.full(shape, -1, np.int32),
        moved_step=np.zeros(shape, np.int32),
        failures=np.zeros(shape, np.int64),
    )


def make_tally(num_networks: int, num_cells: int) -> Tally:
    """Nothing happened yet."""
    return Tally(*(np.zeros((num_networks, num_cells), np.int64) for _ in Tally._fields))


def make_links(num_networks: int, num_cells: int) -> Links:
    """No links yet."""
    return Links(*(np.zeros((num_networks, num_cells), np.int64) for _ in Links._fields))


def make_orders(num_networks: int, num_places: int) -> Orders:
    """No orders."""
    shape = (num_networks, num_places)
    return Orders(target=np.full(shape, -1, np.int32), release=np.zeros(shape, np.bool_))


@kernel
def _strongest_usable(sinr_db: FloatArray, serving_cell: int, usable_db: float) -> int:
    """The strongest cell beside the serving one that would give more than `usable_db`, or -1. sinr_db: [C]."""
    best = -1
    best_db = usable_db
    for cell in range(sinr_db.shape[0]):
        if cell != serving_cell and sinr_db[cell] > best_db:
            best = cell
            best_db = sinr_db[cell]
    return best


@kernel
def _forget(calls: Calls, network: int, ue: int) -> None:
    """Clear what was remembered of the call in that place."""
    calls.held_samples[network, ue] = 0
    calls.age_steps[network, ue] = 0
    calls.moved_from[network, ue] = -1
    calls.moved_step[network, ue] = 0


@kernel
def follow_links(
    calls: Calls,
    tally: Tally,
    serving_cell: IntArray,
    call_id: IntArray,
    failures: IntArray,
    sinr_db: FloatArray,
    rule: Rule,
) -> None:
    """Look at every link once: book calls that failed, let requests build up or end.

    serving_cell, call_id, failures (cumulative for each place): [B, U]; sinr_db: [B, U, C], for the serving cell what
    it gives, for others what they would.
    """
    for network in range(serving_cell.shape[0]):
        for ue in range(serving_cell.shape[1]):
            was_at = calls.serving_cell[network, ue]
            if failures[network, ue] > calls.failures[network, ue] and was_at >= 0:
                if calls.held_samples[network, ue] >= rule.hold_samples:
                    tally.failed[network, was_at] += 1
                    if calls.age_steps[network, ue] == 0:
                        # Opened and failed within one step: no step's end has counted it.
                        tally.requests[network, was_at] += 1
                else:
                    tally.lost[network, was_at] += 1
                _forget(calls, network, ue)
            cell = serving_cell[network, ue]
            if cell < 0 or call_id[network, ue] != calls.call_id[network, ue]:
                _forget(calls, network, ue)
            calls.failures[network, ue] = failures[network, ue]
            calls.call_id[network, ue] = call_id[network, ue]
            calls.serving_cell[network, ue] = cell
            if cell < 0:
                continue
            is_bad = sinr_db[network, ue, cell] < rule.bad_db
            if is_bad and _strongest_usable(sinr_db[network, ue], cell, rule.usable_db) >= 0:
                calls.held_samples[network, ue] += 1
            else:
                calls.held_samples[network, ue] = 0
                calls.age_steps[network, ue] = 0


@kernel
def age_requests(calls: Calls, tally: Tally, orders: Orders, rule: Rule) -> None:
    """At a step's end: open requests grow one step older; those beyond the patience are dropped and their call lost."""
    for network in range(calls.serving_cell.shape[0]):
        for ue in range(calls.serving_cell.shape[1]):
            cell = calls.serving_cell[network, ue]
            if cell < 0 or calls.held_samples[network, ue] < rule.hold_samples:
                continue
            if calls.age_steps[network, ue] == 0:
                tally.requests[network, cell] += 1
            calls.age_steps[network, ue] += 1
            if calls.age_steps[network, ue] > rule.patience_steps:
                tally.timed_out[network, cell] += 1
                orders.release[network, ue] = True
                calls.serving_cell[network, ue] = -1
                _forget(calls, network, ue)


@kernel
def _oldest_request(calls: Calls, network: int, cell: int, rule: Rule) -> int:
    """The open request of `cell` that is oldest, in steps, then in looks, then by place; -1 for none."""
    oldest = -1
    for ue in range(calls.serving_cell.shape[1]):
        if calls.serving_cell[network, ue] != cell or calls.held_samples[network, ue] < rule.hold_samples:
            continue
        if oldest < 0 or (calls.age_steps[network, ue], calls.held_samples[network, ue]) > (
            calls.age_steps[network, oldest],
            calls.held_samples[network, oldest],
        ):
            oldest = ue
    return oldest


@kernel
def move_requests(
    calls: Calls,
    tally: Tally,
    orders: Orders,
    wants: BoolArray,
    room: Room,
    sinr_db: FloatArray,
    step: int,
    rule: Rule,
) -> None:
    """Move or refuse the open requests of every cell that wants to, one cell after the other.

    wants: [B, C] which cells hand off; sinr_db: [B, U, C]. The cell that begins takes turns with the step. A request
    whose target is full is refused: dropped, its call lost.
    """
    num_cells = wants.shape[1]
    for network in range(wants.shape[0]):
        for turn in range(num_cells):
            cell = (step + turn) % num_cells
            if not wants[network, cell]:
                continue
            for _ in range(rule.most_moves):
                ue = _oldest_request(calls, network, cell, rule)
                if ue < 0:
                    break
                target = _strongest_usable(sinr_db[network, ue], cell, rule.usable_db)
                if target < 0:
                    break
                room.calls[network, cell] -= 1
                if room.calls[network, target] >= room.capacity[network, target]:
                    tally.refused[network, cell] += 1
                    orders.release[network, ue] = True
                    calls.serving_cell[network, ue] = -1
                    _forget(calls, network, ue)
                    continue
                room.calls[network, target] += 1
                orders.target[network, ue] = target
                has_returned = calls.moved_from[network, ue] == target
                if has_returned and step - calls.moved_step[network, ue] <= rule.pingpong_steps:
                    tally.pingpong[network, cell] += 1
                _forget(calls, network, ue)
                calls.serving_cell[network, ue] = target
                calls.moved_from[network, ue] = cell
                calls.moved_step[network, ue] = step


@kernel
def count_links(calls: Calls, links: Links, sinr_db: FloatArray, rule: Rule) -> None:
    """Count calls, bad links, open requests and outages of every cell into `links`. sinr_db: [B, U, C]."""
    for network in range(links.calls.shape[0]):
        for cell in range(links.calls.shape[1]):
            links.calls[network, cell] = 0
            links.bad[network, cell] = 0
            links.requests[network, cell] = 0
            links.outages[network, cell] = 0
            links.oldest_age[network, cell] = 0
        for ue in range(calls.serving_cell.shape[1]):
            cell = calls.serving_cell[network, ue]
            if cell < 0:
                continue
            links.calls[network, cell] += 1
            if calls.held_samples[network, ue] >= rule.hold_samples:
                links.requests[network, cell] += 1
                links.oldest_age[network, cell] = max(links.oldest_age[network, cell], calls.age_steps[network, ue])
            if sinr_db[network, ue, cell] < rule.bad_db:
                links.bad[network, cell] += 1
                if _strongest_usable(sinr_db[network, ue], cell, rule.usable_db) < 0:
                    links.outages[network, cell] += 1
