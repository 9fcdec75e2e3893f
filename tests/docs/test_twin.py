"""docs/twin.md: the commands on it exist, its tables are made from results, and the generator shows every check."""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

from ranpilot.cli import GROUPS
from ranpilot.twin.validate.line import compared, reported, within

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "twin.md"


@pytest.fixture
def generator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """scripts/make_docs.py over results that a test writes."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    spec = importlib.util.spec_from_file_location("make_docs", ROOT / "scripts" / "make_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    records = importlib.import_module("records")
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    records.read.cache_clear()
    return module


def test_every_table_on_the_page_is_one_that_the_generator_makes(generator: ModuleType) -> None:
    begun = re.findall(r"<!-- begin table: ([\w-]+) -->", PAGE.read_text(encoding="utf-8"))
    assert "twin-validate" in begun
    assert set(begun) <= set(generator.TABLES)


def test_every_command_on_the_page_exists() -> None:
    commands = re.findall(r"ranpilot (twin|traffic|llm) (\w+)", PAGE.read_text(encoding="utf-8"))
    assert ("twin", "validate") in commands
    assert [command for command in commands if command[1] not in GROUPS[command[0]]] == []


def test_the_page_names_no_path_that_does_not_exist() -> None:
    names = re.findall(r"`((?:src|tests|scripts|results|docs|benchmarks)/[\w./-]+)`", PAGE.read_text(encoding="utf-8"))
    assert [name for name in names if not (ROOT / name).exists() and name != "results/twin-validate.json"] == []


def test_the_tables_show_claims_by_kind_and_reported_numbers_one_by_one(generator: ModuleType, tmp_path: Path) -> None:
    lines = [
        compared("loss/UMa/5m", 60.02, 60.0, 0.05, "dB", "Table 7.4.1-1"),
        compared("loss/UMa/9m", 65.0, 65.0, 0.05, "dB", "Table 7.4.1-1"),
        within("share/a", 0.5, 0.6, None, "1", "by hand"),
        reported("error/bank", -0.25, "dB", "bank − exact", n=7),
        *(reported(f"cdf/UMi-6GHz/sinr_db/{percent}", percent / 10, "dB", "7.8-1", n=50) for percent in range(101)),
        *(
            compared(f"cdf/UMa-6GHz/sinr_db/{at}", at / 10 - 4, at / 10 - 4.5, 1.0, "dB", "companies")
            for at in range(101)
        ),
    ]
    records = [line.to_json() | {"check": "radio"} for line in lines]
    (tmp_path / "twin-validate.json").write_text(json.dumps(records), encoding="utf-8")
    table = generator.TABLES["twin-validate"]()
    assert "| radio | loss/UMa | 2 | all hold | `5m` | 60.02 dB | 0.02 | 60 ± 0.05 | Table 7.4.1-1 |" in table
    assert "| radio | share | 1 | **1 fail** | `a` | 0.5 | – | ≥ 0.6 | by hand |" in table
    assert "Made by `ranpilot twin validate --json results/twin-validate.json`." in table
    assert "| radio | cdf/UMa-6GHz | 101 | all hold |" in table
    assert "| `error/bank` | −0.25 | dB | 7 | bank − exact |" in generator.TABLES["twin-reported"]()
    curves = generator.TABLES["twin-curves"]()
    assert "| UMi-6GHz | sinr | 0.5 | 2.5 | 5.0 | 7.5 | 9.5 | 50 users |" in curves
    assert "|  |  | −4.0 | −2.0 | 0.5 | 3.0 | 5.0 | companies: mean |" in curves
    generator.IMAGES = tmp_path
    generator.draw_pictures()
    assert "companies" not in (tmp_path / "twin-calibration.svg").read_text(encoding="utf-8")
    assert "UMa-6GHz" in (tmp_path / "twin-calibration.svg").read_text(encoding="utf-8")
