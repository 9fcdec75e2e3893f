"""The code of docs/slicing.md runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ranpilot.envs.tasks.slicing import REWARD_TERMS, VARIANTS

PAGE = (Path(__file__).parents[2] / "docs" / "slicing.md").read_text(encoding="utf-8")


def test_the_code_of_the_page_runs() -> None:
    names: dict[str, Any] = {}
    for code in re.findall(r"```python\n(.*?)```", PAGE, re.S):
        exec(compile(code, "docs/slicing.md", "exec"), names)
    assert names["obs"]["slices"].shape[:3] == names["obs"]["slice_mask"].shape == (4, 6, 12)


def test_the_page_names_every_term_and_variant() -> None:
    for word in (*REWARD_TERMS, *(name.split("-")[0] for name in VARIANTS), "-hard", "-rb"):
        assert f"`{word}`" in PAGE, word
