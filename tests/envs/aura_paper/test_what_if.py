from __future__ import annotations

import numpy as np
import pytest

from ranpilot.envs.aura_paper.config import AuraPaperConfig
from ranpilot.envs.aura_paper.environment import AuraPaper
from ranpilot.envs.controller import Observation
from ranpilot.errors import ActionError, ConfigError
from ranpilot.heuristics import HEURISTICS

HIGH = AuraPaperConfig().with_load("high")
KEEP, MOVE = 2, 3


@pytest.fixture
def env() -> AuraPaper:
    made = AuraPaper(HIGH, 5, 3, first_network=4)
    for action in np.random.default_rng(0).integers(0, 4, (12, 5, 2)):
        made.step(action)
    return made


def joint(*options: tuple[int, int], num: int = 5) -> np.ndarray:
    return np.tile(np.array(options).T, (num, 1, 1))


def test_rolling_leaves_the_running_networks_as_they_are(env: AuraPaper) -> None:
    before = env.snapshot()
    env.what_if.roll(joint((KEEP, KEEP), (MOVE, MOVE)), 5, 2)
    assert env.snapshot() == before


def test_equal_options_get_equal_futures_and_draws_differ(env: AuraPaper) -> None:
    returns = env.what_if.roll(joint((KEEP, MOVE), (KEEP, MOVE), (MOVE, MOVE)), 5, 3)
    assert returns.shape == (5, 3, 3)
    np.testing.assert_array_equal(returns[:, 0], returns[:, 1])
    assert not np.array_equal(returns[:, 0], returns[:, 2])
    assert not np.array_equal(returns[..., 0], returns[..., 1])


def test_more_draws_and_options_keep_the_first_ones(env: AuraPaper) -> None:
    few = env.what_if.roll(joint((KEEP, MOVE)), 5, 1)
    many = env.what_if.roll(joint((MOVE, MOVE), (KEEP, MOVE)), 5, 4)
    np.testing.assert_array_equal(many[:, 1, 0], few[:, 0, 0])


def test_the_true_future_is_never_among_the_draws(env: AuraPaper) -> None:
    returns = env.what_if.roll(joint((KEEP, KEEP)), 5, 50)
    true = sum(env.step(np.full((5, 2), KEEP)).reward.sum(axis=1) for _ in range(5))
    assert not np.isclose(returns[:, 0], true[:, None], atol=1e-9).any()


def test_fresh_futures_have_the_law_of_the_true_one() -> None:
    """The mean return over many networks, rolled and lived, agrees within four standard errors."""
    num, steps = 600, 6
    env = AuraPaper(HIGH, num, 8)
    for _ in range(10):
        env.step(np.full((num, 2), MOVE))
    rolled = env.what_if.roll(joint((KEEP, MOVE), num=num), steps, 1)[:, 0, 0]
    lived = sum(env.step(np.tile([KEEP, MOVE], (num, 1))).reward.sum(axis=1) for _ in range(steps))
    difference = rolled - lived
    standard_error = difference.std(ddof=1) / np.sqrt(num)
    assert abs(difference.mean()) < 4 * standard_error
    assert standard_error < 0.15


def test_one_step_is_the_reward_and_discount_weighs_the_later_ones(env: AuraPaper) -> None:
    one, two, half = (env.what_if.roll(joint((MOVE, KEEP)), n, 1, discount=d) for n, d in ((1, 1), (2, 1), (2, 0.5)))
    np.testing.assert_allclose(half, one + 0.5 * (two - one))


def test_then_acts_after_the_first_step_on_network_option_draw(env: AuraPaper) -> None:
    seen: list[Observation] = []

    def keep(obs: Observation) -> np.ndarray:
        seen.append(obs)
        return np.full((len(obs.local), 2), KEEP)

    picked = np.array([3, 1])
    options = joint((KEEP, KEEP), (MOVE, MOVE), num=2)
    returns = env.what_if.roll(options, 4, 3, then=keep, networks=picked, discount=0.9)
    assert returns.shape == (2, 2, 3)
    assert [len(obs.local) for obs in seen] == [12] * 3
    assert [int(obs.slot[0]) for obs in seen] == [13, 14, 15]
    # Keeping all along is the same with and without a policy, network by network.
    alone = env.what_if.roll(joint((KEEP, KEEP)), 4, 3, discount=0.9)
    np.testing.assert_allclose(returns[:, 0], alone[picked, 0])


def test_a_roll_goes_on_beyond_the_cut() -> None:
    env = AuraPaper(HIGH, 1, 0)
    for _ in range(48):
        env.step([[KEEP, KEEP]])
    kpm = HEURISTICS.load("kpm-rules")()
    kpm.reset(env.spec, 1, 0, None)
    returns = env.what_if.roll(joint((KEEP, KEEP), num=1), 10, 1, then=kpm.act)
    assert np.isfinite(returns).all()
    assert env.observation.slot.tolist() == [48]


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"steps": 0}, ConfigError, "what_if.steps = 0, but must be at least 1"),
        ({"draws": 0}, ConfigError, "what_if.draws = 0, but must be at least 1"),
        ({"discount": 1.5}, ConfigError, "what_if.discount = 1.5, but must be within 0..1"),
        ({"networks": np.array([5])}, ConfigError, "what_if.networks"),
        ({"actions": joint((KEEP, 4))}, ActionError, "= 4, but must be one of"),
        ({"actions": np.zeros((5, 2), int)}, ActionError, "shape"),
        ({"actions": np.zeros((5, 2, 0), int)}, ActionError, "shape"),
        ({"then": lambda obs: np.zeros(3)}, ActionError, "shape"),
    ],
)
def test_bad_arguments_are_refused(env: AuraPaper, changes: dict[str, object], error: type, message: str) -> None:
    arguments = {"actions": joint((KEEP, KEEP)), "steps": 3, "draws": 1, **changes}
    with pytest.raises(error, match=message):
        env.what_if.roll(**arguments)
