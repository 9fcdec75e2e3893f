"""The shipped corpus: its size and spread, its labels on the levels of the rule, stories without words of need."""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from ranpilot.twin.tenants import DIMENSIONS, LEVELS, PHRASINGS, SPLITS, Tenant, load_corpus

DOC = (Path(__file__).parents[3] / "docs" / "tenant_corpus.md").read_text(encoding="utf-8")
CORPUS = load_corpus()
FAMILIES = CORPUS.families
LENGTHS = {"name": (2, 9), "need": (20, 60), "story": (10, 60), "ticket": (10, 45), "casual": (4, 40)}


def test_every_family_is_told_in_all_five_ways() -> None:
    assert len(FAMILIES) >= 150
    for family in FAMILIES:
        assert [phrasing for phrasing, _ in family.texts.items()] == list(PHRASINGS)


def test_texts_are_plain_lines_of_a_fitting_length() -> None:
    for tenant in CORPUS.tenants():
        assert tenant.text.isascii() and tenant.text == " ".join(tenant.text.split())
        low, high = LENGTHS[tenant.phrasing]
        assert low <= len(tenant.text.split()) <= high, tenant


def test_every_label_is_a_level_and_every_level_is_used() -> None:
    for dimension in DIMENSIONS:
        used = Counter(family.sla.level(dimension) for family in FAMILIES)
        assert set(used) == set(range(len(LEVELS[dimension])))
        assert min(used.values()) >= 20


def test_no_class_is_rare_and_none_is_the_rule() -> None:
    classes = Counter(family.sla.service_class for family in FAMILIES)
    assert len(classes) == 5 and min(classes.values()) >= 20
    assert max(classes.values()) <= 0.35 * len(FAMILIES)
    assert all(f"| `{name}` | {count} |" in DOC for name, count in classes.items())
    assert f"{len(FAMILIES)} services" in DOC and f"{len(CORPUS.tenants())} texts" in DOC


def test_an_industry_does_not_tell_the_needs() -> None:
    of_industry = defaultdict(list)
    for family in FAMILIES:
        of_industry[family.industry].append(family.sla)
    assert len(of_industry) >= 12
    for slas in of_industry.values():
        assert len({sla.delay_budget_ms for sla in slas}) >= 4
        assert len({sla.priority for sla in slas}) >= 3
        assert len({sla.service_class for sla in slas}) >= 3


def test_a_file_holds_the_families_of_its_industry() -> None:
    for entry in (files("ranpilot.twin.tenants") / "families").iterdir():
        industry = entry.name.removesuffix(".jsonl")
        lines = entry.read_text(encoding="utf-8").splitlines()
        assert len(lines) == sum(family.industry == industry for family in FAMILIES) >= 10


def test_no_dimension_gives_another_one_away() -> None:
    levels = {name: [family.sla.level(name) for family in FAMILIES] for name in DIMENSIONS}
    for one, other in itertools.combinations(DIMENSIONS, 2):
        assert abs(spearmanr(levels[one], levels[other]).statistic) < 0.7


def test_stories_contain_no_word_of_need() -> None:
    block = re.search(r"```need-words\n(.*?)```", DOC, re.DOTALL)
    assert block is not None and len(block[1].split()) > 100
    stems = (re.escape(word).replace(r"\*", r"[\w-]*") for word in block[1].split())
    need_word = re.compile(rf"(?<![\w-])({'|'.join(stems)})(?![\w-])", re.IGNORECASE)
    assert need_word.search("It must not stall") and not need_word.search("a lateral wall")
    found = {tenant.family: need_word.findall(tenant.text) for tenant in _told("story")}
    assert {family: words for family, words in found.items() if words} == {}


def test_no_common_word_of_the_stories_stands_for_one_delay() -> None:
    delays = defaultdict(list)
    for tenant in _told("story"):
        for word in set(_words(tenant.text)):
            delays[word].append(tenant.sla.delay_budget_ms)
    shares = {word: max(Counter(found).values()) / len(found) for word, found in delays.items() if len(found) >= 8}
    assert len(shares) > 50
    assert {word: share for word, share in shares.items() if share > 0.8} == {}


@pytest.mark.parametrize(("length", "most_shared"), [(4, 0.01), (5, 0.003), (7, 0.0003)])
def test_families_are_not_told_by_a_template(length: int, most_shared: float) -> None:
    families = defaultdict(set)
    for tenant in CORPUS.tenants():
        words = _words(tenant.text)
        for start in range(len(words) - length + 1):
            families[tuple(words[start : start + length])].add(tenant.family)
    shared = {words: names for words, names in families.items() if len(names) > 1}
    assert len(shared) <= most_shared * len(families)
    assert max(map(len, shared.values()), default=0) <= 7


def test_openings_vary_within_each_phrasing() -> None:
    for phrasing in PHRASINGS:
        openings = Counter(" ".join(_words(tenant.text)[:2]) for tenant in _told(phrasing))
        assert max(openings.values()) <= 0.07 * len(FAMILIES)


def test_splits_are_about_as_large_as_they_say() -> None:
    share = {split: len({t.family for t in CORPUS.tenants(split)}) / len(FAMILIES) for split in SPLITS}
    for split, expected in zip(SPLITS, (0.65, 0.15, 0.2), strict=True):
        assert abs(share[split] - expected) < 4 * np.sqrt(expected * (1 - expected) / len(FAMILIES))
    for split in SPLITS:
        assert len({tenant.sla.service_class for tenant in CORPUS.tenants(split)}) == 5


def test_the_rule_names_every_level_with_its_value() -> None:
    for levels in LEVELS.values():
        for level in levels:
            row = re.search(rf"\| `{level.name}` \| ([\d.]+)( m?s| Mbit/s)?\b", DOC)
            assert row is not None
            assert float(row[1]) * (1000 if row[2] == " s" else 1) == level.value


def test_the_example_in_the_docs_runs(capsys: pytest.CaptureFixture[str]) -> None:
    block = re.search(r"```python\n(.*?)```", DOC, re.DOTALL)
    assert block is not None
    exec(compile(block[1], "tenant_corpus.md", "exec"), {})
    assert capsys.readouterr().out.strip()


def _told(phrasing: str) -> Iterable[Tenant]:
    return (tenant for tenant in CORPUS.tenants() if tenant.phrasing == phrasing)


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9']+", text.lower())
