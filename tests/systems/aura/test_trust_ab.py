"""Trust from whole episodes with and without advice."""

from __future__ import annotations

from math import erf, sqrt

import numpy as np
import pytest

from ranpilot.errors import ConfigError
from ranpilot.systems.aura import AuraConfig
from ranpilot.systems.aura.controller import Aura
from ranpilot.systems.aura.trust.ab import AbTrust

NONE = np.zeros((1, 2), dtype=np.int64)


def make_trust(num: int = 1, **settings) -> AbTrust:
    return AbTrust(AuraConfig(trust="ab", **settings), (num, 2, 4, 3))


def end(trust: AbTrust, with_advice: bool, score: float) -> None:
    """One episode of network 0 in that arm; both agents have the same score."""
    trust.open_episode(np.full(1, 1.0 if with_advice else 0.0), np.full(1, 0.0 if with_advice else 1.0))
    trust._arm[...] = float(with_advice)
    trust.end_episode(np.array([0]), np.full((1, 2), score))


def test_trust_is_the_probability_that_episodes_with_advice_are_better() -> None:
    trust = make_trust(ab_decay=1.0, ab_score_sd=0.1)
    assert trust.level(NONE, NONE)[0, 0] == 0.5
    scores = {True: [0.5, 0.7], False: [0.4, 0.5, 0.6]}
    for with_advice, values in scores.items():
        for value in values:
            end(trust, with_advice, value)
    # By hand: means 0.6 and 0.5, squares 0.02 each, the prior counts as one episode with variance 0.01.
    variance = (0.01 + 0.02 + 0.02) / (1 + 5 - 2)
    z = 0.1 / sqrt(variance * (1 / 2 + 1 / 3))
    assert trust.level(NONE, NONE)[0].tolist() == pytest.approx([0.5 * (1 + erf(z / sqrt(2)))] * 2)


def test_an_arm_that_was_never_tried_is_as_likely_the_better_one_as_not() -> None:
    trust = make_trust()
    for _ in range(20):
        end(trust, True, 0.9)
    assert trust.level(NONE, NONE)[0, 0] == pytest.approx(0.5)


def test_older_scores_count_less_and_the_untried_arm_becomes_uncertain_again() -> None:
    trust = make_trust(ab_decay=0.5)
    for value in [0.2, 0.4]:
        end(trust, True, value)
    weight, mean = trust.arrays()["weight"], trust.arrays()["mean"]
    assert weight[0].tolist() == pytest.approx([0.0, 1.5])
    assert mean[0, 1] == pytest.approx((0.5 * 0.2 + 0.4) / 1.5)
    sure = make_trust(ab_decay=0.9)
    for step in range(40):
        end(sure, step % 2 == 0, (0.3 if step % 2 == 0 else 0.6) + 0.01 * (step % 3))
    before = sure.level(NONE, NONE)[0, 0]
    for _ in range(60):
        end(sure, False, 0.6)
    assert before < 1e-6
    assert sure.level(NONE, NONE)[0, 0] > 0.01


def test_an_episode_runs_with_advice_as_often_as_that_may_be_better_and_quiet_ones_are_not_drawn_twice() -> None:
    num = 4000
    trust = make_trust(num)
    trust._weight[...] = 1.0
    trust._mean[:, 1] = 0.06
    level = trust.level(np.zeros((num, 2), dtype=np.int64), np.zeros((num, 2), dtype=np.int64))[0, 0]
    assert 0.7 < level < 0.9
    draw = np.random.default_rng(0).random(num)
    margin = 4 * np.sqrt(0.25 / num)
    assert abs(trust.open_episode(draw, np.zeros(num)).mean() - level) < margin
    assert abs(trust.open_episode(draw, np.full(num, 0.1)).mean() - level) < margin
    assert abs(trust.open_episode(draw, np.full(num, 0.6)).mean() - 0.4) < margin
    np.testing.assert_array_equal(trust.open_episode(draw, np.zeros(num)), trust.open_episode(draw, np.zeros(num)))


def test_a_whole_episode_has_one_arm_in_test_too(hands) -> None:
    config = AuraConfig(train_episodes=40, trust="ab", epsilon_start=1e-9, epsilon_end=1e-9)
    controller, toy = Aura(config, hands.bad()), hands.Toy(8)
    controller.reset(hands.task, 8, 3, None)
    seen = np.zeros(2, dtype=int)
    for _ in range(60):
        arms, heeded = [], []
        for _ in range(5):
            executed = controller.act(toy.observation)
            turn = controller._turn
            arms.append(turn.advised[:, 0].copy())
            heeded.append((executed == turn.advice).all(axis=1))
            controller.observe(toy.step(executed))
        assert all((arm == arms[0]).all() for arm in arms)
        assert np.array(heeded)[:, arms[0]].all()
        seen += [int(arms[0].sum()), int((~arms[0]).sum())]
    assert seen.min() > 20


def test_good_advice_is_taken_and_bad_advice_left_without_copies_of_the_network(hands) -> None:
    usages = []
    for adviser in (hands.good(), hands.bad()):
        controller, toy = Aura(AuraConfig(train_episodes=120, trust="ab"), adviser), hands.Toy(6)
        controller.reset(hands.task, 6, 11, None)
        hands.play(controller, toy, 120)
        controller.take_usage()
        hands.play(controller, toy, 40)
        usages.append(controller.take_usage())
    assert usages[0].trust.mean() > 0.9
    assert usages[1].trust.mean() < 0.1
    assert usages[1].used.mean() < 0.1


def test_an_adviser_that_turns_is_found_out(hands) -> None:
    state = {"turned": False}

    def advise(local):
        return hands.good().advise(local) if not state["turned"] else hands.bad().advise(local)

    controller, toy = Aura(AuraConfig(train_episodes=120, trust="ab"), hands.adviser(advise)), hands.Toy(6)
    controller.reset(hands.task, 6, 11, None)
    hands.play(controller, toy, 120)
    controller.take_usage()
    hands.play(controller, toy, 5)
    assert controller.take_usage().trust.mean() > 0.9
    state["turned"] = True
    hands.play(controller, toy, 60)
    controller.take_usage()
    hands.play(controller, toy, 20)
    assert controller.take_usage().trust.mean() < 0.1


def test_a_decision_in_an_episode_without_advice_says_so(hands) -> None:
    config = AuraConfig(train_episodes=0, trust="ab")
    controller, toy = Aura(config, hands.bad()), hands.Toy(4)
    controller.reset(hands.task, 4, 11, None)
    controller._trust._weight[...] = 50.0
    controller._trust._mean[:, 0] = 1.0
    controller._q.values[..., 2] = 1.0
    controller.act(toy.observation)
    assert controller.explain(0)[0].why == "Own learned choice 'keep'; this episode runs without advice."


def test_a_task_that_does_not_count_what_is_scored_is_refused(hands) -> None:
    from dataclasses import replace

    task = replace(hands.task, counters=("requests",))
    with pytest.raises(ConfigError, match=r"aura.trust = 'ab', but must be another for a task that does not count 'dr"):
        Aura(AuraConfig(trust="ab"), hands.good()).reset(task, 1, 0, None)
