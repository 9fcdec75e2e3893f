"""Events of cells: when they come, what is known of them, and what they do."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ranpilot.twin import Networks, kpm, state
from ranpilot.twin.controls import ADMISSION_LIMIT, FORCED_HANDOVER, TX_POWER_DBM
from ranpilot.twin.scenario import Scenario
from ranpilot.units import dbm_to_mw

MakeScenario = Callable[..., Scenario]
REFERENCE = runpy.run_path(str(Path(__file__).parents[1] / "reference" / "events_reference.py"))

ALL_KINDS = [
    {"name": "surge", "announced_share": 0.4, "arrival_factor": 6},
    {"name": "calm", "weight": 0.5, "arrival_factor": 0.2, "departure_factor": 8},
    {"name": "half", "places_share": 0.5},
    {"name": "maintenance", "places_share": 0},
    {"name": "power-cap", "power_cut_db": 6},
    {"name": "dark", "weight": 0.3, "power_cut_db": 20},
    {"name": "crowd", "announced_share": 0, "arrival_factor": 3},
    {"name": "chatter"},
    {"name": "never", "weight": 0, "places_share": 0},
]
BUSY = {
    "every_s": 0.3,
    "share": 0.8,
    "lead_s": [0.1, 0.3],
    "duration_s": [0.2, 0.6],
    "first_s": 0.1,
    "last_s": 2.4,
    "kinds": ALL_KINDS,
}


def churning(make_scenario: MakeScenario, events: dict[str, Any] | None, **population: float) -> Scenario:
    """Users come and go in two cells with ten and twenty places and adjustable power."""
    sites = [
        {**site.model_dump(), "capacity": capacity, "min_power_dbm": 30, "max_power_dbm": 44}
        for site, capacity in zip(make_scenario().layout.sites, (10, 20), strict=True)
    ]
    arrivals = {"kind": "arrivals", "arrivals_per_s": 10.0, "mean_holding_s": 1.0, **population}
    return make_scenario({"layout": {"sites": sites}, "users": {"population": arrivals}, "events": events})


def events_of(networks: Networks, row: int) -> dict[int, Any]:
    """The table of one network as the reference has it."""
    table = networks.events()
    windows = np.flatnonzero(table.kind[row] >= 0).tolist()
    return {window: REFERENCE["Event"](*(int(column[row, window]) for column in table[:5])) for window in windows}


def one_event(make_scenario: MakeScenario, kind: dict[str, Any], seconds: float, **population: float) -> Scenario:
    """One event in every network, which starts in the first 100 ms and lasts `seconds`."""
    events = {
        "every_s": 0.1,
        "share": 1.0,
        "lead_s": [0, 0],
        "duration_s": [seconds, seconds],
        "last_s": 0.02,
        "kinds": [{"name": "it", **kind}],
    }
    return churning(make_scenario, events, **population)


def in_force(networks: Networks) -> np.ndarray:
    """[B, C] whether the one event of a network is that cell's."""
    return networks.events().cell[:, :1] == np.arange(networks.scenario.num_cells)


def test_tables_and_effects_are_those_of_a_slow_obvious_twin(make_scenario: MakeScenario) -> None:
    scenario = churning(make_scenario, BUSY)
    networks = Networks(scenario, 6, seed=4)
    assert networks.events().kind.shape == (6, 8)
    expected = [REFERENCE["draw_events"](scenario, int(networks._state.identity[b, state.SEED]), b) for b in range(6)]
    for b, found in enumerate(expected):
        assert events_of(networks, b) == found
    assert sum(len(found) for found in expected) > 25
    seen = set()
    for _ in range(330):
        cells, real = networks.cells, networks._state.cell_real
        for b, found in enumerate(expected):
            for c, now in enumerate(REFERENCE["cells_now"](scenario, list(found.values()), networks.slot)):
                assert real[b, c, state.ARRIVAL_FACTOR] == now.arrivals
                assert real[b, c, state.DEPARTURE_FACTOR] == now.departures
                capacity = scenario.layout.sites[c].capacity
                assert cells.admission_limit[b, c] == (capacity if now.places is None else now.places)
                assert cells.tx_power_dbm[b, c] == (38.0 if now.power_dbm is None else now.power_dbm)
                seen.add((now.arrivals, now.places, now.power_dbm))
        networks.advance(10)
    assert len(seen) > 8


