"""Checks of the validation that a test writes."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ranpilot.twin.validate import checks

WriteCheck = Callable[[str, str], None]


@pytest.fixture
def write_check(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> WriteCheck:
    """Empty the folder of checks; the function writes a check whose lines come from that code."""
    folder: Path = tmp_path_factory.mktemp("checks")
    monkeypatch.setattr(checks, "__path__", [str(folder)])

    def write(name: str, code: str) -> None:
        stem = name.replace("-", "_")
        source = "from ranpilot.twin.validate.line import compared, reported\n\n\ndef lines(effort):\n"
        (folder / f"{stem}.py").write_text(f'"""What {name} is about.\n\nMore.\n"""\n{source}    {code}\n')
        monkeypatch.delitem(sys.modules, f"{checks.__name__}.{stem}", raising=False)
        monkeypatch.delattr(checks, stem, raising=False)
        importlib.invalidate_caches()

    return write
