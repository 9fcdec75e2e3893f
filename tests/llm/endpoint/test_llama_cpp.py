"""The endpoint at llama.cpp's own server, with the weights of the embedded model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ranpilot import llm
from ranpilot.llm.openai_chat import TopToken, row_of_tokens

from .chat_servers import Plan, failure

QUESTIONS = ["Is Paris the capital of France?", "Is the sky green?"]


def real(llama: str, **settings: Any) -> Any:
    return llm.load("endpoint:smol", **{"base_url": llama, "memo": False, "retries": 0} | settings)


def test_llama_cpp_tells_the_probabilities_that_its_weights_have(llama: str, own_weights: tuple[Any, Any]) -> None:
    """Against our own forward pass in float32; llama.cpp rounds activations to 8 bits."""
    import torch

    from ranpilot.llm.backends.endpoint import WORD
    from ranpilot.llm.decoding import chat_ids

    tokenizer, weights = own_weights
    found = real(llama).choose(QUESTIONS, ["yes", "no"])
    for row, question in zip(found, QUESTIONS, strict=True):
        rule = WORD.render(options="yes, no")
        messages = [{"role": "system", "content": rule}, {"role": "user", "content": question}]
        with torch.inference_mode():
            logits = weights(torch.tensor([chat_ids(tokenizer, messages)])).logits[0, -1].log_softmax(dim=0)
        values, ids = logits.topk(20)
        likeliest = zip(ids.tolist(), values.tolist(), strict=True)
        tokens = [TopToken(token=tokenizer.decode([token]), logprob=logprob) for token, logprob in likeliest]
        expected = row_of_tokens(tokens, ["yes", "no"])
        assert expected is not None
        np.testing.assert_allclose(row, expected, atol=0.25)


def test_llama_cpp_is_held_to_the_options_where_its_first_token_tells_nothing(llama: str) -> None:
    model = real(llama)
    prompts = ["What is the capital of France?", "What is the capital of Italy?"]
    found = np.exp(model.choose(prompts, [" Paris", " Rome", " Oslo"]))
    np.testing.assert_allclose(found, [[0.9, 0.05, 0.05], [0.05, 0.9, 0.05]], atol=1e-12)
    assert {call.purpose for call in model.calls} == {"choose-logprobs", "choose-answer"}
    assert all(call.prompt_tokens and call.completion_tokens for call in model.calls)


def test_llama_cpp_writes_a_plan_within_its_bounds(llama: str) -> None:
    model = real(llama)
    plan = model.generate("A match begins in an hour. Which plan helps the cell at the stadium?", Plan)
    assert 0 <= plan.percent <= 100
    assert model.statistics.answered == 1
    error = failure(lambda: model.generate("Hello", Plan, sampling=llm.Sampling(max_tokens=3)))
    assert str(error).endswith("is not complete when max_tokens are used up.")
    assert model.statistics.nonsense == 1


def test_llama_cpp_turns_a_wrong_key_away(llama: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANPILOT_ENDPOINT_KEY", "sk-another-key-000")
    error = failure(lambda: real(llama).choose(QUESTIONS, ["yes", "no"]))
    assert str(error) == f"{llama}/chat/completions: HTTP 401 (Invalid API Key); check RANPILOT_ENDPOINT_KEY."
