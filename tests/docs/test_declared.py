"""docs/kpm.md and docs/controls.md list what is declared, and their code runs."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import ModuleType

import pytest

from ranpilot.cli import GROUPS
from ranpilot.twin.controls import CONTROLS
from ranpilot.twin.kpm import HISTOGRAMS, MEASUREMENTS

ROOT = Path(__file__).parents[2]
PAGES = {name: (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8") for name in ("kpm", "controls")}


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    return importlib.import_module("declared_tables")


@pytest.mark.parametrize(("page", "table"), [("kpm", "kpm"), ("kpm", "kpm-histograms"), ("controls", "controls")])
def test_the_tables_are_up_to_date(page: str, table: str, declared: ModuleType) -> None:
    written = re.search(rf"<!-- begin table: {table} -->\n(.*?)<!-- end table: {table} -->", PAGES[page], re.DOTALL)
    assert written is not None
    made = declared.TABLES[table]()
    assert written[1] == made, f"run: python scripts/make_docs.py docs/{page}.md"


def test_everything_that_is_declared_is_listed_once() -> None:
    for page, declarations in (("kpm", [*MEASUREMENTS, *HISTOGRAMS]), ("controls", CONTROLS)):
        rows = re.findall(r"^\| `([^`]+)` \|", PAGES[page], re.MULTILINE)
        assert rows == [*dict.fromkeys(rows)]
        assert set(rows) == {each.name for each in declarations}


@pytest.mark.parametrize("page", PAGES)
def test_the_code_of_the_page_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "page"}
    blocks = re.findall(r"```python\n(.*?)```", PAGES[page], flags=re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, f"docs/{page}.md", "exec", dont_inherit=True), names)


def test_every_command_on_the_pages_exists() -> None:
    commands = re.findall(r"ranpilot (twin) (\w+)", "".join(PAGES.values()))
    assert commands
    assert [command for _, command in commands if command not in GROUPS["twin"]] == []
