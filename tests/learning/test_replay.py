from __future__ import annotations

import numpy as np

from ranpilot.learning.replay import Replay


def add(replay: Replay, step: int) -> None:
    """A step whose every number tells which step and learner it is: learner n of step s has 10 s + n."""
    mark = 10 * step + np.arange(2)
    state = np.repeat(mark[:, None], 3, axis=1).astype(np.float32)
    replay.add(state, mark, mark.astype(np.float32), np.full(2, 0.9, np.float32), state + 0.5)


def test_the_oldest_step_is_forgotten_when_the_ring_is_full() -> None:
    replay = Replay(3, 2, 3)
    for step in range(5):
        add(replay, step)
        assert len(replay) == min(step + 1, 3)
    picked = replay.pick(np.tile((np.arange(30) + 0.5) / 30, (2, 1)))
    assert set(picked[1][0].tolist()) == {20, 30, 40}
    assert set(picked[1][1].tolist()) == {21, 31, 41}


def test_what_belongs_together_is_picked_together() -> None:
    replay = Replay(50, 2, 3)
    for step in range(20):
        add(replay, step)
    numbers = np.random.default_rng(0).random((2, 64))
    state, option, reward, discount, next_state = replay.pick(numbers)
    assert state.shape == next_state.shape == (2, 64, 3)
    np.testing.assert_array_equal(state, np.repeat(option[:, :, None], 3, axis=2))
    np.testing.assert_array_equal(reward, option)
    np.testing.assert_array_equal(next_state, state + 0.5)
    assert (discount == np.float32(0.9)).all()
    np.testing.assert_array_equal(option, 10 * (numbers * 20).astype(int) + np.arange(2)[:, None])


def test_a_restored_memory_goes_on_where_it_was() -> None:
    straight, resumed = Replay(7, 2, 3), Replay(7, 2, 3)
    for step in range(11):
        add(straight, step)
    resumed.restore({name: array.copy() for name, array in straight.arrays().items()})
    for step in range(11, 15):
        add(straight, step)
        add(resumed, step)
    for name, array in straight.arrays().items():
        np.testing.assert_array_equal(resumed.arrays()[name], array)
