from __future__ import annotations

import numpy as np
import pytest
from scipy.special import betaincinv

from ranpilot.errors import ConfigError
from ranpilot.systems.aura import AuraConfig
from ranpilot.systems.aura.trust import TRUSTS
from ranpilot.systems.aura.trust.counterfactual import CounterfactualTrust
from ranpilot.systems.aura.trust.score import ScoreTrust
from ranpilot.systems.aura.turn import Turn

ONE = (1, 1, 4, 3)


def make_turn(advice, own, executed=None, *, context=None, advised=True, followed=True) -> Turn:
    advice, own = np.atleast_2d(advice), np.atleast_2d(own)
    shape = advice.shape
    executed = own if executed is None else np.atleast_2d(executed)
    context = np.zeros(shape, dtype=np.int64) if context is None else np.atleast_2d(context)
    flag = np.full(shape, followed)
    zeros = np.zeros(shape[0], dtype=np.int64)
    return Turn(
        states=np.zeros(shape, dtype=np.int64),
        context=context,
        own=own,
        advice=advice,
        advised=np.full(shape, advised),
        explored=np.zeros(shape, dtype=bool),
        followed=flag,
        executed=executed,
        trust=np.full(shape, 0.5),
        episode=zeros,
        slot=zeros,
    )


class Rolls:
    """A what-if that gives the returns it was told, and remembers what was asked."""

    def __init__(self, returns) -> None:
        self.returns = np.asarray(returns, dtype=float)

    def roll(self, actions, steps, draws, *, then=None, networks=None, discount=1.0):
        self.actions, self.networks = actions, networks
        self.steps, self.draws, self.discount, self.then = steps, draws, discount, then
        return self.returns[: len(networks), :, None]


def nothing():
    raise AssertionError("the score needs no advantage")


def own_policy(networks):
    return networks


def test_the_folder_is_the_registry() -> None:
    assert TRUSTS.names() == ["ab", "beta", "counterfactual", "score"]


def test_the_score_moves_by_the_sign_of_reward_minus_mean_reward() -> None:
    trust = ScoreTrust(AuraConfig(), ONE)
    turn = make_turn(1, 2)
    found, mean, score = [], None, 0.5
    for reward in [1.0, 2.0, 0.0, 3.0]:
        trust.learn(turn, np.array([[reward]]), nothing)
        mean = reward if mean is None else mean
        score += 0.05 * np.sign(reward - mean)
        mean += 0.05 * (reward - mean)
        found.append((trust.follow_probability(turn.advice, turn.context)[0, 0], score))
    assert found[1][0] == pytest.approx(0.55)
    assert found[2][0] == pytest.approx(0.5)
    assert found[3][0] == pytest.approx(0.55)
    for value, expected in found:
        assert value == pytest.approx(expected)


def test_the_score_stays_as_it_is_where_advice_was_not_followed_and_within_its_limits() -> None:
    trust = ScoreTrust(AuraConfig(), ONE)
    trust.learn(make_turn(1, 2, followed=False), np.array([[0.0]]), nothing)
    trust.learn(make_turn(1, 2, followed=False), np.array([[9.0]]), nothing)
    assert trust.level(np.array([[1]]), np.array([[0]]))[0, 0] == 0.5
    for reward in np.arange(10.0, 40.0):
        trust.learn(make_turn(1, 2), np.array([[reward]]), nothing)
    assert trust.level(np.array([[1]]), np.array([[0]]))[0, 0] == 0.95


def test_counterfactual_trust_asks_advice_against_own_choice_with_the_others_as_they_will_act() -> None:
    trust = CounterfactualTrust(AuraConfig(), (2, 2, 4, 3))
    turn = make_turn([[3, 1], [2, 2]], [[0, 2], [2, 0]], [[3, 1], [1, 0]])
    what_if = Rolls(np.zeros((3, 2)))
    trust.ask(turn, np.zeros((2, 2)), what_if, own_policy)
    np.testing.assert_array_equal(what_if.networks, [0, 0, 1])
    # [asking agent's network, agent, (advice, own)]: the other agent does the executed option in both.
    np.testing.assert_array_equal(what_if.actions[0], [[3, 0], [1, 1]])
    np.testing.assert_array_equal(what_if.actions[1], [[3, 3], [1, 2]])
    np.testing.assert_array_equal(what_if.actions[2], [[1, 1], [2, 0]])
    np.testing.assert_array_equal(what_if.then, [0, 0, 0, 0, 1, 1])
    assert (what_if.steps, what_if.draws, what_if.discount) == (5, 1, 0.95)


def test_wins_and_losses_are_counted_with_decay_and_ties_change_nothing() -> None:
    trust = CounterfactualTrust(AuraConfig(), ONE)
    turn = make_turn(1, 2, context=2)
    for advice_return, own_return in [(2.0, 1.0), (2.0, 1.0), (0.0, 1.0), (1.0, 1.0)]:
        trust.ask(turn, np.zeros((1, 1)), Rolls([[advice_return, own_return]]), own_policy)
    wins, losses = trust.arrays()["wins"], trust.arrays()["losses"]
    assert wins[0, 0, 1, 2] == pytest.approx((1 * 0.995 + 1) * 0.995)
    assert losses[0, 0, 1, 2] == pytest.approx(1.0)
    assert wins.sum() == wins[0, 0, 1, 2]
    level = trust.level(turn.advice, turn.context)[0, 0]
    assert level == pytest.approx((1 + wins.sum()) / (2 + wins.sum() + losses.sum()))
    assert trust.level(turn.advice, np.array([[0]]))[0, 0] == 0.5


def test_advice_is_taken_exactly_when_a_beta_sample_exceeds_one_half() -> None:
    """The follow probability against samples of the Beta distribution by its inverse."""
    trust = CounterfactualTrust(AuraConfig(), ONE)
    turn = make_turn(1, 2)
    for gain in [1.0, 1.0, -1.0, 1.0]:
        trust.count(np.array([0]), np.array([0]), turn, np.array([gain]))
    wins, losses = (trust.arrays()[name][0, 0, 1, 0] for name in ("wins", "losses"))
    uniform = (np.arange(2000) + 0.5) / 2000
    sample = betaincinv(1 + wins, 1 + losses, 1 - uniform)
    taken = uniform < trust.follow_probability(turn.advice, turn.context)[0, 0]
    np.testing.assert_array_equal(taken, sample > 0.5)
    assert 0.6 < taken.mean() < 0.95


def test_only_a_share_of_the_disagreements_of_advised_agents_is_tried() -> None:
    what_if = Rolls(np.zeros((4, 2)))
    trust = CounterfactualTrust(AuraConfig(), (1, 4, 4, 3))
    turn = make_turn([1, 1, 1, 1], [2, 2, 1, 2])
    trust.ask(turn, np.array([[0.29, 0.31, 0.1, 0.2]]), what_if, own_policy)
    assert what_if.actions.shape == (2, 4, 2)
    quiet = Rolls(np.zeros((4, 2)))
    trust.ask(make_turn([1] * 4, [2] * 4, advised=False), np.zeros((1, 4)), quiet, own_policy)
    assert not hasattr(quiet, "actions")


def test_without_copies_of_the_network_counterfactual_trust_says_so() -> None:
    with pytest.raises(
        ConfigError, match=r"aura.trust = 'counterfactual', but must be 'ab' or 'score' where the network cannot"
    ):
        CounterfactualTrust(AuraConfig(), ONE).ask(make_turn(1, 2), np.zeros((1, 1)), None, own_policy)
