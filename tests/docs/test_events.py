"""docs/events.md: its examples run as they stand, and its tables name what there is."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

from ranpilot.twin import Networks, load_scenario
from ranpilot.twin.event_kinds import READY_MADE, EventKind
from ranpilot.twin.kpm import MEASUREMENTS

PAGE = (Path(__file__).parents[2] / "docs" / "events.md").read_text(encoding="utf-8")
YAML_BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.mark.parametrize("block", YAML_BLOCKS)
def test_the_pages_events_happen_in_a_scenario_that_ships(block: str) -> None:
    networks = Networks(load_scenario("reference").with_changes(YAML(typ="safe").load(block)), 2, seed=1)
    networks.advance(1200)
    assert (networks.events().kind >= 0).any()
    assert np.isfinite(networks.measure()["DRB.UEThpDl"]).all()


def test_the_pages_python_shows_a_missing_report(capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    exec(compile(block, "docs/events.md", "exec", dont_inherit=True), {})
    printed = capsys.readouterr().out.split("]]")[:3]
    values, age_s, truth = (text.replace("[", " ").replace("]", " ") for text in printed)
    assert values.split().count("nan") == 2 and truth.split().count("nan") == 0
    assert age_s.split().count("0.2") == 2


def test_the_tables_name_every_field_and_every_ready_made_kind() -> None:
    fields = set(EventKind.model_fields) - {"name", "weight", "announced_share"}
    assert [field for field in sorted(fields) if f"`{field}`" not in PAGE] == []
    assert set(re.findall(r"^\| `([a-z-]+)` \| `", PAGE, flags=re.MULTILINE)) == set(READY_MADE)
    for name in re.findall(r"`((?:RP|DRB)\.\w+)`", PAGE):
        assert name in {measurement.name for measurement in MEASUREMENTS}, name
