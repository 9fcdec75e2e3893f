"""Users arrive at each station as a Poisson process, are admitted or blocked, and leave after an exponential time."""

from __future__ import annotations

import math

from ranpilot.kernels import inner_kernel, woven_kernel
from ranpilot.twin import state as s
from ranpilot.twin.parameters import Parameters
from ranpilot.twin.rng import (
    STREAM_ADMISSION,
    STREAM_ARRIVAL,
    STREAM_DEPARTURE,
    draw_uniform,
    draw_uniform4,
)
from ranpilot.twin.rrc.placement import BEFORE_START, draw_place
from ranpilot.twin.rrc.places import leave_place, take_place

__all__ = ["BEFORE_START", "arrive_and_depart", "populate"]


@woven_kernel
def populate(net: s.Network, parameters: Parameters, slot: int) -> None:
    """Place the users that are there at the reset, drawn under `slot` (BEFORE_START)."""
    rules = parameters.population
    for cell in range(len(net.cell)):
        if rules.is_static == 1:
            for index in range(rules.ues_per_cell):
                ue = cell * rules.ues_per_cell + index
                serving = draw_place(net, parameters, ue, cell, index, slot)
                take_place(net, parameters, ue, serving, _first_slot(slot))
            continue
        seed, network = net.identity[s.SEED], net.identity[s.NETWORK]
        load, uniform, _, _ = draw_uniform4(seed, network, cell, slot, STREAM_ARRIVAL)
        for serial in range(_poisson(rules.initial_mean * load, uniform)):
            _admit(net, parameters, cell, serial, slot)


@woven_kernel
def arrive_and_depart(net: s.Network, parameters: Parameters, slot: int) -> None:
    """One RRC period of departures, then arrivals."""
    rules = parameters.population
    seed, network = net.identity[s.SEED], net.identity[s.NETWORK]
    for ue in range(len(net.ue)):
        cell = net.ue[ue, s.SERVING_CELL]
        if cell < 0:
            continue
        probability = rules.departure_probability * net.cell_real[cell, s.DEPARTURE_FACTOR]
        if draw_uniform(seed, network, ue, slot, STREAM_DEPARTURE) < probability:
            net.cell_count[cell, s.CELL_DEPARTURES] += 1
            leave_place(net, ue)
    for cell in range(len(net.cell)):
        mean = rules.arrivals_per_tick * net.cell_real[cell, s.ARRIVAL_FACTOR]
        for serial in range(_poisson(mean, draw_uniform(seed, network, cell, slot, STREAM_ARRIVAL))):
            is_admitted, asked = _admit(net, parameters, cell, serial, slot)
            net.cell_count[asked, s.CELL_ARRIVALS] += 1
            if not is_admitted:
                net.cell_count[asked, s.CELL_BLOCKED] += 1


@inner_kernel
def _first_slot(slot: int) -> int:
    """The slot in which a user that is drawn under `slot` begins."""
    return 0 if slot == BEFORE_START else slot


@inner_kernel
def _admit(net: s.Network, parameters: Parameters, cell: int, serial: int, slot: int) -> tuple[bool, int]:
    """Put a new user of `cell` into an empty place if the cell in which it begins has room: whether, and which cell."""
    # Who comes while the own cell is off the air begins in another.
    is_on_air = net.cell[cell, s.IS_ON_AIR] == 1
    if parameters.population.is_uniform == 0 and is_on_air and not _has_room(net, cell):
        return False, cell
    ue = _empty_place(net, serial * len(net.cell) + cell, slot)
    if ue < 0:
        return False, cell
    serving = draw_place(net, parameters, ue, cell, serial, slot)
    if not _has_room(net, serving):
        return False, serving
    take_place(net, parameters, ue, serving, _first_slot(slot))
    return True, serving


@inner_kernel
def _has_room(net: s.Network, cell: int) -> bool:
    return bool(net.cell[cell, s.CONNECTED_UES] < net.cell[cell, s.ADMISSION_LIMIT])


@inner_kernel
def _empty_place(net: s.Network, entity: int, slot: int) -> int:
    """The first empty place from a drawn one on, so that every kind of place is used alike; -1 where there is none."""
    num_ues = len(net.ue)
    first = int(draw_uniform(net.identity[s.SEED], net.identity[s.NETWORK], entity, slot, STREAM_ADMISSION) * num_ues)
    for step in range(num_ues):
        ue = (first + step) % num_ues
        if net.ue[ue, s.SERVING_CELL] < 0:
            return ue
    return -1


@inner_kernel
def _poisson(mean: float, uniform: float) -> int:
    """The Poisson quantile of a uniform number, counted up from twelve deviations below the mean."""
    count = max(0, int(mean - 12.0 * math.sqrt(mean)))
    log_probability = -mean
    if count > 0:
        log_probability += count * math.log(mean) - math.lgamma(count + 1.0)
    probability = math.exp(log_probability)
    below = probability
    while uniform > below and probability > 0.0:
        count += 1
        probability *= mean / count
        below += probability
    return count
