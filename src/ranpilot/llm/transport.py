"""One JSON request to one address over HTTP, with an end to how long it takes and how much comes back.

The standard library is enough: a request is a POST to a fixed address, and what a larger client would add (redirects,
cookies, proxies of the environment) is what must not happen to a key. A redirect is refused, never followed. The time
limit holds for the whole exchange, however slowly the bytes drip in. Texts of the server that go into an error are
cleaned of the key, since some servers repeat it.
"""

from __future__ import annotations

import contextlib
import email.utils
import http.client
import json
import re
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from ranpilot.errors import BackendError, ConfigError

__all__ = ["MAX_BYTES", "Address", "PostFailed", "check_key", "post_json", "without_key"]

MAX_BYTES = 4_000_000  # of an answer; a thousand times what any answer here needs
ERROR_BYTES = 65_536
SHOWN = 160  # characters of a server's own words in an error
RETRIED = {408, 425, 429, 500, 502, 503, 504}
SECRET_LENGTH = 8  # Shorter "keys" (EMPTY, ollama) are placeholders that may stand in any text.


class PostFailed(Exception):
    """A request without a usable answer: `outcome` in a word, `problem` in words, whether to try again and when."""

    def __init__(
        self, outcome: str, problem: str, *, status: int = 0, again: bool = False, wait_s: float | None = None
    ) -> None:
        self.outcome, self.problem, self.status, self.again, self.wait_s = outcome, problem, status, again, wait_s
        super().__init__(problem)

    @property
    def is_free(self) -> bool:
        """Whether the endpoint surely did no work that it counts."""
        return self.outcome == "unreachable" or self.outcome.startswith("HTTP")


@dataclass(frozen=True)
class Address:
    """Where requests go: `http://host:port/path`, without a user, a password or a query."""

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, url: str) -> Address:
        """The parts of a URL. Raises: ConfigError, which never repeats a password."""
        parts = _split(url)
        if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError("base_url", url, "an http or https address such as http://127.0.0.1:8080/v1")
        if "@" in parts.netloc:
            shown = f"{parts.scheme}://...@{parts.netloc.rpartition('@')[2]}"
            raise ConfigError("base_url", shown, "an address without user or password (the key has its own variable)")
        if parts.query or parts.fragment:
            shown = f"{parts.scheme}://{parts.netloc}{parts.path}?..."
            raise ConfigError("base_url", shown, "an address that ends with its path, without ? or #")
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
        return cls(parts.scheme, parts.hostname, port, parts.path.rstrip("/"))

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def url(self) -> str:
        """The whole address."""
        return f"{self.origin}{self.path}"


def check_key(key: str, variable: str) -> None:
    """Raise BackendError, which names the variable and not its value, unless a header can carry the key."""
    if not re.fullmatch(r"[!-~]+", key):
        raise BackendError(f"{variable}: holds a blank, a line break or a letter outside ASCII, which no key has.")


def without_key(text: str, key: str | None) -> str:
    """The text with the key, where a server repeats it, replaced by [key]."""
    return text.replace(key, "[key]") if key and len(key) >= SECRET_LENGTH else text


def post_json(address: Address, body: bytes, key: str | None, timeout_s: float) -> bytes:
    """The body of the answer to one POST, at most MAX_BYTES long. Raises: PostFailed."""
    connection = _connection(address, timeout_s)
    with contextlib.closing(connection), _Deadline(timeout_s) as deadline:
        try:
            connection.connect()
            deadline.watch(connection.sock)
            connection.request("POST", address.path, body, _headers(key))
            response = connection.getresponse()
            data = response.read(ERROR_BYTES if response.status >= 300 else MAX_BYTES + 1)
        except (OSError, http.client.HTTPException, ValueError) as error:
            if deadline.passed or isinstance(error, TimeoutError):
                raise _timeout(timeout_s) from None
            raise _broken_off(error) from None
    if deadline.passed:
        # A connection that was cut looks like one that has ended.
        raise _timeout(timeout_s)
    if response.status >= 300:
        raise _refused(response, data, key)
    if len(data) > MAX_BYTES:
        raise PostFailed("too long", f"the answer is longer than {MAX_BYTES / 1e6:g} MB and was not read on")
    if response.length:
        raise PostFailed("broken off", f"the answer ended {response.length} bytes too early", again=True)
    return data


