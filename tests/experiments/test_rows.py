"""The rows of AURA's comparison: all there, each with networks and a controller of its own."""

from __future__ import annotations

import pytest

from ranpilot.errors import ConfigError
from ranpilot.experiments.aura_rows import BAD_ADVISERS, TEXT_ROWS, TRUSTS, aura_rows
from ranpilot.experiments.controllers import make_controller
from ranpilot.experiments.design import Experiment, Row
from ranpilot.experiments.rows import aura_experiment

ROWS = {row.label: row for row in aura_rows(10)}
MEASURED_BEFORE = (
    "marl-only", "guided", "aura", "guided-score", "guided-random-counterfactual", "guided-random-score",
    "guided-maintain-counterfactual", "guided-maintain-score", "guided-inverted-rules-counterfactual",
    "guided-inverted-rules-score", "guided-untrained", "rules", "kpm-rules", "always-handoff", "maintain", "random",
    "lookahead-oracle",
)  # fmt: skip


def test_every_row_has_networks_of_its_own_and_keeps_them() -> None:
    assert sorted(row.block for row in ROWS.values()) == list(range(len(ROWS)))
    assert tuple(sorted(MEASURED_BEFORE, key=lambda label: ROWS[label].block)) == MEASURED_BEFORE


def test_on_paper_every_baseline_trust_and_adviser_is_compared() -> None:
    experiment = aura_experiment("aura-paper")
    labels = {row.label for row in experiment.rows}
    assert labels == set(ROWS) - {*TEXT_ROWS.values(), "aura-inverted-rules-counterfactual"}
    advised = {(row.adviser, row.trust) for row in experiment.rows}
    assert advised >= {(adviser, trust) for adviser in BAD_ADVISERS.values() for trust in TRUSTS}
    assert {row.kind for row in experiment.rows} == {"aura", "heuristic", "adviser", "dqn"}
    assert (experiment.seeds, experiment.train_episodes, experiment.test_episodes) == (20, 500, 100)
    assert experiment.loads == ("low", "normal", "high")


def test_on_the_twin_all_rows_share_networks_and_every_reader_has_its_blind_twin() -> None:
    experiment = aura_experiment("two-cell")
    assert experiment.shared_networks
    assert (experiment.loads, experiment.seeds) == (("high",), 10)
    for reader, blind in TEXT_ROWS.items():
        with_text, without = experiment.row(reader), experiment.row(blind)
        assert without.adviser == f"{with_text.adviser}+no-text"
        assert (without.name, without.trust) == (with_text.name, with_text.trust)


def test_what_a_row_costs_and_where_it_is_shown_is_nothing_a_run_must_agree_in() -> None:
    row = aura_experiment("aura-paper").row("guided")
    assert row.cost > 1
    assert row.group == "advised by rules"
    assert not {"cost", "group"} & set(row.model_dump())


def test_ten_times_longer_training_moves_nobodys_test() -> None:
    whole, few = aura_experiment("aura-paper"), aura_experiment("aura-paper", rows=["marl-only", "rules"])
    long, short = whole.row("marl-only-10x"), whole.row("marl-only")
    assert whole.phases(long) == (range(5000), range(5000, 5100))
    assert whole.phases(short) == few.phases(short) == (range(500), range(5000, 5100))
    assert few.phases(few.row("rules")) == (range(5000, 5000), range(5000, 5100))


def test_the_test_begins_after_the_longest_training() -> None:
    rows = tuple(ROWS[label].model_copy(update={"train_factor": factor}) for label, factor in (("dqn", 1), ("aura", 3)))
    experiment = Experiment(name="x", scenario="aura-paper", loads=("low",), rows=rows, train_episodes=4)
    assert [experiment.phases(row)[1].start for row in rows] == [12, 12]


def test_work_done_counts_no_episode_of_the_gap_between_training_and_test() -> None:
    experiment = aura_experiment("aura-paper", train_episodes=10, test_episodes=5)
    row = experiment.row("marl-only")
    assert experiment.phases(row) == (range(10), range(100, 105))
    assert [experiment.work(row, until) for until in (0, 7, 10, 100, 103, 105)] == [0, 7, 10, 10, 13, 15]
    assert experiment.work(row) == 15


MADE_WITHOUT_A_MODEL = [label for label, row in ROWS.items() if not (row.adviser or "").startswith("embedded")]


@pytest.mark.parametrize("label", MADE_WITHOUT_A_MODEL)
def test_every_row_has_a_controller(label: str) -> None:
    experiment = aura_experiment("aura-paper", rows=[label])
    controller = make_controller(experiment, experiment.row(label))
    assert callable(controller.act)


def test_a_row_may_change_only_what_its_learner_has() -> None:
    row = Row(label="x", kind="aura", name="marl-only", block=0, settings={"alpha_role": "visits"})
    with pytest.raises(ConfigError, match="alpha_role"):
        make_controller(aura_experiment("aura-paper", given=(row,)), row)


def test_an_adviser_that_decides_alone_must_be_named() -> None:
    row = Row(label="x", kind="adviser", name="alone", block=0)
    with pytest.raises(ConfigError, match="name of the adviser"):
        make_controller(aura_experiment("aura-paper", given=(row,)), row)
