"""Hand-off requests on hand-made arrays."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest

from ranpilot.envs.tasks._requests import (
    Calls,
    Links,
    Orders,
    Room,
    Rule,
    Tally,
    age_requests,
    count_links,
    follow_links,
    make_calls,
    make_links,
    make_orders,
    make_tally,
    move_requests,
)

REFERENCE = Path(__file__).parents[2] / "reference" / "handover_requests_reference.py"
HOLD = 4
"""Looks in a row that open a request in these tests."""
BAD, FAIR, USABLE = -5.0, -1.0, 5.0


class Place:
    """One network whose arrays a test sets by hand."""

    def __init__(self, serving: list[int], num_cells: int = 2, capacity: int = 3) -> None:
        num_places = len(serving)
        self.rule = Rule(-3.0, 0.0, HOLD, 3, 3, 5)
        self.capacity = np.full((1, num_cells), capacity, np.int64)
        self.serving = np.array([serving], np.int32)
        self.call_id = np.arange(1, num_places + 1, dtype=np.int64)[None]
        self.failures = np.zeros((1, num_places), np.int64)
        self.sinr = np.full((1, num_places, num_cells), FAIR, np.float32)
        self.calls: Calls = make_calls(1, num_places)
        self.tally: Tally = make_tally(1, num_cells)
        self.step = 0

    def link(self, ue: int, *sinr_db: float) -> None:
        self.sinr[0, ue] = sinr_db

    def look(self, times: int = 1) -> None:
        for _ in range(times):
            follow_links(self.calls, self.tally, self.serving, self.call_id, self.failures, self.sinr, self.rule)

    def end_step(self) -> Orders:
        orders = make_orders(1, self.serving.shape[1])
        age_requests(self.calls, self.tally, orders, self.rule)
        self.serving[orders.release] = -1
        self.step += 1
        return orders

    def move(self, *wants: bool) -> Orders:
        orders = make_orders(1, self.serving.shape[1])
        connected = np.array([[np.sum(self.serving == c) for c in range(self.sinr.shape[2])]], np.int64)
        room = Room(connected, self.capacity)
        move_requests(self.calls, self.tally, orders, np.array([wants]), room, self.sinr, self.step, self.rule)
        self.serving = np.where(orders.target >= 0, orders.target, self.serving).astype(np.int32)
        self.serving[orders.release] = -1
        assert connected[0].tolist() == [int(np.sum(self.serving == c)) for c in range(self.sinr.shape[2])]
        return orders

    def links(self) -> Links:
        links = make_links(1, self.sinr.shape[2])
        count_links(self.calls, links, self.sinr, self.rule)
        return links


def test_a_request_opens_after_enough_bad_looks_in_a_row() -> None:
    place = Place([0])
    place.link(0, BAD, USABLE)
    place.look(HOLD - 1)
    assert place.links().requests.tolist() == [[0, 0]]
    place.look()
    assert place.links().requests.tolist() == [[1, 0]]
    assert place.links().oldest_age.tolist() == [[0, 0]]
    place.end_step()
    assert place.tally.requests.tolist() == [[1, 0]]
    assert place.links().oldest_age.tolist() == [[1, 0]]


def test_one_good_look_starts_the_count_again() -> None:
    place = Place([0])
    place.link(0, BAD, USABLE)
    place.look(HOLD - 1)
    place.link(0, FAIR, USABLE)
    place.look()
    place.link(0, BAD, USABLE)
    place.look(HOLD - 1)
    place.end_step()
    assert place.links().requests.tolist() == [[0, 0]]
    assert place.tally.requests.tolist() == [[0, 0]]


def test_a_bad_link_without_usable_neighbour_is_an_outage_and_no_request() -> None:
    place = Place([0, 0])
    place.link(0, BAD, 0.0)
    place.link(1, BAD, USABLE)
    place.look(HOLD)
    links = place.links()
    assert links.calls.tolist() == [[2, 0]]
    assert links.bad.tolist() == [[2, 0]]
    assert links.outages.tolist() == [[1, 0]]
    assert links.requests.tolist() == [[1, 0]]


def test_a_link_at_the_limit_is_not_bad() -> None:
    place = Place([0])
    place.link(0, -3.0, USABLE)
    place.look(HOLD)
    assert place.links().bad.tolist() == [[0, 0]]


def test_a_request_is_dropped_at_the_end_of_its_fourth_step() -> None:
    place = Place([0])
    place.link(0, BAD, USABLE)
    for age in (1, 2, 3):
        place.look(HOLD)
        assert not place.end_step().release.any()
        assert place.links().oldest_age.tolist() == [[age, 0]]
    place.look(HOLD)
    assert place.end_step().release.tolist() == [[True]]
    assert place.tally.timed_out.tolist() == [[1, 0]]
    assert place.tally.requests.tolist() == [[1, 0]]
    assert place.links().calls.tolist() == [[0, 0]]


def test_a_request_ends_when_the_alternative_vanishes() -> None:
    place = Place([0])
    place.link(0, BAD, USABLE)
    place.look(HOLD)
    place.end_step()
    place.link(0, BAD, FAIR)
    place.look()
    place.end_step()
    assert place.links().oldest_age.tolist() == [[0, 0]]
    place.link(0, BAD, USABLE)
    place.look(HOLD)
    place.end_step()
    assert place.links().oldest_age.tolist() == [[1, 0]]
    assert place.tally.requests.tolist() == [[2, 0]]


def test_a_failure_is_a_drop_only_while_a_request_is_open() -> None:
    place = Place([0, 0])
    place.link(0, BAD, USABLE)
    place.link(1, BAD, FAIR)
    place.look(HOLD)
    place.failures[:] = 1
    place.serving[:] = -1
    place.look()
    assert place.tally.failed.tolist() == [[1, 0]]
    assert place.tally.lost.tolist() == [[1, 0]]
    assert place.tally.requests.tolist() == [[1, 0]]
    place.look()
    assert place.tally.failed.sum() + place.tally.lost.sum() == 2


def test_a_departure_is_neither_drop_nor_outage() -> None:
    place = Place([0])
    place.link(0, BAD, USABLE)
    place.look(HOLD)
    place.serving[0, 0] = -1
    place.look()
    assert place.tally.failed.sum() + place.tally.lost.sum() == 0
    assert place.calls.held_samples.tolist() == [[0]]


def test_a_new_call_in_a_place_inherits_nothing() -> None:
    place = Place([0])
    place.link(0, BAD, USABLE)
    place.look(HOLD)
    place.call_id += 1
    place.look()
    assert place.calls.held_samples.tolist() == [[1]]
    assert place.links().requests.tolist() == [[0, 0]]


def test_the_three_oldest_requests_move() -> None:
    place = Place([0, 0, 0, 0], capacity=9)
    for ue, ahead in enumerate((1, 3, 0, 2)):
        place.calls.call_id[0, ue] = place.call_id[0, ue]
        place.calls.held_samples[0, ue] = HOLD + ahead
        place.calls.serving_cell[0, ue] = 0
        place.link(ue, BAD, USABLE)
    orders = place.move(True, False)
    assert orders.target.tolist() == [[1, 1, -1, 1]]
    assert not orders.release.any()


def test_age_comes_before_looks_and_place_settles_a_tie() -> None:
    place = Place([0, 0, 0], capacity=9)
    place.rule = place.rule._replace(most_moves=1)
    for ue in range(3):
        place.link(ue, BAD, USABLE)
    place.look(HOLD)
    place.calls.age_steps[0] = (1, 2, 2)
    place.calls.held_samples[0] = (HOLD + 9, HOLD, HOLD)
    assert place.move(True, False).target.tolist() == [[-1, 1, -1]]


def test_a_call_goes_to_the_strongest_usable_neighbour() -> None:
    place = Place([0], num_cells=4)
    place.link(0, BAD, 3.0, 7.0, 6.0)
    place.look(HOLD)
    assert place.move(True, False, False, False).target.tolist() == [[2]]


def test_a_request_into_a_full_cell_is_refused_and_its_call_lost() -> None:
    place = Place([0, 1, 1, 1])
    place.link(0, BAD, USABLE)
    place.look(HOLD)
    orders = place.move(True, False)
    assert orders.release.tolist() == [[True, False, False, False]]
    assert orders.target.tolist() == [[-1, -1, -1, -1]]
    assert place.tally.refused.tolist() == [[1, 0]]
    assert place.links().calls.tolist() == [[0, 3]]


def test_a_cell_that_keeps_loses_nothing_at_once() -> None:
    place = Place([0, 1, 1, 1])
    place.link(0, BAD, USABLE)
    place.look(HOLD)
    orders = place.move(False, False)
    assert not orders.release.any()
    assert (orders.target == -1).all()


@pytest.mark.parametrize(("step", "refused"), [(0, [[1, 0]]), (1, [[0, 0]])])
def test_the_cell_that_begins_takes_turns(step: int, refused: list[list[int]]) -> None:
    """Cell 1 is full and moves a call away too: only if it goes first has it room for cell 0's call."""
    place = Place([0, 1, 1, 1])
    place.link(0, BAD, USABLE)
    place.link(1, USABLE, BAD)
    place.look(HOLD)
    place.step = step
    place.move(True, True)
    assert place.tally.refused.tolist() == refused


