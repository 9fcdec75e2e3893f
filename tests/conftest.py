"""What all tests share: golden files."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"
REWRITE = "RANPILOT_REWRITE_GOLDEN"

CheckGolden = Callable[[str, str], None]


@pytest.fixture
def check_golden() -> CheckGolden:
    """A check that a text is the one kept under a name; `make golden` rewrites what is kept."""

    def check(name: str, text: str) -> None:
        path = GOLDEN / name
        if os.environ.get(REWRITE):
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"{path} is missing: make golden"
        assert text == path.read_text(encoding="utf-8")

    return check
