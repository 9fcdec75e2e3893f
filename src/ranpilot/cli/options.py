"""Kinds of options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import tyro

__all__ = [
    "Comma",
    "Command",
    "File",
    "Folder",
    "JsonFile",
    "Name",
    "Number",
    "OutFile",
    "OutFiles",
    "Switch",
    "Word",
    "split_names",
]

Command = Callable[..., int | None]
"""What stands behind a word of the command line; gives the exit status, None for 0."""
Word = tyro.conf.Positional[str]
File = tyro.conf.Positional[Path]
Comma = Annotated[str | None, tyro.conf.arg(metavar="A,B,...")]
Number = Annotated[int | None, tyro.conf.arg(metavar="N")]
Name = Annotated[str | None, tyro.conf.arg(metavar="NAME")]
Folder = Annotated[Path | None, tyro.conf.arg(metavar="FOLDER")]
JsonFile = Annotated[Path | None, tyro.conf.arg(name="json", metavar="FILE")]
OutFile = Annotated[Path | None, tyro.conf.arg(metavar="FILE")]
OutFiles = Annotated[tuple[Path, ...], tyro.conf.arg(metavar="FILE [FILE ...]")]
Switch = Annotated[bool, tyro.conf.FlagCreatePairsOff]


def split_names(names: str | None) -> list[str] | None:
    """The words of an option such as `A,B`; None where it was not given."""
    return None if names is None else [name.strip() for name in names.split(",") if name.strip()]
