"""Choices and written answers of an endpoint: what is asked, what is made of the answer, what is remembered."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from pydantic import BaseModel, Field

from ranpilot import cli, llm
from ranpilot.errors import BackendError, ModelOutputError
from ranpilot.llm import chat_client
from ranpilot.llm.openai_chat import TopToken, row_of_tokens

from .chat_servers import (
    SECRET,
    Make,
    Plan,
    Reply,
    Told,
    failure,
    likely,
    outcomes,
    refused,
    said,
    word,
)

OPTIONS = [" up", " down", " keep"]
LN = np.log


# What is asked, and what is made of the answer.


def test_a_choice_is_asked_for_in_words_under_a_schema_of_the_options(server: Told, make: Make) -> None:
    server.tell(word("down"))
    model = make(instructions="You steer a radio cell.")
    found = np.exp(model.choose(["full light ->"], OPTIONS))
    np.testing.assert_allclose(found, [[0.05, 0.9, 0.05]], atol=1e-12)
    (asked,) = server.seen
    assert asked == {
        "path": "/v1/chat/completions",
        "model": "tiny",
        "messages": [
            {
                "role": "system",
                "content": "You steer a radio cell.\n"
                'Answer in JSON as {"answer": "..."} with exactly one of these words: up, down, keep',
            },
            {"role": "user", "content": "full light ->"},
        ],
        "temperature": 0.0,
        "seed": 0,
        "max_tokens": 256,
        "response_format": {
            "type": "json_schema",
            "json_schema": {
                "name": "answer",
                "strict": True,
                "schema": {
                    "type": "object",
                    "properties": {"answer": {"type": "string", "enum": ["up", "down", "keep"]}},
                    "required": ["answer"],
                    "additionalProperties": False,
                },
            },
        },
    }
    assert server.keys == [f"Bearer {SECRET}"]


def test_a_choice_is_read_from_the_first_tokens_probabilities_where_they_are_told(server: Told, make: Make) -> None:
    server.tell(likely(Up=LN(0.5), _up=LN(0.1), down=LN(0.2), The=LN(0.15), keep=LN(0.05)))
    model = make(choose_by="auto", temperature=None, seed=None, max_tokens_field="max_completion_tokens")
    found = np.exp(model.choose(["full ->"], OPTIONS))
    np.testing.assert_allclose(found, np.array([[0.6, 0.2, 0.05]]) / 0.85, atol=1e-12)
    (asked,) = server.seen
    assert asked["messages"][0]["content"] == "Answer with exactly one of these words and nothing else: up, down, keep"
    assert (asked["max_completion_tokens"], asked["logprobs"], asked["top_logprobs"]) == (1, True, 20)
    assert {"temperature", "seed", "max_tokens", "response_format"}.isdisjoint(asked)


@pytest.mark.parametrize(
    ("tokens", "row"),
    [
        ({"up": 0.6, "down": 0.3, "keep": 0.1}, [0.6, 0.3, 0.1]),
        ({"up": 0.006, "down": 0.003, "keep": 0.001}, [0.6, 0.3, 0.1]),
        ({"up": 0.8, "The": 0.1}, [0.8, 0.1, 0.1]),
        ({"up": 0.4, "The": 0.5}, None),
        ({"up": 0.7, "down": 0.2}, [0.7, 0.2, 0.1]),
        ({"up": 1.0}, [1.0, 1e-9, 1e-9]),
        ({"upwards": 0.9, "dow": 0.1}, None),
    ],
)
def test_first_tokens_tell_a_choice_only_where_the_options_hold_half_or_are_all_there(
    tokens: dict[str, float], row: list[float] | None
) -> None:
    found = row_of_tokens([TopToken(token=name, logprob=LN(p)) for name, p in tokens.items()], ["up", "down", "keep"])
    if row is None:
        assert found is None
    else:
        assert found is not None
        np.testing.assert_allclose(np.exp(found), np.array(row) / sum(row), atol=1e-12)


def test_unclear_first_tokens_lead_to_one_answer_and_the_next_prompt_is_tried_anew(server: Told, make: Make) -> None:
    server.tell(likely(The=-0.1), word("keep"), likely(), word("up"), likely(down=-0.1))
    found = make(choose_by="auto", concurrency=1).choose(["a", "b", "c"], OPTIONS)
    assert found.argmax(axis=1).tolist() == [2, 0, 1]
    assert ["logprobs" in asked for asked in server.seen] == [True, False, True, False, True]


@pytest.mark.parametrize("first", [word("up"), refused(400, "logprobs are not supported")], ids=["untold", "refused"])
def test_an_endpoint_without_probabilities_is_asked_for_them_once(server: Told, make: Make, first: Reply) -> None:
    server.tell(first, word("up"), word("down"))
    found = make(choose_by="auto", concurrency=1).choose(["a", "b"], OPTIONS)
    assert found.argmax(axis=1).tolist() == [0, 1]
    assert ["logprobs" in asked for asked in server.seen] == [True, False, False]


def test_where_only_probabilities_were_wanted_nothing_else_is_tried(server: Told, make: Make) -> None:
    model = make(choose_by="logprobs")
    for reply, kind, sentence in [
        (word("up"), BackendError, "tells no probabilities; choose_by='answer' does without them."),
        (refused(400, "no logprobs"), BackendError, "HTTP 400 (no logprobs)."),
        (likely(The=-0.1), ModelOutputError, "model answer 'The': must be one of up, down, keep."),
    ]:
        server.tell(reply)
        error = failure(lambda: model.choose(["a"], OPTIONS))
        assert isinstance(error, kind)
        assert str(error).endswith(sentence)
        assert len(server.seen) == 1


def test_what_is_written_is_a_checked_object(server: Told, make: Make) -> None:
    server.tell(said('{"percent": 40, "action": "share"}'))
    model = make()
    messages: list[llm.Message] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "A match."}]
    sampling = llm.Sampling(temperature=0.5, seed=7, max_tokens=50)
    assert model.generate(messages, Plan, sampling=sampling) == Plan(action="share", percent=40)
    (asked,) = server.seen
    assert (asked["messages"], asked["temperature"], asked["seed"], asked["max_tokens"]) == (messages, 0.5, 7, 50)
    assert asked["response_format"]["json_schema"]["schema"]["required"] == ["action", "percent"]
    server.tell(said('{"percent": 1, "action": "power"}'))
    assert model.generate("A match.", Plan).percent == 1
    assert server.seen[0]["messages"] == [{"role": "user", "content": "A match."}]


# Nonsense is refused and counted, never used.


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (said("Sure! I would share."), "must be valid JSON (expected value at line 1 column 1)."),
        (
            said('{"action": "share", "percent"'),
            "must be valid JSON (EOF while parsing an object at line 1 column 29).",
        ),
        (said('{"action": "share", "percent": 400}'), "percent = 400, but must be at most 100."),
        (said('{"action": "share", "percent": "40"}'), "percent = '40', but must be a whole number."),
        (said('{"action": "dance", "percent": 4}'), "action = 'dance', but must be one of share, power."),
        (said('{"action": "share"}'), "percent = None, but must be given."),
        (said("[]"), "must be a mapping."),
        (said('{"action": "share", "percent": 4', finish="length"), "is not complete when max_tokens are used up."),
        (said(None, refusal="I can't help with that."), 'model answer "I can\'t help with that.": is a refusal.'),
        (said(None), "model answer '': is empty."),
        (said(""), "model answer '': is empty."),
        (said("My key is " + SECRET), "model answer 'My key is [key]': must be valid JSON"),
        (said(None, refusal="No, " + SECRET), "model answer 'No, [key]': is a refusal."),
    ],
)
def test_an_answer_that_is_no_plan_is_refused_and_counted(
    server: Told, make: Make, reply: Reply, sentence: str
) -> None:
    server.tell(reply)
    model = make()
    error = failure(lambda: model.generate("A match.", Plan))
    assert isinstance(error, ModelOutputError)
    assert sentence in str(error)
    assert outcomes(model) == ["nonsense"]
    assert (model.statistics.nonsense, model.statistics.answered, model.statistics.prompt_tokens) == (1, 0, 30)
    server.tell(said('{"action": "share", "percent": 4}'))
    assert model.generate("A match.", Plan).percent == 4  # What was refused is not remembered.


def test_a_choice_outside_the_options_is_refused_or_even_as_the_caller_named_it(server: Told, make: Make) -> None:
    server.tell(word("up"), word("sideways"))
    model = make(concurrency=1)
    error = failure(lambda: model.choose(["a", "b"], OPTIONS))
    assert str(error) == (
        "model answer '{\"answer\": \"sideways\"}': answer = 'sideways', but must be one of up, down, keep."
    )
    server.tell(word("sideways"), word("down"))
    model = make(concurrency=1, nonsense="uniform")
    found = np.exp(model.choose(["a", "b", "c"], OPTIONS))
    np.testing.assert_allclose(found, [[0.9, 0.05, 0.05], [1 / 3] * 3, [0.05, 0.9, 0.05]], atol=1e-12)
    assert (model.statistics.nonsense, model.statistics.remembered) == (1, 1)  # "a" was kept before the failure.
    server.tell(word("keep"))
    assert model.choose(["b"], OPTIONS).argmax() == 2  # An even row is not remembered.


# What is remembered.


def test_an_answer_is_asked_for_once_by_the_same_model_with_the_same_settings(server: Told, make: Make) -> None:
    server.tell(word("up"))
    first = make().choose(["a", "b", "a"], OPTIONS)
    assert len(server.seen) == 2
    again = make(timeout_s=1.0, retries=1, max_calls=0)
    np.testing.assert_array_equal(again.choose(["b", "a", "a"], [" up", "down", "keep"]), first)
    assert again.statistics.remembered == 2
    others = [
        {"temperature": 0.5}, {"seed": 1}, {"answer_probability": 0.8}, {"instructions": "x"}, {"choose_by": "auto"},
        {"base_url": server.url.replace("127.0.0.1", "localhost")}, {"base_url": f"{server.url}/b"}, {"model": "big"},
    ]  # fmt: skip
    hashes = {make().model_hash}
    for other in others:
        before = len(server.seen)
        model = llm.load(
            "endpoint",
            **({"model": "tiny", "memo": again.config.memo, "base_url": server.url} | {"choose_by": "answer"} | other),
        )
        model.choose(["a"], OPTIONS)
        assert len(server.seen) > before, other
        hashes.add(model.model_hash)
    assert len(hashes) == len(others) + 1


def test_a_written_answer_is_remembered_by_prompt_schema_and_sampling(server: Told, make: Make) -> None:
    class Other(BaseModel):
        action: Literal["share", "power"]
        percent: int = Field(ge=0, le=99)

    server.tell(said('{"action": "share", "percent": 4}'))
    assert make().generate("A match.", Plan) == make().generate("A match.", Plan)
    assert len(server.seen) == 1
    for act in (
        lambda: make().generate("A game.", Plan),
        lambda: make().generate("A match.", Other),
        lambda: make().generate("A match.", Plan, sampling=llm.Sampling(seed=1)),
        lambda: make(max_tokens=5).generate("A match.", Plan),
        lambda: make().generate([{"role": "system", "content": "A match."}], Plan),
    ):
        before = len(server.seen)
        act()
        assert len(server.seen) == before + 1


def test_what_was_answered_before_ctrl_c_is_kept(server: Told, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    server.tell(word("up"), refused(500))
    model = make(concurrency=1)
    monkeypatch.setattr(chat_client, "sleep", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.choose(["a", "b", "c"], OPTIONS)
    assert make(max_calls=0).choose(["a"], OPTIONS).argmax() == 0


def test_the_memo_stands_in_the_users_cache_under_the_models_hash(server: Told, make: Make, tmp_path: Path) -> None:
    server.tell(word("up"))
    model = make(memo=True)
    model.choose(["a"], OPTIONS)
    assert [path.name for path in (tmp_path / "cache" / "ranpilot" / "memo").iterdir()] == [
        f"{model.model_hash}.sqlite"
    ]


# The command line.


def test_the_command_asks_the_named_model_and_writes_what_it_said(
    server: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    server.tell(likely(up=LN(0.2), down=LN(0.7), keep=LN(0.1)))
    monkeypatch.setenv("RANPILOT_ENDPOINT_URL", server.url)
    arguments = ["full ->", "--options", "up,down,keep", "--json", str(tmp_path / "a.json")]
    monkeypatch.setattr(sys, "argv", ["ranpilot", "llm", "choose", *arguments, "--model", "endpoint:tiny"])
    assert cli.main() == 0
    assert [line.split() for line in capfd.readouterr().out.splitlines()] == [
        ["0.700", "down"], ["0.200", "up"], ["0.100", "keep"],
    ]  # fmt: skip
    written = json.loads((tmp_path / "a.json").read_text())
    assert (written["model"], written["prompt"]) == ("endpoint:tiny", "full ->")
    assert written["chances"] == pytest.approx({"up": 0.2, "down": 0.7, "keep": 0.1})
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--depth", "4"])
    assert cli.main() == 2
    assert capfd.readouterr().err.startswith("error: endpoint.depth = 4, but must be left out (no such key; ")
