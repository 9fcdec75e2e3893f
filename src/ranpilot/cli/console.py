"""What the commands print."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

__all__ = ["fail", "make_console", "make_table", "say"]


def make_console() -> Console:
    """Standard output: as wide as the terminal, 140 columns in a file."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 140)


def make_table(title: str, lines: list[list[str]]) -> Table:
    """Lines of text as a table, the first one its header."""
    from rich.markup import escape
    from rich.table import Column, Table

    table = Table(*(Column(header, overflow="fold") for header in lines[0]), title=title, title_justify="left")
    for line in lines[1:]:
        table.add_row(*map(escape, line))
    return table


def say(text: str) -> None:
    """One line on standard output."""
    print(text)  # noqa: T201


def fail(sentence: str, status: Literal[2, 130]) -> int:
    """One line on standard error; gives the exit status on."""
    print(sentence, file=sys.stderr)  # noqa: T201
    return status
