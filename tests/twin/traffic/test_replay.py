"""Replay files and the model that plays them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from ranpilot.errors import CheckpointError, InputError
from ranpilot.twin.traffic.capture import data_folder, read_tractor
from ranpilot.twin.traffic.models.replay import Replay
from ranpilot.twin.traffic.replay_file import load_replay, replay_capture, save_replay

HEADER = "App name,No.,Time,Source,Destination,Protocol,Length"
REMEDY = "make it with `ranpilot traffic replay CAPTURE --out FILE.npz`"
NO_ARCHIVE = not (data_folder() / "tractor" / "tractor.tar.xz").is_file()


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    random = np.random.default_rng(2)
    times = np.sort(random.uniform(0.0, 14.0, 300))
    lines = [f"A,1,{time:.6f},1.1.1.1,172.30.1.1,UDP,{random.integers(60, 1500)}" for time in times]
    path = tmp_path / "capture.csv"
    path.write_text("\n".join([HEADER, *lines]) + "\n")
    return path


def play(path: Path, slot_s: float, num_blocks: int, num_ues: int) -> list[np.ndarray]:
    """For each UE [P, 2] of absolute slot and bits."""
    model = Replay(Replay.Config(file=str(path)), slot_s)
    networks, ues = np.zeros(num_ues, dtype=np.int64), np.arange(num_ues)
    state = model.initial_state(8, networks, ues)
    drawn = [model.draw_block(8, networks, ues, block, state) for block in range(num_blocks)]
    row = np.concatenate([packets.row for packets in drawn])
    slot = np.concatenate([packets.slot + 1000 * block for block, packets in enumerate(drawn)])
    bits = np.concatenate([packets.bits for packets in drawn])
    return [np.stack([slot[row == ue], bits[row == ue]], axis=1) for ue in range(num_ues)]


def test_a_capture_becomes_a_replay_file_with_source_and_hash(capture: Path, tmp_path: Path) -> None:
    out = tmp_path / "capture.npz"
    report = replay_capture(capture, out)
    assert (report.packets, report.cuts, report.path) == (300, 0, out)
    assert report.table().startswith(f"{capture}: 300 downlink packets in ")
    replay = load_replay(out)
    assert replay.source == "capture.csv" and len(replay.sha256) == 64
    assert len(replay.time_s) == 300 and replay.time_s[0] == 0.0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["capture.csv", "capture.npz"]


@pytest.mark.parametrize("slot_s", [1e-3, 5e-4])
def test_every_packet_of_the_capture_comes_once_a_round_in_its_order(
    capture: Path, tmp_path: Path, slot_s: float
) -> None:
    replay_capture(capture, tmp_path / "c.npz")
    replay = load_replay(tmp_path / "c.npz")
    round_slots = replay.duration_s / slot_s
    for packets in play(tmp_path / "c.npz", slot_s, int(3 * round_slots / 1000) + 1, 6):
        assert abs(len(packets) - 900) <= 300 * 1000 / round_slots + 10
        first = [shift for shift in range(300) if (np.roll(replay.bits, -shift)[:40] == packets[:40, 1]).all()]
        assert len(first) == 1
        expected_bits = np.resize(np.roll(replay.bits, -first[0]), len(packets))
        assert (packets[:, 1] == expected_bits).all()
        unrolled = np.concatenate([replay.time_s / slot_s + turn * round_slots for turn in range(5)])
        expected = unrolled[first[0] : first[0] + len(packets)]
        offset = packets[:, 0] - expected
        assert offset.max() - offset.min() < 1.0 + 1e-6


def test_ues_start_at_moments_spread_over_the_capture(capture: Path, tmp_path: Path) -> None:
    replay_capture(capture, tmp_path / "c.npz")
    model = Replay(Replay.Config(file=str(tmp_path / "c.npz")), 1e-3)
    state = model.initial_state(1, np.zeros(5000, dtype=np.int64), np.arange(5000))
    assert abs((state[:, 0] < 150).mean() - load_replay(tmp_path / "c.npz").time_s[149] / 14.0) < 0.03


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not really", b"plain text"])
def test_a_file_that_is_no_replay_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    path.write_bytes(content)
    with pytest.raises(CheckpointError) as caught:
        load_replay(path)
    assert str(caught.value) == f"{path}: not a replay file; {REMEDY}."


def test_damaged_foreign_and_missing_replay_files_are_refused(capture: Path, tmp_path: Path) -> None:
    path = tmp_path / "c.npz"
    replay_capture(capture, path)
    with np.load(path) as archive:
        header, time_s, bits = archive["header"], archive["time_s"], archive["bits"]
    for damaged_time, damaged_bits in (
        (time_s[::-1], bits),
        (time_s, -bits),
        (time_s * np.nan, bits),
        (time_s, bits[1:]),
    ):
        np.savez(path, header=header, time_s=damaged_time, bits=damaged_bits)
        with pytest.raises(CheckpointError) as caught:
            load_replay(path)
        assert str(caught.value) == f"{path}: a replay file with damaged packets; {REMEDY}."
    np.savez(path, header=np.array('{"format": "other"}'), time_s=time_s, bits=bits)
    with pytest.raises(CheckpointError) as foreign:
        load_replay(path)
    assert str(foreign.value) == f"{path}: not a replay file of version 1; {REMEDY}."
    with pytest.raises(InputError) as missing:
        load_replay(tmp_path / "no.npz")
    assert str(missing.value) == f"{tmp_path / 'no.npz'}: no such file; {REMEDY}."


def test_a_replay_file_that_cannot_be_written_leaves_nothing_behind(
    capture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError) as named:
        replay_capture(capture, tmp_path / "c.csv")
    assert str(named.value) == f"{tmp_path / 'c.csv'}: the name of a replay file must end with .npz."

    with pytest.raises(InputError) as nowhere:
        replay_capture(capture, tmp_path / "no" / "c.npz")
    assert str(nowhere.value) == f"{tmp_path / 'no' / 'c.npz'}: cannot be written (no folder {tmp_path / 'no'})."

    def full_disk(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(InputError) as full:
        replay_capture(capture, tmp_path / "c.npz")
    assert str(full.value) == f"{tmp_path / 'c.npz'}: cannot be written (No space left on device)."
    assert [path.name for path in tmp_path.iterdir()] == ["capture.csv"]


@pytest.mark.skipif(NO_ARCHIVE, reason="needs $RANPILOT_DATA/tractor/tractor.tar.xz")
def test_captures_of_the_archive_are_read_replayed_and_keep_their_rate(tmp_path: Path) -> None:
    names = ["embb_04_10.csv", "urllc_05_18.csv", "mmtc.csv", "IMPACT.csv"]
    for capture in read_tractor(names, cut_idle_s={"mmtc.csv": 60.0}):
        path = tmp_path / f"{capture.source}.npz"
        save_replay(capture, path)
        num_blocks = int(capture.duration_s) + 1
        bits = [packets[:, 1].sum() / num_blocks for packets in play(path, 1e-3, num_blocks, 3)]
        assert np.mean(bits) == pytest.approx(capture.mean_rate_bps, rel=0.05)
        assert len(capture.piece_start_s) == (3 if capture.source == "mmtc.csv" else 1)
