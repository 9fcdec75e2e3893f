"""pydantic's report as one sentence, whatever model it comes from."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

import pytest
from pydantic import BaseModel, Field, ValidationError, model_validator

from ranpilot.errors import ConfigError
from ranpilot.validation import as_config_error


class Pipe(BaseModel, frozen=True, extra="forbid"):
    """A part of a thing."""

    length_m: Annotated[float, Field(gt=0, lt=10)] = 1.0

    @model_validator(mode="after")
    def _not_three(self) -> Self:
        if self.length_m == 3:
            raise ConfigError("length_m", 3, "anything but 3")
        return self


class Thing(BaseModel, frozen=True, extra="forbid"):
    """A thing with parts."""

    pipes: Annotated[tuple[Pipe, ...], Field(max_length=2)] = ()
    colour: Literal["red", "blue"] = "red"
    count: Annotated[int, Field(ge=1, le=5)]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"count": 0}, "shop.yaml: thing.count = 0, but must be at least 1."),
        ({"count": 6}, "shop.yaml: thing.count = 6, but must be at most 5."),
        ({"count": "x"}, "shop.yaml: thing.count = 'x', but must be a whole number."),
        ({}, "shop.yaml: thing.count = None, but must be given."),
        ({"count": 1, "colour": "pink"}, "shop.yaml: thing.colour = 'pink', but must be one of red, blue."),
        ({"count": 1, "pipes": 7}, "shop.yaml: thing.pipes = 7, but must be a list."),
        ({"count": 1, "pipes": [{"length_m": 10}]}, "shop.yaml: thing.pipes.0.length_m = 10, but must be below 10."),
        (
            {"count": 1, "pipes": [{"length_m": 3}]},
            "shop.yaml: thing.pipes.0.length_m = 3, but must be anything but 3.",
        ),
        (
            {"cuont": 1},
            "shop.yaml: thing.cuont = 1, but must be left out (no such key; did you mean 'count'; "
            "known: pipes, colour, count).",
        ),
        (
            {"count": 1, "pipes": [{"lenght_m": 2}]},
            "shop.yaml: thing.pipes.0.lenght_m = 2, but must be left out (no such key; did you mean 'length_m'; "
            "known: length_m).",
        ),
    ],
)
def test_the_first_problem_is_one_sentence(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Thing.model_validate(values)
    assert str(as_config_error(caught.value, Thing, prefix="thing", source="shop.yaml")) == sentence
