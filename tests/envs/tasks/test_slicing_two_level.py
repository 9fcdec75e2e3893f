"""Two levels over one twin: neutral weights are task `slicing`, others are felt, and steps are not cut."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from ranpilot.envs.controller import Outcome
from ranpilot.envs.make import make_batch
from ranpilot.envs.tasks.slicing import Slicing
from ranpilot.envs.tasks.slicing_two_level import USER_FEATURES, SlicingTwoLevel
from ranpilot.errors import ActionError, CheckpointError, ConfigError
from ranpilot.twin import state

from .shared_slices import NUM, actions, shared


def two_level() -> SlicingTwoLevel:
    environment = make_batch(shared(), "slicing-two-level", NUM, 7)
    assert isinstance(environment, SlicingTwoLevel)
    return environment


def play(environment: SlicingTwoLevel, action: np.ndarray, weight: np.ndarray) -> Outcome:
    environment.share_out(action)
    outcomes = [environment.weigh(weight) for _ in range(environment.low_steps)]
    assert outcomes[:-1] == [None] * (environment.low_steps - 1)
    last = outcomes[-1]
    assert last is not None
    return last


def test_weights_of_one_are_the_task_with_one_level_bit_for_bit() -> None:
    """Over the end of an episode."""
    flat, two = make_batch(shared(), "slicing", NUM, 7), two_level()
    assert isinstance(flat, Slicing)
    assert two.low_steps == 10
    for action in actions(14):
        expected, found = flat.step(action), play(two, action, np.ones((NUM, 10)))
        np.testing.assert_array_equal(found.terms, expected.terms)
        assert found.truncated.tolist() == expected.truncated.tolist()
        for field in fields(found.next_obs):
            first, second = getattr(found.next_obs, field.name), getattr(expected.next_obs, field.name)
            assert np.array_equal(first, second), field.name
    np.testing.assert_array_equal(two.networks.ues.x_m, flat.networks.ues.x_m)
    assert two.observation.episode.tolist() == [1] * NUM


def test_a_user_without_weight_gets_no_new_blocks_and_waits() -> None:
    two = two_level()
    seen = two.users
    assert seen.users.shape == (NUM, 10, len(USER_FEATURES)) and seen.is_turn
    assert seen.user_mask.any() and ((seen.users >= 0) & (seen.users <= 1)).all()
    muted = np.where(np.arange(10) < 5, 0.0, 1.0)
    play(two, actions(1)[0], np.tile(muted, (NUM, 1)))
    before = two.networks.counters().ue[..., state.UE_BITS_OUT]
    play(two, actions(2)[1], np.tile(muted, (NUM, 1)))
    gained = two.networks.counters().ue[..., state.UE_BITS_OUT] - before
    assert (gained[:, :5] == 0).all() and gained[:, 5:].sum() > 0
    ues, seen = two.networks.ues, two.users
    waits = (ues.backlog_bits > 0) & seen.user_mask
    place = {feature.name: feature.value(seen.users[..., at]) for at, feature in enumerate(USER_FEATURES)}
    np.testing.assert_allclose(place["backlog"][waits], ues.backlog_bits[waits] / 1e3)
    assert place["head_delay"][waits & (np.arange(10) < 5)].max() > 50.0
    assert (place["head_delay"][~waits] == 0.0).all() and (place["rate"][:, :5] == 0.0).all()


def test_steps_are_not_cut() -> None:
    two = two_level()
    action = actions(1)[0]
    with pytest.raises(ActionError, match="weigh = 'before a step has begun', but must be after share_out"):
        two.weigh(np.ones((NUM, 10)))
    two.share_out(action)
    two.weigh(np.ones((NUM, 10)))
    assert not two.users.is_turn
    for cut in (lambda: two.step(action), lambda: two.share_out(action), two.snapshot):
        with pytest.raises(ActionError, match="'after 1 of 10 low steps', but must be between steps"):
            cut()
    two.reset()
    kept = two.snapshot()
    other = two_level()
    other.restore(kept)
    np.testing.assert_array_equal(play(two, action, np.ones((NUM, 10))).terms, other.step(action).terms)
    assert two.what_if.roll(action[:, :, None], 1, 2).shape == (NUM, 1, 2)


def test_a_step_that_is_no_multiple_of_ten_milliseconds_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"control.step_ms = 25.0, but must be a multiple of 10 ms"):
        make_batch(shared(control={"step_ms": 25.0, "episode_steps": 12}), "slicing-two-level", 1, 0)


def test_after_a_whole_step_users_see_the_last_ten_milliseconds() -> None:
    one, other = (make_batch("slicing-small", "slicing-two-level", 2, 3, load="high") for _ in range(2))
    action = np.zeros((2, 3, 3))
    one.step(action)
    other.share_out(action)
    while other.weigh(np.ones(other.users.user_mask.shape)) is None:
        pass
    np.testing.assert_array_equal(one.users.users, other.users.users)


def test_a_snapshot_of_task_slicing_is_refused() -> None:
    one_level, two_levels = (make_batch("slicing-small", task, 1, 0) for task in ("slicing", "slicing-two-level"))
    before = two_levels.networks.fingerprint()
    with pytest.raises(CheckpointError, match="belongs to another environment"):
        two_levels.restore(one_level.snapshot())
    assert two_levels.networks.fingerprint() == before
