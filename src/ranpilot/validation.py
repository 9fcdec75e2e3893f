"""pydantic's report as our one sentence: where, the value, and what is allowed. Every config comes through here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from ranpilot.errors import ConfigError, UnknownNameError, nearest

__all__ = ["Problem", "as_config_error", "first_problem"]

_BOUNDS = (("ge", "at least"), ("gt", "above"), ("le", "at most"), ("lt", "below"))
_KINDS = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "string_type": "a text",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "mapping_type": "a mapping",
    "dict_type": "a mapping",
    "tuple_type": "a list",
    "list_type": "a list",
    "path_type": "the name of a file",
}


class Problem(NamedTuple):
    """One wrong value."""

    path: tuple[str | int, ...]
    value: Any
    allowed: str


def as_config_error(
    report: ValidationError, model: type[BaseModel], *, prefix: str = "", source: str = ""
) -> ConfigError:
    """The first problem as a ConfigError; prefix: what stands before the field's name, such as `aura`."""
    problem = first_problem(report, model)
    path = (prefix, *problem.path) if prefix else problem.path
    field = ".".join(str(part) for part in path) or "text"
    return ConfigError(field, problem.value, problem.allowed, source=source)


def first_problem(report: ValidationError, model: type[BaseModel], *, unnamed: Collection[str] = ()) -> Problem:
    """The first problem, a misspelt key before the key that it leaves missing.

    unnamed: parts of pydantic's path that do not stand in what the user wrote, such as the chosen member of a union.
    """
    problems = report.errors()
    first = next((problem for problem in problems if problem["type"] == "extra_forbidden"), problems[0])
    path = tuple(part for part in first["loc"] if part not in unnamed)
    context: Mapping[str, Any] = first.get("ctx", {})
    cause = context.get("error")
    if isinstance(cause, ConfigError):
        return Problem((*path, *cause.field.split(".")), cause.value, cause.allowed)
    if isinstance(cause, UnknownNameError):
        guess = nearest(cause.name, cause.known)
        hint = f"; did you mean {guess!r}" if guess else ""
        return Problem((*path, "kind"), cause.name, f"one of {', '.join(cause.known)}{hint}")
    if first["type"] == "extra_forbidden":
        return Problem(path, first["input"], _known_keys(model, first["loc"]))
    if first["type"] == "missing":
        return Problem(path, None, "given")
    if first["type"] in ("union_tag_not_found", "union_tag_invalid"):
        known = str(context.get("expected_tags") or ", ".join(sorted(unnamed))).replace("'", "")
        return Problem((*path, "kind"), context.get("tag"), f"one of {known}")
    return Problem(path, first["input"], _allowed(first["type"], context, first["msg"]))


def _allowed(kind: str, context: Mapping[str, Any], message: str) -> str:
    if kind in _KINDS:
        return _KINDS[kind]
    if kind == "json_invalid":
        return f"valid JSON ({context['error']})"
    if kind == "literal_error":
        return "one of " + str(context["expected"]).replace(" or ", ", ").replace("'", "")
    for key, words in _BOUNDS:
        if key in context:
            return f"{words} {context[key]:g}"
    if "min_length" in context or "max_length" in context:
        low, high = context.get("min_length", 0), context.get("max_length")
        return f"a list of at least {low}" if high is None or kind == "too_short" else f"a list of at most {high}"
    words = message.removeprefix("Input should be ").removeprefix("Value should have ")
    return words[0].lower() + words[1:]


def _known_keys(model: Any, place: tuple[str | int, ...]) -> str:
    """What may stand instead of an unknown key; place: pydantic's, with the chosen members of unions."""
    models = [model]
    for part in place[:-1]:
        models = _models_at(models, part)
    if not models:
        return "left out (no such key)"
    known = list(models[0].model_fields)
    guess = nearest(str(place[-1]), known)
    hint = f"; did you mean {guess!r}" if guess else ""
    return f"left out (no such key{hint}; known: {', '.join(known)})"


def _models_at(models: list[Any], part: str | int) -> list[Any]:
    """What the field `part` may hold; an index keeps the models, the kind of a union's member chooses it."""
    if isinstance(part, int):
        return models
    chosen = [model for model in models if part in _kinds(model)]
    if chosen:
        return chosen
    for model in models:
        if part in model.model_fields:
            return _models(model.model_fields[part].annotation)
    return []


def _kinds(model: Any) -> tuple[str, ...]:
    """The kinds of a union's member, by its field `kind`."""
    field = model.model_fields.get("kind")
    return tuple(getattr(field.annotation, "__args__", ())) if field else ()


def _models(annotation: Any) -> list[Any]:
    if hasattr(annotation, "model_fields"):
        return [annotation]
    return [found for argument in getattr(annotation, "__args__", ()) for found in _models(argument)]
