"""Trust from the agents' own values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ranpilot.systems.aura import AuraConfig
from ranpilot.systems.aura.controller import Aura
from ranpilot.systems.aura.trust.beta import BetaTrust
from ranpilot.systems.aura.turn import Turn


def make_turn(advice: int, own: int, *, followed: bool, explored: bool = False) -> Turn:
    one, zero, yes = np.ones((1, 1), dtype=np.int64), np.zeros((1, 1), dtype=np.int64), np.ones((1, 1), dtype=bool)
    executed = advice if followed else own
    return Turn(
        states=zero,
        context=2 * one,
        own=own * one,
        advice=advice * one,
        advised=yes,
        explored=yes & explored,
        followed=yes & followed,
        executed=executed * one,
        trust=0.5 * one,
        episode=zero[:, 0],
        slot=zero[:, 0],
    )


def test_the_executed_one_wins_where_the_step_was_better_than_expected() -> None:
    trust = BetaTrust(AuraConfig(decay=0.9), (1, 1, 4, 3))
    reward = np.zeros((1, 1))
    for followed, advantage in [(True, 0.5), (True, 0.1), (True, -0.1), (False, -0.2)]:
        trust.learn(make_turn(1, 3, followed=followed), reward, lambda advantage=advantage: np.array([[advantage]]))
    wins, losses = trust.arrays()["wins"][0, 0, 1, 2], trust.arrays()["losses"][0, 0, 1, 2]
    assert wins.tolist() == pytest.approx([0.0, (0.9 + 1) * 0.9])
    assert losses.tolist() == pytest.approx([1.0, 1.0])
    assert trust.arrays()["wins"].sum() == pytest.approx(wins.sum())


@pytest.mark.parametrize(
    "turn",
    [
        make_turn(1, 1, followed=False),
        make_turn(-1, 1, followed=False),
        make_turn(1, 3, followed=False, explored=True),
    ],
)
def test_agreement_silence_and_exploration_teach_nothing(turn: Turn) -> None:
    trust = BetaTrust(AuraConfig(), (1, 1, 4, 3))
    trust.learn(turn, np.zeros((1, 1)), lambda: np.ones((1, 1)))
    assert not trust.arrays()["wins"].any()


@pytest.mark.parametrize("counts", [(0, 0, 0, 0), (3, 1, 1, 3), (40, 5, 20, 20), (0, 6, 0, 1), (150, 20, 130, 30)])
def test_the_follow_probability_is_that_of_one_sample_exceeding_the_other(counts: tuple[int, ...]) -> None:
    trust = BetaTrust(AuraConfig(), (1, 1, 2, 1))
    own_wins, own_losses, wins, losses = counts
    trust._wins[0, 0, 1, 0] = [own_wins, wins]
    trust._losses[0, 0, 1, 0] = [own_losses, losses]
    rng = np.random.default_rng(0)
    own = rng.beta(1 + own_wins, 1 + own_losses, 400_000)
    expected = (rng.beta(1 + wins, 1 + losses, 400_000) > own).mean()
    at = np.array([[1]]), np.array([[0]])
    assert trust.follow_probability(*at)[0, 0] == pytest.approx(expected, abs=0.02)


def test_the_advantage_is_reward_and_discounted_value_over_what_was_expected(hands) -> None:
    controller, toy = Aura(AuraConfig(trust="beta", epsilon_start=1e-9, epsilon_end=1e-9), hands.good()), hands.Toy(3)
    controller.reset(hands.task, 3, 0, None)
    controller._q.values[...] = np.random.default_rng(0).random(controller._q.values.shape)
    found = {}
    controller._trust.learn = lambda turn, reward, advantage: found.update(advantage=advantage(), reward=reward)
    before = controller._q.values.copy()
    obs = toy.observation
    outcome = toy.step(controller.act(obs))
    outcome = replace(outcome, terminated=np.array([False, True, False]))
    controller.observe(outcome)
    for network in range(3):
        for agent in range(2):
            state, after = (controller._q.read(o.local)[1][network, agent] for o in (obs, outcome.next_obs))
            table = before[network, agent]
            following = 0.0 if network == 1 else 0.95 * table[after].max()
            expected = outcome.reward[network, agent] + following - table[state].max()
            assert found["advantage"][network, agent] == pytest.approx(expected)


def test_it_follows_good_advice_more_than_bad_advice(hands) -> None:
    levels = []
    for adviser in (hands.good(), hands.bad()):
        controller, toy = Aura(AuraConfig(train_episodes=100, trust="beta"), adviser), hands.Toy(6)
        controller.reset(hands.task, 6, 11, None)
        hands.play(controller, toy, 100)
        controller.take_usage()
        hands.play(controller, toy, 20)
        levels.append(np.nanmean(controller.take_usage().trust))
    assert levels[0] > levels[1] + 0.2
