"""docs/scenarios.md: a section, a picture, a measured row and working commands for every named scenario."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ranpilot.scenarios import load, names

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
RECORDS = json.loads((ROOT / "results" / "scenarios.json").read_text(encoding="utf-8"))
MOST_BYTES = 170_000
MOST_CELLS, MOST_PLACES = 21, 250
"""Every test over all named scenarios pays for their size."""


def test_the_sections_are_the_named_scenarios() -> None:
    assert sorted(re.findall(r"^### `([\w-]+)`$", PAGE, flags=re.MULTILINE)) == names()


@pytest.mark.parametrize("name", names())
def test_a_scenario_is_shown_measured_and_small(name: str) -> None:
    scenario = load(name)
    section = PAGE.partition(f"### `{name}`\n")[2].partition("\n#")[0]
    assert f"(images/scenarios/{name}.png)" in section
    assert f"ranpilot twin inspect {name} --html look.html" in section
    assert f"ranpilot twin run {name} --load high" in section
    picture = ROOT / "docs" / "images" / "scenarios" / f"{name}.png"
    assert 5_000 < picture.stat().st_size < MOST_BYTES
    rows = {record["load"]: record for record in RECORDS if record["scenario"] == name}
    assert list(rows) == list(scenario.loads)
    assert rows["low"]["value"] < rows["normal"]["value"] < rows["high"]["value"] <= 100
    assert {row["cells"] for row in rows.values()} == {scenario.num_cells}
    assert scenario.num_cells <= MOST_CELLS and scenario.num_places <= MOST_PLACES
    assert f"| [`{name}`](#{name}) |" in PAGE


def test_every_plot_is_of_a_named_scenario() -> None:
    text = (ROOT / "scripts" / "scenario_plots.py").read_text(encoding="utf-8")
    table = text.partition("PLOTS: Mapping[str, Plot] = {\n")[2].partition("}")[0]
    plotted = re.findall(r'^    "([\w-]+)":', table, flags=re.MULTILINE)
    assert set(plotted) <= set(names())
    assert "reference" in plotted


def test_every_scenario_says_in_a_sentence_what_it_is() -> None:
    texts = [load(name).description for name in names()]
    assert all(text.endswith(".") and len(text) < 300 for text in texts)
    assert len(set(texts)) == len(texts)
