"""The embedded model's choices: right, the same whatever they are batched with, and remembered."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ranpilot import llm
from ranpilot.errors import ConfigError, UnknownNameError

pytest.importorskip("torch", reason="the extra ranpilot[llm] is not installed")
pytestmark = pytest.mark.usefixtures("real_weights")

OPTIONS = [" up", " down", " keep", " move"]
STATES = [
    " ".join(words) + " ->"
    for words in itertools.product(["full", "light"], ["none", "light"], ["poor", "good"], ["low", "high"], ["max"])
]
LONGER = [f"Event: a match ends at the stadium tonight. {state}" for state in STATES[:5]]


def shallow(**settings: Any) -> Any:
    return llm.load("embedded", **{"depth": 2, "dtype": "float32", "memo": False} | settings)


def test_the_full_model_knows_the_capital_of_france() -> None:
    model = llm.load("embedded", dtype="float32", memo=False)
    names = [" London", " Paris", " Berlin", " Rome"]
    log_probability = model.choose(["The capital of France is", "The capital of Germany is"], names)
    assert [names[index] for index in log_probability.argmax(axis=1)] == [" Paris", " Berlin"]
    assert model.name == "untrained"
    assert model.model_hash.startswith("b179c9523d0e6a0f")


@pytest.mark.parametrize("depth", [1, 3])
def test_a_choice_is_the_softmax_of_the_options_logits_after_the_first_layers(depth: int) -> None:
    """Against one unpadded prompt at a time: hidden state after `depth` layers of a deeper model, norm, head."""
    import torch

    model, deeper = shallow(depth=depth), shallow(depth=4).model
    option_ids = [614, 1187, 1446, 1485]
    found = model.choose([*STATES[:3], LONGER[0]], OPTIONS)
    for row, prompt in zip(found, [*STATES[:3], LONGER[0]], strict=True):
        with torch.inference_mode():
            states = deeper.model(torch.tensor([model.tokenizer.encode(prompt).ids]), output_hidden_states=True)
            logits = deeper.lm_head(deeper.model.norm(states.hidden_states[depth][0, -1]))[option_ids]
            expected = torch.log_softmax(logits.double(), dim=0).numpy()
        np.testing.assert_allclose(row, expected, atol=1e-4)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_an_answer_does_not_depend_on_what_it_was_batched_with(dtype: str) -> None:
    prompts = [*STATES, *LONGER]
    together = shallow(dtype=dtype).choose(prompts, OPTIONS)
    alone = np.concatenate([shallow(dtype=dtype).choose([prompt], OPTIONS) for prompt in (prompts[3], prompts[-1])])
    order = np.random.default_rng(0).permutation(len(prompts))
    shuffled = shallow(dtype=dtype).choose([prompts[index] for index in order], OPTIONS)
    np.testing.assert_array_equal(shuffled, together[order])
    np.testing.assert_array_equal(alone, together[[3, -1]])


def test_each_row_is_a_distribution_and_repeated_prompts_have_equal_rows() -> None:
    found = shallow().choose([STATES[0], STATES[1], STATES[0]], OPTIONS)
    assert found.shape == (3, 4)
    assert found.dtype == np.float64
    np.testing.assert_allclose(np.exp(found).sum(axis=1), 1.0, atol=1e-12)
    np.testing.assert_array_equal(found[0], found[2])
    assert not np.array_equal(found[0], found[1])
    assert shallow().choose([], OPTIONS).shape == (0, 4)


def test_the_order_of_options_orders_the_columns() -> None:
    model = shallow()
    found, reversed_ = model.choose(STATES[:2], OPTIONS), model.choose(STATES[:2], OPTIONS[::-1])
    np.testing.assert_allclose(reversed_[:, ::-1], found, atol=1e-12)


def test_an_answer_is_computed_once_and_then_read_from_the_memo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memo = tmp_path / "answers.sqlite"
    first = shallow(memo=memo).choose(STATES, OPTIONS)
    again = shallow(memo=memo)
    monkeypatch.setattr(again, "_forward", lambda *_: pytest.fail("the model ran again"))
    np.testing.assert_array_equal(again.choose(STATES[::-1], OPTIONS), first[::-1])
    for other in (shallow(memo=memo, depth=1), shallow(memo=memo, dtype="bfloat16")):
        assert not np.array_equal(other.choose(STATES, OPTIONS), first)


def test_the_memo_stands_in_the_users_cache_under_the_models_hash() -> None:
    from ranpilot.llm.cache import cache_folder

    model = llm.load("embedded", depth=1)
    assert (cache_folder() / "memo" / f"{model.model_hash}.sqlite").is_file()


def test_loading_sets_one_torch_thread_unless_told_otherwise() -> None:
    import torch

    before = torch.get_num_threads()
    try:
        shallow(threads=2)
        assert torch.get_num_threads() == 2
        shallow()
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


def test_what_a_result_must_record_is_in_the_settings() -> None:
    settings = shallow().settings
    assert (settings["name"], settings["depth"], settings["dtype"]) == ("untrained", 2, "float32")
    assert settings["model_hash"] == shallow().model_hash


@pytest.mark.parametrize(
    ("prompts", "options", "sentence"),
    [
        (["a"], [" up", " handover"], "option = ' handover', but must be a single token of the model "),
        (["a"], [" up"], "options = [' up'], but must be two or more different texts."),
        (["a"], [" up", " up"], "options = [' up', ' up'], but must be two or more different texts."),
        ("a", OPTIONS, "prompts = 'a', but must be a list of texts, not one text."),
        (["a", ""], OPTIONS, "a member of prompts = '', but must be a text that is not empty."),
        (["a", None], OPTIONS, "a member of prompts = None, but must be a text that is not empty."),
        ([" up" * 8193], OPTIONS, "at most 8192 tokens long (it has 8193)."),
    ],
)
def test_a_choice_that_cannot_be_made_is_refused(prompts: Any, options: Any, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        shallow().choose(prompts, options)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"depth": 31}, "embedded.depth = 31, but must be at most 30."),
        ({"dtype": "int8"}, "embedded.dtype = 'int8', but must be one of auto, float32, bfloat16."),
        ({"threads": 0}, "embedded.threads = 0, but must be at least 1."),
        ({"device": "cuda:99"}, "embedded.device = 'cuda:99', but must be a device that torch can use here ("),
        (
            {"depht": 3},
            "embedded.depht = 3, but must be left out (no such key; did you mean 'depth'; known: depth, device, ",
        ),
    ],
)
def test_a_setting_that_the_model_does_not_take_is_refused(settings: Any, sentence: str) -> None:
    with pytest.raises((ConfigError, UnknownNameError)) as caught:
        llm.load("embedded", **settings)
    assert str(caught.value).startswith(sentence)


def test_an_unknown_model_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UnknownNameError, match=r"No language model is called 'embedde'; did you mean 'embedded'"):
        llm.load("embedde")
    assert "embedded" in llm.names()
