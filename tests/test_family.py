"""A folder is the registry of its parts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ranpilot.errors import ConfigError, UnknownNameError
from ranpilot.family import Family


@pytest.fixture
def fruits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Family[str]:
    folder = tmp_path / "fruits_for_test"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "red_apple.py").write_text('PART = "apple"\n')
    (folder / "_private.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("fruits_for_test", None)
    return Family("fruit", "fruits_for_test")


def test_a_file_in_the_folder_is_a_part_under_its_name(fruits: Family[str]) -> None:
    assert fruits.names() == ["red-apple"]
    assert fruits.load("red-apple") == "apple"


def test_an_unknown_name_lists_the_known_and_guesses(fruits: Family[str]) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'red-apple'"):
        fruits.load("red-aple")


def test_a_registered_part_is_found_and_a_duplicate_refused(fruits: Family[str]) -> None:
    fruits.register("pear", "pear")
    assert fruits.load("pear") == "pear"
    with pytest.raises(ConfigError, match="a new name"):
        fruits.register("red-apple", "other")
