"""The adapter that comes with the package is whole, small, trained on both tasks, and answers."""

from __future__ import annotations

import numpy as np

from ranpilot import llm
from ranpilot.llm.adapter_file import find_adapter, read_record, shipped

MOST_BYTES = 5_000_000
OPTIONS = (" up", " down", " keep", " move")


def test_the_shipped_adviser_is_small_and_says_what_it_was_trained_on() -> None:
    assert shipped() == ["adviser"]
    folder = find_adapter("adviser")
    record = read_record(folder)
    assert sum(path.stat().st_size for path in folder.iterdir()) <= MOST_BYTES
    assert {task["scenario"] for task in record.tasks} == {"aura-paper", "two-cell"}
    assert record.options == OPTIONS
    assert record.data_hash[:16] in (folder / "README.md").read_text(encoding="utf-8")


def test_the_shipped_adviser_answers_unlike_the_untrained_model() -> None:
    prompts = ["many now free poor good highest ->", "none later full good good highest ->"]
    trained = llm.load("embedded:adviser", dtype="float32", memo=False)
    untrained = llm.load("embedded", depth=10, dtype="float32", memo=False)
    assert trained.name == f"trained ({trained.model_hash[:8]})"
    chances = np.exp(trained.choose(prompts, OPTIONS))
    assert np.allclose(chances.sum(axis=1), 1.0)
    # Open requests and a free neighbour: move. Nothing to move and full power for nothing: down.
    assert chances.argmax(axis=1).tolist() == [3, 1]
    assert np.abs(chances - np.exp(untrained.choose(prompts, OPTIONS))).max() > 0.2