class _Deadline:
    """Cuts a connection when its time is over."""

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> _Deadline:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def watch(self, connected: socket.socket) -> None:
        """Cut this connection at the deadline, which may have passed while it was made."""
        self._socket = connected
        if self.passed:
            raise TimeoutError

    def _cut(self) -> None:
        self.passed = True
        if self._socket is not None:
            with contextlib.suppress(OSError):
                # Past TLS, which would wait for the other side to agree.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


def _split(url: str) -> SplitResult | None:
    if not re.fullmatch(r"[!-~]+", url):
        return None  # urlsplit drops line breaks silently.
    try:
        parts = urlsplit(url)
        return parts if parts.port is None or parts.port > 0 else None
    except ValueError:
        return None


def _connection(address: Address, timeout_s: float) -> http.client.HTTPConnection:
    if address.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(address.host, address.port, timeout=timeout_s, context=context)
    return http.client.HTTPConnection(address.host, address.port, timeout=timeout_s)


def _headers(key: str | None) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "identity"}
    return headers | ({"Authorization": f"Bearer {key}"} if key else {})


def _timeout(timeout_s: float) -> PostFailed:
    return PostFailed("timeout", f"no whole answer within {timeout_s:g} s", again=True)


def _broken_off(error: Exception) -> PostFailed:
    """Only the kind of a protocol error is told: its text repeats what the server sent."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return PostFailed("unreachable", f"its certificate is not valid ({error.verify_message})")
    if isinstance(error, socket.gaierror):
        return PostFailed("unreachable", "no such host", again=error.errno == socket.EAI_AGAIN)
    if isinstance(error, ConnectionResetError | ConnectionAbortedError | BrokenPipeError):
        return PostFailed("broken off", "the connection was closed before the whole answer came", again=True)
    if isinstance(error, http.client.HTTPException | ValueError) and not isinstance(error, OSError):
        return PostFailed("broken off", f"the answer is no HTTP ({type(error).__name__})", again=True)
    reason = getattr(error, "strerror", None) or type(error).__name__
    return PostFailed("unreachable", f"it cannot be reached ({reason})", again=True)


def _refused(response: http.client.HTTPResponse, data: bytes, key: str | None) -> PostFailed:
    status = response.status
    if status < 400:
        host = urlsplit(without_key(response.headers.get("Location", ""), key)).hostname or "no address"
        return PostFailed(f"HTTP {status}", f"it sends elsewhere (HTTP {status} to {host}), which is not followed")
    wait_s = _wait_s(response.headers.get("Retry-After"))
    words = _server_words(data, key)
    problem = f"HTTP {status} ({words})" if words else f"HTTP {status}"
    return PostFailed(f"HTTP {status}", problem, status=status, again=status in RETRIED, wait_s=wait_s)


def _server_words(data: bytes, key: str | None) -> str:
    """What the server says about its error, on one line."""
    text = data.decode("utf-8", "replace")
    with contextlib.suppress(ValueError, RecursionError):
        said = json.loads(text)
        error = said.get("error", said) if isinstance(said, dict) else said
        text = str((error.get("message") or error.get("detail") or "") if isinstance(error, dict) else error)
    words = "".join(character if character.isprintable() else " " for character in text)
    line = " ".join(without_key(words, key).split()).rstrip(".")
    return line if len(line) <= SHOWN else f"{line[:SHOWN]}..."


def _wait_s(header: str | None) -> float | None:
    """Seconds of a Retry-After header: a number, or the time until a date; None for neither."""
    if header is None:
        return None
    if re.fullmatch(r"[0-9]{1,9}", header.strip()):
        return float(header)
    with contextlib.suppress(ValueError, TypeError):
        return max(0.0, email.utils.parsedate_to_datetime(header).timestamp() - time.time())
    return None
