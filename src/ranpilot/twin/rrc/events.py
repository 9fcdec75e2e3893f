"""Events of cells: drawn once for each window, or scheduled; put into force and lifted with the RRC period.

The first rows of the table belong to one window each, whose draws are counted by (network, window); nothing of it
depends on the batch or on time. The others are the schedule's. A fresh future keeps what is known and draws the rest
anew. An event is known from its announcement on, or without one from its start on; then only how long it still lasts is
not. What would have been known did not come. What is scheduled and not known is not there in a fresh future: nobody
expects it. Where it has begun without a word, nobody knows its scale, so that it lasts longer than t with probability
(how long it has lasted) / t.
"""

from __future__ import annotations

import math

from ranpilot.kernels import inner_kernel, woven_kernel
from ranpilot.twin import state as s
from ranpilot.twin.parameters import (
    ARRIVALS_TIMES,
    BACKHAUL_RATE,
    BACKHAUL_ROOM,
    BACKHAUL_TIME,
    DEPARTURES_TIMES,
    IS_OFF_AIR,
    TOLD_SHARE,
    TRAFFIC_TIMES,
    WEIGHT_BELOW,
    Parameters,
)
from ranpilot.twin.rng import STREAM_EVENT, STREAM_EVENT_TIME, draw_uniform4, fold_seed
from ranpilot.twin.rrc.on_air import settle_cell

__all__ = ["NOTHING_KNOWN", "draw_events", "put_events_in_force"]

NOTHING_KNOWN = -1
"""The slot up to which announcements are known before the first."""

MOST_TICKS = 8_640_000
"""Of an event whose end nobody knows: a day."""


@inner_kernel
def draw_events(net: s.Network, parameters: Parameters, known_slot: int) -> None:
    """Draw every event, or the rest of one in force, that nobody knows by `known_slot`."""
    num_windows = len(net.event) - len(parameters.events.schedule)
    for event in range(len(net.event)):
        if known_slot == NOTHING_KNOWN and event >= num_windows:
            _take_from_schedule(net, parameters, event, event - num_windows)
        elif net.event[event, s.ANNOUNCED_SLOT] <= known_slot:
            continue
        elif net.event[event, s.START_SLOT] > known_slot:
            if event < num_windows:
                _draw_event(net, parameters, event, known_slot)
            else:
                _forget_event(net, event)
        elif net.event[event, s.STOP_SLOT] > known_slot:
            if event < num_windows:
                _draw_rest(net, parameters, event, known_slot)
            else:
                _guess_rest(net, parameters, event, known_slot)


@inner_kernel
def _take_from_schedule(net: s.Network, parameters: Parameters, event: int, row: int) -> None:
    """Put a row of the schedule into the table; its columns are the first of the table's."""
    for column in range(s.EVENT_SEED):
        net.event[event, column] = parameters.events.schedule[row, column]
    seed, network = net.identity[s.SEED], net.identity[s.NETWORK]
    net.event[event, s.EVENT_SEED] = fold_seed(seed, network, event, 0, STREAM_EVENT_TIME)


@inner_kernel
def _forget_event(net: s.Network, event: int) -> None:
    net.event[event, s.EVENT_KIND] = -1
    net.event[event, s.EVENT_CELL] = -1
    net.event[event, s.ANNOUNCED_SLOT] = s.NEVER
    net.event[event, s.START_SLOT] = s.NEVER
    net.event[event, s.STOP_SLOT] = s.NEVER
    net.event[event, s.EVENT_SEED] = 0


@inner_kernel
def _guess_rest(net: s.Network, parameters: Parameters, event: int, known_slot: int) -> None:
    """Draw how long a scheduled event lasts that came without a word and is in force; no word is to come either."""
    slots = parameters.grid.tick_slots
    _, length, _, _ = draw_uniform4(net.identity[s.SEED], net.identity[s.NETWORK], event, 0, STREAM_EVENT_TIME)
    start = net.event[event, s.START_SLOT]
    lasted_ticks = max(1.0, (known_slot - start) / slots)
    net.event[event, s.ANNOUNCED_SLOT] = s.NEVER
    net.event[event, s.STOP_SLOT] = start + slots * (1 + int(min(lasted_ticks / length, MOST_TICKS)))


@inner_kernel
def _draw_event(net: s.Network, parameters: Parameters, window: int, known_slot: int) -> None:
    rules, slots = parameters.events, parameters.grid.tick_slots
    seed, network = net.identity[s.SEED], net.identity[s.NETWORK]
    has_event, weight, where, when = draw_uniform4(seed, network, window, 0, STREAM_EVENT)
    lead, length, told, _ = draw_uniform4(seed, network, window, 0, STREAM_EVENT_TIME)
    kind = 0
    while weight >= rules.kind[kind, WEIGHT_BELOW]:
        kind += 1
    moment = slots * (rules.first_tick + int((window + when) * rules.window_ticks))
    start = moment + slots * _among(rules.lead_ticks[0], rules.lead_ticks[1], lead)
    is_told = told < rules.kind[kind, TOLD_SHARE]
    known = moment if is_told else start
    if has_event >= rules.share or known <= known_slot or net.identity[s.EVENTS_OFF] == 1:
        _forget_event(net, window)
        return
    net.event[window, s.EVENT_KIND] = kind
    net.event[window, s.EVENT_CELL] = int(where * len(net.cell))
    net.event[window, s.ANNOUNCED_SLOT] = moment if is_told else s.NEVER
    net.event[window, s.START_SLOT] = start
    net.event[window, s.STOP_SLOT] = start + slots * _among(rules.duration_ticks[0], rules.duration_ticks[1], length)
    net.event[window, s.EVENT_SEED] = fold_seed(seed, network, window, 0, STREAM_EVENT_TIME)


