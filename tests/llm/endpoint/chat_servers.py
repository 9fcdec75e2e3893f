"""Two servers on loopback: llama.cpp's own with the embedded model's weights, and one that answers as it is told."""

from __future__ import annotations

import contextlib
import json
import threading
from collections import deque
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from ranpilot.errors import RanpilotError

Make = Callable[..., Any]
SECRET = "sk-do-not-tell-0123456789"
Reply = Callable[["Handler"], None]


class Told(ThreadingHTTPServer):
    """Gives its `replies` in their order, the last one again and again, and keeps what was asked in `seen`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.replies: deque[Reply] = deque()
        self.seen: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.closing = threading.Event()
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def tell(self, *replies: Reply) -> None:
        self.replies, self.seen, self.keys = deque(replies), [], []

    def handle_error(self, *_: object) -> None:
        """A client that hangs up on a silent server is what these tests are about."""


class Handler(BaseHTTPRequestHandler):
    server: Told

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.seen.append({"path": self.path, **body})
            self.server.keys.append(self.headers.get("Authorization"))
            replies = self.server.replies
            reply = replies.popleft() if len(replies) > 1 else replies[0]
        reply(self)

    def log_message(self, *_: object) -> None:
        """Not on the terminal of the tests."""


@contextlib.contextmanager
def told_server() -> Iterator[Told]:
    server = Told()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def llama_server() -> Iterator[str]:
    """The address of llama.cpp's server on a free port, with the GGUF file of the embedded model and SECRET as key."""
    import xllamacpp

    from ranpilot.llm.weights import find_gguf

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(find_gguf())
    parameters.n_ctx, parameters.n_parallel, parameters.warmup, parameters.verbosity = 2048, 2, False, -1
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
    parameters.hostnames, parameters.port, parameters.api_keys = ["127.0.0.1"], 0, [SECRET]
    server = xllamacpp.Server(parameters)
    try:
        yield f"{server.listening_address}/v1"
    finally:
        del server


def raw(body: bytes, status: int = 200, length: int | None = None, **headers: str) -> Reply:
    """These bytes, with a Content-Length of their own where it is told."""

    def send(handler: Handler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body) if length is None else length))
        handler.end_headers()
        handler.wfile.write(body)

    return send


def said(text: str | None, finish: str = "stop", usage: tuple[int, int] | None = (30, 5), **message: Any) -> Reply:
    """A whole answer in which the model wrote this text."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text, **message}, "finish_reason": finish}
    told = {} if usage is None else {"usage": {"prompt_tokens": usage[0], "completion_tokens": usage[1]}}
    return raw(json.dumps({"choices": [choice], **told}).encode())


def likely(**logprob: float) -> Reply:
    """An answer that tells the log-probabilities of first tokens; `_` in a name is a blank."""
    top = [{"token": name.replace("_", " "), "logprob": value} for name, value in logprob.items()]
    logprobs = {"content": [{**top[0], "top_logprobs": top}] if top else []}
    choice = {"message": {"content": top[0]["token"] if top else ""}, "finish_reason": "length", "logprobs": logprobs}
    return raw(json.dumps({"choices": [choice], "usage": {"prompt_tokens": 30, "completion_tokens": 1}}).encode())


def refused(status: int, words: str = "no", **headers: str) -> Reply:
    return raw(json.dumps({"error": {"message": words}}).encode(), status, **headers)


def silent(handler: Handler) -> None:
    """No answer at all."""
    handler.server.closing.wait(30)


def dripping(handler: Handler) -> None:
    """A head, and then a byte now and then for ever."""
    handler.send_response(200)
    handler.end_headers()
    while not handler.server.closing.wait(0.02):
        handler.wfile.write(b" ")


def dripping_head(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
    while not handler.server.closing.wait(0.02):
        handler.wfile.write(b"x")


def no_http(handler: Handler) -> None:
    handler.wfile.write(b"hello, this is no HTTP, your key was " + SECRET.encode() + b"\r\n\r\n")


def hung_up(handler: Handler) -> None:
    handler.connection.close()


def word(text: str, **told: Any) -> Reply:
    return said(json.dumps({"answer": text}), **told)


class Plan(BaseModel):
    """What a small plan looks like."""

    action: Literal["share", "power"]
    percent: int = Field(ge=0, le=100)


def failure(act: Callable[[], object]) -> RanpilotError:
    """The error of an act, which shows no key in anything that it carries."""
    with pytest.raises(RanpilotError) as caught:
        act()
    error: BaseException | None = caught.value
    while error is not None:
        assert SECRET not in f"{error!r} {error} {vars(error)}"
        error = error.__cause__
    return caught.value


def outcomes(model: Any) -> list[str]:
    return [call.outcome for call in model.calls]
