"""Agreement of two labellings: against scikit-learn, on made-up labels, and its refusals."""

from __future__ import annotations

import itertools
import json
import typing
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from ranpilot.errors import ConfigError
from ranpilot.experiments.tenant_labels import SecondLabel, agreement, blind_sheet, load_labels
from ranpilot.twin.tenants import DIMENSIONS, LEVELS, Corpus, load_corpus

CORPUS: Corpus = replace(load_corpus(), families=load_corpus().families[::4])
Choose = Callable[[str, int], int]
"""(dimension, first label) -> second label."""


def label(choose: Choose) -> list[SecondLabel]:
    sla_of = {tenant.text: tenant.sla for tenant in CORPUS.tenants()}
    labels = []
    for line in blind_sheet(CORPUS):
        sla = sla_of[line["text"]]
        chosen = {name: LEVELS[name][choose(name, sla.level(name))].name for name in DIMENSIONS}
        labels.append(SecondLabel.model_validate({"id": line["id"], **chosen}))
    return labels


def test_the_sheet_is_blind() -> None:
    sheet = blind_sheet(CORPUS)
    assert len(sheet) == 2 * len(CORPUS.families) == len({line["id"] for line in sheet})
    assert all(set(line) == {"id", "text"} for line in sheet)
    family_of = {tenant.text: tenant.family for tenant in CORPUS.tenants()}
    order = [family_of[line["text"]] for line in sheet]
    assert sum(a == b for a, b in itertools.pairwise(order)) <= 3


def test_labels_offer_exactly_the_levels() -> None:
    for dimension in DIMENSIONS:
        offered = typing.get_args(SecondLabel.model_fields[dimension].annotation)
        assert list(offered) == [level.name for level in LEVELS[dimension]]


def test_the_same_labels_agree_fully() -> None:
    for row in agreement(CORPUS, label(lambda _, first: first), resamples=50):
        for interval in (row.weighted_kappa, row.same, row.adjacent):
            assert (interval.estimate, interval.low, interval.high) == (1, 1, 1)


def test_random_labels_agree_by_chance_only() -> None:
    rng = np.random.default_rng(3)
    rows = agreement(CORPUS, label(lambda name, _: int(rng.integers(len(LEVELS[name])))), resamples=200)
    assert sum(row.weighted_kappa.low <= 0 <= row.weighted_kappa.high for row in rows) >= 0.8 * len(rows)
    assert all(row.weighted_kappa.high < 0.6 for row in rows)


def test_kappa_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(4)

    def choose(name: str, first: int) -> int:
        return int(np.clip(first + rng.integers(-1, 2), 0, len(LEVELS[name]) - 1))

    labels = label(choose)
    sla_of = {line["id"]: line["text"] for line in blind_sheet(CORPUS)}
    tenant_of = {tenant.text: tenant for tenant in CORPUS.tenants()}
    for row in agreement(CORPUS, labels, resamples=50):
        pairs = [(tenant_of[sla_of[answer.id]], answer) for answer in labels]
        chosen = [(t, answer) for t, answer in pairs if row.phrasing in (None, t.phrasing)]
        first = [t.sla.level(row.dimension) for t, _ in chosen]
        second = [answer.level(row.dimension) for _, answer in chosen]
        expected = cohen_kappa_score(first, second, weights="quadratic")
        assert row.weighted_kappa.estimate == pytest.approx(expected)
        assert row.same.estimate == pytest.approx(np.mean(np.array(first) == second))
        assert row.adjacent.estimate == 1
        assert row.weighted_kappa.low < row.weighted_kappa.estimate < row.weighted_kappa.high
        assert json.loads(json.dumps(row.as_json()))["weighted_kappa"]["n"] == row.num_texts == len(chosen)


def test_one_level_everywhere_has_no_kappa() -> None:
    rows = agreement(CORPUS, label(lambda name, first: 0), resamples=20)
    assert all(row.weighted_kappa.estimate == pytest.approx(0) for row in rows)


def test_labels_that_do_not_fit_the_sheet_are_refused() -> None:
    labels = label(lambda _, first: first)
    with pytest.raises(ConfigError, match=r"labels = 85, but must be 86, one for each text \(\w+ has none\)"):
        agreement(CORPUS, labels[1:], resamples=10)
    with pytest.raises(ConfigError, match="id = 'x', but must be an id of the sheet"):
        agreement(CORPUS, [*labels, labels[0].model_copy(update={"id": "x"})], resamples=10)


def test_a_wrong_label_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "second.jsonl"
    good = label(lambda _, first: first)[0].model_dump()
    path.write_text("\n".join(json.dumps(line) for line in (good, {**good, "id": "b", "delay": "soon"})))
    with pytest.raises(ConfigError, match="jsonl:2: delay = 'soon', but must be one of reflex, hand, talk"):
        load_labels(path)
    path.write_text("\n".join(json.dumps(line) for line in (good, good)))
    with pytest.raises(ConfigError, match=f"jsonl:2: id = '{good['id']}', but must be labelled once"):
        load_labels(path)
    path.write_text(json.dumps(good))
    assert load_labels(path) == (SecondLabel.model_validate(good),)
