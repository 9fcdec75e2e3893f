"""Reading corpora: what is refused, in one sentence; splits by hashes that do not move."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ranpilot.errors import ConfigError, InputError, UnknownNameError
from ranpilot.twin.tenants import PHRASINGS, SPLITS, Sla, family_split, load_corpus, phrasing_split

SLA = {"delay_budget_ms": 33, "reliability": 0.97, "priority": 2, "served_share": 0.9, "rate_mbps": 3}


def line(name: str = "kite-cam", **changes: Any) -> dict[str, Any]:
    return {"name": name, "industry": "air", "sla": SLA, "texts": {"need": f"The {name} sees us."}, **changes}


def write(folder: Path, *lines: object, name: str = "mine.jsonl") -> Path:
    path = folder / name
    texts = [text if isinstance(text, str) else json.dumps(text) for text in lines]
    path.write_text("".join(text + "\n" for text in texts), encoding="utf-8")
    return path


def test_a_corpus_of_ones_own_may_have_other_values_and_fewer_phrasings(tmp_path: Path) -> None:
    corpus = load_corpus(write(tmp_path, line(), "", line("kite-two")))
    assert [family.name for family in corpus.families] == ["kite-cam", "kite-two"]
    assert corpus.family("kite-cam").sla.delay_budget_ms == 33
    assert [(t.family, t.phrasing) for t in corpus.tenants()] == [("kite-cam", "need"), ("kite-two", "need")]


def test_a_folder_is_read_file_by_file(tmp_path: Path) -> None:
    write(tmp_path, line("second"), name="b.jsonl")
    write(tmp_path, line("first"), name="a.jsonl")
    assert [family.name for family in load_corpus(str(tmp_path)).families] == ["first", "second"]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("{", "line = '{', but must be a JSON object (Expecting property name enclosed in double quotes at column 2)."),
        ("[1]", "line = '[1]', but must be a JSON object."),
        (line(sla={**SLA, "priority": 7}), "sla.priority = 7, but must be at most 4."),
        (line(sla={**SLA, "priority": 2.5}), "sla.priority = 2.5, but must be a whole number."),
        (line(sla={**SLA, "delay_budget_ms": "5"}), "sla.delay_budget_ms = '5', but must be a number."),
        (line(sla={**SLA, "served_share": 0}), "sla.served_share = 0, but must be above 0."),
        (line(sla={**SLA, "rate_mbps": float("nan")}), "sla.rate_mbps = nan, but must be a finite number."),
        (line(sla={"priority": 1}), "sla.delay_budget_ms = None, but must be given."),
        (line(name="Kite Cam"), "name = 'Kite Cam', but must be lower-case words and digits joined by '-'."),
        (line(texts={}), "texts.name = None, but must be given, or another phrasing (need, story, ticket, casual)."),
        (line(texts={"need": " "}), "texts.need = ' ', but must be one printable line of 1 to 1000 characters."),
        (line(texts={"need": "a\nb"}), r"texts.need = 'a\nb', but must be one printable line of 1 to 1000 characters."),
        (line(texts={"need": 3}), "texts.need = 3, but must be a text."),
        (
            line(sla={**SLA, "prioritty": 1}),
            "sla.prioritty = 1, but must be left out (no such key; did you mean 'priority'; "
            "known: delay_budget_ms, reliability, priority, served_share, rate_mbps).",
        ),
    ],
)
def test_a_wrong_line_is_refused_in_one_sentence(tmp_path: Path, wrong: object, sentence: str) -> None:
    path = write(tmp_path, line("fine"), wrong)
    with pytest.raises(ConfigError) as caught:
        load_corpus(path)
    assert str(caught.value) == f"{path}:2: {sentence}"


def test_names_and_texts_belong_to_one_family(tmp_path: Path) -> None:
    path = write(tmp_path, line(), line())
    with pytest.raises(
        ConfigError, match=rf"jsonl:2: name = 'kite-cam', but must be given once \(it stands in {path}:1"
    ):
        load_corpus(path)
    path = write(tmp_path, line(), line("other", texts=line()["texts"]))
    with pytest.raises(ConfigError, match=r"texts.need = 'The kite-cam sees us.', but must be told of one family only"):
        load_corpus(path)


def test_an_empty_corpus_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "")
    with pytest.raises(ConfigError, match=f"^{re.escape(str(path))}: families = 0, but must be at least 1.$"):
        load_corpus(path)
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match=r"none: no file ends with .jsonl, but a corpus must have at least one.$"):
        load_corpus(tmp_path / "none")


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere.jsonl: cannot be read \(No such file or directory\).$"):
        load_corpus(tmp_path / "nowhere.jsonl")
    (tmp_path / "bytes.jsonl").write_bytes(b"ab\xff")
    with pytest.raises(InputError, match=r"bytes.jsonl: byte 2 is not UTF-8, but the whole file must be.$"):
        load_corpus(tmp_path / "bytes.jsonl")


def test_a_split_without_tenants_is_refused(tmp_path: Path) -> None:
    corpus = load_corpus(write(tmp_path, line()))
    empty = next(split for split in SPLITS if split != family_split("kite-cam"))
    with pytest.raises(
        ConfigError, match=f"tenants in families {empty}, phrasings all, fold 0 = 0, but must be at least 1"
    ):
        corpus.tenants(empty)


def test_an_unknown_family_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'kite-cam'"):
        load_corpus(write(tmp_path, line())).family("kite-can")


def test_a_loaded_family_cannot_be_changed() -> None:
    family = load_corpus().families[0]
    with pytest.raises(ValidationError, match="frozen"):
        family.sla.priority = 1  # type: ignore[misc]


def test_splits_do_not_overlap_and_leave_nothing_out() -> None:
    corpus = load_corpus()
    parts = [corpus.tenants(families, phrasings) for families in SPLITS for phrasings in SPLITS]
    assert sorted(tenant.text for part in parts for tenant in part) == sorted(t.text for t in corpus.tenants())
    assert corpus.tenants("train", fold=0) != corpus.tenants("train", fold=1)


def test_splits_stay_where_they_are() -> None:
    names = ("telesurgery", "toy-car-race", "card-terminal", "siren-trigger")
    assert [family_split(name) for name in names] == ["train", "train", "train", "heldout"]
    splits = [phrasing_split("telesurgery", phrasing) for phrasing in PHRASINGS]
    assert splits == ["heldout", "train", "validation", "train", "train"]


def test_three_phrasings_are_trained_on_one_validates_and_one_is_held_out() -> None:
    for name in ("telesurgery", "kite-cam"):
        for fold in range(3):
            splits = sorted(phrasing_split(name, phrasing, fold) for phrasing in PHRASINGS)
            assert splits == ["heldout", "train", "train", "train", "validation"]


@pytest.mark.parametrize(
    ("delay_budget_ms", "rate_mbps", "expected"),
    [(5, 0.1, "urllc"), (20, 10, "hdllc"), (100, 1, "embb"), (500, 0.1, "transaction"), (2000, 0.1, "miot")],
)
def test_the_class_follows_from_delay_and_rate(delay_budget_ms: float, rate_mbps: float, expected: str) -> None:
    sla = Sla.model_validate({**SLA, "delay_budget_ms": delay_budget_ms, "rate_mbps": rate_mbps})
    assert sla.service_class == expected


def test_a_value_between_levels_has_no_level() -> None:
    with pytest.raises(ConfigError, match=r"level of delay = 33.0, but must be one of 5, 20, 100, 500, 2000, 10000"):
        Sla.model_validate(SLA).level("delay")
