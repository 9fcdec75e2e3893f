"""JSONL files into typed records: one JSON object a line, and one sentence about the first line that is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from ranpilot.errors import ConfigError, InputError
from ranpilot.validation import as_config_error

__all__ = ["read_jsonl"]

Record = TypeVar("Record", bound=BaseModel)
SHOWN_CHARACTERS = 60


def read_jsonl(path: Path, model: type[Record]) -> list[tuple[str, Record]]:
    """Every record with where it stands (`file:line`); empty lines are skipped.

    Raises InputError for a file that cannot be read, ConfigError for the first wrong line.
    """
    try:
        content = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start} is not UTF-8, but the whole file must be.") from None
    lines = enumerate(content.split("\n"), 1)
    return [(f"{path}:{number}", _parse(line, model, f"{path}:{number}")) for number, line in lines if line.strip()]


def _parse(line: str, model: type[Record], source: str) -> Record:
    try:
        fields = json.loads(line)
    except json.JSONDecodeError as error:
        allowed = f"a JSON object ({error.msg} at column {error.colno})"
        raise ConfigError("line", line[:SHOWN_CHARACTERS], allowed, source=source) from None
    if not isinstance(fields, dict):
        raise ConfigError("line", line[:SHOWN_CHARACTERS], "a JSON object", source=source)
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise as_config_error(error, model, source=source) from None
