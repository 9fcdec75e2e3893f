"""Prompts come from versioned files and take exactly their fields."""

from __future__ import annotations

from pathlib import Path

import pytest

from ranpilot.errors import ConfigError, UnknownNameError
from ranpilot.llm import Prompt, load_prompt


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "choose.v1.txt").write_text("{own} {other} {own} ->\n", encoding="utf-8")
    (tmp_path / "choose.v2.txt").write_text("Answer {{up}} or {{down}}: {own} ->", encoding="utf-8")
    return tmp_path


def test_a_prompt_is_its_text_without_the_newline_that_ends_the_file(folder: Path) -> None:
    prompt = load_prompt(folder, "choose", 1)
    assert prompt.fields == ("own", "other")
    assert prompt.render(own="full", other="light") == "full light full ->"
    assert load_prompt(folder, "choose", 2).render(own="{free}") == "Answer {up} or {down}: {free} ->"
    assert prompt.hash != load_prompt(folder, "choose", 2).hash


@pytest.mark.parametrize("values", [{"own": "a"}, {"own": "a", "other": "b", "more": "c"}, {}])
def test_fields_too_few_or_too_many_are_refused(folder: Path, values: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"fields of prompt 'choose' = .*, but must be exactly own, other\."):
        load_prompt(folder, "choose", 1).render(**values)


def test_a_value_that_is_no_text_is_refused(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"prompt field own = 3, but must be a text\."):
        load_prompt(folder, "choose", 2).render(own=3)  # type: ignore[arg-type]


def test_an_unknown_name_or_version_lists_what_there_is(folder: Path) -> None:
    expected = r"No prompt is called 'choose\.v3'; did you mean .* \(known: choose\.v1, choose\.v2\)"
    with pytest.raises(UnknownNameError, match=expected):
        load_prompt(folder, "choose", 3)


@pytest.mark.parametrize("text", ["{", "{}", "{0}", "{a.b}", "{a[0]}", "{a!r}", "{a:>5}"])
def test_a_text_with_more_than_plain_fields_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"prompt.* but must be"):
        Prompt("bad", 1, text)


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe"])
def test_a_file_that_is_no_prompt_is_refused_by_name(folder: Path, content: bytes) -> None:
    (folder / "choose.v1.txt").write_bytes(content)
    with pytest.raises(ConfigError, match=r"choose\.v1\.txt: prompt"):
        load_prompt(folder, "choose", 1)
