"""docs/extending.md is true: its files are written out and go through the tests that they would go through."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from ruamel.yaml import YAML

from ranpilot.twin.traffic import TRAFFIC_MODELS, models
from ranpilot.twin.validate import check_names, checks, run_check

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
NAME = "request-bursts"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


def load(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the page's files, whose models folder is searched beside that of the package."""
    folder = tmp_path_factory.mktemp("extending")
    for block in blocks("python"):
        path = folder / block.splitlines()[0].removeprefix("# ")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block, encoding="utf-8")
    searched = str(folder / "src/ranpilot/twin/traffic/models")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "__path__", [*models.__path__, searched])
        importlib.invalidate_caches()
        yield folder
    sys.modules.pop("ranpilot.twin.traffic.models.request_bursts", None)


def test_the_page_shows_a_model_its_test_and_a_check(written: Path) -> None:
    files = sorted(str(path.relative_to(written)) for path in written.rglob("*.py"))
    assert files == [
        "src/ranpilot/twin/traffic/models/request_bursts.py",
        "src/ranpilot/twin/validate/checks/thermal_noise.py",
        "tests/twin/traffic/test_request_bursts.py",
    ]
    assert NAME in TRAFFIC_MODELS.names()


def test_the_model_does_what_every_traffic_model_must(written: Path, tmp_path: Path) -> None:
    contract = load(ROOT / "tests" / "contracts" / "test_traffic_models.py", "traffic_contract")
    assert NAME in contract.NAMES
    checks = [function for name, function in vars(contract).items() if name.startswith("test_")]
    assert len(checks) >= 8
    for check in checks:
        given = {"name": NAME, "tmp_path": tmp_path, "slot_s": 1e-3}
        check(**{key: given[key] for key in inspect.signature(check).parameters})


def test_the_test_of_the_model_passes(written: Path) -> None:
    module = load(written / "tests/twin/traffic/test_request_bursts.py", "test_request_bursts")
    module.test_the_index_of_dispersion_is_the_size_of_a_burst()


def test_the_check_is_found_and_holds(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "__path__", [*checks.__path__, str(written / "src/ranpilot/twin/validate/checks")])
    importlib.invalidate_caches()
    assert "thermal-noise" in check_names()
    lines = run_check("thermal-noise", "quick")
    assert [line.holds for line in lines] == [True] * 3
    assert all(line.strain < 1 for line in lines)
    sys.modules.pop(f"{checks.__name__}.thermal_noise", None)


def test_a_scenario_with_the_model_runs(written: Path) -> None:
    """In the scenario `reference`, with its traffic replaced by that of the page."""
    from ranpilot.twin import Networks, load_scenario

    change = YAML(typ="safe").load(blocks("yaml")[0])
    networks = Networks(load_scenario("reference").with_changes(change), num=2, seed=1)
    networks.reset()
    networks.advance(400)
    assert networks.slot == 400
    assert networks.measure()["DRB.UEThpDl"].max() > 0


def test_the_pages_kind_of_event_is_told_in_its_own_words(tmp_path: Path) -> None:
    """Its text stands among copies of those that ship; agents of `two-cell` with the page's events read it."""
    from ranpilot.envs import announcements
    from ranpilot.envs.tasks.power_handover import PowerHandover
    from ranpilot.twin import load_scenario

    for source in Path(announcements.__file__).parent.glob("*.txt"):
        (tmp_path / source.name).write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "half-closed.txt").write_text(blocks("text")[0], encoding="utf-8")
    caches = (announcements.kinds, announcements._read, announcements._kind_of_text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(announcements, "files", lambda _: tmp_path)
        for cache in caches:
            cache.cache_clear()
        change = YAML(typ="safe").load(next(block for block in blocks("yaml") if "half-closed" in block))
        env = PowerHandover.make(load_scenario("two-cell").with_changes(change), 20, 1, load="low")
        text = blocks("text")[0].splitlines()[1]
        assert announcements.text_kind(text) == "half-closed"
        told = set[str]()
        for _ in range(20):
            told |= {env.observation.texts[notice] for notice in env.observation.notice_ids.ravel() if notice >= 0}
            env.step([[env.spec.neutral_action] * 2] * 20)
        assert text in told
    for cache in caches:
        cache.cache_clear()
