from __future__ import annotations

import numpy as np
import pytest

from ranpilot.errors import ConfigError
from ranpilot.systems.aura import AuraConfig
from ranpilot.systems.aura.alignment_score import alignment_score
from ranpilot.systems.aura.credit import AlignmentController


def outcome_of(hands, *, requests, dropped, served, power):
    """An outcome of one network with these counts of both agents."""
    toy = hands.Toy(1)
    outcome = toy.step(np.zeros((1, 2), dtype=np.int64))
    for name, value in {"requests": requests, "dropped": dropped, "served": served, "power": power}.items():
        outcome.counts[name] = np.array([value], dtype=float)
    return outcome


def score_by_hand(requests, dropped, served, power, agent: int) -> float:
    other = 1 - agent
    rate = [dropped[i] / requests[i] for i in range(2)]
    efficiency = 1 - 2 * rate[agent] - 0.1 * power[agent]
    fairness = 1 - 2 * abs(rate[agent] - rate[other])
    adaptability = 2 * served[agent] - 1
    long_term = 1 - 2 * sum(dropped) / sum(requests)
    return 0.3 * efficiency + 0.2 * fairness + 0.2 * adaptability + 0.3 * long_term


def test_the_score_is_the_weighted_sum_by_hand() -> None:
    numbers = ([10.0, 20.0], [1.0, 8.0], [0.9, 0.7], [0.5, 1.0])
    found = alignment_score(*(np.array([values]) for values in numbers))
    expected = [score_by_hand(*numbers, agent) for agent in range(2)]
    np.testing.assert_allclose(found[0], expected)
    assert found[0, 0] == pytest.approx(0.3 * 0.75 + 0.2 * 0.4 + 0.2 * 0.8 + 0.3 * 0.4)


def test_the_score_is_bounded_and_counts_no_requests_as_none_dropped() -> None:
    zero, one = np.zeros((1, 2)), np.ones((1, 2))
    assert alignment_score(zero, zero, one, zero)[0, 0] == 1.0
    assert alignment_score(one, 5 * one, -4 * one, one)[0, 0] == -1.0
    assert alignment_score(one[:, :1], zero[:, :1], one[:, :1], zero[:, :1]).shape == (1, 1)


def run_windows(hands, rule: str, dropped_by_window: list[int], alpha: float = 0.05) -> np.ndarray:
    """Q-values [S, K] of agent 0 after windows of two one-step episodes: pair (1, 2) twice, or once and (0, 3)."""
    config = AuraConfig(credit=rule, credit_every=2, credit_alpha=alpha)
    values = np.zeros((1, 2, 3, 4))
    controller = AlignmentController(config, hands.task, values.shape)
    for dropped in dropped_by_window:
        for state, option in ((1, 2), (1, 2), (0, 3)):
            outcome = outcome_of(hands, requests=[4, 4], dropped=[dropped, 0], served=[0.8, 0.8], power=[0, 0])
            controller.record(np.array([[state, 0]]), np.array([[option, 0]]), outcome)
        controller.close_episodes(np.array([True]), values)
        controller.close_episodes(np.array([True]), values)
    return values[0, 0]


def test_the_uniform_rule_adds_the_score_to_every_visit(hands) -> None:
    values = run_windows(hands, rule="uniform", dropped_by_window=[1], alpha=0.1)
    score = score_by_hand([4, 4], [1, 0], [0.8, 0.8], [0, 0], 0)
    assert values[1, 2] == pytest.approx(2 * 0.1 * score)
    assert values[0, 3] == pytest.approx(0.1 * score)
    assert np.count_nonzero(values) == 2


def test_the_centred_rule_adds_the_difference_from_the_running_mean_once_for_each_pair(hands) -> None:
    assert np.count_nonzero(run_windows(hands, "centred", [1])) == 0
    values = run_windows(hands, "centred", [1, 0])
    before = score_by_hand([4, 4], [1, 0], [0.8, 0.8], [0, 0], 0)
    after = score_by_hand([4, 4], [0, 0], [0.8, 0.8], [0, 0], 0)
    assert values[1, 2] == values[0, 3] == pytest.approx(0.05 * 5 * (after - before))
    third = run_windows(hands, "centred", [1, 0, 0])
    mean = before + 0.2 * (after - before)
    assert third[1, 2] == pytest.approx(0.25 * (after - before) + 0.25 * (after - mean))


def test_a_window_is_a_number_of_episodes_and_begins_anew(hands) -> None:
    config = AuraConfig(credit="uniform", credit_every=3)
    values = np.zeros((1, 2, 3, 4))
    controller = AlignmentController(config, hands.task, values.shape)
    for _ in range(2):
        outcome = outcome_of(hands, requests=[1, 1], dropped=[0, 0], served=[1, 1], power=[0, 0])
        controller.record(np.array([[0, 0]]), np.array([[0, 0]]), outcome)
        controller.close_episodes(np.array([True]), values)
        assert not values.any()
    controller.close_episodes(np.array([True]), values)
    assert values[0, 0, 0, 0] == pytest.approx(2 * 0.05)
    assert not controller.arrays()["visits"].any()
    assert not controller.arrays()["sums"].any()


def test_a_task_that_does_not_count_what_is_scored_is_refused(hands) -> None:
    from dataclasses import replace

    task = replace(hands.task, counters=("requests", "dropped", "power"))
    with pytest.raises(
        ConfigError, match=r"aura.credit = 'centred', but must be 'none' for a task that does not count"
    ):
        AlignmentController(AuraConfig(credit="centred"), task, (1, 2, 3, 4))
