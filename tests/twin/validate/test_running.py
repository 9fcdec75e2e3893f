"""The folder of checks is their registry."""

from __future__ import annotations

import pytest

from ranpilot.errors import UnknownNameError
from ranpilot.twin.validate import check_names, check_title, run_check, validate

from .conftest import WriteCheck

GOOD = "yield compared(f'good/{effort}', 1.0, 1.0, 0.1, '1', 'by hand')"


def test_a_file_in_the_folder_is_a_check(write_check: WriteCheck) -> None:
    write_check("two-words", GOOD)
    write_check("another", GOOD.replace("good", "other"))
    assert check_names() == ["another", "two-words"]
    assert check_names(["two-words"]) == ["two-words"]
    assert check_title("two-words") == "What two-words is about."
    assert [line.name for line in validate(effort="quick")] == ["other/quick", "good/quick"]
    assert [line.name for line in validate(["two-words"])] == ["good/full"]


def test_an_unknown_check_is_refused_with_those_that_exist(write_check: WriteCheck) -> None:
    write_check("queues", GOOD)
    with pytest.raises(UnknownNameError, match=r"No check is called 'queue'; did you mean 'queues' \(known: queues\)"):
        validate(["queue"])
    with pytest.raises(UnknownNameError):
        run_check("nothing", "quick")


def test_two_lines_of_one_name_are_refused_within_a_check_and_between_two(write_check: WriteCheck) -> None:
    write_check("twice", f"{GOOD}\n    {GOOD}")
    with pytest.raises(AssertionError, match="two lines of the validation are called good/quick"):
        run_check("twice", "quick")
    write_check("twice", GOOD)
    write_check("again", GOOD)
    with pytest.raises(AssertionError, match="two lines of the validation are called good/quick"):
        validate(effort="quick")


def test_a_check_without_lines_is_refused(write_check: WriteCheck) -> None:
    write_check("empty", "return iter(())")
    with pytest.raises(AssertionError, match="the check empty gives no line"):
        validate(effort="quick")


def test_every_check_of_the_package_says_what_it_compares() -> None:
    assert "path-loss" in check_names()
    for name in check_names():
        assert check_title(name).endswith((".", ":", ",", ";")), name
