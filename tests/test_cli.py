"""The command line: sentences, exit statuses, and nothing heavy for help."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ranpilot import cli

TINY = ["--loads", "high", "--seeds", "2", "--train-episodes", "3", "--test-episodes", "1", "--workers", "1"]
INTERRUPTED = """
import os, signal, sys
from ranpilot import cli
from ranpilot.runs import PlainProgress

def advance(self, amount, text):
    os.kill(os.getpid(), signal.SIGINT)

PlainProgress.advance = advance
sys.exit(cli.main())
"""


def _call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["ranpilot", *arguments])
    return cli.main()


def test_compare_prints_the_table_and_where_the_report_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out, numbers = tmp_path / "run", tmp_path / "numbers.json"
    rows = ["--rows", "marl-only,rules"]
    status = _call(monkeypatch, "compare", "aura", *rows, *TINY, "--out", str(out), "--json", str(numbers))
    printed = capsys.readouterr().out
    assert status == 0
    assert "marl-only" in printed
    assert printed.rstrip().endswith(f"report: {out / 'report.html'}")
    names = {record["name"] for record in json.loads(numbers.read_text())}
    assert "dropped/aura-paper/high/rules/iqm" in names


def test_ctrl_c_ends_with_130_and_says_how_to_go_on(tmp_path: Path) -> None:
    arguments = ["compare", "aura", "--rows", "marl-only", *TINY, "--out", str(tmp_path / "run")]
    command = [sys.executable, "-c", INTERRUPTED, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 130
    assert done.stderr.splitlines()[-1] == f"Stopped; what was played is kept. To go on: ranpilot {' '.join(arguments)}"
    lines = (tmp_path / "run/cells/marl-only/high/metrics.jsonl").read_text().splitlines()
    assert len(lines) == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["compare", "arua"],
            "error: No system is called 'arua'; did you mean 'aura' (known: aura, ppo, mappo, sac, masac, ",
        ),
        (["compare", "aura", "--rows", "x"], "error: No row is called 'x' (known: marl-only, "),
        (["twin", "validate", "--only", "path"], "error: No check is called 'path'"),
        (["twin", "run", "two-cell", "--seconds", "2.5"], "error: seconds = 2.5, but must be a whole number of"),
        (["twin", "run", "two-cell", "--kpm", "a.txt"], "error: table = 'a.txt', but must be a name that ends in"),
        (["twin", "calibrate", "reference", "a.csv"], "error: a.csv: file = 'a.csv', but must be a CSV file"),
        (["twin", "calibrate", "reference", "a.csv", "--fit", ""], "error: fit = '', but must be some of load, users,"),
        (["twin", "inspect", "two-cell", "--picture", "a.gif"], "error: picture = 'a.gif', but must be a name that"),
        (["run", "aura", "--scenario", "nowhere"], "error: No scenario is called 'nowhere'"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_exit_2(
    arguments: list[str],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert _call(monkeypatch, *arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith(sentence)
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LookupError):
        _call(monkeypatch, "compare", "arua", "--debug")


def test_twin_validate_writes_its_lines_and_ends_with_1_where_a_claim_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert _call(monkeypatch, "twin", "validate", "--list") == 0
    assert "path-loss" in capsys.readouterr().out
    arguments = ["twin", "validate", "--quick", "--only", "path-loss", "--json", "lines.json"]
    assert _call(monkeypatch, *arguments) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith(" claims hold")
    records = json.loads(Path("lines.json").read_text())
    assert all(record["holds"] for record in records)
    assert records[0].keys() >= {"name", "value", "unit", "reference", "difference", "n", "seed"}

    monkeypatch.setattr("ranpilot.twin.validate.checks.path_loss.PATH_LOSS_TOLERANCE_DB", 0.0)
    assert _call(monkeypatch, *arguments) == 0, "finished checks are kept"
    assert _call(monkeypatch, *arguments, "--new") == 1
    printed = capsys.readouterr().out
    assert "lines that fail" in printed
    assert printed.splitlines()[-1].endswith(" claims fail")
    assert not all(record["holds"] for record in json.loads(Path("lines.json").read_text()))


def test_twin_run_and_inspect_print_tables_and_write_files(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    short = ["--seconds", "0.2", "--period-s", "0.1", "--warm-up-s", "0", "--networks", "2"]
    files = ["--picture", "run.svg", "--kpm", "run.csv", "run.parquet", "--histograms", "--json", "run.json"]
    assert _call(monkeypatch, "twin", "run", "two-cell", "--load", "low", *short, *files) == 0
    assert "RRU.PrbTotDl" in capsys.readouterr().out
    assert {record["n"] for record in json.loads(Path("run.json").read_text())} == {2}
    assert _call(monkeypatch, "twin", "inspect", "two-cell", "--picture", "a.png", "--html", "a.html") == 0
    assert "all around" in capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == {
        "run.svg", "run.csv", "run.parquet", "run.json", "a.png", "a.html",
    }  # fmt: skip
    assert all(path.stat().st_size > 1000 for path in tmp_path.iterdir())


def test_version_and_every_command_of_the_help_exist(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _call(monkeypatch, "version") == 0
    assert capsys.readouterr().out.startswith("ranpilot ")
    assert set(cli.GROUPS) <= set(cli.COMMANDS)
    words = [[name] for name in cli.COMMANDS] + [[group, name] for group, of in cli.GROUPS.items() for name in of]
    for command in words:
        with pytest.raises(SystemExit) as end:
            _call(monkeypatch, *command, "--help")
        assert end.value.code == 0


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from ranpilot import cli; sys.argv = ['ranpilot', '--help']\n"
        "try: cli.main()\nexcept SystemExit: pass\n"
        "heavy = {'torch', 'numba', 'pandas', 'matplotlib', 'scipy', 'transformers', 'gymnasium'} & set(sys.modules)\n"
        "sys.exit(sorted(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
