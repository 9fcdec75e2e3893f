"""Scores against numbers by hand."""

from __future__ import annotations

import numpy as np
import pytest

from ranpilot.systems.rldtf.choices import Ground
from ranpilot.systems.rldtf.evaluation import evaluate_choices, table
from ranpilot.systems.rldtf.scores import certain, flips, regrets, score
from ranpilot.systems.rldtf.yardsticks import best_constant, ignoring_text, make_rows, oracle

RETURNS = np.array([[3.0, 1.0, 0.0, 2.0], [0.0, 5.0, 4.0, 1.0], [2.0, 2.0, 0.0, 2.0]])[:, :, None] + np.zeros(2)


def test_the_regret_of_the_best_constant_is_as_computed_by_hand(make) -> None:  # type: ignore[no-untyped-def]
    """Means of the columns: 5/3, 8/3, 4/3, 5/3, so the second action; its regrets are 2, 0 and 0."""
    labels = make(RETURNS)
    ground = Ground("hand", None, labels)  # type: ignore[arg-type]
    chosen = labels.mean.mean(axis=0).argmax()
    assert chosen == 1
    regret = regrets(labels, certain(np.full(3, chosen), 4))
    np.testing.assert_allclose(regret, [2.0, 0.0, 0.0])
    (found,) = [entry for entry in score("hand", "constant", labels, certain(np.full(3, 1), 4)) if entry.group == "all"]
    assert found.regret == pytest.approx(2 / 3)
    assert found.regret_se == pytest.approx(np.std([2, 0, 0], ddof=1) / np.sqrt(3))
    assert found.accuracy == pytest.approx(2 / 3)
    assert ground.labels is labels


def test_chance_expects_the_mean_and_ties_count_as_right(make) -> None:  # type: ignore[no-untyped-def]
    labels = make(RETURNS)
    found = next(iter(score("hand", "random", labels, np.full((3, 4), 0.25))))
    assert found.regret == pytest.approx(np.mean([3 - 1.5, 5 - 2.5, 2 - 1.5]))
    assert found.accuracy == pytest.approx(np.mean([0.25, 0.25, 0.75]))


def test_the_oracle_of_the_labels_has_no_regret(paper: Ground) -> None:
    assert regrets(paper.labels, oracle(paper, paper, 0)).max() == 0
    constant = regrets(paper.labels, best_constant(paper, paper, 0)).mean()
    single = [regrets(paper.labels, certain(np.full(len(paper.labels), k), 4)).mean() for k in range(4)]
    assert constant == pytest.approx(min(single))


def test_a_state_flips_where_both_sides_are_clear(make) -> None:  # type: ignore[no-untyped-def]
    noise = np.array([-0.1, 0.1, -0.1, 0.1])
    base = np.zeros((5, 2, 4))
    returns, calm = base + noise, base + noise
    returns[:, 0] += 1.0  # the first action is best with the event, by 1 on every draw
    calm[0, 1] += 1.0  # clear: another one is best without it
    calm[1, 0] += 1.0  # the same one is best without it
    calm[2, 1] += np.array([5.0, -5.0, 5.0, -4.0])  # better on average, but within its error
    calm[3, 1] += 1.0
    returns[3, 0] = calm[3, 1] * 0 + np.array([9.0, -8.0, 9.0, -8.0])  # best with the event, but within its error
    calm[4] = np.nan
    labels = make(returns, calm, ["a text"] * 4 + [""])
    np.testing.assert_array_equal(flips(labels), [True, False, False, False, False])
    np.testing.assert_array_equal(ignoring_text(None, Ground("", SPEC, labels), 0)[0], [0.0, 1.0])  # type: ignore[arg-type]


class SPEC:
    num_actions = 2


def test_every_yardstick_gives_probabilities_and_trees_beat_a_constant(paper: Ground) -> None:
    rows = make_rows(paper, paper)
    for name, probability in rows.items():
        np.testing.assert_allclose(probability.sum(axis=1), 1.0, err_msg=name)
    regret = {name: regrets(paper.labels, probability).mean() for name, probability in rows.items()}
    assert regret["oracle of the labels"] == 0
    assert regret["trees on numbers"] < regret["best constant"]
    assert regret["trees on words"] < regret["best constant"]


def test_the_table_has_a_line_for_every_row(paper: Ground) -> None:
    class Mover:
        name, model_hash = "mover", "0"

        def choose(self, prompts: list[str], options: tuple[str, ...]) -> np.ndarray:
            return np.tile([-9.0, -9.0, -9.0, 0.0], (len(prompts), 1))

    scores = evaluate_choices({"mover": Mover()}, [paper], [paper])
    lines = table(scores, "aura-paper")
    assert [line[0] for line in lines][-1] == "mover"
    assert all(len(line) == len(lines[0]) for line in lines)
    moved = next(entry for entry in scores if entry.row == "mover" and entry.group == "all")
    assert moved.regret == pytest.approx(regrets(paper.labels, certain(np.full(len(paper.labels), 3), 4)).mean())
