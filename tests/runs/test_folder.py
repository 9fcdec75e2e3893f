"""The run folder: nothing is lost, nothing is mixed up."""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path

import pytest

from ranpilot.errors import CheckpointError
from ranpilot.runs import (
    CellFolder,
    Interrupted,
    RunFolder,
    StopRequest,
    files,
    make_progress,
    provenance,
    write_atomic,
)
from ranpilot.runs.progress import PlainProgress, SilentProgress

CONFIG = {"seeds": 5, "loads": ["low", "high"], "rows": [{"label": "a", "trust": None}]}


def _open(path: Path, config: dict[str, object] = CONFIG, *, new: bool = False) -> RunFolder:
    return RunFolder.open(path, config, {"session": 1}, new=new)


def test_the_same_config_goes_on_and_every_session_is_recorded(tmp_path: Path) -> None:
    _open(tmp_path / "run")
    folder = _open(tmp_path / "run")
    assert folder.config() == CONFIG
    assert len(folder.provenance()) == 2


def test_a_changed_config_is_refused_with_the_difference(tmp_path: Path) -> None:
    _open(tmp_path / "run")
    with pytest.raises(CheckpointError) as refusal:
        _open(tmp_path / "run", {**CONFIG, "seeds": 6, "rows": [{"label": "a", "trust": "score"}]})
    expected = (
        f'{tmp_path}/run/config.json: was made with another config: rows[0].trust was null and is now "score"; '
        "seeds was 5 and is now 6; repeat the first command, choose another --out, or start over with --new."
    )
    assert str(refusal.value) == expected


def test_new_puts_the_old_run_aside_and_loses_nothing(tmp_path: Path) -> None:
    _open(tmp_path / "run")
    (tmp_path / "run" / "kept").write_text("x")
    _open(tmp_path / "run", {**CONFIG, "seeds": 6}, new=True)
    _open(tmp_path / "run", {**CONFIG, "seeds": 7}, new=True)
    assert (tmp_path / "run.old-1" / "kept").exists()
    assert RunFolder.read(tmp_path / "run.old-2").config()["seeds"] == 6
    assert RunFolder.read(tmp_path / "run").config()["seeds"] == 7


def test_a_folder_that_is_no_run_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "love.txt").write_text("x")
    with pytest.raises(CheckpointError, match=r"exists but holds no run"):
        _open(tmp_path / "letters")
    with pytest.raises(CheckpointError, match=r"holds no run"):
        RunFolder.read(tmp_path / "letters")


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    folder = _open(tmp_path / "run")
    with folder.held(), pytest.raises(CheckpointError, match="in use by another run"), folder.held():
        pass


def test_resume_cuts_the_metrics_back_to_the_checkpoint(tmp_path: Path) -> None:
    cell = CellFolder(tmp_path / "cell")
    assert cell.resume() is None
    cell.append({"episode": 0})
    cell.checkpoint(1, {"next_episode": 1}, lambda folder: (folder / "part.bin").write_bytes(b"one"))
    cell.append({"episode": 1})
    cell.close()
    with (tmp_path / "cell" / "metrics.jsonl").open("ab") as file:
        file.write(b'{"episode": 2, "cut sh')
    assert [record["episode"] for record in cell.records()] == [0, 1]
    checkpoint = cell.resume()
    assert checkpoint is not None
    assert checkpoint.state["next_episode"] == 1
    assert (checkpoint.folder / "part.bin").read_bytes() == b"one"
    assert [record["episode"] for record in cell.records()] == [0]


def test_only_the_newest_checkpoint_stays_and_a_half_written_one_is_swept_away(tmp_path: Path) -> None:
    cell = CellFolder(tmp_path / "cell")
    cell.resume()
    for index in (1, 2):
        cell.checkpoint(index, {"next_episode": index}, lambda folder: None)
    (tmp_path / "cell" / "checkpoints" / ".000003").mkdir()
    assert cell.resume() is not None
    assert [path.name for path in (tmp_path / "cell" / "checkpoints").iterdir()] == ["000002"]


def test_metrics_shorter_than_their_checkpoint_are_refused(tmp_path: Path) -> None:
    cell = CellFolder(tmp_path / "cell")
    cell.resume()
    cell.append({"episode": 0})
    cell.checkpoint(1, {}, lambda folder: None)
    cell.close()
    (tmp_path / "cell" / "metrics.jsonl").write_bytes(b"")
    with pytest.raises(CheckpointError, match="has 0 bytes, its checkpoint 14"):
        cell.resume()


def test_a_full_disk_is_one_sentence_and_the_old_file_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "state.json"
    write_atomic(path, b"old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(CheckpointError) as refusal:
        write_atomic(path, b"new")
    assert str(refusal.value) == (
        f"{path}: could not be written (No space left on device); make room or choose another folder and repeat the "
        "command: everything up to the last checkpoint is kept."
    )
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_during_a_checkpoint_keeps_the_one_before(tmp_path: Path) -> None:
    cell = CellFolder(tmp_path / "cell")
    cell.resume()
    cell.checkpoint(1, {"next_episode": 1}, lambda folder: None)

    def full(_: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(CheckpointError, match="No space left on device"):
        cell.checkpoint(2, {"next_episode": 2}, full)
    checkpoint = cell.resume()
    assert checkpoint is not None
    assert checkpoint.state["next_episode"] == 1


def test_a_broken_json_file_is_named(tmp_path: Path) -> None:
    _open(tmp_path / "run")
    (tmp_path / "run" / "config.json").write_text("{")
    with pytest.raises(CheckpointError, match=r"config.json: cannot be read"):
        _open(tmp_path / "run")


def test_ctrl_c_is_a_request_that_is_met_at_the_next_safe_point() -> None:
    before = signal.getsignal(signal.SIGINT)
    with StopRequest() as stop:
        stop.check()
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.requested
        with pytest.raises(Interrupted):
            stop.check()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_stop_may_be_asked_for_by_something_else() -> None:
    with StopRequest(also=lambda: True) as stop, pytest.raises(Interrupted):
        stop.check()


def test_provenance_names_versions_machine_and_hashes() -> None:
    found = provenance({"scenario": "abc"})
    assert {"started", "command", "versions", "commit", "machine", "hashes"} == set(found)
    assert found["hashes"] == {"scenario": "abc"}


def test_plain_progress_ends_with_a_line_and_silence_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert isinstance(make_progress(show=False), SilentProgress)
    with PlainProgress() as progress:
        progress.expect(4, 1)
        progress.advance(1, "first")
        progress.advance(2, "last")
    error = capsys.readouterr().err
    assert "first" not in error
    assert error.startswith("100 %  0:00 left  last")
