"""Events of one network as plain objects: slow and obvious. Times in RRC periods of 10 ms until they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
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


def draw_events(
    scenario: Any, seed: int, network: int, before: Mapping[int, Event] | None = None, now: int = -1
) -> dict[int, Event]:
    """All events by window; where there was a table `before`, what is known of it by the slot `now` stays."""
    rules, slots = scenario.events, round(TICK_S / scenario.slot_s)
    table, window, begin_s = dict(before or {}), 0, rules.first_s
    while begin_s < rules.last_s - 1e-9:
        chance, kind_at, cell_at, moment = draw_uniform4(seed, network, window, 0, STREAM_EVENT)
        lead_at, duration_at, told, _ = draw_uniform4(seed, network, window, 0, STREAM_EVENT_TIME)
        old = table.get(window)
        if old is None or min(old.announced, old.start) > now:
            table.pop(window, None)
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
            if chance < rules.share and min(event.announced, event.start) > now:
                table[window] = event
        elif old.announced > now and old.stop > now:
            # It came without a word and goes on: its duration is one that it has not outlived yet.
            possible = [t for t in ticks(rules.duration_s) if old.start + t * slots > now]
            table[window] = replace(old, stop=old.start + slots * possible[int(duration_at * len(possible))])
        window, begin_s = window + 1, begin_s + rules.every_s
    return table


def ticks(range_s: tuple[float, float]) -> range:
    """The whole periods from the least to the greatest."""
    least, greatest = (round(edge / TICK_S) for edge in range_s)
    return range(least, greatest + 1)


def among(range_s: tuple[float, float], uniform: float) -> int:
    """One of those, all equally likely."""
    return ticks(range_s)[int(uniform * len(ticks(range_s)))]


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
    for index, site in enumerate(scenario.cells):
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
