"""A language model's name is its backend, and after the first colon the backend's argument."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ranpilot import llm
from ranpilot.errors import ConfigError, UnknownNameError


class Parrot:
    """Remembers how it was made."""

    ARGUMENT = "model"

    def __init__(self, **settings: Any) -> None:
        self.settings = settings


class Plain:
    def __init__(self, **settings: Any) -> None:
        self.settings = settings


@pytest.fixture(autouse=True)
def two_backends(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(llm.BACKENDS, "_registered", {})
    llm.BACKENDS.register("parrot", Parrot)  # type: ignore[arg-type]
    llm.BACKENDS.register("plain", Plain)  # type: ignore[arg-type]
    yield


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("parrot", {}),
        ("parrot:small", {"model": "small"}),
        ("parrot:qwen2.5:7b", {"model": "qwen2.5:7b"}),
        ("parrot:/a/folder", {"model": "/a/folder"}),
    ],
)
def test_the_text_after_the_first_colon_is_the_backends_argument(name: str, settings: dict[str, str]) -> None:
    made: Any = llm.load(name, seed=3)
    assert made.settings == settings | {"seed": 3}


@pytest.mark.parametrize(
    ("name", "settings", "sentence"),
    [
        ("plain:a", {}, "language model = 'plain:a', but must be 'plain' alone (it takes no argument)."),
        (
            "parrot:",
            {},
            "language model = 'parrot:', but must be 'parrot', or 'parrot' with its model after the colon.",
        ),
        ("parrot:a", {"model": "b"}, "parrot.model = 'b', but must be left out, since the name says 'parrot:a'."),
    ],
)
def test_an_argument_that_cannot_be_used_is_refused(name: str, settings: Any, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        llm.load(name, **settings)
    assert str(caught.value) == sentence


def test_a_misspelt_backend_with_an_argument_is_refused_by_its_own_name() -> None:
    with pytest.raises(UnknownNameError, match=r"No language model is called 'parot'; did you mean 'parrot'"):
        llm.load("parot:small")


BACKENDS = llm.names()


@pytest.mark.parametrize("name", BACKENDS)
def test_every_backend_chooses_and_writes_and_refuses_a_setting_that_it_does_not_know(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    part: Any = llm.BACKENDS.load(name)
    assert callable(part.choose)
    assert callable(part.generate)
    monkeypatch.setenv("RANPILOT_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(ConfigError, match=rf"{name}\.no_such_setting = 1, but must be left out \(no such key"):
        llm.load(f"{name}:x", no_such_setting=1)
