"""A server that does everything wrong that a server can, and a key that must not be told."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ranpilot import llm
from ranpilot.errors import BackendError, BackendTimeout, ConfigError
from ranpilot.llm import transport

from .chat_servers import (
    SECRET,
    Make,
    Plan,
    Reply,
    Told,
    dripping,
    dripping_head,
    failure,
    hung_up,
    no_http,
    outcomes,
    raw,
    refused,
    silent,
    told_server,
    word,
)

OPTIONS = [" up", " down", " keep"]
DIFFER = "words that differ in more than blanks and capitals."


# A server that is slow, away, busy, or something else.


@pytest.mark.parametrize("reply", [silent, dripping, dripping_head])
def test_an_answer_that_does_not_come_in_time_is_a_timeout_however_it_is_drawn_out(
    server: Told, make: Make, waits: list[float], reply: Reply
) -> None:
    server.tell(reply)
    model = make(timeout_s=0.15, retries=1)
    error = failure(lambda: model.generate("A match.", Plan))
    assert isinstance(error, BackendTimeout)
    assert str(error) == f"{server.url}/chat/completions: no whole answer within 0.15 s (2 attempts)."
    assert outcomes(model) == ["timeout", "timeout"]
    assert len(waits) == 1


@pytest.mark.parametrize(
    ("first", "outcome"),
    [(refused(500), "HTTP 500"), (refused(503), "HTTP 503"), (hung_up, "broken off"), (no_http, "broken off"),
     (raw(b'{"choices', length=500), "broken off"), (silent, "timeout")],
    ids=["500", "503", "hung up", "no http", "cut short", "timeout"],
)  # fmt: skip
def test_what_may_pass_is_tried_again(server: Told, make: Make, first: Reply, outcome: str) -> None:
    server.tell(first, word("up"))
    model = make(timeout_s=0.7 if first is silent else 5.0)
    assert model.choose(["a"], OPTIONS).argmax() == 0
    assert outcomes(model) == [outcome, "answered"]
    assert [call.attempt for call in model.calls] == [1, 2]
    assert (model.statistics.calls, model.statistics.failed, model.statistics.answered) == (2, 1, 1)


def test_waits_double_with_up_to_half_of_them_taken_off_at_random(server: Told, make: Make, waits: list[float]) -> None:
    server.tell(refused(502, "busy"))
    error = failure(lambda: make(retries=5, backoff_s=0.5).choose(["a"], OPTIONS))
    assert str(error) == f"{server.url}/chat/completions: HTTP 502 (busy) (6 attempts)."
    longest = 0.5 * 2.0 ** np.arange(5)
    assert np.all(np.array(waits) <= longest)
    assert np.all(np.array(waits) >= longest / 2)
    assert len(set(np.array(waits) / longest)) == 5


def test_a_server_that_says_when_to_return_is_obeyed_up_to_a_minute(
    server: Told, make: Make, waits: list[float]
) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    server.tell(
        refused(429, Retry_After="7"), refused(429, Retry_After=soon), refused(429, Retry_After="?"), word("up")
    )
    assert make().choose(["a"], OPTIONS).argmax() == 0
    assert waits[0] == 7.0
    assert 20 < waits[1] <= 30
    assert waits[2] <= 2.0
    server.tell(refused(429, "quota", Retry_After="3600"))
    error = failure(lambda: make().choose(["b"], OPTIONS))
    assert str(error).endswith("HTTP 429 (quota); it asks to come back in 3600 s.")
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (raw(b"<html>Welcome</html>"), "the answer is not that of a chat endpoint: it must be valid JSON ("),
        (raw(b'{"choices": [{"mess'), "it must be valid JSON (EOF while parsing a string at line 1 column 19)."),
        (raw(b"\xff\xfe"), "it must be valid JSON"),
        (raw(b"[" * 100_000), "it must be valid JSON (recursion limit exceeded"),
        (raw(b""), "it must be valid JSON"),
        (raw(b"[]"), "it must be a mapping."),
        (raw(b"{}"), "its field choices must be given."),
        (raw(b'{"choices": []}'), "its field choices must be a list of at least 1."),
        (raw(b'{"choices": [{}]}'), "its field choices.0.message must be given."),
        (raw(b'{"choices": [{"message": {"content": 3}}]}'), "its field choices.0.message.content must be a text."),
        (raw(b'{"choices": [{"message": {}}], "usage": {"prompt_tokens": -1}}'), "prompt_tokens must be at least 0."),
        (raw(b" " * 4_000_001), "the answer is longer than 4 MB and was not read on."),
        (raw(b"", length=10**12), "ended 1000000000000 bytes too early."),
        (raw(b"", 302, Location="http://other.example/?" + SECRET), "it sends elsewhere (HTTP 302 to other.example), "),
        (raw(b"", 307, Location="/v2/chat"), "it sends elsewhere (HTTP 307 to no address), which is not followed."),
        (refused(401, f"Incorrect key: {SECRET}."), "HTTP 401 (Incorrect key: [key]); check RANPILOT_ENDPOINT_KEY."),
        (refused(404, "no such model"), "HTTP 404 (no such model); check base_url and the name of the model."),
        (refused(418, "a\n\tteapot\x1b[31m " + "x" * 500), "HTTP 418 (a teapot [31m " + "x" * 146 + "...)."),
        (raw(b'{"detail": "nope"}', 422), "HTTP 422 (nope)."),
        (raw(b'"only a text"', 400), "HTTP 400 (only a text)."),
        (raw(b"", 400), "HTTP 400."),
        (no_http, "the answer is no HTTP (BadStatusLine)."),
        (hung_up, "the connection was closed before the whole answer came."),
    ],
)  # fmt: skip
def test_what_is_no_chat_endpoint_is_one_clear_sentence(server: Told, make: Make, reply: Reply, sentence: str) -> None:
    server.tell(reply)
    model = make(retries=0)
    error = failure(lambda: model.generate("A match.", Plan))
    assert isinstance(error, BackendError)
    assert str(error).startswith(f"{server.url}/chat/completions: ")
    assert sentence in str(error)
    assert "\n" not in str(error)
    assert (len(server.seen), model.statistics.failed) == (1, 1)


def test_a_key_does_not_follow_a_redirect(server: Told, make: Make) -> None:
    with told_server() as other:
        other.tell(word("up"))
        server.tell(raw(b"", 308, Location=f"{other.url}/chat/completions"))
        failure(lambda: make().choose(["a"], OPTIONS))
        assert other.seen == []


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_a_server_that_cannot_prove_its_name_does_not_get_the_key(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=here -addext subjectAltName=IP:127.0.0.1"
    subprocess.run([*made.split(), "-keyout", secret, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, secret)
    with told_server() as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.tell(word("up"))
        url = server.url.replace("http:", "https:")
        model = make(base_url=url, retries=0)
        error = failure(lambda: model.choose(["a"], OPTIONS))
        assert str(error).endswith(": its certificate is not valid (self-signed certificate).")
        assert (server.seen, outcomes(model)) == ([], ["unreachable"])
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert model.choose(["a"], OPTIONS).argmax() == 0
        server.tell(dripping)
        slow = make(base_url=url, retries=0, timeout_s=0.3)
        assert isinstance(failure(lambda: slow.choose(["b"], OPTIONS)), BackendTimeout)


def test_an_address_where_nobody_listens_is_named(make: Make, waits: list[float]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    model = make(base_url=url, retries=2)
    error = failure(lambda: model.choose(["a"], OPTIONS))
    assert str(error) == f"{url}/chat/completions: it cannot be reached (Connection refused) (3 attempts)."
    assert len(waits) == 2


def test_a_host_that_does_not_exist_is_not_asked_again(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    model = make(base_url="https://nowhere.example/v1")
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = failure(lambda: model.choose(["a"], OPTIONS))
    assert str(error) == "https://nowhere.example:443/v1/chat/completions: no such host."
    assert outcomes(model) == ["unreachable"]


# Settings, addresses and keys.


def test_the_address_comes_from_the_environment_where_it_is_not_given(
    server: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(
        ConfigError, match=r"endpoint\.base_url = None, but must be an address such as .*RANPILOT_ENDPOINT_URL"
    ):
        llm.load("endpoint:tiny")
    monkeypatch.setenv("RANPILOT_ENDPOINT_URL", server.url + "/")
    server.tell(word("down"))
    model = llm.load("endpoint:tiny", choose_by="answer")
    assert (model.name, model.choose(["a"], OPTIONS).argmax()) == ("endpoint:tiny", 1)
    assert server.seen[0]["path"] == "/v1/chat/completions"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"base_url": "ftp://host/v1"}, "endpoint.base_url = 'ftp://host/v1', but must be an http or https address "),
        ({"base_url": "file:///etc/passwd"}, "endpoint.base_url = 'file:///etc/passwd', but must be an http or https "),
        ({"base_url": "host:80/v1"}, "endpoint.base_url = 'host:80/v1', but must be an http or https address "),
        ({"base_url": "http://"}, "endpoint.base_url = 'http://', but must be an http or https address "),
        ({"base_url": "http://host:99999"}, "endpoint.base_url = 'http://host:99999', but must be an http or https "),
        ({"base_url": "http://a\nb/v1"}, "endpoint.base_url = 'http://a\\nb/v1', but must be an http or https addr"),
        ({"base_url": f"http://me:{SECRET}@host/v1"}, "endpoint.base_url = 'http://...@host', but must be an address "),
        ({"base_url": f"http://host/v1?key={SECRET}"}, "endpoint.base_url = 'http://host/v1?...', but must be an add"),
        ({"timeout_s": 0}, "endpoint.timeout_s = 0, but must be above 0."),
        ({"retries": -1}, "endpoint.retries = -1, but must be at least 0."),
        ({"answer_probability": 0.5}, "endpoint.answer_probability = 0.5, but must be above 0.5."),
        ({"temperature": 3.0}, "endpoint.temperature = 3.0, but must be at most 2."),
        ({"nonsense": "ignore"}, "endpoint.nonsense = 'ignore', but must be one of refuse, uniform."),
        ({"api_key": "x"}, "endpoint.api_key = 'x', but must be left out (no such key; "),
        ({"key_variable": "A B"}, "endpoint.key_variable = 'A B', but must "),
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_used_is_refused(make: Make, settings: Any, sentence: str) -> None:
    error = failure(lambda: make(**settings))
    assert isinstance(error, ConfigError)
    assert str(error).startswith(sentence)


def test_an_endpoint_without_a_model_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"endpoint\.model = None, but must be given"):
        llm.load("endpoint", base_url="http://127.0.0.1:1")


def test_the_key_is_read_at_each_call_and_need_not_be_there(
    server: Told, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.tell(word("up"))
    model = make(key_variable="MY_OWN_KEY", memo=False)
    model.choose(["a"], OPTIONS)
    monkeypatch.setenv("MY_OWN_KEY", f" {SECRET}2\n")
    model.choose(["b"], OPTIONS)
    assert server.keys == [None, f"Bearer {SECRET}2"]


@pytest.mark.parametrize("wrong", [f"{SECRET}\r\nX-Evil: 1", f"{SECRET} {SECRET}", f"{SECRET}é"])
def test_a_key_that_no_header_can_carry_is_refused_without_being_shown(
    server: Told, make: Make, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    monkeypatch.setenv("RANPILOT_ENDPOINT_KEY", wrong)
    error = failure(make)
    assert str(error).startswith("RANPILOT_ENDPOINT_KEY: holds a blank, a line break or a letter outside ASCII")
    assert server.seen == []


def test_a_placeholder_of_a_key_is_not_taken_out_of_answers() -> None:
    assert transport.without_key("EMPTY cell", "EMPTY") == "EMPTY cell"
    assert transport.without_key(f"<{SECRET}>", SECRET) == "<[key]>"


@pytest.mark.parametrize(
    ("prompts", "options", "sentence"),
    [
        (["a"], ["up", " up"], f"options = ['up', ' up'], but must be {DIFFER}"),
        (["a"], ["up", "UP"], f"options = ['up', 'UP'], but must be {DIFFER}"),
        (["a"], ["up", " "], f"options = ['up', ' '], but must be {DIFFER}"),
        ([""], ["up", "down"], "a member of prompts = '', but must be a text that is not empty."),
    ],
)  # fmt: skip
def test_a_choice_that_cannot_be_made_is_refused(make: Make, prompts: Any, options: Any, sentence: str) -> None:
    assert str(failure(lambda: make().choose(prompts, options))) == sentence
    assert make().choose([], OPTIONS).shape == (0, 3)
