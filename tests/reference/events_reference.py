"""Events of one network as plain objects: slow and obvious. Times in RRC periods of 10 ms until they are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ranpilot.twin.rng import STREAM_EVENT, STREAM_EVENT_TIME, draw_uniform4
from ranpilot.twin.state import NEVER

TICK_S = 0.01


@dataclass(frozen=True)
class Event:
    """One event; first slots of being known, being in force, being over."""

    kind: int
    cell: int
    announced: int
    start: int
    stop: int


@dataclass
class CellNow:
    """What events do to one cell."""

    arrivals: float = 1.0
    departures: float = 1.0
    places: int | None = None
    power_dbm: float | None = None


def draw_events(scenario: Any, seed: int, network: int, known_slot: int = -1) -> dict[int, Event]:
    """By window, the events that are announced, or begin without a word, after `known_slot`."""
    rules, slots = scenario.events, round(TICK_S / scenario.slot_s)
    found, window, begin_s = {}, 0, rules.first_s
    while begin_s < rules.last_s - 1e-9:
        chance, kind_at, cell_at, moment = draw_uniform4(seed, network, window, 0, STREAM_EVENT)
        lead_at, duration_at, told, _ = draw_uniform4(seed, network, window, 0, STREAM_EVENT_TIME)
        announced = round(rules.first_s / TICK_S) + int((window + moment) * round(rules.every_s / TICK_S))
        start = announced + among(rules.lead_s, lead_at)
        kind = pick([kind.weight for kind in rules.kinds], kind_at)
        is_told = told < rules.kinds[kind].announced_share
        event = Event(
            kind=kind,
            cell=int(cell_at * scenario.num_cells),
            announced=announced * slots if is_told else NEVER,
            start=start * slots,
            stop=(start + among(rules.duration_s, duration_at)) * slots,
        )
        if chance < rules.share and min(event.announced, event.start) > known_slot:
            found[window] = event
        window, begin_s = window + 1, begin_s + rules.every_s
    return found


def among(range_s: tuple[float, float], uniform: float) -> int:
    """A whole number of periods from the least to the greatest, all equally likely."""
    least, greatest = (round(edge / TICK_S) for edge in range_s)
    return list(range(least, greatest + 1))[int(uniform * (greatest - least + 1))]


def pick(weights: list[float], uniform: float) -> int:
    """Index of the kind whose share of the total weight covers the number."""
    below = 0.0
    for kind, weight in enumerate(weights):
        below += weight / sum(weights)
        if uniform < below:
            return kind
    return max(kind for kind, weight in enumerate(weights) if weight > 0)


def cells_now(scenario: Any, events: list[Event], slot: int) -> list[CellNow]:
    """What the events in force in `slot` do to every cell."""
    cells = []
    for index, site in enumerate(scenario.layout.sites):
        now = CellNow()
        for event in events:
            if event.cell != index or not event.start <= slot < event.stop:
                continue
            kind = scenario.events.kinds[event.kind]
            now.arrivals *= kind.arrival_factor
            now.departures *= kind.departure_factor
            if kind.places_share < 1.0:
                places = int(kind.places_share * (site.capacity or scenario.num_places) + 1e-9)
                now.places = places if now.places is None else min(now.places, places)
            if kind.power_cut_db is not None:
                power_dbm = site.power_range_dbm[0] - kind.power_cut_db
                now.power_dbm = power_dbm if now.power_dbm is None else min(now.power_dbm, power_dbm)
        cells.append(now)
    return cells