def test_a_scenario_without_events_has_none(make_scenario: MakeScenario) -> None:
    assert all(column.shape == (2, 0) for column in Networks(make_scenario(), 2, seed=1).events())


def test_events_come_as_often_and_as_varied_as_the_scenario_says(make_scenario: MakeScenario) -> None:
    scenario = churning(make_scenario, {**BUSY, "last_s": 6.1})
    table = Networks(scenario, 400, seed=2).events()
    there = table.kind >= 0
    assert there.mean() == pytest.approx(0.8, abs=4 * np.sqrt(0.8 * 0.2 / there.size))
    weights = np.array([kind.weight for kind in scenario.events.kinds])
    for kind, share in enumerate(weights / weights.sum()):
        is_kind = table.kind[there] == kind
        assert is_kind.mean() == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / there.sum()))
        is_told, told_share = (
            table.announced_slot[there][is_kind] < state.NEVER,
            scenario.events.kinds[kind].announced_share,
        )
        error = np.sqrt(told_share * (1 - told_share) / max(1, is_kind.sum()))
        assert share == 0 or is_told.mean() == pytest.approx(told_share, abs=4 * error)
    assert np.mean(table.cell[there]) == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(there.sum()))
    told = there & (table.announced_slot < state.NEVER)
    window_s = (table.announced_slot / 1000 - 0.1) / 0.3 - np.arange(20)
    assert window_s[told].min() >= 0 and window_s[told].max() < 1
    # A moment is a whole period, up to 10 ms of the window's 300 too early.
    assert window_s[told].mean() == pytest.approx(0.5, abs=4 * np.sqrt(1 / 12 / told.sum()) + 1 / 60)
    for span, low, high in (
        ((table.start_slot - table.announced_slot)[told], 100, 300),
        ((table.stop_slot - table.start_slot)[there], 200, 600),
    ):
        assert (span.min(), span.max()) == (low, high)
        assert span.mean() == pytest.approx((low + high) / 2, abs=4 * span.std() / np.sqrt(len(span)))
    assert len(np.unique(table.seed[there])) == there.sum()


def test_networks_and_episodes_have_events_of_their_own(make_scenario: MakeScenario) -> None:
    networks = Networks(churning(make_scenario, BUSY), 3, seed=1)
    first = networks.events()
    networks.reset(1)
    announced = np.concatenate([first.announced_slot, networks.events().announced_slot])
    assert len({tuple(row) for row in announced.tolist()}) == 6
    networks.reset(0)
    assert networks.events().announced_slot.tolist() == first.announced_slot.tolist()


