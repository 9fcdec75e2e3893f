"""What docs/traffic.md says of every traffic model and of mobility, from the code: docstrings and declared fields."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from pydantic import BaseModel

from ranpilot.twin.description import users
from ranpilot.twin.traffic import TRAFFIC_MODELS

__all__ = ["TABLES"]

LABELS = ("Source:", "Differs from source:")
HEAD = "| key | default | range | unit | what |\n| --- | --- | --- | --- | --- |\n"


def traffic_model(name: str) -> str:
    """What the file of a traffic model says of it, and the keys that it takes."""
    model = TRAFFIC_MODELS.load(name)
    properties = model.Config.model_json_schema()["properties"]
    rows = [_row(key, schema, schema["description"]) for key, schema in properties.items() if key != "kind"]
    return f"\n{_prose(model.__module__)}\n\n{HEAD}" + "\n".join(rows) + "\n"


def mobility() -> str:
    """The keys of `users.mobility`."""
    rows = []
    for part, kinds in ((users.Mobility, "`static`, `lines`, `waypoint`"), (users.Trace, "`trace`")):
        texts = _field_docstrings(part)
        rows.append(f"| `kind` | {'needed' if part is users.Trace else '`lines`'} | {kinds} | | see above |")
        rows += [
            _row(key, schema, texts[key])
            for key, schema in part.model_json_schema()["properties"].items()
            if key != "kind"
        ]
    return HEAD + "\n".join(rows) + "\n"


def _prose(module: str) -> str:
    """The docstring of a module, with the source and what differs from it in paragraphs of their own."""
    lines = inspect.cleandoc(sys.modules[module].__doc__ or "").splitlines()
    shown: list[str] = []
    for line in lines:
        label = next((label for label in LABELS if line.startswith(label)), None)
        if label is None:
            shown.append(line)
        else:
            shown += ["", f"**{label}**{line.removeprefix(label)}"]
    return "\n".join(shown)


def _row(key: str, schema: Mapping[str, Any], text: str) -> str:
    default = "needed" if "default" not in schema else _value(schema["default"])
    low, high = schema.get("minimum"), schema.get("maximum")
    span = "" if low is None or high is None else f"{_number(low)} to {_number(high)}"
    unit = "" if schema.get("unit") == "1" else schema.get("unit", "")
    return f"| `{key}` | {default} | {span} | {unit} | {text} |"


def _value(default: Any) -> str:
    if default is None:
        return "none"
    return _number(default) if isinstance(default, int | float) else f"`{default}`"


def _number(value: float) -> str:
    return f"{value:,.0f}".replace(",", " ") if value >= 1000 else f"{value:g}"


def _field_docstrings(part: type[BaseModel]) -> dict[str, str]:
    """The text below each field of a class, by its name."""
    definition = ast.parse(inspect.getsource(part)).body[0]
    assert isinstance(definition, ast.ClassDef)
    found, last = {}, ""
    for statement in definition.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            last = statement.target.id
        elif last and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            found[last] = " ".join(str(statement.value.value).split())
    return found


TABLES: dict[str, Callable[[], str]] = {
    **{f"traffic-{name}": partial(traffic_model, name) for name in TRAFFIC_MODELS.names()},
    "mobility": mobility,
}
