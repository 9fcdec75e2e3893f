"""Prompts as versioned text files beside the system that uses them.

`load_prompt(folder, "advice", 1)` reads `advice.v1.txt`. The text holds fields as `{name}` and nothing else of Python's
format language (`{{` and `}}` write braces); rendering takes exactly these fields. The newline that ends the file is
not part of the prompt, because a model is asked for what follows the last character.
"""

from __future__ import annotations

import hashlib
import re
import string
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ranpilot.errors import ConfigError, UnknownNameError

__all__ = ["Prompt", "load_prompt"]

_FILE = re.compile(r"(?P<name>[a-z0-9_-]+)\.v(?P<version>[1-9][0-9]*)\.txt")


@dataclass(frozen=True)
class Prompt:
    """One version of a prompt; `source` is the file it came from."""

    name: str
    version: int
    text: str
    source: str = ""

    def __post_init__(self) -> None:
        try:
            parts = list(string.Formatter().parse(self.text))
        except ValueError as error:
            allowed = "text with fields such as {state}, braces doubled"
            raise ConfigError("prompt", self.text, f"{allowed} ({error})", source=self.source) from None
        for _, field, form, conversion in parts:
            if field is not None and (form or conversion or not field.isidentifier()):
                raise ConfigError("prompt field", field, "a plain name such as {state}", source=self.source)

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """The names of the fields in the order in which they first stand in the text."""
        found = [field for _, field, _, _ in string.Formatter().parse(self.text) if field is not None]
        return tuple(dict.fromkeys(found))

    @cached_property
    def hash(self) -> str:
        """Short hash of the text, for records of what was asked."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]

    def render(self, **values: str) -> str:
        """The prompt with every field filled. Raises ConfigError for a field too few, too many or not a text."""
        if set(values) != set(self.fields):
            allowed = f"exactly {', '.join(self.fields) or 'none'}"
            raise ConfigError(f"fields of prompt {self.name!r}", sorted(values), allowed, source=self.source)
        for field, value in values.items():
            if not isinstance(value, str):
                raise ConfigError(f"prompt field {field}", value, "a text", source=self.source)
        return self.text.format(**values)


def load_prompt(folder: Path | str, name: str, version: int) -> Prompt:
    """The prompt that `<folder>/<name>.v<version>.txt` holds.

    Raises: UnknownNameError for a name or version that has no file; ConfigError for a file that is no prompt.
    """
    folder = Path(folder)
    path = folder / f"{name}.v{version}.txt"
    if not path.is_file():
        raise UnknownNameError("prompt", f"{name}.v{version}", _names(folder))
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError("prompt file", path.name, f"UTF-8 text ({error})", source=str(path)) from None
    text = text.removesuffix("\n")
    if not text.strip():
        raise ConfigError("prompt", text, "a text that is not empty", source=str(path))
    return Prompt(name, version, text, str(path))


def _names(folder: Path) -> list[str]:
    return sorted(path.name.removesuffix(".txt") for path in folder.glob("*.txt") if _FILE.fullmatch(path.name))
