"""docs/traffic.md: a section for each model that says what its file says, and examples that run."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from ruamel.yaml import YAML

from ranpilot.cli import GROUPS
from ranpilot.twin import Networks, load_scenario
from ranpilot.twin import state as s
from ranpilot.twin.traffic import TRAFFIC_MODELS
from ranpilot.twin.traffic.capture import Capture
from ranpilot.twin.traffic.replay_file import save_replay

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "traffic.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.fixture(scope="module")
def tables() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("traffic_tables", ROOT / "scripts" / "traffic_tables.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module


def test_every_model_has_a_section_with_its_name_and_an_example(tables: ModuleType) -> None:
    for name in TRAFFIC_MODELS.names():
        assert f"### `{name}`\n\n<!-- begin table: traffic-{name} -->" in PAGE
        assert any(f"kind: {name}" in example for example in EXAMPLES)
    assert set(re.findall(r"begin table: ([\w-]+)", PAGE)) == set(tables.TABLES)


def test_the_page_says_what_the_files_say(tables: ModuleType) -> None:
    """`make docs` writes what is between the marks."""
    for name, table in tables.TABLES.items():
        shown = PAGE.split(f"<!-- begin table: {name} -->\n")[1].split(f"<!-- end table: {name} -->")[0]
        assert shown == table()


def test_every_model_of_a_standard_names_its_source(tables: ModuleType) -> None:
    for name in TRAFFIC_MODELS.names():
        assert "**Source:**" in tables.TABLES[f"traffic-{name}"](), name


def test_every_command_on_the_page_exists() -> None:
    commands = re.findall(r"ranpilot (twin|traffic) (\w+)", PAGE)
    assert {("traffic", "fit"), ("traffic", "replay")} <= set(commands)
    assert [command for command in commands if command[1] not in GROUPS[command[0]]] == []


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_every_example_runs(example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the scenario `reference`, for a second, with the files that the page shows."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "walks.csv").write_text(re.findall(r"```csv\n(.*?)```", PAGE, flags=re.DOTALL)[0], encoding="utf-8")
    random = np.random.default_rng(5)
    time_s, bits = np.sort(random.uniform(0.0, 12.0, 2000)), random.integers(500, 12_000, 2000)
    save_replay(Capture("walk.pcap", "0" * 64, time_s, bits, np.zeros(1), 12.0), tmp_path / "walk.npz")
    scenario = load_scenario("reference").with_changes(YAML(typ="safe").load(example))
    networks = Networks(scenario, 1, seed=1)
    networks.advance(1000)
    assert networks.counters().ue[..., s.UE_PACKETS_IN].sum() > 0
