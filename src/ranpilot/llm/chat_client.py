"""Requests to one chat endpoint: retried where that can help, within a budget, each one recorded, the key kept out.

Waiting doubles from attempt to attempt, with up to half of it taken off at random so that many clients do not return
at once; a server that says when to return (Retry-After) is obeyed up to a minute.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ranpilot.errors import BackendError, BackendTimeout, ModelOutputError
from ranpilot.llm.ledger import Call, Ledger, now
from ranpilot.llm.openai_chat import Reply
from ranpilot.llm.transport import Address, PostFailed, check_key, post_json, without_key

__all__ = ["ChatClient", "Rejected", "Retries"]

LONGEST_WAIT_S = 60.0
TEMPLATE_TOKENS = 64  # what a chat template adds to the text of a request, generously
REMEDIES = {401: "check {key}", 403: "check {key}", 404: "check base_url and the name of the model"}

logger = logging.getLogger(__name__)
sleep = time.sleep
Read = TypeVar("Read")


class Rejected(BackendError):
    """A request that the endpoint understood and refused (HTTP 400, 422, 501), such as one with an unknown part."""


@dataclass(frozen=True)
class Retries:
    """How long one attempt may take, how often it is repeated, and the first wait."""

    timeout_s: float
    retries: int
    backoff_s: float


@dataclass
class ChatClient:
    """The endpoint `model` at an address. Safe to use from several threads; holds the name of the key's variable."""

    model: str
    address: Address
    key_variable: str
    retries: Retries
    ledger: Ledger
    max_tokens_field: str = "max_tokens"
    _random: random.Random = field(default_factory=random.Random, repr=False)

    def key(self) -> str | None:
        """The key in the environment now, None where it is not set. Raises: BackendError for one that is no key."""
        key = os.environ.get(self.key_variable, "").strip()
        if key:
            check_key(key, self.key_variable)
        return key or None

    def ask(self, purpose: str, parameters: Mapping[str, Any], read: Callable[[Reply], Read]) -> Read:
        """What `read` makes of the answer to a request with these parameters, `messages` and `max_tokens` among them.

        A parameter that is None is left out.

        Raises: what `read` raises (ModelOutputError is counted); BudgetExceeded before a call that might exceed the
        budget; BackendTimeout, Rejected or BackendError once no further attempt is left.
        """
        given = {name: value for name, value in parameters.items() if value is not None}
        max_tokens = given.pop("max_tokens")
        body = json.dumps({"model": self.model, self.max_tokens_field: max_tokens} | given).encode()
        # A token is at least one byte of the request's text.
        most = len(body) + TEMPLATE_TOKENS + max_tokens
        prompt_hash = hashlib.sha256(json.dumps(parameters["messages"]).encode()).hexdigest()[:16]
        attempt = 1
        while True:
            try:
                return self._call(body, most, read, (purpose, prompt_hash, attempt))
            except PostFailed as failure:
                wait_s = self._wait_s(failure, attempt)
                if wait_s is None:
                    raise self._as_error(failure, attempt) from None
                logger.info("endpoint:%s: %s; next attempt in %.1f s", self.model, failure.problem, wait_s)
                sleep(wait_s)
                attempt += 1

    def clean(self, text: str) -> str:
        """A text of the server without the key."""
        return without_key(text, self.key())

    def _call(self, body: bytes, most: int, read: Callable[[Reply], Read], what: tuple[str, str, int]) -> Read:
        key = self.key()
        self.ledger.reserve(most)
        at, started = now(), time.monotonic()
        told: tuple[int | None, int | None] = (None, None)
        outcome, spent = "failed", most
        try:
            reply = Reply.read(post_json(self.address, body, key, self.retries.timeout_s))
            if reply.usage is not None:
                told = (reply.usage.prompt_tokens, reply.usage.completion_tokens)
                spent = reply.usage.prompt_tokens + reply.usage.completion_tokens
            answer = read(reply)
            outcome = "answered"
            return answer
        except ModelOutputError:
            outcome = "nonsense"
            raise
        except PostFailed as failure:
            outcome, spent = failure.outcome, 0 if failure.is_free else most
            raise
        finally:
            latency_s = round(time.monotonic() - started, 4)
            call = Call(at, self.model, *what, latency_s, *told, self.ledger.cost(*told), outcome)
            self.ledger.settle(most, spent, call)

    def _wait_s(self, failure: PostFailed, attempt: int) -> float | None:
        """How long to wait before the next attempt; None where there is none."""
        if not failure.again or attempt > self.retries.retries:
            return None
        if failure.wait_s is not None:
            return failure.wait_s if failure.wait_s <= LONGEST_WAIT_S else None
        longest = min(self.retries.backoff_s * 2.0 ** (attempt - 1), LONGEST_WAIT_S)
        return longest * self._random.uniform(0.5, 1.0)

    def _as_error(self, failure: PostFailed, attempts: int) -> BackendError:
        tried = f" ({attempts} attempts)" if attempts > 1 else ""
        remedy = REMEDIES.get(failure.status, "").format(key=self.key_variable)
        if failure.wait_s is not None and failure.wait_s > LONGEST_WAIT_S:
            remedy = f"it asks to come back in {failure.wait_s:.0f} s"
        sentence = f"{self.address.url}: {failure.problem}{tried}{'; ' if remedy else ''}{remedy}."
        if failure.outcome == "timeout":
            return BackendTimeout(sentence)
        return (Rejected if failure.status in (400, 422, 501) else BackendError)(sentence)
