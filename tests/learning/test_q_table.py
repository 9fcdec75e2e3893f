from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ranpilot.declare import Measurement
from ranpilot.envs.controller import Feature, Observation, TaskSpec
from ranpilot.envs.words import levels
from ranpilot.errors import ConfigError
from ranpilot.learning.draws import draw_per_agent, draw_per_network
from ranpilot.learning.q_table import QTable, Seen, decay_epsilon


def make_task(edges: tuple[tuple[tuple[float, ...], ...], ...], actions: tuple[str, ...] = ("stay", "go")) -> TaskSpec:
    """A task whose features have these edges, [feature][agent], between 0 and 10."""
    num_agents = len(edges[0])
    features = tuple(
        Feature(
            Measurement(f"feature{d}", "1", "cell", 0, 10, "neither"),
            of_agents,
            tuple(tuple(f"w{level}" for level in range(len(own) + 1)) for own in of_agents),
            (0.0,) * num_agents,
            (10.0,) * num_agents,
        )
        for d, of_agents in enumerate(edges)
    )
    return TaskSpec(
        name="toy",
        scenario="toy",
        agents=tuple(f"agent{a}" for a in range(num_agents)),
        features=features,
        state_names=(),
        actions=actions,
        neutral_action=0,
        reward_terms=("reward",),
        counters=(),
        step_s=1.0,
        slots_per_step=1,
        episode_steps=10,
        neighbours=((),) * num_agents,
    )


def observe(local: np.ndarray) -> Observation:
    num = len(local)
    zeros = np.zeros(num, dtype=np.int64)
    return Observation(local, np.zeros((num, 0)), zeros, zeros == 0, zeros, np.full((num, 0), -1))


TWO_STATES = make_task((((5.0,),),))
UNEQUAL = make_task((((2.0, 4.0), (3.0,)), ((5.0,), (1.0, 2.0, 9.0))))


