"""Answers remembered on disk, so that a prompt is put to the same model once.

One SQLite file per model, `~/.cache/ranpilot/memo/<model hash>.sqlite`; `Memo` keeps log-probabilities of options and
`TextMemo` written answers, each in its own table. A key holds everything that decides an answer (settings of the model,
prompt, options or schema). The first answer that was written stays: who writes later, also from another
process, gets the first one back, so that every run on this cache sees the same number.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

import numpy as np

from ranpilot.errors import BackendError
from ranpilot.llm.cache import writing_to
from ranpilot.llm.chooser import FloatArray

__all__ = ["Memo", "TextMemo", "answer_key"]

Remembered = TypeVar("Remembered")
LOCK_TIMEOUT_S = 60.0
BATCH = 500  # SQLite takes at most 999 variables in older builds.


def answer_key(settings: Mapping[str, object], prompt: str, options: Sequence[str]) -> bytes:
    """Hash of everything that decides an answer; the options' order counts."""
    content = json.dumps([sorted(settings.items()), prompt, list(options)], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).digest()


class _Table(ABC, Generic[Remembered]):
    """The answers of one model of one kind. `path` None keeps them in memory only."""

    NAME: ClassVar[str]
    COLUMN: ClassVar[str]

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._known: dict[bytes, Remembered] = {}
        if path is not None:
            with writing_to(path):
                path.parent.mkdir(parents=True, exist_ok=True)
            with self._open() as connection:
                columns = f"key BLOB PRIMARY KEY, {self.COLUMN} BLOB NOT NULL"
                connection.execute(f"CREATE TABLE IF NOT EXISTS {self.NAME} ({columns}) WITHOUT ROWID")

    @abstractmethod
    def _to_bytes(self, answer: Remembered) -> bytes: ...

    @abstractmethod
    def _from_bytes(self, stored: bytes) -> Remembered: ...

    def find(self, keys: Sequence[bytes]) -> dict[bytes, Remembered]:
        """The remembered answers among these keys."""
        unread = [key for key in dict.fromkeys(keys) if key not in self._known]
        if unread and self.path is not None:
            with self._open() as connection:
                self._known |= self._select(connection, unread)
        return {key: self._known[key] for key in keys if key in self._known}

    def keep(self, answers: Mapping[bytes, Remembered]) -> dict[bytes, Remembered]:
        """Remember answers, all or none of them, and return what is remembered: the first answer to each key."""
        if self.path is None:
            first = dict(answers)
        else:
            rows = [(key, self._to_bytes(answer)) for key, answer in answers.items()]
            with self._open() as connection:
                connection.executemany(f"INSERT OR IGNORE INTO {self.NAME} VALUES (?, ?)", rows)
                first = self._select(connection, list(answers))
        self._known = first | self._known
        return {key: self._known[key] for key in answers}

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        # A connection for each visit: safe to use after a fork, and nothing stays locked.
        try:
            with contextlib.closing(sqlite3.connect(str(self.path), timeout=LOCK_TIMEOUT_S)) as connection, connection:
                yield connection
        except sqlite3.DatabaseError as error:
            raise BackendError(_sentence(self.path, error)) from error

    def _select(self, connection: sqlite3.Connection, keys: Sequence[bytes]) -> dict[bytes, Remembered]:
        found: dict[bytes, Remembered] = {}
        for start in range(0, len(keys), BATCH):
            part = keys[start : start + BATCH]
            marks = ",".join("?" * len(part))
            rows = connection.execute(f"SELECT * FROM {self.NAME} WHERE key IN ({marks})", part)
            found |= {key: self._from_bytes(stored) for key, stored in rows}
        return found


class Memo(_Table[FloatArray]):
    """The log-probabilities of options that one model gave, each [options]."""

    NAME, COLUMN = "answers", "log_probability"

    def _to_bytes(self, answer: FloatArray) -> bytes:
        return np.asarray(answer, dtype="<f8").tobytes()

    def _from_bytes(self, stored: bytes) -> FloatArray:
        row = np.frombuffer(stored, dtype="<f8").astype(np.float64)
        row.flags.writeable = False
        return row


class TextMemo(_Table[str]):
    """The texts that one model wrote."""

    NAME, COLUMN = "texts", "text"

    def _to_bytes(self, answer: str) -> bytes:
        return answer.encode("utf-8", "surrogatepass")

    def _from_bytes(self, stored: bytes) -> str:
        return stored.decode("utf-8", "surrogatepass")


def _sentence(path: Path | None, error: sqlite3.DatabaseError) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return f"{path}: the disk is full; free some space or set XDG_CACHE_HOME to a folder on another disk."
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return f"{path}: another process has kept this memo of answers locked for {LOCK_TIMEOUT_S:g} s; try again."
    if code == sqlite3.SQLITE_IOERR:
        return f"{path}: this memo of answers cannot be read or written ({error}); look for room on the disk."
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return f"{path}: this memo of answers cannot be written ({error}); make it writable or set XDG_CACHE_HOME."
    return f"{path}: this memo of answers is damaged ({error}); delete the file, and the answers are computed again."
