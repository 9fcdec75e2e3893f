"""Events of cells: drawn once for each window, put into force and lifted with the RRC period.

A row of the table belongs to one window, whose draws are counted by (network, window); nothing of it depends on the
batch or on time. A fresh future draws the windows anew that were not yet announced: what is known stays.
"""

from __future__ import annotations

import math

from ranpilot.kernels import inner_kernel, woven_kernel
from ranpilot.twin import state as s
from ranpilot.twin.parameters import ARRIVALS_TIMES, DEPARTURES_TIMES, TOLD_SHARE, WEIGHT_BELOW, Parameters
from ranpilot.twin.rng import STREAM_EVENT, STREAM_EVENT_TIME, draw_uniform4, fold_seed

__all__ = ["NOTHING_KNOWN", "draw_events", "put_events_in_force"]

NOTHING_KNOWN = -1
"""The slot up to which announcements are known before the first."""


@inner_kernel
def draw_events(net: s.Network, parameters: Parameters, known_slot: int) -> None:
    """Draw the event of every window that was neither announced nor felt by `known_slot`.

    One that would have been by then is no event: it would have been known.
    """
    rules = parameters.events
    seed, network = net.identity[s.SEED], net.identity[s.NETWORK]
    slots = parameters.grid.tick_slots
    for window in range(len(net.event)):
        if net.event[window, s.ANNOUNCED_SLOT] <= known_slot or net.event[window, s.START_SLOT] <= known_slot:
            continue
        has_event, kind_uniform, where, when = draw_uniform4(seed, network, window, 0, STREAM_EVENT)
        lead, length, told, _ = draw_uniform4(seed, network, window, 0, STREAM_EVENT_TIME)
        announced = rules.first_tick + int((window + when) * rules.window_ticks)
        start = announced + rules.lead_ticks[0] + int(lead * (rules.lead_ticks[1] - rules.lead_ticks[0] + 1))
        kind = 0
        while kind_uniform >= rules.kind[kind, WEIGHT_BELOW]:
            kind += 1
        is_told = told < rules.kind[kind, TOLD_SHARE]
        noticed = announced if is_told else start
        if has_event >= rules.share or noticed * slots <= known_slot:
            net.event[window, s.EVENT_KIND] = -1
            net.event[window, s.EVENT_CELL] = -1
            net.event[window, s.ANNOUNCED_SLOT] = s.NEVER
            net.event[window, s.START_SLOT] = s.NEVER
            net.event[window, s.STOP_SLOT] = s.NEVER
            net.event[window, s.EVENT_SEED] = 0
            continue
        duration = rules.duration_ticks[0] + int(length * (rules.duration_ticks[1] - rules.duration_ticks[0] + 1))
        net.event[window, s.EVENT_KIND] = kind
        net.event[window, s.EVENT_CELL] = int(where * len(net.cell))
        net.event[window, s.ANNOUNCED_SLOT] = announced * slots if is_told else s.NEVER
        net.event[window, s.START_SLOT] = start * slots
        net.event[window, s.STOP_SLOT] = (start + duration) * slots
        net.event[window, s.EVENT_SEED] = fold_seed(seed, network, window, 0, STREAM_EVENT_TIME)


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


@inner_kernel
def _limit_cell(net: s.Network, parameters: Parameters, cell: int, slot: int) -> None:
    rules = parameters.events
    arrivals = departures = 1.0
    places = s.NEVER
    power_dbm = math.inf
    for event in range(len(net.event)):
        if net.event[event, s.EVENT_CELL] == cell and (
            net.event[event, s.START_SLOT] <= slot < net.event[event, s.STOP_SLOT]
        ):
            kind = net.event[event, s.EVENT_KIND]
            arrivals *= rules.kind[kind, ARRIVALS_TIMES]
            departures *= rules.kind[kind, DEPARTURES_TIMES]
            places = min(places, rules.places[kind, cell])
            power_dbm = min(power_dbm, rules.power_dbm[kind, cell])
    net.cell_real[cell, s.ARRIVAL_FACTOR] = arrivals
    net.cell_real[cell, s.DEPARTURE_FACTOR] = departures
    net.cell[cell, s.EVENT_ADMISSION_LIMIT] = places
    net.cell[cell, s.ADMISSION_LIMIT] = min(net.cell[cell, s.SET_ADMISSION_LIMIT], places)
    net.cell_real[cell, s.EVENT_POWER_DBM] = power_dbm
    radiated_dbm = min(net.cell_real[cell, s.SET_POWER_DBM], power_dbm)
    if radiated_dbm != net.cell_real[cell, s.TX_POWER_DBM]:
        net.cell_real[cell, s.TX_POWER_DBM] = radiated_dbm
        net.cell_real[cell, s.PRB_POWER_MW] = 10.0 ** (radiated_dbm / 10.0) / parameters.grid.num_prbs
