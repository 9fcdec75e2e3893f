"""Cells that an event takes off the air: nothing is sent, users lose the link and go elsewhere, and it comes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ranpilot.twin import Networks, state
from ranpilot.twin.controls import ADMISSION_LIMIT, FORCED_HANDOVER, TX_POWER_DBM
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.validate.checks.conservation import count_violations

MakeScenario = Callable[..., Scenario]


def dark(make_scenario: MakeScenario, kind: str = "outage", **changes: Any) -> Scenario:
    """Cell a is off the air from 0.5 to 1.5 s; users hand over by A3, and lose a link within 100 ms."""
    rrc = {
        "handover": {"event": "a3", "time_to_trigger_ms": 40},
        "link_failure": {"t310_ms": 50, "n310": 1, "cell_search_ms": 20, "suitable_sinr_db": -20},
    }
    schedule = [{"kind": kind, "cell": "a", "start_s": 0.5, "duration_s": 1.0, "announced_s": 0.3}]
    return make_scenario({"rrc": rrc, "events": {"schedule": schedule}, **changes})


@pytest.mark.parametrize("kind", ["outage", "planned-outage"])
def test_nothing_is_sent_from_the_first_slot_to_the_last_and_then_it_is_back(
    make_scenario: MakeScenario, kind: str
) -> None:
    networks = Networks(dark(make_scenario, kind), 6, seed=1)
    networks.advance(500)
    before = networks.counters().cell[:, 0]
    assert (before[:, state.CELL_PRBS] > 0).all()
    networks.advance(1000)
    after = networks.counters().cell[:, 0]
    for column in (state.CELL_PRBS, state.CELL_BLOCKS, state.CELL_BITS_OUT, state.CELL_HANDOVERS_IN):
        np.testing.assert_array_equal(after[:, column], before[:, column])
    assert count_violations(networks).total() == 0
    networks.advance(2500)
    back = networks.counters().cell[:, 0]
    assert (back[:, state.CELL_BITS_OUT] > after[:, state.CELL_BITS_OUT]).all()
    assert back[:, state.CELL_HANDOVERS_IN].sum() > after[:, state.CELL_HANDOVERS_IN].sum()
    assert count_violations(networks).total() == 0


def test_users_lose_their_link_as_every_link_is_lost_and_connect_to_another_cell(make_scenario: MakeScenario) -> None:
    networks = Networks(dark(make_scenario), 6, seed=1)
    networks.advance(500)
    here, failures = networks.ues.serving_cell == 0, networks.ues.failures
    assert here.sum() > 8
    networks.advance(20)
    # Nobody tells them: at first they are still there.
    assert (networks.ues.serving_cell[here] == 0).all()
    networks.advance(900)
    assert (networks.ues.failures[here] > failures[here]).all()
    moved = here & (networks.ues.serving_cell == 1)
    assert moved.sum() > 0.8 * here.sum()
    # Who finds no suitable cell goes on searching at its old place.
    assert networks.ues.interrupted[here & ~moved].all()
    counted = networks.counters().cell.sum(axis=0)
    assert counted[0, state.CELL_FAILURES] >= here.sum() and counted[1, state.CELL_REESTABLISHMENTS] >= moved.sum()


def test_where_failed_users_leave_they_are_gone_and_newcomers_begin_in_another_cell(
    make_scenario: MakeScenario,
) -> None:
    population = {"kind": "arrivals", "arrivals_per_s": 10.0, "mean_holding_s": 5.0}
    scenario = dark(make_scenario, users={"population": population})
    scenario = scenario.with_changes({"rrc": {"link_failure": {"then": "leave"}}})
    networks = Networks(scenario, 6, seed=1)
    networks.advance(900)
    before = networks.counters().cell
    assert (networks.cells.connected_ues[:, 0] == 0).all()
    networks.advance(590)
    counted = networks.counters().cell - before
    assert counted[:, 0, state.CELL_ARRIVALS].sum() == 0
    # Those of both cells come to the one that is on the air.
    assert counted[:, 1, state.CELL_ARRIVALS].sum() == pytest.approx(2 * 6 * 5.9, abs=4 * np.sqrt(2 * 6 * 5.9))
    networks.advance(500)
    assert networks.cells.connected_ues[:, 0].sum() > 6


def test_the_other_cell_is_no_longer_disturbed(make_scenario: MakeScenario) -> None:
    """Of an interfering cell that is always busy, users of the other have a better SINR while it is off."""
    full = {"mix": [{"kind": "full-buffer"}]}
    standing = {"population": {"ues_per_cell": 4}, "mobility": {"kind": "static"}}
    networks = Networks(dark(make_scenario, traffic=full, users=standing), 4, seed=1)
    networks.advance(500)
    there, before_db = networks.ues.serving_cell == 1, networks.ues.sinr_l3_db[..., 1]
    networks.advance(995)
    gained_db = networks.ues.sinr_l3_db[..., 1][there] - before_db[there]
    assert np.median(gained_db) > 3.0


def test_controls_do_not_bring_it_back_and_hold_when_it_is_back(make_scenario: MakeScenario) -> None:
    sites = [{**site.model_dump(), "max_power_dbm": 44} for site in make_scenario().layout.sites]
    networks = Networks(dark(make_scenario).with_changes({"layout": {"sites": sites}}), 2, seed=1)
    networks.advance(600)
    networks.apply({TX_POWER_DBM: np.full((2, 2), 44.0), ADMISSION_LIMIT: np.full((2, 2), 50)})
    asked = networks.ues.serving_cell == 1
    networks.apply({FORCED_HANDOVER: np.where(asked, 0, -1)})
    before = networks.counters().cell[:, 0]
    networks.advance(890)
    np.testing.assert_array_equal(networks.counters().cell[:, 0, state.CELL_PRBS], before[:, state.CELL_PRBS])
    assert (networks.cells.connected_ues[:, 0] == 0).all() and (networks.cells.admission_limit[:, 0] == 0).all()
    networks.advance(20)
    assert (networks.cells.admission_limit == 50).all() and (networks.cells.set_power_dbm == 44.0).all()
    assert (networks._state.cell_real[:, 0, state.PRB_POWER_MW] > 0).all()


def test_a_fork_without_events_never_goes_dark(make_scenario: MakeScenario) -> None:
    networks = Networks(dark(make_scenario), 2, seed=1)
    networks.advance(400)
    free = networks.fork(1, without_events=True)
    for each in (networks, free):
        each.advance(600)
    assert (networks.cells.admission_limit[:, 0] == 0).all()
    assert (free.cells.admission_limit[:, 0] > 0).all()
