"""Run checks: file `path_loss.py` of the folder `checks` is the check `path-loss`, its `lines` what it found."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import pkgutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from ranpilot.errors import UnknownNameError
from ranpilot.twin.validate import checks
from ranpilot.twin.validate.line import Effort, Line

__all__ = ["check_names", "check_title", "check_unique", "run_check", "validate"]


def validate(only: Sequence[str] | None = None, *, effort: Effort = "full") -> list[Line]:
    """Every line of the checks called `only`, of all where None.

    Raises UnknownNameError for a check that does not exist.
    """
    lines = [line for name in check_names(only) for line in run_check(name, effort)]
    check_unique(lines)
    return lines


def check_names(only: Sequence[str] | None = None) -> list[str]:
    """Names of all checks, sorted, or `only` those. Raises UnknownNameError for one that does not exist."""
    found = (module.name.replace("_", "-") for module in pkgutil.iter_modules(checks.__path__))
    known = sorted(name for name in found if not name.startswith("-"))
    for name in only or ():
        if name not in known:
            raise UnknownNameError("check", name, known)
    return known if only is None else [name for name in known if name in only]


def check_title(name: str) -> str:
    """What a check compares with what: the first line of its file, read without running it."""
    spec = importlib.util.find_spec(_module(name))
    assert spec is not None and spec.origin is not None, f"{name} is no check"
    docstring = ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0]


def run_check(name: str, effort: Effort) -> list[Line]:
    """The lines of one check. Raises UnknownNameError where there is none of that name."""
    check_names([name])
    module = importlib.import_module(_module(name))
    lines = list(module.lines(effort))
    assert lines, f"the check {name} gives no line"
    check_unique(lines)
    return lines


def check_unique(lines: Iterable[Line]) -> None:
    """Hold that no two lines have one name."""
    seen: set[str] = set()
    for line in lines:
        assert line.name not in seen, f"two lines of the validation are called {line.name}"
        seen.add(line.name)


def _module(name: str) -> str:
    return f"{checks.__name__}.{name.replace('-', '_')}"