def test_a_fresh_future_keeps_what_is_known_and_draws_the_rest_anew(make_scenario: MakeScenario) -> None:
    networks = Networks(churning(make_scenario, BUSY), 40, seed=3)
    networks.advance(1100)
    true = networks._state.event
    forks = networks.fork(20, future="fresh", draw=list(range(20)))
    table = forks._state.event.reshape(40, 20, *true.shape[1:])
    is_told = true[..., state.ANNOUNCED_SLOT] <= 1100
    has_begun = true[..., state.START_SLOT] <= 1100
    is_felt = has_begun & ~is_told & (true[..., state.STOP_SLOT] > 1100)
    new = ~is_told & ~has_begun
    assert is_told.sum() > 60 and is_felt.sum() > 5
    for b, e in np.argwhere(is_told):
        assert (table[b, :, e] == true[b, e]).all()
    # What goes on without a word began as it did; how long it still lasts is not the true future.
    others = [column for column in range(state.NUM_EVENT_COLUMNS) if column != state.STOP_SLOT]
    for b, e in np.argwhere(is_felt):
        assert (table[b, :, e][:, others] == true[b, e, others]).all()
        stop, least = table[b, :, e, state.STOP_SLOT], max(1110, true[b, e, state.START_SLOT] + 200)
        assert (stop >= least).all() and (stop <= true[b, e, state.START_SLOT] + 600).all()
        assert len(set(stop.tolist())) > 1 or least == true[b, e, state.START_SLOT] + 600
    for b, e in np.argwhere(new):
        drawn = table[b, :, e]
        assert (np.minimum(drawn[:, state.ANNOUNCED_SLOT], drawn[:, state.START_SLOT]) > 1100).all()
        # The event's own random number tells two events apart even where their times agree.
        is_there = drawn[:, state.EVENT_KIND] >= 0
        assert not (is_there & (drawn[:, state.EVENT_SEED] == true[b, e, state.EVENT_SEED])).any()
    # Whether the true future has an event in a later window says nothing about the fresh ones.
    later, has_event = np.arange(8) * 300 + 100 > 1100, table[..., state.EVENT_KIND] >= 0
    for is_there in (True, False):
        windows = ((true[..., state.EVENT_KIND] >= 0) == is_there) & later
        sample = has_event[np.repeat(windows[:, None], 20, 1)]
        assert sample.mean() == pytest.approx(0.8, abs=4 * np.sqrt(0.16 / len(sample)))


