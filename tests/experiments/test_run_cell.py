"""A cell of an experiment on `aura-paper`: the same numbers however often it is stopped."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ranpilot.experiments.design import Experiment, Row
from ranpilot.experiments.play_cell import run_cell
from ranpilot.runs import CellFolder, Interrupted, StopRequest

ROW = Row(label="guided", kind="aura", name="guided", adviser="rules", trust="counterfactual", block=3)
TINY = Experiment(
    name="tiny", scenario="aura-paper", loads=("normal",), rows=(ROW,), seeds=2, train_episodes=4, test_episodes=2
)


def _play(folder: CellFolder, stop_after: int | None = None, row: Row = ROW, experiment: Experiment = TINY) -> int:
    """Play with a checkpoint after every episode; stop_after: ask for a stop after that many episodes."""
    played: list[str] = []
    stop = StopRequest(also=lambda: stop_after is not None and len(played) >= stop_after)
    run_cell(experiment, row, "normal", folder, lambda _, text: played.append(text), stop, 0.0)
    return len(played)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = CellFolder(tmp_path_factory.mktemp("whole"))
    assert _play(folder) == 6
    return (folder.path / "metrics.jsonl").read_bytes()


@pytest.mark.parametrize("episodes", [1, 4, 5, 6])
def test_a_stopped_cell_resumes_to_the_same_bytes(whole: bytes, tmp_path: Path, episodes: int) -> None:
    folder = CellFolder(tmp_path)
    with pytest.raises(Interrupted):
        _play(folder, stop_after=episodes)
    assert not folder.is_finished
    _play(folder)
    assert folder.is_finished
    assert (tmp_path / "metrics.jsonl").read_bytes() == whole


def test_a_cell_stopped_after_every_episode_comes_to_the_same_bytes(whole: bytes, tmp_path: Path) -> None:
    folder = CellFolder(tmp_path)
    for _ in range(6):
        with pytest.raises(Interrupted):
            _play(folder, stop_after=1)
    _play(folder)
    assert (tmp_path / "metrics.jsonl").read_bytes() == whole


@pytest.mark.parametrize(
    "row",
    [
        Row(label="dqn", kind="dqn", name="dqn", block=5, settings={"neighbour_features": True, "learn_after": 20}),
        Row(label="stale", kind="adviser", name="alone", adviser="stale-rules:20", block=6),
        Row(label="guided-ab", kind="aura", name="guided", adviser="turning-rules", trust="ab", block=7),
    ],
    ids=lambda row: str(row.label),
)
def test_every_kind_of_row_resumes_to_the_same_bytes(tmp_path: Path, row: Row) -> None:
    experiment = TINY.model_copy(update={"rows": (row,), "test_after": 3})
    whole, cut = CellFolder(tmp_path / "whole"), CellFolder(tmp_path / "cut")
    _play(whole, row=row, experiment=experiment)
    for stop_after in (1, 3) if row.learns else (1,):
        with pytest.raises(Interrupted):
            _play(cut, stop_after=stop_after, row=row, experiment=experiment)
    _play(cut, row=row, experiment=experiment)
    written = (cut.path / "metrics.jsonl").read_bytes()
    assert written == (whole.path / "metrics.jsonl").read_bytes()
    assert [json.loads(line)["episode"] for line in written.splitlines()][-2:] == [12, 13]


def test_a_finished_cell_is_not_played_again(tmp_path: Path) -> None:
    folder = CellFolder(tmp_path)
    _play(folder)
    before = folder.summary()
    assert _play(folder) == 0
    assert folder.summary() == before


def test_records_tell_phase_counts_and_use_of_advice(whole: bytes) -> None:
    records = [json.loads(line) for line in whole.splitlines()]
    assert [record["phase"] for record in records] == ["train"] * 4 + ["test"] * 2
    assert all(len(record["counts"]["dropped"]) == 2 for record in records)
    assert "agents" not in records[0]
    assert [sum(of) for of in records[-1]["agents"]["dropped"]] == records[-1]["counts"]["dropped"]
    assert all(0 <= share <= 1 for share in records[-1]["usage"]["used"])


def test_calibration_is_recorded_in_the_test_alone(whole: bytes) -> None:
    records = [json.loads(line) for line in whole.splitlines()]
    assert ["calibration" in record for record in records] == [False] * 4 + [True] * 2
    assert np.array(records[-1]["calibration"]).shape == (3, 10)


def test_rows_have_disjoint_networks_unless_they_are_shared() -> None:
    other = ROW.model_copy(update={"label": "other", "block": 4})
    experiment = TINY.model_copy(update={"rows": (ROW, other)})
    assert [experiment.first_network(row) for row in experiment.rows] == [3000, 4000]
    shared = experiment.model_copy(update={"shared_networks": True})
    assert {shared.first_network(row) for row in shared.rows} == {0}


def test_a_heuristic_plays_only_the_test_and_the_same_episodes() -> None:
    rules = Row(label="rules", kind="heuristic", name="rules", block=1, test_episodes=1)
    assert TINY.phases(ROW) == (range(4), range(4, 6))
    assert TINY.phases(rules) == (range(4, 4), range(4, 5))
