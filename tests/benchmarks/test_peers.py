"""The benchmark against other simulators: what it reads from their programs, and says where there is nothing."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent.parent
RESULT = {"cell_ms": 3000, "wall_s": [2, 1.5, 3], "cpu_s": [1, 1, 1.5], "use_percent": 70.5}


@pytest.fixture(scope="module")
def peers() -> ModuleType:
    spec = importlib.util.spec_from_file_location("peers_benchmark", ROOT / "benchmarks" / "peers.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_last_line_of_a_program_is_its_result(peers: ModuleType) -> None:
    timing = peers.parse(f"ns-3 warns\n{json.dumps(RESULT)}\n")
    assert timing.per_s() == [1500.0, 2000.0, 1000.0]
    assert timing.per_s(cpu=True) == [3000.0, 3000.0, 2000.0]
    record = peers.speed_record("other", 3, timing)
    assert (record["name"], record["value"], record["spread"]) == ("cell_ms_per_s/other/cells-3", 1500.0, 0.3333)
    assert (record["cpu_value"], record["use_percent"], record["n"]) == (3000.0, 70.5, 3)


def test_a_ratio_says_how_many_times_as_fast_the_twin_is(peers: ModuleType) -> None:
    theirs = peers.parse(json.dumps(RESULT))
    ours = peers.Timing(cell_ms=9000.0, wall_s=(1.0, 2.0, 3.0), cpu_s=(1.0, 1.0, 1.0), facts={})
    ratio = peers.ratio_record("other", 3, ours, theirs)
    assert (ratio["value"], ratio["reference"]) == (3.0, 1500.0)
    assert (ratio["cpu_low"], ratio["cpu_value"], ratio["cpu_high"]) == (3.0, 3.0, 4.5)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "done",
        "[1]",
        json.dumps(RESULT | {"wall_s": []}),
        json.dumps(RESULT | {"cpu_s": [0, 1, 1]}),
        '{"wall_s": [1]}',
    ],
)
def test_what_is_no_result_is_refused(peers: ModuleType, text: str) -> None:
    with pytest.raises(peers.PeerError, match="printed no"):
        peers.parse(text)


def test_a_peer_that_is_not_installed_says_so(peers: ModuleType, tmp_path: Path) -> None:
    python = tmp_path / "python"
    with pytest.raises(peers.PeerError, match=r"^not installed: .*No such file"):
        peers.run_peer(python, peers.PEERS[0], 1)
    python.write_text("#!/bin/sh\necho \"ModuleNotFoundError: No module named 'ns'\" >&2\nexit 1\n")
    python.chmod(0o755)
    with pytest.raises(peers.PeerError, match=r"^not installed: ModuleNotFoundError: No module named 'ns'$"):
        peers.run_peer(python, peers.PEERS[0], 1)


@pytest.mark.parametrize("cells", [1, 3, 7])
def test_the_twin_and_its_peers_get_the_same_sites(peers: ModuleType, cells: int) -> None:
    scenario = peers.twin_scenario(cells)
    case = peers.PEERS[0].case(cells)
    assert scenario.num_cells == cells == len(case["sites"])
    x_min, y_min, x_max, y_max = scenario.layout.area_m
    assert case["area_m"] == (x_max - x_min, y_max - y_min)
    assert case["rate_bps"] == pytest.approx(1.077e6 * scenario.traffic.rate_scale)
