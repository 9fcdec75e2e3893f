"""Rollouts and replay of network-steps: order, forgetting, checkpoints."""

from __future__ import annotations

import numpy as np
import pytest

from ranpilot.learning.rollout import Rollout
from ranpilot.learning.transitions import Transitions


def steps(*numbers: float) -> dict[str, np.ndarray]:
    return {"reward": np.array(numbers), "pair": np.array([[n, -n] for n in numbers], dtype=np.float32)}


def test_a_full_ring_forgets_the_oldest_and_picks_evenly() -> None:
    memory = Transitions(5)
    for start in (0, 2, 4, 6):
        memory.add(steps(start, start + 1.0))
    assert (len(memory), memory.added) == (5, 8)
    picked = memory.pick((np.arange(1000) + 0.5) / 1000)
    assert np.unique(picked["reward"], return_counts=True)[1].tolist() == [200] * 5
    assert set(picked["reward"]) == {3.0, 4.0, 5.0, 6.0, 7.0}
    np.testing.assert_array_equal(picked["pair"][:, 1], -picked["reward"])


@pytest.mark.parametrize("before", [0, 1, 4])
def test_a_kept_memory_goes_on_as_the_other(before: int) -> None:
    memory, other = Transitions(5), Transitions(5)
    for start in range(before):
        memory.add(steps(start, start + 0.5))
    other.restore({name: array.copy() for name, array in memory.arrays().items()})
    for each in (memory, other):
        each.add(steps(10.0, 11.0))
    numbers = np.random.default_rng(0).random(50)
    np.testing.assert_array_equal(memory.pick(numbers)["pair"], other.pick(numbers)["pair"])


def test_a_rollout_fills_step_by_step_and_begins_again() -> None:
    rollout = Rollout(3)
    for step in range(3):
        assert not rollout.is_full
        rollout.add(steps(step, step + 10.0))
    assert rollout.is_full
    assert rollout["reward"].tolist() == [[0, 10], [1, 11], [2, 12]]
    assert rollout.flat("pair")["pair"][:, 0].tolist() == [0, 10, 1, 11, 2, 12]
    rollout.clear()
    rollout.add(steps(5.0, 6.0))
    other = Rollout(3)
    other.restore({name: array.copy() for name, array in rollout.arrays().items()})
    assert other.filled == 1
    assert other["reward"][0].tolist() == [5.0, 6.0]