def learn_one(table: QTable, state: int, option: int, reward: float, after: int, discount: float, rate=(0.1, 0.0)):
    table.learn(
        np.array([[state]]), np.array([[option]]), np.array([[reward]]), np.array([[after]]), np.array([discount]), rate
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_levels_are_those_of_the_words_also_on_the_edges(dtype: type) -> None:
    rng = np.random.default_rng(0)
    local = np.round(rng.random((200, 2, 2)), 1).astype(dtype)
    found, _ = QTable(UNEQUAL, 200, 0).read(local)
    np.testing.assert_array_equal(found, levels(UNEQUAL, observe(local)))


def test_every_combination_of_levels_is_a_state_of_its_own() -> None:
    values = (np.array(np.meshgrid(np.arange(0, 10.5, 0.5), np.arange(0, 10.5, 0.5))).reshape(2, -1).T) / 10
    local = np.repeat(values[:, None, :], 2, axis=1)
    found, states = QTable(UNEQUAL, len(local), 0).read(local)
    for agent, count in ((0, 6), (1, 8)):
        pairs = {(*found[n, agent], states[n, agent]) for n in range(len(local))}
        assert {state for *_, state in pairs} == set(range(count))
        assert len(pairs) == count


def test_one_update_is_the_equation_by_hand() -> None:
    table = QTable(TWO_STATES, 1, 0)
    table.values[0, 0] = [[1.0, 2.0], [3.0, 5.0]]
    learn_one(table, state=0, option=1, reward=0.5, after=1, discount=0.9)
    assert table.values[0, 0, 0, 1] == pytest.approx(2.0 + 0.1 * (0.5 + 0.9 * 5.0 - 2.0))
    assert table.values[0, 0, 0, 0] == 1.0


def test_a_terminated_successor_counts_nothing() -> None:
    table = QTable(TWO_STATES, 1, 0)
    table.values[0, 0] = [[1.0, 2.0], [3.0, 5.0]]
    learn_one(table, state=0, option=1, reward=0.5, after=1, discount=0.0)
    assert table.values[0, 0, 0, 1] == pytest.approx(2.0 + 0.1 * (0.5 - 2.0))


def test_the_decaying_rate_is_the_visits_to_the_power_of_minus_point_six() -> None:
    table = QTable(TWO_STATES, 1, 0)
    expected = 0.0
    for visit, reward in enumerate([1.0, 0.0, 4.0], start=1):
        learn_one(table, state=1, option=0, reward=reward, after=0, discount=0.0, rate=(1.0, 0.6))
        expected += visit**-0.6 * (reward - expected)
    assert table.values[0, 0, 1, 0] == pytest.approx(expected)


def test_q_learning_finds_the_known_values_of_a_two_state_problem() -> None:
    """Staying in state 1 pays 1, everything else 0; with γ = 0.9 the values are 10, 9, 8.1 and 8.1."""
    num = 8
    table = QTable(TWO_STATES, num, seed=3)
    state = np.zeros((num, 1), dtype=np.int64)
    for step in range(4000):
        option = (draw_per_agent(3, 0, step, (num, 1))[:, :, 1] * 2).astype(np.int64)
        after = np.where(option == 1, 1 - state, state)
        reward = ((state == 1) & (option == 0)).astype(np.float64)
        table.learn(state, option, reward, after, np.full(num, 0.9), (0.2, 0.0))
        state = after
    expected = np.array([[8.1, 9.0], [10.0, 8.1]])
    np.testing.assert_allclose(table.values[:, 0], np.broadcast_to(expected, (num, 2, 2)), atol=0.02)
    np.testing.assert_array_equal(table.greedy(np.array([[0]] * num))[:, 0], 1)


def test_ties_do_not_favour_an_option_and_stay_broken_the_same_way() -> None:
    task = make_task((((1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0),),), ("a", "b", "c", "d"))
    table = QTable(task, 400, seed=1)
    states = np.arange(400)[:, None] % 10
    first = table.greedy(states)
    np.testing.assert_array_equal(first, table.greedy(states))
    shares = np.bincount(first[:, 0], minlength=4) / 400
    assert np.abs(shares - 0.25).max() < 4 * np.sqrt(0.25 * 0.75 / 400)


def test_a_greedy_policy_reads_the_table_of_the_network_of_each_row() -> None:
    table = QTable(TWO_STATES, 2, 0)
    table.values[0, 0, :, 1], table.values[1, 0, :, 0] = 1.0, 1.0
    act = table.policy(np.array([1, 0, 0, 1]))
    np.testing.assert_array_equal(act(observe(np.zeros((4, 1, 1))))[:, 0], [0, 1, 1, 0])


def test_random_numbers_depend_on_the_network_id_and_not_on_the_batch() -> None:
    whole = draw_per_agent(5, 0, 17, (6, 2))
    np.testing.assert_array_equal(whole[4:], draw_per_agent(5, 4, 17, (2, 2)))
    assert len(np.unique(whole)) == whole.size
    episode = np.full(6, 3)
    numbers = draw_per_network(5, 0, episode, 31)
    np.testing.assert_array_equal(numbers[2:], draw_per_network(5, 2, episode[2:], 31))
    np.testing.assert_array_equal(QTable(TWO_STATES, 6, 5).tables.first_option[4:],
                                  QTable(TWO_STATES, 2, 5, first_network=4).tables.first_option)  # fmt: skip


def test_exploration_falls_exponentially_and_ends_with_the_training() -> None:
    episodes = np.array([0, 150, 300, 499, 500, 900])
    found = decay_epsilon(episodes, 500, start=1.0, end=0.05, share=0.6)
    np.testing.assert_allclose(found, [1.0, np.sqrt(0.05), 0.05, 0.05, 0.0, 0.0])


def test_a_neighbours_levels_join_the_state() -> None:
    task = replace(UNEQUAL, neighbours=((1,), (0,)))
    seen = [Seen(0), Seen(1), Seen(1, of_neighbour=True)]
    rng = np.random.default_rng(1)
    local = rng.random((3000, 2, 2))
    found, states = QTable(task, 3000, 0, seen=seen).read(local)
    own = levels(task, observe(local))
    np.testing.assert_array_equal(found[:, :, :2], own)
    np.testing.assert_array_equal(found[:, :, 2], own[:, ::-1, 1])
    for agent, count in ((0, 3 * 2 * 4), (1, 2 * 4 * 2)):
        assert len({(*found[n, agent], states[n, agent]) for n in range(3000)}) == count
        assert set(states[:, agent]) == set(range(count))


def test_an_agent_without_a_neighbour_cannot_see_one() -> None:
    with pytest.raises(ConfigError, match=r"neighbours of 'agent0' = \(\), but must be at least one"):
        QTable(UNEQUAL, 1, 0, seen=[Seen(0, of_neighbour=True)])


def test_the_best_value_is_that_of_the_greedy_option() -> None:
    table = QTable(TWO_STATES, 2, 0)
    table.values[...] = np.arange(8.0).reshape(2, 1, 2, 2)
    np.testing.assert_array_equal(table.best_value(np.array([[1], [0]])), [[3.0], [5.0]])


def test_more_than_four_numbers_are_drawn_in_blocks_of_which_the_first_is_the_usual_one() -> None:
    many = draw_per_agent(5, 0, 17, (3, 2), count=20_000)
    np.testing.assert_array_equal(many[:, :, :4], draw_per_agent(5, 0, 17, (3, 2)))
    # Of 120 000 numbers of 32 bits one or two pairs may be equal; a counter used twice would repeat four at once.
    assert len(np.unique(many)) > many.size - 10
    assert not np.isin(draw_per_agent(5, 0, 17, (3, 2), stream=35), many[:, :, :100]).any()
