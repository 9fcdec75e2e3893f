"""Answers on disk: the first one stays, all of a batch or none, and a broken file is named."""

from __future__ import annotations

import resource
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from ranpilot.errors import BackendError
from ranpilot.llm.memo import Memo, answer_key

SETTINGS = {"model_hash": "b179", "depth": 4}
OPTIONS = [" up", " down"]


def keys(*prompts: str) -> list[bytes]:
    return [answer_key(SETTINGS, prompt, OPTIONS) for prompt in prompts]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "memo" / "b179.sqlite"


def test_everything_that_decides_an_answer_is_in_its_key() -> None:
    asked = answer_key(SETTINGS, "a", OPTIONS)
    assert asked == answer_key(dict(reversed(SETTINGS.items())), "a", OPTIONS)
    others = [
        answer_key(SETTINGS | {"depth": 5}, "a", OPTIONS),
        answer_key(SETTINGS, "b", OPTIONS),
        answer_key(SETTINGS, "a", OPTIONS[::-1]),
        answer_key(SETTINGS, "a", [" up", " keep"]),
    ]
    assert len({asked, *others}) == 5


@pytest.mark.parametrize("on_disk", [True, False])
def test_the_first_answer_stays(path: Path, on_disk: bool) -> None:
    memo = Memo(path if on_disk else None)
    (key,) = keys("a")
    assert memo.find([key]) == {}
    np.testing.assert_array_equal(memo.keep({key: np.array([0.1, 0.2])})[key], [0.1, 0.2])
    np.testing.assert_array_equal(memo.keep({key: np.array([0.3, 0.4])})[key], [0.1, 0.2])
    np.testing.assert_array_equal(memo.find([key])[key], [0.1, 0.2])


def test_who_writes_second_gets_the_first_answer_of_another_process(path: Path) -> None:
    (key,) = keys("a")
    one, two = Memo(path), Memo(path)
    assert one.find([key]) == two.find([key]) == {}
    one.keep({key: np.array([0.1, 0.2])})
    np.testing.assert_array_equal(two.keep({key: np.array([0.3, 0.4])})[key], [0.1, 0.2])
    np.testing.assert_array_equal(Memo(path).find([key])[key], [0.1, 0.2])


def test_more_answers_than_one_query_takes_come_back_exactly(path: Path) -> None:
    many = keys(*(f"prompt {n}" for n in range(1234)))
    values = np.random.default_rng(1).normal(size=(1234, 2))
    Memo(path).keep(dict(zip(many, values, strict=True)))
    found = Memo(path).find(many)
    np.testing.assert_array_equal(np.stack([found[key] for key in many]), values)


@pytest.mark.parametrize("content", [b"this is no database" * 99, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_named_with_what_to_do(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(BackendError, match=r"b179\.sqlite: this memo of answers is damaged .*; delete the file"):
        Memo(path).find(keys("a"))


def test_a_file_cut_short_is_named_with_what_to_do(path: Path) -> None:
    many = keys(*(f"prompt {n}" for n in range(2000)))
    Memo(path).keep({key: np.zeros(2) for key in many})
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(BackendError, match=r"this memo of answers is damaged .*; delete the file"):
        Memo(path).find(many)


def test_a_full_disk_keeps_what_was_there_and_half_of_nothing(path: Path) -> None:
    memo, many = Memo(path), keys(*(f"prompt {n}" for n in range(3000)))
    memo.keep({many[0]: np.zeros(2)})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 8192, hard))
    try:
        with pytest.raises(BackendError, match=r"b179\.sqlite: (the disk is full|.* look for room)"):
            memo.keep({key: np.ones(2) for key in many})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(Memo(path).find(many)) == [many[0]]


def test_a_locked_file_is_waited_for_and_then_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ranpilot.llm.memo.LOCK_TIMEOUT_S", 0.05)
    memo = Memo(path)
    holder = sqlite3.connect(path)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(BackendError, match=r"another process has kept this memo of answers locked for 0\.05 s"):
            memo.keep({keys("a")[0]: np.zeros(2)})
    finally:
        holder.close()
