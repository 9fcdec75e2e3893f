"""Lines of a CSV file under a header that names the columns in any order, with every mistake told by file and line."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

from ranpilot.errors import ConfigError, nearest

__all__ = ["parse_lines", "read_bytes", "split_rows"]

Line = tuple[int, dict[str, str]]

UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def read_bytes(path: Path) -> bytes:
    """What stands in a file. Raises ConfigError where there is none, or none that may be read."""
    if not path.is_file():
        raise ConfigError("file", str(path), "a CSV file that exists", source=path.name)
    try:
        return path.read_bytes()
    except OSError:
        raise ConfigError("file", str(path), "a CSV file that can be read", source=path.name) from None


def parse_lines(content: bytes, source: str, needed: Sequence[str], optional: Sequence[str], *, of: str) -> list[Line]:
    """Number and values by column of every line below the header that is not empty.

    of: what a line is, such as "site". Raises ConfigError.
    """
    rows = split_rows(content, source)
    if len(rows) < 2:
        raise ConfigError("text", f"{len(rows)} lines", f"a header and at least one {of}", source=f"{source}:1")
    top, names = rows[0]
    header = [name.strip() for name in names]
    _check_header(header, needed, optional, f"{source}:{top}")
    lines = []
    for number, row in rows[1:]:
        if len(row) != len(header):
            allowed = f"{len(header)} values, as the header has"
            raise ConfigError("line", f"{len(row)} values", allowed, source=f"{source}:{number}")
        lines.append((number, dict(zip(header, (value.strip() for value in row), strict=True))))
    return lines


def split_rows(content: bytes, source: str) -> list[tuple[int, list[str]]]:
    """Number and values of every line that is not empty. Raises ConfigError."""
    text = _decode(content, source)
    reader = csv.reader(io.StringIO(text, newline=None), strict=True)
    rows = []
    try:
        for row in reader:
            if any(value.strip() for value in row):
                rows.append((reader.line_num, row))
    except csv.Error as error:
        raise ConfigError("text", str(error), "comma-separated values", source=f"{source}:{reader.line_num}") from None
    _check_separator(rows, source)
    return rows


def _decode(content: bytes, source: str) -> str:
    """The text of a file, with whatever line ends it has."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        wrong = content[error.start : error.start + 1]
        raise ConfigError("text", wrong, "text in UTF-8", source=f"{source}:{line}") from None
    wrong_at = UNPRINTABLE.search(text)
    if wrong_at is not None:
        line = text.count("\n", 0, wrong_at.start()) + 1
        raise ConfigError("text", wrong_at[0], "without control characters", source=f"{source}:{line}")
    return text


def _check_separator(rows: list[tuple[int, list[str]]], source: str) -> None:
    """Refuse a header that other signs than commas separate."""
    number, header = rows[0] if rows else (1, [])
    for sign in (";", "\t", "|"):
        if len(header) == 1 and sign in header[0]:
            raise ConfigError("text", header[0], f"separated by ',' instead of {sign!r}", source=f"{source}:{number}")


def _check_header(header: list[str], needed: Sequence[str], optional: Sequence[str], source: str) -> None:
    known = (*needed, *optional)
    for name in header:
        if name not in known:
            guess = nearest(name, known)
            hint = f"; did you mean {guess!r}" if guess else ""
            raise ConfigError("column", name, f"one of {', '.join(known)}{hint}", source=source)
        if header.count(name) > 1:
            raise ConfigError("column", name, "there once", source=source)
    for name in needed:
        if name not in header:
            raise ConfigError("column", name, "in the header", source=source)
