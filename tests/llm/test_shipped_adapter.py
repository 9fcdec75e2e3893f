"""The adapter that comes with the package is whole, small, trained on both tasks, and answers."""

from __future__ import annotations

import numpy as np

from ranpilot import llm
from ranpilot.llm.adapter_file import find_adapter, read_record, shipped

MOST_BYTES = 5_000_000
OPTIONS = (" up", " down", " keep", " move")
NEEDS = ("none later", "many now")


def test_the_shipped_adviser_is_small_and_says_what_it_was_trained_on() -> None:
    assert shipped() == ["adviser"]
    folder = find_adapter("adviser")
    record = read_record(folder)
    assert sum(path.stat().st_size for path in folder.iterdir()) <= MOST_BYTES
    assert {task["scenario"] for task in record.tasks} == {"aura-paper", "two-cell"}
    assert record.options == OPTIONS
    assert record.data_hash[:16] in (folder / "README.md").read_text(encoding="utf-8")


def test_the_shipped_adviser_tells_situations_apart_unlike_the_untrained_model() -> None:
    places, covers = ("full", "free"), ("good", "poor")
    prompts = [f"{need} {room} {own} good highest ->" for need in NEEDS for room in places for own in covers]
    trained = llm.load("embedded:adviser", dtype="float32", memo=False)
    untrained = llm.load("embedded", depth=10, dtype="float32", memo=False)
    assert trained.name == f"trained ({trained.model_hash[:8]})"
    chances = np.exp(trained.choose(prompts, OPTIONS))
    assert np.allclose(chances.sum(axis=1), 1.0)
    # Open requests, links that suffer and a free neighbour: hand over.
    assert chances[prompts.index("many now free poor good highest ->")].argmax() == OPTIONS.index(" move")
    assert len(set(chances.argmax(axis=1).tolist())) > 1
    assert np.ptp(np.exp(untrained.choose(prompts, OPTIONS)), axis=0).max() < np.ptp(chances, axis=0).max()
