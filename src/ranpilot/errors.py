"""Every error that ranpilot raises on purpose, each one sentence that says where, what and what is allowed.

RanpilotError
├── InputError (ValueError)            something the user gave
│   ├── ConfigError                    a value in a scenario, config or command
│   ├── TraceError                     a line of a capture or trace
│   ├── CheckpointError                a checkpoint, snapshot or run folder
│   ├── ActionError                    an action with a wrong shape, kind or value
│   ├── IdentificationError            measurements that cannot tell what is to be fitted to them
│   └── UnknownNameError (LookupError) a name that no part has
├── ModelOutputError                   text of a language model that the schema refuses (counted, not fatal)
├── BackendError                       a language model that cannot be reached or loaded
│   ├── BackendTimeout
│   └── BudgetExceeded
├── MissingExtraError (ImportError)    an optional package that is not installed
└── RicProtocolError                   a message of the RIC that breaks the protocol
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence

__all__ = [
    "ActionError",
    "BackendError",
    "BackendTimeout",
    "BudgetExceeded",
    "CheckpointError",
    "ConfigError",
    "IdentificationError",
    "InputError",
    "MissingExtraError",
    "ModelOutputError",
    "RanpilotError",
    "RicProtocolError",
    "TraceError",
    "UnknownNameError",
    "nearest",
]


class RanpilotError(Exception):
    """Anything that ranpilot raises on purpose."""


class InputError(RanpilotError, ValueError):
    """Something the user gave that cannot be used."""


class ConfigError(InputError):
    """A value in a scenario, config or command that cannot be used."""

    def __init__(self, field: str, value: object, allowed: str, *, source: str = "") -> None:
        self.field, self.value, self.allowed, self.source = field, value, allowed, source
        where = f"{source}: " if source else ""
        super().__init__(f"{where}{field} = {value!r}, but must be {allowed}.")


class TraceError(InputError):
    """A line of a capture or trace that cannot be used."""

    def __init__(self, source: str, line: int, problem: str, allowed: str) -> None:
        self.source, self.line, self.problem, self.allowed = source, line, problem, allowed
        super().__init__(f"{source}:{line}: {problem}, but must be {allowed}.")


class CheckpointError(InputError):
    """A checkpoint, snapshot or run folder that cannot be used."""

    def __init__(self, source: str, problem: str, remedy: str) -> None:
        self.source, self.problem, self.remedy = source, problem, remedy
        super().__init__(f"{source}: {problem}; {remedy}.")


class ActionError(InputError):
    """An action with a wrong shape, kind or value."""

    def __init__(self, field: str, value: object, allowed: str) -> None:
        self.field, self.value, self.allowed = field, value, allowed
        super().__init__(f"action: {field} = {value!r}, but must be {allowed}.")


class IdentificationError(InputError):
    """Measurements that cannot tell what is to be fitted to them."""

    def __init__(self, parameter: str, source: str, reason: str, remedy: str) -> None:
        self.parameter, self.source, self.reason, self.remedy = parameter, source, reason, remedy
        super().__init__(f"{source} cannot tell {parameter}: {reason}; {remedy}.")


class UnknownNameError(InputError, LookupError):
    """A name that no part of its kind has."""

    def __init__(self, kind: str, name: str, known: Sequence[str]) -> None:
        self.kind, self.name, self.known = kind, name, tuple(known)
        guess = nearest(name, known)
        hint = f"; did you mean {guess!r}" if guess else ""
        super().__init__(f"No {kind} is called {name!r}{hint} (known: {', '.join(known)}).")


class ModelOutputError(RanpilotError):
    """Text of a language model that its schema refuses."""

    def __init__(self, text: str, problem: str) -> None:
        self.text, self.problem = text, problem
        super().__init__(f"model answer {text[:80]!r}: {problem}.")


class BackendError(RanpilotError):
    """A language model that cannot be reached or loaded."""


class BackendTimeout(BackendError):
    """A language model that did not answer in time."""


class BudgetExceeded(BackendError):
    """A call that would exceed the budget of calls or tokens."""


class MissingExtraError(RanpilotError, ImportError):
    """An optional package that is not installed."""

    def __init__(self, package: str, wanted_for: str, command: str) -> None:
        self.package, self.wanted_for, self.command = package, wanted_for, command
        super().__init__(f"{wanted_for} needs {package}, which is not installed; get it with: {command}")


class RicProtocolError(RanpilotError):
    """A message of the RIC that breaks the protocol."""


def nearest(name: str, known: Sequence[str]) -> str | None:
    """The known name most like `name`, or None where none is close."""
    close = difflib.get_close_matches(name, known, n=1)
    return close[0] if close else None