def test_a_call_moved_back_soon_is_a_ping_pong_of_the_cell_that_sends_it_back() -> None:
    place = Place([0], capacity=9)
    place.link(0, BAD, USABLE)
    place.look(HOLD)
    place.move(True, False)
    place.step += 5
    place.link(0, USABLE, BAD)
    place.look(HOLD)
    place.move(False, True)
    assert place.tally.pingpong.tolist() == [[0, 1]]


def test_a_call_moved_back_late_is_no_ping_pong() -> None:
    place = Place([0], capacity=9)
    place.link(0, BAD, USABLE)
    place.look(HOLD)
    place.move(True, False)
    place.step += 6
    place.link(0, USABLE, BAD)
    place.look(HOLD)
    place.move(False, True)
    assert place.tally.pingpong.tolist() == [[0, 0]]


def test_networks_of_a_batch_do_not_touch_each_other() -> None:
    random = np.random.default_rng(3)
    serving = random.integers(-1, 3, (4, 30)).astype(np.int32)
    sinr = random.uniform(-12, 12, (4, 30, 3)).astype(np.float32)
    call_id = np.ones((4, 30), np.int64)
    wants = random.random((4, 3)) < 0.7
    rule = Rule(-3.0, 0.0, HOLD, 3, 3, 5)
    capacity = random.integers(0, 14, (4, 3))

    def play(rows: slice) -> list[list[int]]:
        calls, tally = make_calls(4, 30), make_tally(4, 3)
        calls, tally = Calls(*(a[rows] for a in calls)), Tally(*(a[rows] for a in tally))
        failures = np.zeros_like(call_id[rows])
        for _ in range(HOLD):
            follow_links(calls, tally, serving[rows], call_id[rows], failures, sinr[rows], rule)
        orders = make_orders(len(failures), 30)
        connected = np.stack([(serving[rows] == c).sum(axis=1) for c in range(3)], axis=1)
        room = Room(connected, capacity[rows])
        move_requests(calls, tally, orders, wants[rows], room, sinr[rows], 1, rule)
        age_requests(calls, tally, orders, rule)
        return [orders.target.tolist(), orders.release.tolist(), *(a.tolist() for a in tally)]

    together = play(slice(0, 4))
    for network in range(4):
        alone = play(slice(network, network + 1))
        assert alone == [whole[network : network + 1] for whole in together]
    assert np.sum(together[0]) > -4 * 30


