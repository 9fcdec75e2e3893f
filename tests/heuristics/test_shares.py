"""Rules for slices: closed forms, water-filling against a slow twin, shares and numbers there and back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranpilot.envs.controller import Observation, TaskSpec
from ranpilot.envs.make import make_batch
from ranpilot.envs.share_action import ShareAction
from ranpilot.errors import ConfigError
from ranpilot.heuristics import HEURISTICS
from ranpilot.heuristics._shares import Shares, fill, in_proportion

RULES = ("equal", "load-proportional", "max-min", "pf-shares", "backlog", "deadline")
OFFERED, BACKLOG, VOLUME = "RP.OfferedVolumeDl.SNSSAI", "RP.BacklogDl.SNSSAI", "DRB.PdcpSduVolumeDL.SNSSAI"
USED, ACTIVE, DELAY = "RP.PrbTotDl.SNSSAI", "DRB.MeanActiveUeDl.SNSSAI", "DRB.RlcSduDelayDl.SNSSAI"

weights = st.lists(st.floats(0.0, 5.0).map(lambda value: round(value, 3)), min_size=1, max_size=6)


@pytest.fixture(scope="module")
def task() -> TaskSpec:
    return make_batch("slicing-small", "slicing", 1, 0).spec


@pytest.fixture(scope="module")
def promising() -> TaskSpec:
    return make_batch("slicing-small", "slicing", 1, 0, variant="numeric_sla").spec


def look(task: TaskSpec, values: dict[str, list[float]], mask: tuple[bool, ...] = (True, True, True)) -> Observation:
    """One network of one cell with three seats; values: of each seat by feature, in its unit."""
    shown = np.zeros((1, 1, 3, len(task.slice_features)))
    for place, feature in enumerate(task.slice_features):
        if feature.name in values:
            shown[0, 0, :, place] = feature.shown(np.array(values[feature.name]))
    return Observation(
        local=np.zeros((1, 1, 3)),
        state=np.zeros((1, 1)),
        slot=np.zeros(1, np.int64),
        first=np.ones(1, np.bool_),
        episode=np.zeros(1, np.int64),
        notice_ids=np.zeros((1, 0), np.int64),
        slices=np.where(np.array(mask)[:, None], shown, 0.0),
        slice_mask=np.array(mask)[None, None],
    )


def shares(name: str, task: TaskSpec, obs: Observation) -> list[float]:
    rule = HEURISTICS.load(name)()
    assert isinstance(rule, Shares)
    rule.reset(task, 1, 0, None)
    return rule.shares(obs)[0, 0].tolist()


def test_closed_forms(task: TaskSpec) -> None:
    """A block of the cell carries 10 Mbit for the first slice and 20 for the second; the third has nothing yet."""
    values = {
        OFFERED: [4.0, 12.0, 0.0],
        BACKLOG: [0.0, 4.0, 0.0],
        VOLUME: [4.0, 8.0, 0.0],
        USED: [40.0, 40.0, 0.0],
        ACTIVE: [1.0, 3.0, 0.0],
        DELAY: [200.0, 600.0, 0.0],
    }
    obs = look(task, values)
    assert shares("equal", task, obs) == pytest.approx([1 / 3] * 3)
    assert shares("load-proportional", task, obs) == pytest.approx([0.25, 0.75, 0.0])
    # Wanted are 4 / 10 and 16 / 20 of the cell, so needed, twice that and a twentieth.
    need = np.array([0.85, 1.65, 0.05])
    assert shares("backlog", task, obs) == pytest.approx(need / need.sum())
    assert shares("max-min", task, obs) == pytest.approx([0.475, 0.475, 0.05])
    assert shares("pf-shares", task, obs) == pytest.approx([0.25, 0.75, 0.0])
    # The mean delay is 40 ms: hurries of a half, one and a half, and the least.
    hurried = need * [0.5, 1.5, 0.25]
    assert shares("deadline", task, obs) == pytest.approx(hurried / hurried.sum())


def test_small_demands_leave_their_rest_to_all(task: TaskSpec) -> None:
    """Needs of 0.15, 0.25 and 0.3."""
    values = {OFFERED: [1.0, 2.0, 2.5], VOLUME: [1.0, 2.0, 2.5], USED: [5.0, 10.0, 12.5]}
    assert shares("max-min", task, look(task, values)) == pytest.approx([0.25, 0.35, 0.4])


def test_deadline_measures_delay_by_the_promise_where_it_is_shown(promising: TaskSpec) -> None:
    values = {OFFERED: [1.0, 1.0, 1.0], VOLUME: [1.0, 1.0, 1.0], USED: [30.0, 30.0, 30.0], DELAY: [100.0, 400.0, 400.0]}
    known = look(promising, values | {"delay": [10.0, 20.0, np.nan]})
    # 10 of 10 ms, 40 of 20 ms, and 40 ms of the mean of 30.
    total = 1.0 + 2.0 + 4.0 / 3.0
    assert shares("deadline", promising, known) == pytest.approx([1 / total, 2 / total, 4 / 3 / total])


@pytest.mark.parametrize("name", RULES)
def test_free_seats_get_nothing_and_shares_are_1_in_all(name: str, task: TaskSpec) -> None:
    busy = {OFFERED: [4.0, 9.0, 2.0], BACKLOG: [1.0, 0.0, 30.0], VOLUME: [1.0, 2.0, 0.0], USED: [5.0, 90.0, 0.0]}
    for values in (busy, {}):
        for mask in ((True, False, True), (False, False, True), (True, True, True)):
            found = np.array(shares(name, task, look(task, values, mask)))
            assert found.sum() == pytest.approx(1.0) and (found >= 0.0).all()
            assert (found[~np.array(mask)] == 0.0).all()
        assert shares(name, task, look(task, values, (False,) * 3)) == [0.0] * 3


def slow_fill(demand: list[float], weight: list[float]) -> list[float]:
    """Pour drop by drop, by bisection on the level."""
    low, high = 0.0, 1e9
    for _ in range(200):
        middle = (low + high) / 2
        if sum(min(d, middle * w) for d, w in zip(demand, weight, strict=True)) < 1.0:
            low = middle
        else:
            high = middle
    share = [min(d, low * w) for d, w in zip(demand, weight, strict=True)]
    left = 1.0 - sum(share)
    return [s + left * w / sum(weight) for s, w in zip(share, weight, strict=True)]


@given(weights, st.data())
def test_water_filling_is_as_its_slow_twin_finds_it(demand: list[float], data: st.DataObject) -> None:
    weight = data.draw(st.lists(st.floats(0.1, 5.0), min_size=len(demand), max_size=len(demand)))
    found = fill(np.array(demand), np.array(weight), np.ones(len(demand), np.bool_))
    np.testing.assert_allclose(found, slow_fill(demand, weight), atol=1e-6)
    assert found.sum() == pytest.approx(1.0)


@given(weights, st.data())
def test_numbers_give_the_shares_that_they_were_made_from(given_weights: list[float], data: st.DataObject) -> None:
    size = len(given_weights)
    is_taken = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)))
    share = in_proportion(np.array(given_weights), is_taken)
    for kind in ("soft", "hard", "blocks"):
        rule = ShareAction(kind, 3.0, 51)
        numbers = rule.numbers(share, is_taken)
        assert (np.abs(numbers) <= 1.0).all() and (numbers[~is_taken] == -1.0).all()
        found, excess = rule.shares(numbers, is_taken)
        assert excess == pytest.approx(0.0) and (found[~is_taken] == 0.0).all()
        if is_taken.any():
            assert found.sum() == pytest.approx(1.0)
        if kind == "blocks":
            assert (np.abs(found - share) < 1 / 51).all()
        else:
            # A share below 1 / 403 of the greatest is raised to that, and the others pay for it.
            floor = share.max() * np.exp(-6.0)
            expected = in_proportion(np.maximum(share, floor), is_taken)
            np.testing.assert_allclose(found, expected, atol=1e-9)
            assert np.abs(expected - share).max() <= (size - 1) * floor + 1e-12


def test_equal_shares_are_numbers_of_zero_and_what_is_seen_can_be_read_back(
    task: TaskSpec, promising: TaskSpec
) -> None:
    assert ShareAction("soft", 3.0, 51).numbers(np.full(4, 0.25), np.ones(4, np.bool_)).tolist() == [0.0] * 4
    for feature in promising.slice_features:
        values = np.array([feature.low, 0.3 * feature.high, feature.high])
        np.testing.assert_allclose(feature.value(feature.shown(values)), values, rtol=1e-9, atol=1e-12)
    assert len(promising.slice_features) == len(task.slice_features) + 7


def test_the_oracle_wants_rolls_that_tell_agents_apart(task: TaskSpec) -> None:
    with pytest.raises(ConfigError, match="what_if = None, but must be one with roll_each, since sla-oracle tries"):
        HEURISTICS.load("sla-oracle")().reset(task, 1, 0, None)
    with pytest.raises(ConfigError, match="share_action of task 'slicing' = None, but must be given"):
        HEURISTICS.load("equal")().reset(replace(task, share_action=None), 1, 0, None)


def test_the_oracle_takes_what_its_own_rolls_praise_most(task: TaskSpec) -> None:
    class Rolls:
        """Agent 0 likes a great first share, agent 1 a great last one."""

        def roll(self, *args: object, **kwargs: object) -> np.ndarray:
            raise AssertionError("agents must be told apart")

        def roll_each(self, actions: np.ndarray, steps: int, draws: int, **kwargs: object) -> np.ndarray:
            found, _ = task.share_action.shares(actions, np.ones(actions.shape, np.bool_))
            liked = np.stack([found[:, 0, :, 0], found[:, 1, :, 2]], axis=1)
            return np.repeat(liked[..., None], draws, axis=3)

    obs = look(task, {OFFERED: [1.0, 1.0, 1.0]})
    two = replace(obs, slices=obs.slices.repeat(2, axis=1), slice_mask=obs.slice_mask.repeat(2, axis=1))
    oracle = HEURISTICS.load("sla-oracle")()
    oracle.reset(task, 1, 0, Rolls())
    for step in range(4):
        now = replace(two, slot=np.array([step]), first=np.array([step == 0]))
        found, _ = task.share_action.shares(oracle.act(now), now.slice_mask)
    assert found[0, 0, 0] > 0.8 and found[0, 1, 2] > 0.8


def test_the_oracle_beats_equal_shares_where_a_slice_must_have_more() -> None:
    """High load, hard shares: six networks, a second each, same seed."""
    total = {}
    for name in ("equal", "sla-oracle"):
        env = make_batch("slicing-small", "slicing", 6, 3, load="high", variant="intent-hard")
        controller = HEURISTICS.load(name)()
        controller.reset(env.spec, 6, 0, env.what_if)
        total[name] = sum(env.step(controller.act(env.observation)).reward.mean(axis=1) for _ in range(10)) / 10
    gain = total["sla-oracle"] - total["equal"]
    assert gain.mean() > 2 * gain.std(ddof=1) / np.sqrt(6) > 0.0