@pytest.mark.parametrize("now", [0, 431, 700, 1105])
def test_fresh_draws_are_those_of_the_reference_with_the_new_seed(make_scenario: MakeScenario, now: int) -> None:
    scenario = churning(make_scenario, BUSY)
    networks = Networks(scenario, 8, seed=3)
    networks.advance(now)
    forks = networks.fork(3, future="fresh", draw=[4, 5, 6])
    for row in range(24):
        seed, before = int(forks._state.identity[row, state.SEED]), events_of(networks, row // 3)
        assert events_of(forks, row) == REFERENCE["draw_events"](scenario, seed, row // 3, before, now)


def test_events_that_are_called_off_never_start_and_those_in_force_stay(make_scenario: MakeScenario) -> None:
    networks = Networks(churning(make_scenario, BUSY), 20, seed=3)
    networks.advance(1100)
    table = networks.events()
    for future in ("same", "fresh"):
        forks = networks.fork(1, future=future, without_events=True)  # type: ignore[arg-type]
        has_started = table.start_slot <= 1100
        np.testing.assert_array_equal(forks.events().kind[has_started], table.kind[has_started])
        np.testing.assert_array_equal(forks.events().start_slot[has_started], table.start_slot[has_started])
        assert (forks.events().kind[~has_started] == -1).all()
        assert (forks.events().announced_slot[~has_started] == state.NEVER).all()
        assert ((table.announced_slot <= 1100) & ~has_started).any()
        # Also a copy of the copy, with whatever future, has none of them.
        forks = forks.fork(1, future="fresh")
        assert (forks.events().kind[~has_started] == -1).all()
        forks.advance(1200)
        assert (forks._state.cell_real[..., state.ARRIVAL_FACTOR] == 1.0).all()
        assert (forks.cells.tx_power_dbm == 38.0).all()
    np.testing.assert_array_equal(networks.events().kind, table.kind)


def test_an_announcement_alone_changes_nothing(make_scenario: MakeScenario) -> None:
    networks = Networks(churning(make_scenario, BUSY), 60, seed=3)
    networks.advance(900)
    forks = networks.fork(1, without_events=True)
    table = networks.events()
    starts = np.where(table.start_slot > 900, table.start_slot, state.NEVER).min(axis=1)
    networks.advance(150)
    forks.advance(150)
    same = (networks.counters().cell == forks.counters().cell).all(axis=(1, 2))
    announced = ((table.announced_slot <= 900) & (table.start_slot > 900)).any(axis=1)
    assert (announced & (starts >= 1050)).any()
    assert same[starts >= 1050].all()
    assert not same[starts < 950].all()


def test_an_event_without_effect_changes_nothing(make_scenario: MakeScenario) -> None:
    chatter = Networks(churning(make_scenario, {**BUSY, "kinds": [{"name": "chatter"}]}), 2, seed=3)
    nothing = Networks(churning(make_scenario, None), 2, seed=3)
    assert (chatter.events().kind == 0).any()
    for networks in (chatter, nothing):
        networks.advance(1500)
    for ours, theirs in zip(chatter.counters(), nothing.counters(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(chatter.ues.sinr_l3_db, nothing.ues.sinr_l3_db)


def test_arrivals_are_multiplied_by_the_factor(make_scenario: MakeScenario) -> None:
    networks = Networks(one_event(make_scenario, {"arrival_factor": 4}, 3.0, mean_holding_s=0.2), 60, seed=5)
    networks.advance(100)
    before = networks.counters().cell[..., state.CELL_ARRIVALS]
    networks.advance(2000)
    arrived = networks.counters().cell[..., state.CELL_ARRIVALS] - before
    for counts, mean in ((arrived[in_force(networks)], 80.0), (arrived[~in_force(networks)], 20.0)):
        assert counts.mean() == pytest.approx(mean, abs=4 * np.sqrt(mean / 60))
    networks.advance(1500)
    after = networks.counters().cell[..., state.CELL_ARRIVALS]
    networks.advance(1000)
    rest = networks.counters().cell[..., state.CELL_ARRIVALS] - after
    assert rest.mean() == pytest.approx(10.0, abs=4 * np.sqrt(10.0 / 120))


def test_departures_are_multiplied_by_the_factor(make_scenario: MakeScenario) -> None:
    scenario = one_event(make_scenario, {"departure_factor": 5}, 3.0, mean_holding_s=2.0)
    networks = Networks(scenario, 50, seed=5)
    networks.advance(100)
    before = networks.counters().cell
    networks.advance(2000)
    counted = networks.counters().cell - before
    for cells, factor in ((in_force(networks), 5.0), (~in_force(networks), 1.0)):
        left = counted[..., state.CELL_DEPARTURES][cells].sum()
        user_ticks = counted[..., state.CELL_CONNECTED_SUM][cells].sum() / 10
        # Somebody who leaves is not counted in the slots that are left of the period.
        assert left / user_ticks == pytest.approx(factor * 0.005, abs=4 * np.sqrt(left) / user_ticks + 1e-4)


def test_a_closed_cell_admits_nobody_and_keeps_its_users(make_scenario: MakeScenario) -> None:
    networks = Networks(one_event(make_scenario, {"places_share": 0}, 1.0, mean_holding_s=3.0), 12, seed=5)
    networks.advance(100)
    closed, before = in_force(networks), networks.cells.connected_ues
    assert (networks.cells.admission_limit[closed] == 0).all()
    assert before[closed].sum() > 20
    calls, counted = networks.ues.call_id, networks.counters().cell
    own = networks.ues.serving_cell == np.argmax(closed, axis=1)[:, None]
    networks.apply(
        {FORCED_HANDOVER: np.where((networks.ues.serving_cell >= 0) & ~own, np.argmax(closed, 1)[:, None], -1)}
    )
    networks.apply({ADMISSION_LIMIT: np.full(closed.shape, 1000)})
    assert (networks.cells.admission_limit[closed] == 0).all()
    networks.advance(800)
    changed = networks.counters().cell - counted
    blocked, arrived = changed[..., state.CELL_BLOCKED], changed[..., state.CELL_ARRIVALS]
    np.testing.assert_array_equal(blocked[closed], arrived[closed])
    assert arrived[closed].sum() > 50
    assert changed[..., state.CELL_HANDOVERS_REFUSED].sum() == before[~closed].sum() > 20
    assert changed[..., state.CELL_HANDOVERS_IN].sum() == 0
    still = networks.ues.serving_cell == np.argmax(closed, axis=1)[:, None]
    assert still.sum() > 10
    np.testing.assert_array_equal(networks.ues.call_id[still], calls[still])
    networks.advance(1000)
    assert (networks.cells.admission_limit == 1000).all()
    assert networks.cells.connected_ues[closed].sum() > still.sum()


def test_places_are_a_share_of_the_cells_own(make_scenario: MakeScenario) -> None:
    networks = Networks(one_event(make_scenario, {"places_share": 0.35}, 1.0), 8, seed=5)
    networks.advance(100)
    limit = np.where(in_force(networks), [3, 7], [10, 20])
    np.testing.assert_array_equal(networks.cells.admission_limit, limit)
    networks.apply({ADMISSION_LIMIT: np.full(limit.shape, 5)})
    np.testing.assert_array_equal(networks.cells.admission_limit, np.minimum(limit, 5))
    networks.advance(1100)
    assert (networks.cells.admission_limit == 5).all()


def test_a_power_cap_holds_what_is_radiated_and_gives_back_what_was_set(make_scenario: MakeScenario) -> None:
    networks = Networks(one_event(make_scenario, {"power_cut_db": 6}, 1.0), 8, seed=5)
    networks.advance(100)
    capped = in_force(networks)
    for power_dbm in (38.0, 44.0, 30.0):
        networks.apply({TX_POWER_DBM: np.full(capped.shape, power_dbm)})
        np.testing.assert_array_equal(networks.cells.tx_power_dbm, np.where(capped, 24.0, power_dbm))
        assert (networks.cells.set_power_dbm == power_dbm).all()
        radiated_mw = dbm_to_mw(networks.cells.tx_power_dbm) / networks.scenario.carrier.num_prbs
        np.testing.assert_allclose(networks._state.cell_real[..., state.PRB_POWER_MW], radiated_mw)
    networks.apply({TX_POWER_DBM: np.full(capped.shape, 41.0)})
    networks.advance(500)
    np.testing.assert_array_equal(networks.measure()[kpm.TX_POWER.name], np.where(capped, 24.0, 41.0))
    networks.advance(600)
    assert (networks.cells.tx_power_dbm == 41.0).all()
    np.testing.assert_allclose(
        networks._state.cell_real[..., state.PRB_POWER_MW], dbm_to_mw(41.0) / networks.scenario.carrier.num_prbs
    )


def test_users_hear_a_capped_cell_as_much_weaker_as_it_radiates(make_scenario: MakeScenario) -> None:
    """Without traffic there is no interference, so that the filtered SINR falls by just what the power does."""
    quiet = {"traffic": {"mix": [{"kind": "poisson", "mean_rate_bps": 1.0, "packet_bits": 100}]}}
    events = {"every_s": 0.1, "share": 1, "lead_s": [0.1, 0.1], "duration_s": [3, 3], "last_s": 0.02}
    scenario = make_scenario({**quiet, "events": {**events, "kinds": [{"name": "it", "power_cut_db": 4}]}})
    networks = Networks(scenario, 4, seed=5)
    networks.advance(50)
    free = networks.fork(1, without_events=True)
    for each in (networks, free):
        each.advance(2500)
    lower_db = np.where(in_force(networks), 4.0, 0.0)
    # Users of a failed link would have moved to the other cell.
    assert (networks.ues.serving_cell == free.ues.serving_cell).all()
    difference = free.ues.sinr_l3_db - networks.ues.sinr_l3_db
    np.testing.assert_allclose(difference, np.broadcast_to(lower_db[:, None], difference.shape), atol=0.05)
