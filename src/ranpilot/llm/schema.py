"""The JSON schema of a pydantic model, in the form that language models are held to.

A small model that may write digits, letters or list members for ever does so. Everything in an answer is therefore
bounded, and a field without bounds is refused before the model is asked. What the schema says beyond pydantic's own:
every field is present, in the order of the class; nothing else may be added; references are written out; a number
that is no integer stands on a grid (its `multiple_of`, or else steps of a ten-thousandth of its range's power of ten).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

from ranpilot.errors import ConfigError

__all__ = ["bounded_schema"]

Schema = dict[str, Any]
DIGITS = 4  # of a number without `multiple_of`, counted from the power of ten of its range


def bounded_schema(model: type[BaseModel]) -> Schema:
    """The schema of an answer. Raises: ConfigError that names the field which has no bound, and how to give one."""
    source = model.model_json_schema()
    return _Reader(source.get("$defs", {})).read(source, model.__name__)


class _Reader:
    """Reads one model's schema; `_open` holds the definitions being written out, so that recursion is seen."""

    def __init__(self, definitions: Schema) -> None:
        self._definitions = definitions
        self._open: list[str] = []
        self._kinds: dict[str, Callable[[Schema, str], Schema]] = {
            "object": self._object,
            "array": self._array,
            "string": _string,
            "integer": _integer,
            "number": _number,
            "boolean": _plain,
            "null": _plain,
        }

    def read(self, node: Schema, where: str) -> Schema:
        """The bounded form of one node; where: the path of the field, for the sentence that refuses it."""
        if "$ref" in node:
            return self._definition(node["$ref"].rsplit("/", 1)[-1], where)
        if "const" in node:
            return {"enum": [node["const"]]}
        if "enum" in node:
            return {"enum": node["enum"]}
        choices = node.get("anyOf") or node.get("oneOf")
        if choices:
            return {"anyOf": [self.read(choice, where) for choice in choices]}
        kind = self._kinds.get(node.get("type", ""))
        if kind is None:
            raise ConfigError(where, node.get("type", "anything"), "a type that says what may stand there")
        described = {"description": node["description"]} if "description" in node else {}
        return kind(node, where) | described

    def _definition(self, name: str, where: str) -> Schema:
        if name in self._open:
            raise ConfigError(where, name, "a type that does not hold itself, which has no end")
        self._open.append(name)
        found = self.read(self._definitions[name], where)
        self._open.pop()
        return found

    def _object(self, node: Schema, where: str) -> Schema:
        if "properties" not in node:
            raise ConfigError(where, "a mapping", "a model with named fields, since keys are not bounded")
        fields = {name: self.read(field, f"{where}.{name}") for name, field in node["properties"].items()}
        return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}

    def _array(self, node: Schema, where: str) -> Schema:
        if "maxItems" not in node:
            raise ConfigError(where, "a list without max_length", "bounded, such as Field(max_length=8)")
        size: Schema = {key: node[key] for key in ("minItems", "maxItems") if key in node}
        if "prefixItems" in node:
            members = [self.read(item, f"{where}[{index}]") for index, item in enumerate(node["prefixItems"])]
            return {"type": "array", "prefixItems": members, **size}
        return {"type": "array", "items": self.read(node.get("items", {}), f"{where}[]"), **size}


def _string(node: Schema, where: str) -> Schema:
    if "maxLength" not in node:
        raise ConfigError(where, "a text without max_length", "bounded, such as Field(max_length=80), or a Literal")
    return {"type": "string"} | {key: node[key] for key in ("minLength", "maxLength", "pattern") if key in node}


def _integer(node: Schema, where: str) -> Schema:
    bounds, _ = _bounds(node, where)
    step = {"multipleOf": node["multipleOf"]} if "multipleOf" in node else {}
    return {"type": "integer", **bounds, **step}


def _number(node: Schema, where: str) -> Schema:
    bounds, span = _bounds(node, where)
    decimals = max(0, DIGITS - math.ceil(math.log10(span))) if span > 0 else DIGITS
    step = node.get("multipleOf", 10.0**-decimals)
    # llguidance 1.9 refuses right multiples of a large whole step for a number, and takes them for an integer.
    if step == int(step):
        return {"type": "integer", **bounds, "multipleOf": int(step)}
    return {"type": "number", **bounds, "multipleOf": step}


def _plain(node: Schema, _: str) -> Schema:
    return {"type": node["type"]}


def _bounds(node: Schema, where: str) -> tuple[Schema, float]:
    """The keywords that bound a number, and the width of its range."""
    low = node.get("minimum", node.get("exclusiveMinimum"))
    high = node.get("maximum", node.get("exclusiveMaximum"))
    if low is None or high is None:
        missing = "an upper bound" if low is not None else "a lower bound" if high is not None else "bounds"
        raise ConfigError(where, f"a number without {missing}", "bounded on both sides, such as Field(ge=0, le=46)")
    keys = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")
    return {key: node[key] for key in keys if key in node}, float(high) - float(low)
