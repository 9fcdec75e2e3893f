"""Who is told what and when, and that only texts tell it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ranpilot.envs.announcements import neighbour_kind, text_kind, wordings
from ranpilot.envs.controller import Observation
from ranpilot.envs.make import make_batch
from ranpilot.envs.tasks._spec import KEEP, MOVE
from ranpilot.envs.tasks.power_handover import PowerHandover
from ranpilot.errors import ConfigError
from ranpilot.twin import kpm
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.scenario_file import load_scenario

KINDS = [
    {"name": "surge", "arrival_factor": 6},
    {"name": "calm", "arrival_factor": 0.2, "departure_factor": 8},
    {"name": "maintenance", "places_share": 0},
    {"name": "power-cap", "power_cut_db": 6},
    {"name": "chatter"},
]
HEARD = {kind for told in KINDS for kind in (told["name"], neighbour_kind(told["name"]))}
OFTEN = {
    "every_s": 0.7,
    "share": 0.9,
    "lead_s": [0.2, 0.8],
    "duration_s": [0.4, 0.9],
    "first_s": 0.6,
    "last_s": 6.2,
    "kinds": KINDS,
}


def scenario(load: str = "low", **changes: Any) -> Scenario:
    return load_scenario("two-cell").with_load(load).with_changes({"events": OFTEN, **changes})


def hexagons(num: int) -> Scenario:
    """Rows of sites 500 m apart, every other one shifted."""
    site = {"height_m": 25, "propagation": "UMa", "power_dbm": 43, "min_power_dbm": 40, "capacity": 3}
    sites = [
        {"name": f"s{i}", "x_m": 500.0 * (i % 8) + 250.0 * (i // 8 % 2), "y_m": 433.0 * (i // 8), **site}
        for i in range(num)
    ]
    area_m = [-250, -250, 4250, 250 + 433 * (num // 8)]
    return scenario(layout={"area_m": area_m, "sites": sites}, events={**OFTEN, "every_s": 0.1})


def told(env: PowerHandover, b: int, agent: int) -> str | None:
    """The kind that an agent should read now, found the slow way."""
    events, slot = env.networks.events(), env.networks.slot
    found = [
        (int(events.announced_slot[b, e]), int(events.kind[b, e]), int(events.cell[b, e]))
        for e in range(events.kind.shape[1])
        if events.announced_slot[b, e] <= slot < events.stop_slot[b, e]
    ]
    heard = [event for event in found if event[2] == agent or event[2] in env.spec.neighbours[agent]]
    if not heard:
        return None
    _, kind, cell = max(heard, key=lambda event: (KINDS[event[1]]["name"] != "chatter", event[0]))
    name = KINDS[kind]["name"]
    return name if cell == agent else neighbour_kind(name)


def read(obs: Observation, b: int, agent: int) -> str | None:
    notice = int(obs.notice_ids[b, agent])
    return None if notice < 0 else text_kind(obs.texts[notice])


def check_told(env: PowerHandover) -> set[str | None]:
    """Compare with the slow way; what was read."""
    seen = set()
    obs = env.observation
    for b in range(env.num_networks):
        for agent in range(env.spec.num_agents):
            expected = told(env, b, agent)
            assert read(obs, b, agent) == expected
            seen.add(expected)
    return seen


def test_every_agent_reads_the_newest_announcement_around_it_and_chatter_only_where_nothing_else_stands() -> None:
    env = PowerHandover.make(scenario(), 12, 5)
    seen = check_told(env)
    for _ in range(20):
        env.play(np.full((12, 2), KEEP))
        seen |= check_told(env)
    assert seen == {None, *HEARD}


def test_chatter_never_hides_what_changes_something_however_new_it_is() -> None:
    env = PowerHandover.make(scenario(), 60, 5)
    hidden = 0
    for _ in range(20):
        events, slot, obs = env.networks.events(), env.networks.slot, env.observation
        stands = (events.announced_slot <= slot) & (slot < events.stop_slot)
        is_chatter = events.kind == [kind["name"] for kind in KINDS].index("chatter")
        # Two cells: everybody hears of both.
        for b in np.flatnonzero((stands & ~is_chatter).any(axis=1)):
            assert "chatter" not in {read(obs, b, agent) for agent in range(2)}
            hidden += is_chatter[b, np.flatnonzero(stands[b])[-1]]
        env.play(np.full((60, 2), KEEP))
    assert hidden > 20


def test_a_notice_comes_its_lead_before_the_start_and_goes_with_the_end() -> None:
    quiet = {**OFTEN, "every_s": 50, "share": 1, "last_s": 0.7, "lead_s": [1, 1], "duration_s": [0.6, 0.6]}
    quiet |= {"kinds": [{"name": "power-cap", "power_cut_db": 6}], "first_s": 0.4}
    env = PowerHandover.make(scenario(events={**quiet, "every_s": 0.5}), 8, 5)
    table = env.networks.events()
    standing, capped = np.zeros(8), np.zeros(8)
    for _ in range(14):
        cell = table.cell[:, 0]
        is_told = env.observation.notice_ids >= 0
        assert (is_told[:, 0] == is_told[:, 1]).all()
        slot = env.networks.slot
        assert is_told[:, 0].tolist() == ((table.announced_slot <= slot) & (slot < table.stop_slot))[:, 0].tolist()
        standing += is_told[:, 0]
        capped += env.networks.cells.tx_power_dbm[np.arange(8), cell] < np.array([43, 30])[cell]
        env.play(np.full((8, 2), KEEP))
    # 1 s ahead and 0.6 s in force are eight steps of 200 ms, three of them in force; warm-up took some of the first.
    assert (capped == 3).all() and (standing <= 8).all() and (standing >= 5).all()


def test_the_view_of_neighbours_is_right_among_fifty_seven_cells() -> None:
    env = PowerHandover.make(hexagons(57), 1, 5)
    seen = check_told(env)
    for _ in range(3):
        env.play(np.full((1, 57), KEEP))
        seen |= check_told(env)
    assert None in seen and len(seen) >= 7
    assert {len(nearest) for nearest in env.spec.neighbours} == {6}


@pytest.mark.parametrize("split", ["train", "heldout"])
def test_texts_are_the_wordings_of_the_split_and_many_of_them_are_used(split: str) -> None:
    env = PowerHandover.make(scenario(), 60, 5, split=split)  # type: ignore[arg-type]
    obs = env.observation
    assert sorted(obs.texts) == sorted(text for kind in HEARD for text in wordings(kind, split))  # type: ignore[arg-type]
    assert len(set(obs.notice_ids[obs.notice_ids >= 0].tolist())) > 40


def test_a_wording_stands_as_long_as_its_announcement_in_every_copy() -> None:
    env = PowerHandover.make(scenario(), 12, 5)
    rows = np.repeat(np.arange(12), 2)
    fork = env.fork(np.arange(12), np.array([3, 4]))
    assert fork.observation.notice_ids.tolist() == env.observation.notice_ids[rows].tolist()
    known = env.networks.events().announced_slot <= env.networks.slot
    last = np.where(known, env.networks.events().announced_slot, -1).max(axis=1)
    kept = 0
    for _ in range(4):
        for each in (env, fork):
            each.play(np.full((each.num_networks, 2), KEEP))
        for row, b in enumerate(rows):
            newest = [
                np.where(each.networks.events().announced_slot[i] <= each.networks.slot,
                         each.networks.events().announced_slot[i], -1).max()
                for each, i in ((env, b), (fork, row))
            ]  # fmt: skip
            if newest == [last[b], last[b]]:
                assert fork.observation.notice_ids[row].tolist() == env.observation.notice_ids[b].tolist()
                kept += (env.observation.notice_ids[b] >= 0).sum()
    assert kept > 10


def test_a_fork_without_events_is_told_nothing_of_those_that_were_to_come() -> None:
    env = PowerHandover.make(scenario(), 40, 5)
    table, slot = env.networks.events(), env.networks.slot
    fork = env.fork(np.arange(40), np.array([0]), without_events=True)
    coming = (table.announced_slot <= slot) & (table.start_slot > slot)
    running = (table.start_slot <= slot) & (slot < table.stop_slot)
    assert (env.observation.notice_ids[coming.any(axis=1)] >= 0).all() and coming.sum() > 10
    assert (fork.observation.notice_ids[~running.any(axis=1)] == -1).all()
    assert (fork.observation.notice_ids[running.any(axis=1)] >= 0).all()
    for _ in range(8):
        fork.play(np.full((40, 2), KEEP))
    assert (fork.observation.notice_ids == -1).all()
    assert (fork.networks.cells.tx_power_dbm >= [43, 30]).all()


def test_agents_see_no_notice_in_their_numbers() -> None:
    """Announcements of events without effect leave everything but the notices as it is without events."""
    chatty = PowerHandover.make(scenario(events={**OFTEN, "kinds": [{"name": "chatter"}]}), 6, 5)
    silent = PowerHandover.make(scenario(events=None), 6, 5)
    heard = 0
    for _ in range(6):
        ours, theirs = chatty.observation, silent.observation
        np.testing.assert_array_equal(ours.local, theirs.local)
        np.testing.assert_array_equal(ours.state, theirs.state)
        assert theirs.notice_ids.tolist() == [[-1, -1]] * 6 and theirs.texts == ()
        heard += (ours.notice_ids >= 0).sum()
        np.testing.assert_array_equal(*(env.play(np.full((6, 2), MOVE)) for env in (chatty, silent)))
    assert heard > 20


def test_a_snapshot_keeps_what_is_told_and_what_comes() -> None:
    env = PowerHandover.make(scenario(), 3, 5)
    env.step(np.full((3, 2), KEEP))
    data = env.snapshot()
    other = PowerHandover.make(scenario(), 3, 5)
    other.reset(first_episode=2)
    other.restore(data)
    for _ in range(6):
        assert other.observation.notice_ids.tolist() == env.observation.notice_ids.tolist()
        for each in (env, other):
            each.step(np.full((3, 2), MOVE))
    assert other.networks.fingerprint() == env.networks.fingerprint()


def test_a_kind_of_event_that_nobody_can_tell_is_refused() -> None:
    flood = {**OFTEN, "kinds": [{"name": "flood", "arrival_factor": 2}]}
    with pytest.raises(
        ConfigError, match=r"events\.kinds\.name = 'flood', but must be a kind that is announced: one of"
    ):
        PowerHandover.make(scenario(events=flood), 1, 5)


def test_the_twin_admits_what_the_task_moves_also_into_cells_with_fewer_places() -> None:
    """Every order that the task gives is carried out, and none goes to a cell beyond its places of the moment."""
    shut = {**OFTEN, "kinds": [{"name": "maintenance", "places_share": 0}, {"name": "calm", "departure_factor": 20}]}
    layout = scenario().model_dump(mode="json")["layout"]
    for site, capacity in zip(layout["sites"], (14, 9), strict=True):
        site["capacity"] = capacity
    env = PowerHandover.make(scenario("high", events=shut, layout=layout), 16, 5)
    refused, moved = np.zeros((16, 2)), 0.0
    env.networks.measure()
    for _ in range(25):
        limit, before = env.networks.cells.admission_limit, env.networks.counters().cell
        counts = env.step(np.full((16, 2), MOVE)).counts
        refused += np.where(limit[:, ::-1] == 0, counts["refused"], 0)
        if env.observation.first.all():
            break
        now = env.networks.counters().cell - before
        assert (now[..., 17] == 0).all()
        moved += now[..., 18].sum()
    assert (env.networks.measure()[kpm.HANDOVERS_REFUSED.name] == 0).all()
    assert moved > 20 and refused.sum() > 5


def test_what_a_cell_reports_of_its_places_does_not_show_that_an_event_closed_it() -> None:
    half = {**OFTEN, "kinds": [{"name": "maintenance", "places_share": 0.7}], "share": 1}
    env = PowerHandover.make(scenario(events=half), 16, 5)
    limits = set()
    for _ in range(12):
        env.play(np.full((16, 2), KEEP))
        cells, obs = env.networks.cells, env.observation
        limits |= set(cells.admission_limit.ravel().tolist())
        np.testing.assert_array_equal(obs.local[:, :, 2], cells.connected_ues >= np.array([50, 30]))
        free = np.clip((np.array([50, 30]) - cells.connected_ues) / 3, 0, 1)
        np.testing.assert_allclose(obs.state.reshape(16, 2, 4)[:, :, 2], free)
    assert limits == {50, 30, 35, 21}


def test_power_is_what_is_radiated_and_costs_no_less_than_the_least() -> None:
    capped = {**OFTEN, "kinds": [{"name": "power-cap", "power_cut_db": 6}], "share": 1}
    env = PowerHandover.make(scenario(events=capped), 8, 5)
    seen = 0
    for _ in range(12):
        outcome = env.step(np.full((8, 2), KEEP))
        low = env.networks.cells.tx_power_dbm < [43, 30]
        seen += low.sum()
        assert (outcome.next_obs.local[:, :, 0][low] == 0).all()
        assert ((outcome.counts["power"] >= 0) & (outcome.counts["power"] <= 1)).all()
    assert seen > 10


def test_environments_made_by_name_have_notices() -> None:
    env = make_batch("two-cell", None, 12, 1, load="low")
    share = []
    for _ in range(16):
        share.append(np.mean(env.observation.notice_ids >= 0))
        env.step(np.full((12, 2), KEEP))
    assert share[0] == 0 and 0.2 < share[-1] < 0.95
