"""What calls to a language model cost: a budget that is asked before each call, and a record that is kept after it.

A call reserves the most tokens that it can need; what it really used takes the place of the reservation. So a budget
is never exceeded, not even by calls that run at the same time. A record holds a hash of the prompt, never its text.
"""

from __future__ import annotations

import json
import os
import threading
from collections import deque
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from ranpilot.errors import BackendError, BudgetExceeded

__all__ = ["Call", "Ledger", "Statistics", "now"]

KEPT = 10_000  # calls in memory; the file keeps all


@dataclass(frozen=True)
class Call:
    """One request: `outcome` is answered, nonsense, timeout, unreachable, HTTP 429, ...; tokens None: not told."""

    at: str
    model: str
    purpose: str
    prompt_hash: str
    attempt: int
    latency_s: float
    prompt_tokens: int | None
    completion_tokens: int | None
    cost: float | None
    outcome: str


@dataclass(frozen=True)
class Statistics:
    """Sums over all calls so far; `remembered` answers came from the memo and made no call."""

    calls: int = 0
    answered: int = 0
    nonsense: int = 0
    failed: int = 0
    remembered: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0


class Ledger:
    """The calls of one model. Safe to use from several threads.

    max_calls, max_tokens: the budgets, None for no limit; prices: of 1000 prompt and completion tokens, None where not
    known; path: the file that every call is appended to as a line of JSON.
    """

    def __init__(
        self,
        model: str,
        max_calls: int | None = None,
        max_tokens: int | None = None,
        prices: tuple[float, float] | None = None,
        path: Path | None = None,
    ) -> None:
        self._model, self._max_calls, self._max_tokens = model, max_calls, max_tokens
        self._prices, self._path = prices, path
        self._lock = threading.Lock()
        self._calls: deque[Call] = deque(maxlen=KEPT)
        self._totals: dict[str, float] = {}
        self._reserved = self._spent = self._made = 0

    @property
    def calls(self) -> list[Call]:
        """The last calls, oldest first, at most 10 000."""
        with self._lock:
            return list(self._calls)

    @property
    def statistics(self) -> Statistics:
        """The sums so far."""
        with self._lock:
            totals = dict(self._totals)
        whole = {name: int(value) for name, value in totals.items() if name != "cost"}
        return Statistics(cost=totals.get("cost", 0.0), **whole)

    def reserve(self, tokens: int) -> None:
        """Set tokens aside for one call. Raises: BudgetExceeded where the call might exceed a budget."""
        with self._lock:
            if self._max_calls is not None and self._made >= self._max_calls:
                raise BudgetExceeded(
                    f"endpoint:{self._model}: one more call would exceed max_calls = {self._max_calls}."
                )
            taken = self._spent + self._reserved
            if self._max_tokens is not None and taken + tokens > self._max_tokens:
                used = f"{taken} are used or set aside, and this call may need {tokens}"
                limit = f"max_tokens_total = {self._max_tokens}"
                raise BudgetExceeded(f"endpoint:{self._model}: one more call might exceed {limit} ({used}).")
            self._made += 1
            self._reserved += tokens

    def settle(self, reserved: int, spent: int, call: Call) -> None:
        """Put what a call used in the place of what was reserved for it, and record it."""
        kind = call.outcome if call.outcome in ("answered", "nonsense") else "failed"
        with self._lock:
            self._reserved -= reserved
            self._spent += spent
            self._calls.append(call)
            counted = {
                "calls": 1,
                kind: 1,
                "prompt_tokens": call.prompt_tokens or 0,
                "completion_tokens": call.completion_tokens or 0,
                "cost": call.cost or 0.0,
            }
            for name, value in counted.items():
                self._totals[name] = self._totals.get(name, 0) + value
            self._append(call)

    def remember(self, answers: int) -> None:
        """Count answers that came from the memo."""
        with self._lock:
            self._totals["remembered"] = self._totals.get("remembered", 0) + answers

    def cost(self, prompt_tokens: int | None, completion_tokens: int | None) -> float | None:
        """The price of a call; None where the prices or the tokens are not known."""
        if self._prices is None or prompt_tokens is None or completion_tokens is None:
            return None
        return (prompt_tokens * self._prices[0] + completion_tokens * self._prices[1]) / 1000

    def _append(self, call: Call) -> None:
        if self._path is None:
            return
        line = json.dumps(asdict(call), separators=(",", ":")).encode() + b"\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # One write to a file opened for appending: lines of several processes do not mix.
            handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                written = os.write(handle, line)
            finally:
                os.close(handle)
        except OSError as error:
            raise BackendError(
                f"{self._path}: the record of calls cannot be written ({error.strerror or error})."
            ) from error
        if written != len(line):
            raise BackendError(f"{self._path}: only a part of the last line could be written; free some space.")


def now() -> str:
    """The time in UTC as ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
