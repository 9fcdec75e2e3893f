"""The code of docs/llm.md that needs no network runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "llm.md"


@pytest.mark.slow
def test_the_page_on_language_models_chooses_and_writes() -> None:
    pytest.importorskip("llguidance", reason="the extra ranpilot[llm] is not installed")
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    chooses, writes = (block for block in blocks if 'llm.load("embedded"' in block)
    names: dict[str, object] = {"__name__": "page"}
    exec(compile(chooses, "docs/llm.md", "exec", dont_inherit=True), names)
    assert getattr(names["log_probability"], "shape", None) == (2, 4)
    exec(compile(writes, "docs/llm.md", "exec", dont_inherit=True), names)
    assert type(names["plan"]).__name__ == type(names["other"]).__name__ == "Plan"
