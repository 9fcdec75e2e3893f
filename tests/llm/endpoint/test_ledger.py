"""Budgets hold before a call is made, and every call stands in the record."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ranpilot.errors import BackendTimeout, BudgetExceeded

from .chat_servers import (
    SECRET,
    Make,
    Told,
    failure,
    refused,
    silent,
    word,
)

OPTIONS = [" up", " down", " keep"]


def test_a_call_beyond_the_budget_of_calls_is_not_made(server: Told, make: Make) -> None:
    server.tell(word("up"))
    model = make(max_calls=3, concurrency=4)
    error = failure(lambda: model.choose(list("abcdef"), OPTIONS))
    assert isinstance(error, BudgetExceeded)
    assert str(error) == "endpoint:tiny: one more call would exceed max_calls = 3."
    assert (len(server.seen), model.statistics.calls) == (3, 3)
    again = make(max_calls=3)
    assert again.choose(list("abcdef"), OPTIONS).argmax(axis=1).tolist() == [0] * 6
    assert again.statistics.remembered == 3  # What was paid for before the budget ended is kept.


def test_repeated_attempts_count_too(server: Told, make: Make) -> None:
    server.tell(refused(500))
    assert isinstance(failure(lambda: make(max_calls=2).choose(["a"], OPTIONS)), BudgetExceeded)
    assert len(server.seen) == 2


@pytest.mark.parametrize("usage", [(30, 5), None], ids=["told", "not told"])
def test_the_budget_of_tokens_holds_also_for_calls_at_the_same_time(
    server: Told, make: Make, usage: tuple[int, int] | None
) -> None:
    """A call of at most 700 tokens; where the endpoint tells what it used, that counts, else the most it may be."""
    server.tell(word("up", usage=usage))
    model = make(max_tokens_total=2_000, max_tokens=50, concurrency=8, memo=False)
    prompts = [f"prompt {number}" for number in range(100)]
    error = failure(lambda: model.choose(prompts, OPTIONS))
    assert isinstance(error, BudgetExceeded)
    assert "one more call might exceed max_tokens_total = 2000 (" in str(error)
    assert len(server.seen) == model.statistics.calls
    if usage is None:
        assert 2 <= model.statistics.calls <= 3
    else:
        assert model.statistics.prompt_tokens + model.statistics.completion_tokens <= 2_000


def test_a_silent_endpoint_is_charged_and_an_absent_one_is_not(server: Told, make: Make) -> None:
    server.tell(silent)
    model = make(timeout_s=0.1, retries=0, max_tokens_total=1_000, max_tokens=10)
    assert isinstance(failure(lambda: model.choose(["a"], OPTIONS)), BackendTimeout)
    assert isinstance(failure(lambda: model.choose(["a"], OPTIONS)), BudgetExceeded)
    server.tell(refused(503))
    model = make(retries=3, max_tokens_total=1_000, max_tokens=10)
    assert not isinstance(failure(lambda: model.choose(["a"], OPTIONS)), BudgetExceeded)


def test_every_call_stands_in_the_record_with_its_cost_and_without_its_text(
    server: Told, make: Make, tmp_path: Path
) -> None:
    path = tmp_path / "records" / "calls.jsonl"
    prices = {"price_per_1k_prompt_tokens": 2.0, "price_per_1k_completion_tokens": 8.0}
    model = make(record=path, **prices)
    server.tell(refused(500, SECRET), word("up"), word("a secret plan"), word("down", usage=None))
    model.choose(["the stadium"], OPTIONS)
    failure(lambda: model.choose(["the harbour"], OPTIONS))
    model.choose(["the harbour"], OPTIONS)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["outcome"] for line in lines] == ["HTTP 500", "answered", "nonsense", "answered"]
    assert [line["cost"] for line in lines] == [None, 0.1, 0.1, None]
    assert [line["prompt_tokens"] for line in lines] == [None, 30, 30, None]
    assert lines[0]["prompt_hash"] == lines[1]["prompt_hash"] != lines[2]["prompt_hash"]
    assert all(line["latency_s"] >= 0 and line["purpose"] == "choose-answer" for line in lines)
    assert model.statistics.cost == pytest.approx(0.2)
    assert not any(text in path.read_text() for text in ("stadium", "harbour", "plan"))
    assert [call.outcome for call in model.calls] == [line["outcome"] for line in lines]


def test_the_lines_of_many_writers_do_not_mix(server: Told, make: Make, tmp_path: Path) -> None:
    server.tell(word("up"))
    path = tmp_path / "calls.jsonl"
    models = [make(record=path, memo=False, concurrency=4) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda model: model.choose([f"p{n}" for n in range(20)], OPTIONS), models))
    assert len([json.loads(line) for line in path.read_text().splitlines()]) == 40


def test_a_record_that_cannot_be_written_is_named(server: Told, make: Make, tmp_path: Path) -> None:
    server.tell(word("up"))
    error = failure(lambda: make(record=tmp_path).choose(["a"], OPTIONS))
    assert str(error) == f"{tmp_path}: the record of calls cannot be written (Is a directory)."
