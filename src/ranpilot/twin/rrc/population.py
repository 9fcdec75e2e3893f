"""Users arrive at each station as a Poisson process, are admitted or blocked, and leave after an exponential time."""

from __future__ import annotations

import math

from ranpilot.kernels import inner_kernel
from ranpilot.twin import state as s
from ranpilot.twin.parameters import Parameters
from ranpilot.twin.rng import (
    STREAM_ADMISSION,
    STREAM_ARRIVAL,
    STREAM_DEPARTURE,
    draw_uniform,
    draw_uniform4,
)
from ranpilot.twin.rrc.places import draw_place, leave_place, take_place

__all__ = ["arrive_and_depart", "populate"]

BEFORE_START = -1
"""The slot under which the users of the start are drawn; no running slot has it."""


@inner_kernel
def populate(net: s.Network, parameters: Parameters) -> None:
    """Place the users that are there at the reset."""
    rules = parameters.population
    num_cells = len(parameters.air.site_x_m)
    for cell in range(num_cells):
        if rules.is_static == 1:
            for index in range(rules.ues_per_cell):
                x_m, y_m = draw_place(net, parameters, cell, index, BEFORE_START)
                take_place(net, parameters, cell * rules.ues_per_cell + index, cell, x_m, y_m, 0)
            continue
        seed, network = net.identity.seed[0], net.identity.network[0]
        load, uniform, _, _ = draw_uniform4(seed, network, cell, BEFORE_START, STREAM_ARRIVAL)
        for serial in range(_poisson(rules.initial_mean * load, uniform)):
            if net.cells.connected_ues[cell] < net.cells.admission_limit[cell]:
                _admit(net, parameters, cell, serial, BEFORE_START)


@inner_kernel
def arrive_and_depart(net: s.Network, parameters: Parameters, slot: int) -> None:
    """One RRC period of departures, then arrivals."""
    rules = parameters.population
    seed, network = net.identity.seed[0], net.identity.network[0]
    for ue in range(len(net.users.serving_cell)):
        cell = net.users.serving_cell[ue]
        if cell >= 0 and draw_uniform(seed, network, ue, slot, STREAM_DEPARTURE) < rules.departure_probability:
            net.counters.cell[cell, s.CELL_DEPARTURES] += 1
            leave_place(net, ue)
    for cell in range(len(parameters.air.site_x_m)):
        arriving = _poisson(rules.arrivals_per_tick, draw_uniform(seed, network, cell, slot, STREAM_ARRIVAL))
        for serial in range(arriving):
            net.counters.cell[cell, s.CELL_ARRIVALS] += 1
            if net.cells.connected_ues[cell] < net.cells.admission_limit[cell]:
                _admit(net, parameters, cell, serial, slot)
            else:
                net.counters.cell[cell, s.CELL_BLOCKED] += 1


@inner_kernel
def _admit(net: s.Network, parameters: Parameters, cell: int, serial: int, slot: int) -> None:
    """Put a new user into the first empty place from a drawn one on, so that every kind of place is used alike."""
    num_ues = len(net.users.serving_cell)
    entity = serial * len(parameters.air.site_x_m) + cell
    uniform = draw_uniform(net.identity.seed[0], net.identity.network[0], entity, slot, STREAM_ADMISSION)
    first = int(uniform * num_ues)
    for step in range(num_ues):
        ue = (first + step) % num_ues
        if net.users.serving_cell[ue] < 0:
            x_m, y_m = draw_place(net, parameters, cell, serial, slot)
            take_place(net, parameters, ue, cell, x_m, y_m, max(slot, 0))
            return
    net.counters.cell[cell, s.CELL_BLOCKED] += 1


@inner_kernel
def _poisson(mean: float, uniform: float) -> int:
    """The Poisson quantile of a uniform number; mean up to 700."""
    probability = math.exp(-mean)
    below = probability
    count = 0
    while uniform > below and probability > 0.0:
        count += 1
        probability *= mean / count
        below += probability
    return count
