"""Scenarios in YAML, with every mistake told by file, line, field, value and what is allowed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from ranpilot.errors import ConfigError, UnknownNameError
from ranpilot.twin.description.layout import KINDS as LAYOUT_KINDS
from ranpilot.twin.description.users import MOBILITY_KINDS
from ranpilot.twin.scenario import Scenario
from ranpilot.validation import first_problem

__all__ = ["load_scenario", "read_scenario", "scenario_names", "validate_scenario"]

Path_ = tuple[str | int, ...]

UNNAMED = ("arrivals", "[key]", "model", *MOBILITY_KINDS, *LAYOUT_KINDS)
"""What pydantic names and no file does: chosen members of unions, a mapping's key, what holds a model's config."""


def scenario_names() -> list[str]:
    """The names of the scenarios that ship, sorted."""
    folder = files("ranpilot.twin.scenarios")
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def load_scenario(name: str | Path) -> Scenario:
    """A named scenario, or the one in a YAML file (anything that ends in .yaml or .yml).

    Raises: UnknownNameError, ConfigError.
    """
    if isinstance(name, Path) or name.endswith((".yaml", ".yml")):
        path = Path(name)
        if not path.is_file():
            raise ConfigError("scenario", str(name), "a YAML file that exists")
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise ConfigError("scenario", str(name), "a YAML file that can be read, in UTF-8") from None
        return read_scenario(text, source=path.name, folder=path.parent)
    if name not in scenario_names():
        raise UnknownNameError("scenario", name, scenario_names())
    text = (files("ranpilot.twin.scenarios") / f"{name}.yaml").read_text(encoding="utf-8")
    return read_scenario(text, source=f"{name}.yaml")


def read_scenario(text: str, *, source: str, folder: Path | None = None) -> Scenario:
    """The scenario in a YAML text, with every load and split tried. Raises ConfigError that names `source` and line.

    folder: where files lie that the text names; None = where the program runs.
    """
    try:
        values = YAML().load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError("text", error.problem, "YAML", source=f"{source}:{line}") from None
    except (YAMLError, ValueError, LookupError, AttributeError, AssertionError, RecursionError) as error:
        # ruamel's reader and constructors let through what Python says of a character, a number or a date.
        problem = " ".join(str(error).split()) or type(error).__name__
        raise ConfigError("text", problem, "YAML", source=f"{source}:1") from None
    if not isinstance(values, Mapping):
        raise ConfigError("text", values, "a mapping of scenario fields", source=f"{source}:1")
    for key in ("load", "split"):
        if key in values:
            line = _line(values, (key,))
            raise ConfigError(key, values[key], "left out (it is chosen when loading)", source=f"{source}:{line}")
    if folder is not None:
        _find_files(values, folder)
    scenario = validate_scenario(values, source=source, lines=values)
    for kind, changes in (("loads", scenario.loads), ("splits", scenario.splits)):
        for key, change in changes.items():
            _try_changes(scenario, change, values, (kind, key), source)
    return scenario


def validate_scenario(values: Mapping[str, Any], *, source: str = "", lines: Any = None) -> Scenario:
    """The scenario with those values. Raises ConfigError with the line where `lines` (the parsed YAML) knows it."""
    try:
        return Scenario.model_validate(_plain(values))
    except RecursionError:
        raise ConfigError("text", "&", "a mapping that does not hold itself", source=source) from None
    except ValidationError as error:
        for problem in error.errors():
            cause = problem.get("ctx", {}).get("error")
            if isinstance(cause, ConfigError) and cause.source:
                # What is wrong stands in another file, which it names.
                raise cause from None
        path, value, allowed = _explain(error)
        raise _located(path, value, allowed, lines, source) from None


def _try_changes(scenario: Scenario, change: Any, lines: Any, at: Path_, source: str) -> None:
    try:
        scenario.with_changes(change)
    except ConfigError as error:
        path = (*at, *(int(part) if part.isdecimal() else part for part in error.field.split(".")))
        raise _located(path, error.value, error.allowed, lines, source) from None


def _find_files(values: Any, folder: Path) -> None:
    """Put `folder` in front of every file that a layout of kind csv, a mobility or a corpus names."""
    if isinstance(values, Mapping):
        if values.get("kind") == "csv" and isinstance(values.get("file"), str):
            values["file"] = str(folder / values["file"])  # type: ignore[index]
        for part in (values.get("mobility"), values.get("corpus")):
            if isinstance(part, Mapping) and isinstance(part.get("file"), str):
                part["file"] = str(folder / part["file"])  # type: ignore[index]
        for item in values.values():
            _find_files(item, folder)


def _located(path: Path_, value: Any, allowed: str, lines: Any, source: str) -> ConfigError:
    field = ".".join(str(part) for part in path)
    where = source if lines is None else f"{source}:{_line(lines, path)}"
    return ConfigError(field, _plain(value), allowed, source=where)


def _line(values: Any, path: Path_) -> int:
    """Line of the deepest part of `path` that stands in the file (ruamel keeps it in `lc`)."""
    line = 1
    for part in path:
        if not hasattr(values, "lc"):
            break
        if hasattr(values, "keys") and part in values:
            line = values.lc.key(part)[0] + 1
        elif not hasattr(values, "keys") and isinstance(part, int) and part < len(values):
            line = values.lc.item(part)[0] + 1
        else:
            break
        values = values[part]
    return line


def _plain(value: Any) -> Any:
    """Built-in types in place of ruamel's, so that messages show 15 and not ScalarInt."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value


def _explain(error: ValidationError) -> tuple[Path_, Any, str]:
    """Path, value and what is allowed, for the first problem, as the keys stand in the file."""
    problem = first_problem(error, Scenario, unnamed=UNNAMED)
    path = tuple(
        int(part) if isinstance(part, str) and part.isdecimal() else part for part in problem.path if part != "model"
    )
    return path, problem.value, problem.allowed
