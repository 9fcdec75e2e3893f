"""The roll on a made-up environment whose reward is easily computed by hand."""

from __future__ import annotations

from typing import Self

import numpy as np
import pytest

from ranpilot.envs.controller import Action, FloatArray, IntArray, Observation, TaskSpec
from ranpilot.envs.twin_what_if import TwinWhatIf
from ranpilot.errors import ActionError, ConfigError

SPEC = TaskSpec(
    name="sum",
    scenario="made-up",
    agents=("a", "b"),
    features=(),
    state_names=("total",),
    actions=("nothing", "one", "two"),
    neutral_action=0,
    reward_terms=("sum",),
    counters=(),
    step_s=1.0,
    slots_per_step=1,
    episode_steps=10,
    neighbours=((1,), (0,)),
)


class Sum:
    """Reward of an agent = its option + 10 x network + 100 x draw; the state is the number of steps played."""

    def __init__(self, offset: FloatArray) -> None:
        self.spec = SPEC
        self.offset = offset
        self.num_networks = len(offset)
        self.steps = 0

    def fork(self, networks: IntArray, draw: IntArray, without_events: bool = False) -> Self:
        return type(self)((self.offset[networks][:, None] + 100.0 * draw[None]).ravel())

    def play(self, action: Action) -> FloatArray:
        self.steps += 1
        return np.asarray(action + self.offset[:, None], dtype=np.float64)

    @property
    def observation(self) -> Observation:
        return Observation(
            local=np.zeros((self.num_networks, 2, 0)),
            state=np.full((self.num_networks, 1), float(self.steps)),
            slot=np.full(self.num_networks, self.steps),
            first=np.zeros(self.num_networks, bool),
            episode=np.zeros(self.num_networks, np.int64),
            notice_ids=np.zeros((self.num_networks, 0), np.int64),
        )


@pytest.fixture
def what_if() -> TwinWhatIf:
    return TwinWhatIf(Sum(np.array([0.0, 10.0])))


def test_rewards_come_by_network_option_and_draw(what_if: TwinWhatIf) -> None:
    actions = np.array([[[0, 1, 2], [0, 1, 1]], [[2, 2, 0], [0, 0, 0]]])
    rolled = what_if.roll(actions, 1, 2)
    draws = np.array([0.0, 200.0])
    expected = np.array([[0.0, 2.0, 3.0], [22.0, 22.0, 20.0]])[:, :, None] + draws
    assert rolled.tolist() == expected.tolist()


def test_without_a_policy_the_action_is_repeated(what_if: TwinWhatIf) -> None:
    rolled = what_if.roll(np.ones((2, 2, 1), int), 3, 1, discount=0.5)
    assert rolled.ravel().tolist() == [2 * 1.75, 22 * 1.75]


def test_the_policy_acts_from_the_second_step_on_and_sees_the_forks(what_if: TwinWhatIf) -> None:
    seen = []

    def then(obs: Observation) -> Action:
        seen.append((obs.slot[0], len(obs.slot)))
        return np.zeros((len(obs.slot), 2), int)

    rolled = what_if.roll(np.ones((2, 2, 3), int), 3, 2, then=then)
    assert seen == [(1, 12), (2, 12)]
    assert rolled[0, 0].tolist() == [2.0, 602.0]


def test_only_the_picked_networks_are_rolled(what_if: TwinWhatIf) -> None:
    rolled = what_if.roll(np.zeros((1, 2, 1), int), 1, 1, networks=np.array([1]))
    assert rolled.tolist() == [[[20.0]]]


@pytest.mark.parametrize(
    ("shape", "steps", "draws", "error"),
    [
        ((2, 2), 1, 1, ActionError),
        ((1, 2, 1), 1, 1, ActionError),
        ((2, 2, 0), 1, 1, ActionError),
        ((2, 2, 1), 0, 1, ConfigError),
        ((2, 2, 1), 1, 0, ConfigError),
    ],
)
def test_wrong_requests_are_refused(
    what_if: TwinWhatIf, shape: tuple[int, ...], steps: int, draws: int, error: type[Exception]
) -> None:
    with pytest.raises(error):
        what_if.roll(np.zeros(shape, int), steps, draws)


def test_an_unknown_network_or_a_discount_above_one_is_refused(what_if: TwinWhatIf) -> None:
    with pytest.raises(ConfigError, match=r"indices in 0\.\.1"):
        what_if.roll(np.zeros((1, 2, 1), int), 1, 1, networks=np.array([2]))
    with pytest.raises(ConfigError, match=r"within 0\.\.1"):
        what_if.roll(np.zeros((2, 2, 1), int), 1, 1, discount=1.5)
