"""docs/own_network.md is true: its files are the example, its commands run, each mistake gives its sentence."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from ranpilot import cli
from ranpilot.errors import ConfigError
from ranpilot.twin.calibrate import PARAMETERS, read_kpm_file
from ranpilot.twin.layout.site_file import read_sites
from ranpilot.twin.scenario_file import load_scenario

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "own_network"
PAGE = (ROOT / "docs" / "own_network.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"`([\w.]+)`:\n\n```\w+\n(.*?)```", PAGE, flags=re.DOTALL))
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL) for line in block.splitlines()]
MISTAKES = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \| ((?:sites|kpm_by_hand)\.csv:.*) \|$", PAGE, flags=re.MULTILINE)
CELLS = ["mill", "station", "school"]


def test_the_page_shows_the_files_of_the_example() -> None:
    assert FILES.keys() == {"sites.csv", "network.yaml", "kpm_by_hand.csv"}
    for name in ("sites.csv", "network.yaml"):
        assert FILES[name] == (EXAMPLE / name).read_text(encoding="utf-8")
    assert [cell.name for cell in load_scenario(EXAMPLE / "network.yaml").cells] == CELLS


def test_the_files_by_hand_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "kpm_by_hand.csv"
    path.write_text(FILES["kpm_by_hand.csv"], encoding="utf-8")
    series = read_kpm_file(path, CELLS).series
    assert (series.num_periods, series.period_s) == (2, 1.0)
    assert len(series.names) == 3


@pytest.mark.parametrize(("wrong", "right", "sentence"), MISTAKES)
def test_a_mistake_gives_its_sentence(wrong: str, right: str, sentence: str, tmp_path: Path) -> None:
    name = sentence.partition(":")[0]
    assert right in FILES[name]
    path = tmp_path / name
    path.write_text(FILES[name].replace(right, wrong, 1), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_sites(path) if name == "sites.csv" else read_kpm_file(path, CELLS)
    assert str(caught.value) == sentence


def test_the_page_has_mistakes_of_both_files_and_every_parameter() -> None:
    assert len([one for one in MISTAKES if one[2].startswith("sites.csv")]) >= 8
    assert len([one for one in MISTAKES if one[2].startswith("kpm_by_hand.csv")]) >= 10
    for parameter in PARAMETERS:
        assert f"| `{parameter.name}` | `{parameter.field}`" in PAGE


def test_the_commands_of_the_page_run_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("sites.csv", "network.yaml"):
        shutil.copy(EXAMPLE / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    assert len(COMMANDS) == 4
    for command in COMMANDS:
        program, *arguments = shlex.split(command)
        assert program == "ranpilot"
        monkeypatch.setattr("sys.argv", ["ranpilot", *arguments])
        assert cli.main() == 0, command
    assert "error on the" in capsys.readouterr().out
    fitted = load_scenario(tmp_path / "own-calibrated.yaml")
    assert fitted.radio.path_loss_offset_db > 3.0
    assert fitted.traffic.rate_scale > 1.2
    assert {"map.png", "kpm.csv", "fit.png", "fit.json"} <= {path.name for path in tmp_path.iterdir()}