@pytest.mark.parametrize("seed", range(4))
def test_the_kernels_agree_with_a_slow_obvious_twin(seed: int) -> None:
    """Random walks of links, random wishes, places that fill again; three cells, forty steps of four looks.

    In every fifth step a cell may hold no calls at all: those that are there stay, and it refuses others.
    """
    random = np.random.default_rng(seed)
    num_cells, num_places, num_steps = 3, 24, 40
    all_open = np.array([6, 9, 8], np.int64)
    rule = Rule(-3.0, 0.0, HOLD, 3, 3, 5)
    slow = runpy.run_path(str(REFERENCE))["RequestsReference"](HOLD)
    calls, failures = make_calls(1, num_places), np.zeros((1, num_places), np.int64)
    serving = np.full((1, num_places), -1, np.int32)
    call_id = np.zeros((1, num_places), np.int64)
    sinr = random.uniform(-10, 8, (1, num_places, num_cells))
    seen = np.zeros(4, int)
    for step in range(num_steps):
        tally, orders = make_tally(1, num_cells), make_orders(1, num_places)
        connected = np.array([[(serving == cell).sum() for cell in range(num_cells)]], np.int64)
        wants = random.random((1, num_cells)) < 0.3
        capacity = np.where((np.arange(num_cells) == random.integers(num_cells)) & (step % 5 == 0), 0, all_open)
        move_requests(calls, tally, orders, wants, Room(connected, capacity[None]), sinr, step, rule)
        counted, touched = slow.act(wants[0].tolist(), sinr[0].tolist(), step, capacity.tolist())
        expected = {place: target for place, target in touched.items() if target is not None}
        assert {int(place): int(orders.target[0, place]) for place in np.flatnonzero(orders.target[0] >= 0)} == expected
        assert set(np.flatnonzero(orders.release[0])) == {place for place, target in touched.items() if target is None}
        serving[orders.release] = -1
        serving = np.where(orders.target >= 0, orders.target, serving).astype(np.int32)
        for _ in range(HOLD):
            fill_places(random, serving, call_id, sinr, capacity)
            sinr += random.normal(0, 0.5, sinr.shape)
            follow_links(calls, tally, serving, call_id, failures, sinr, rule)
            slow.look(serving[0].tolist(), sinr[0].tolist())
        orders = make_orders(1, num_places)
        age_requests(calls, tally, orders, rule)
        assert np.flatnonzero(orders.release[0]).tolist() == slow.end_step(counted)
        serving[orders.release] = -1
        for name in ("requests", "refused", "timed_out", "pingpong"):
            assert getattr(tally, name)[0].tolist() == [getattr(station, name) for station in counted]
        seen += [tally.requests.sum(), tally.refused.sum(), tally.timed_out.sum(), tally.pingpong.sum()]
    assert (seen[:3] > 0).all()


def fill_places(
    random: np.random.Generator, serving: np.ndarray, call_id: np.ndarray, sinr: np.ndarray, capacity: np.ndarray
) -> None:
    """Empty a place now and then, and fill empty ones where a cell has room."""
    leaving = random.random(serving.shape) < 0.02
    serving[leaving] = -1
    for place in np.flatnonzero((serving[0] < 0) & ~leaving[0]):
        cell = int(random.integers(0, len(capacity)))
        if random.random() < 0.3 and (serving == cell).sum() < capacity[cell]:
            serving[0, place] = cell
            call_id[0, place] += 1
            sinr[0, place] = random.uniform(-10, 8, len(capacity))
