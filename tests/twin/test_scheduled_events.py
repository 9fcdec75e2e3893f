"""Events at given times: when they begin and end, what is known of them, and which kinds are ready-made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ranpilot.twin import Networks, state
from ranpilot.twin.event_kinds import READY_MADE, EventKind
from ranpilot.twin.scenario import Scenario

MakeScenario = Callable[..., Scenario]

KINDS = [{"name": "closed", "places_share": 0}, {"name": "weak", "power_cut_db": 6}]


def scheduled(make_scenario: MakeScenario, *events: dict[str, Any], **others: Any) -> Scenario:
    """The kinds above, in cell a from 0.2 to 0.5 s where nothing else is said."""
    schedule = [{"cell": "a", "start_s": 0.2, "duration_s": 0.3, **event} for event in events]
    return make_scenario({"events": {"kinds": KINDS, "schedule": schedule, **others}})


@pytest.mark.parametrize("spacing_khz", [15, 60])
def test_an_event_is_in_force_in_just_the_slots_it_is_scheduled_for(
    make_scenario: MakeScenario, spacing_khz: int
) -> None:
    scenario = scheduled(make_scenario, {"kind": "closed"}, {"kind": "weak", "cell": "b", "start_s": 0.0})
    scenario = scenario.with_changes({"carrier": {"subcarrier_spacing_khz": spacing_khz}})
    networks = Networks(scenario, 2, seed=1)
    per_ms = spacing_khz // 15
    for ms in range(0, 600, 10):
        is_closed = networks.cells.admission_limit == 0
        np.testing.assert_array_equal(is_closed, np.broadcast_to([200 <= ms < 500, False], (2, 2)))
        is_weak = networks.cells.tx_power_dbm < 38.0
        np.testing.assert_array_equal(is_weak, np.broadcast_to([False, ms < 300], (2, 2)))
        networks.advance(10 * per_ms)


def test_every_network_and_episode_has_the_schedule_beside_what_comes_at_random(make_scenario: MakeScenario) -> None:
    at_random = {"every_s": 0.5, "share": 1.0, "last_s": 2.0}
    networks = Networks(scheduled(make_scenario, {"kind": "weak", "announced_s": 0.1}, **at_random), 6, seed=3)
    only = Networks(scheduled(make_scenario, **at_random), 6, seed=3)
    for episode in (0, 1):
        networks.reset(episode)
        only.reset(episode)
        table = networks.events()
        assert [column[:, 4].tolist() for column in table[:5]] == [[value] * 6 for value in (1, 0, 100, 200, 500)]
        for ours, theirs in zip(table, only.events(), strict=True):
            np.testing.assert_array_equal(ours[:, :4], theirs)
        assert len(set(table.seed[:, 4].tolist())) == 6


def test_a_scheduled_event_changes_what_one_at_random_changes(make_scenario: MakeScenario) -> None:
    """The same event, found at random, then written down for one network."""
    at_random = {"every_s": 0.3, "share": 1.0, "last_s": 0.3, "duration_s": [0.2, 0.4], "lead_s": [0, 0.1]}
    drawn = Networks(scheduled(make_scenario, **at_random), 1, seed=4)
    kind, cell, told, start, stop = (int(column[0, 0]) for column in drawn.events()[:5])
    event = {
        "kind": KINDS[kind]["name"],
        "cell": "ab"[cell],
        "announced_s": told / 1000,
        "start_s": start / 1000,
        "duration_s": (stop - start) / 1000,
    }
    written = Networks(scheduled(make_scenario, event), 1, seed=4)
    for networks in (drawn, written):
        networks.advance(900)
    np.testing.assert_array_equal(drawn.counters().cell, written.counters().cell)


def test_nobody_expects_what_is_scheduled_and_not_announced(make_scenario: MakeScenario) -> None:
    scenario = scheduled(
        make_scenario,
        {"kind": "closed"},
        {"kind": "weak", "announced_s": 0.1},
        {"kind": "weak", "cell": "b", "announced_s": 0.4},
    )
    networks = Networks(scenario, 3, seed=1)
    true = networks._state.event.copy()
    for slot, there in ((0, []), (99, []), (100, [1]), (199, [1])):
        networks.advance(slot - networks.slot)
        forks = networks.fork(4, future="fresh", draw=[0, 1, 2, 3])
        known = forks._state.event.reshape(3, 4, *true.shape[1:])
        for event in range(3):
            expected = true[:, event] if event in there else np.broadcast_to(state.no_event(), true[:, event].shape)
            np.testing.assert_array_equal(known[:, :, event], np.repeat(expected[:, None], 4, axis=1))
        # Nor does a copy of the copy, later, learn of it.
        forks.advance(300)
        assert (forks.fork(1, future="fresh").events().kind[:, [0, 2]] == -1).all()
        np.testing.assert_array_equal(networks.fork(2)._state.event, np.repeat(true, 2, axis=0))
    np.testing.assert_array_equal(networks._state.event, true)


def test_how_long_an_unannounced_event_still_lasts_is_drawn_without_a_scale(make_scenario: MakeScenario) -> None:
    """It lasts longer than t with probability (how long it has lasted) / t; the announcement to come is not known."""
    networks = Networks(scheduled(make_scenario, {"kind": "closed", "announced_s": 0.4}), 1, seed=1)
    networks.advance(300)
    forks = networks.fork(4000, future="fresh", draw=list(range(4000)))
    table = forks.events()
    assert (table.announced_slot == state.NEVER).all() and (table.start_slot == 200).all()
    lasts = table.stop_slot[:, 0] - 200
    assert lasts.min() == 110
    for slots in (120, 200, 400, 1000, 5000):
        share, expected = (lasts > slots).mean(), 100 / slots
        assert share == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / 4000))
    networks.advance(100)
    assert (networks.fork(3, future="fresh").events().stop_slot == 500).all()


def test_what_is_scheduled_is_called_off_with_all_that_has_not_started(make_scenario: MakeScenario) -> None:
    scenario = scheduled(make_scenario, {"kind": "closed", "announced_s": 0.1}, {"kind": "weak", "start_s": 0.1})
    networks = Networks(scenario, 2, seed=1)
    networks.advance(150)
    forks = networks.fork(1, without_events=True)
    assert forks.events().kind.tolist() == [[-1, 1]] * 2
    forks.advance(100)
    assert (forks.cells.admission_limit > 0).all()
    assert (forks.fork(1, future="fresh").events().kind[:, 0] == -1).all()


def test_a_snapshot_goes_on_with_the_schedule_as_it_is(make_scenario: MakeScenario) -> None:
    scenario = scheduled(make_scenario, {"kind": "closed"}, {"kind": "degraded-backhaul"}, {"kind": "surge"})
    whole, resumed = Networks(scenario, 2, seed=1), Networks(scenario, 2, seed=9)
    whole.advance(333)
    resumed.restore(whole.snapshot())
    for networks in (whole, resumed):
        networks.advance(1000)
    assert whole.fingerprint() == resumed.fingerprint()


def test_a_name_stands_for_a_ready_made_kind_and_like_begins_from_one(make_scenario: MakeScenario) -> None:
    events = {"every_s": 1, "share": 1, "kinds": ["surge", {"name": "storm", "like": "stale-kpm", "places_share": 0.5}]}
    surge, storm = make_scenario({"events": events}).events.kinds
    assert surge == EventKind(name="surge", traffic_factor=3.0)
    assert storm == EventKind(name="storm", report="stale", announced_share=0.0, places_share=0.5)


@pytest.mark.parametrize("name", READY_MADE)
def test_a_ready_made_kind_that_only_the_schedule_names_need_not_be_listed(
    make_scenario: MakeScenario, name: str
) -> None:
    one = {"kind": name, "cell": "a", "start_s": 0.1, "duration_s": 0.1}
    scenario = make_scenario({"events": {"every_s": 0.1, "share": 1, "kinds": ["maintenance"], "schedule": [one]}})
    assert scenario.events.kinds[-1].name == name
    assert scenario.with_changes({}).hash() == scenario.hash()
    drawn = Networks(scenario, 3, seed=1).events().kind[:, :-1]
    assert (drawn == 0).all()
    alone = make_scenario({"events": {"schedule": [one]}})
    assert [kind.name for kind in alone.events.kinds] == [name]
    assert alone.events.kinds[0].changes_anything