@inner_kernel
def _draw_rest(net: s.Network, parameters: Parameters, window: int, known_slot: int) -> None:
    """Draw how long an event lasts that came without a word and is in force: any duration that it has not outlived."""
    rules, slots = parameters.events, parameters.grid.tick_slots
    _, length, _, _ = draw_uniform4(net.identity[s.SEED], net.identity[s.NETWORK], window, 0, STREAM_EVENT_TIME)
    start = net.event[window, s.START_SLOT]
    least = max(rules.duration_ticks[0], 1 + (known_slot - start) // slots)
    net.event[window, s.STOP_SLOT] = start + slots * _among(least, rules.duration_ticks[1], length)


@inner_kernel
def _among(least: int, greatest: int, uniform: float) -> int:
    """A whole number from `least` to `greatest`, all equally likely."""
    return least + int(uniform * (greatest - least + 1))


@woven_kernel
def put_events_in_force(net: s.Network, parameters: Parameters, slot: int) -> None:
    """Give cells the factors and limits of the events that are in force from `slot` on."""
    has_changed = False
    for event in range(len(net.event)):
        begins_or_ends = net.event[event, s.START_SLOT] == slot or net.event[event, s.STOP_SLOT] == slot
        has_changed = has_changed or begins_or_ends
    if has_changed:
        for cell in range(len(net.cell)):
            _limit_cell(net, parameters, cell, slot)
            if parameters.events.limits_backhaul == 1:
                _limit_backhaul(net, parameters, cell, slot)


@inner_kernel
def _limit_cell(net: s.Network, parameters: Parameters, cell: int, slot: int) -> None:
    rules = parameters.events
    arrivals = departures = traffic = 1.0
    places = s.NEVER
    power_dbm = math.inf
    is_off = 0
    for event in range(len(net.event)):
        if _is_in_force(net, event, cell, slot):
            kind = net.event[event, s.EVENT_KIND]
            arrivals *= rules.kind[kind, ARRIVALS_TIMES]
            departures *= rules.kind[kind, DEPARTURES_TIMES]
            traffic *= rules.kind[kind, TRAFFIC_TIMES]
            places = min(places, rules.places[kind, cell])
            power_dbm = min(power_dbm, rules.power_dbm[kind, cell])
            is_off = max(is_off, int(rules.kind[kind, IS_OFF_AIR]))
    net.cell_real[cell, s.ARRIVAL_FACTOR] = arrivals
    net.cell_real[cell, s.DEPARTURE_FACTOR] = departures
    net.cell_real[cell, s.TRAFFIC_FACTOR] = min(traffic, rules.most_traffic)
    net.cell[cell, s.EVENT_ADMISSION_LIMIT] = places
    net.cell[cell, s.EVENT_OFF] = is_off
    net.cell_real[cell, s.EVENT_POWER_DBM] = power_dbm
    radiated_dbm = min(net.cell_real[cell, s.SET_POWER_DBM], power_dbm)
    if radiated_dbm != net.cell_real[cell, s.TX_POWER_DBM]:
        net.cell_real[cell, s.TX_POWER_DBM] = radiated_dbm
        net.cell_real[cell, s.ON_AIR_PRB_POWER_MW] = 10.0 ** (radiated_dbm / 10.0) / parameters.grid.num_prbs
    settle_cell(net, parameters, cell)


@inner_kernel
def _is_in_force(net: s.Network, event: int, cell: int, slot: int) -> bool:
    is_here = net.event[event, s.EVENT_CELL] == cell
    return bool(is_here and net.event[event, s.START_SLOT] <= slot < net.event[event, s.STOP_SLOT])


@inner_kernel
def _limit_backhaul(net: s.Network, parameters: Parameters, cell: int, slot: int) -> None:
    """The least rate and room and the longest way of the events in force."""
    rate = room = math.inf
    time_slots = 0.0
    for event in range(len(net.event)):
        if _is_in_force(net, event, cell, slot):
            kind = net.event[event, s.EVENT_KIND]
            rate = min(rate, parameters.events.kind[kind, BACKHAUL_RATE])
            room = min(room, parameters.events.kind[kind, BACKHAUL_ROOM])
            time_slots = max(time_slots, parameters.events.kind[kind, BACKHAUL_TIME])
    net.cell_real[cell, s.BACKHAUL_RATE_BITS] = rate
    net.cell_real[cell, s.BACKHAUL_ROOM_BITS] = room
    net.cell[cell, s.BACKHAUL_TIME_SLOTS] = int(time_slots)
    net.cell[cell, s.IS_BACKHAUL_LIMITED] = int(rate < math.inf or time_slots > 0.0)
