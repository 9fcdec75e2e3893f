"""Fitting a capture whose law is known, and writing the profile."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ranpilot.errors import InputError, TraceError
from ranpilot.twin.traffic import fit
from ranpilot.twin.traffic.fit import FitReport, fit_capture, save_profile
from ranpilot.twin.traffic.models.fitted import Fitted
from ranpilot.twin.traffic.profile import load_profile

HEADER = "App name,No.,Time,Source,Destination,Protocol,Length"


def write_bursts(path: Path, num_bursts: int = 300) -> None:
    """Bursts of 1 to 20 packets 0.9 ms apart; the idle time after a burst is 5 to 35 ms for each of its packets."""
    random = np.random.default_rng(1)
    lines, time_s = [HEADER], 0.0
    for _ in range(num_bursts):
        packets = int(random.integers(1, 21))
        for _ in range(packets):
            lines.append(f"App,1,{time_s:.6f},10.0.0.1,172.30.1.1,UDP,{random.integers(100, 1400)}")
            time_s += 0.0009
        time_s += random.uniform(0.005, 0.035) * packets
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fit")
    write_bursts(folder / "bursts.csv")
    return folder


@pytest.fixture(scope="module")
def report(folder: Path) -> Iterator[FitReport]:
    """With eight of the candidates, for speed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit, "BURST_IDLES_S", (0.002, 0.005))
        patch.setattr(fit, "RATE_WINDOWS_S", ((), (4.0,)))
        yield fit_capture(folder / "bursts.csv", out=folder / "mine.json", cut_idle_s=60.0)


def test_a_fit_reproduces_rate_dispersion_and_sizes_and_prints_them(report: FitReport) -> None:
    rows = {row.name: row for row in report.rows}
    assert rows["mean rate, long run"].model == pytest.approx(rows["mean rate, long run"].capture, rel=1e-3)
    assert rows["packet size, KS distance"].model < 0.05
    for kind in ("packets", "bits"):
        for scale in ("1", "10", "100", "1000"):
            row = rows[f"dispersion of {kind}, {scale} ms"]
            assert 1 / 1.5 < row.model / row.capture < 1.5
    table = report.table().splitlines()
    assert table[0].split() == ["capture", "quantity", "unit", "capture", "model", "ratio"]
    assert len(table) == 1 + len(report.rows) and table[1].startswith("bursts.csv")
    record = report.values()[0]
    assert record["name"] == "traffic/mine/bursts.csv/mean rate, played"
    assert record["difference"] == pytest.approx(float(record["value"]) - float(record["reference"]))


def test_long_bursts_are_followed_by_long_silences_as_in_the_capture(report: FitReport) -> None:
    """The idle time is proportional to the packets of the burst but for a factor: correlation 0.76 in the capture."""
    model = Fitted(Fitted.Config(profile=str(report.path)), 1e-3)
    networks, ues, slots = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64), []
    state = model.initial_state(3, networks, ues)
    for block in range(400):
        slots.append(model.draw_block(3, networks, ues, block, state).slot.astype(float) + 1000 * block)
    gap = np.diff(np.concatenate(slots))
    last = np.flatnonzero(gap > 5)
    packets = np.diff(last)
    correlation = np.corrcoef(packets, gap[last[1:]])[0, 1]
    assert len(packets) > 1000 and 0.6 < correlation < 0.9


def test_the_profile_names_its_capture_and_the_command(folder: Path, report: FitReport) -> None:
    assert report.path == folder / "mine.json"
    profile = load_profile(str(report.path))
    capture = folder / "bursts.csv"
    assert profile == report.profile
    assert (profile.name, profile.source) == ("mine", str(capture))
    assert profile.command == f"ranpilot traffic fit {capture} --cut-idle-s 60 --out {report.path}"
    assert profile.components[0].cut_idle_s == 60.0
    assert sorted(path.name for path in folder.iterdir()) == ["bursts.csv", "mine.json"]


def test_a_profile_that_cannot_be_written_is_refused_before_the_fit(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "no" / "mine.json"
    with pytest.raises(InputError) as caught:
        fit_capture(folder / "bursts.csv", out=out)
    assert str(caught.value) == f"{out}: cannot be written (no folder {out.parent})."
    with pytest.raises(InputError) as named:
        fit_capture(folder / "bursts.csv", out=tmp_path / "mine.yaml")
    assert str(named.value) == f"{tmp_path / 'mine.yaml'}: the name of a profile must end with .json."


def test_a_full_disk_leaves_the_old_profile_and_no_half_written_one(
    report: FitReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.json"
    path.write_text("old")

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(InputError) as caught:
        save_profile(report.profile, path)
    assert str(caught.value) == f"{path}: cannot be written (No space left on device)."
    assert [entry.name for entry in tmp_path.iterdir()] == ["mine.json"] and path.read_text() == "old"


def test_a_broken_capture_is_refused_before_anything_is_fitted(tmp_path: Path) -> None:
    path = tmp_path / "broken.csv"
    path.write_text(f"{HEADER}\nApp,1,x,10.0.0.1,172.30.1.1,UDP,100\n")
    with pytest.raises(TraceError) as caught:
        fit_capture(path, out=tmp_path / "out.json")
    assert str(caught.value) == f"{path}:2: Time = 'x', but must be a number of seconds."
    assert not (tmp_path / "out.json").exists()
