"""What every part of a scenario is made of: frozen records of bounded numbers with a unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ranpilot.errors import ConfigError

__all__ = ["Part", "Seconds", "bounded"]


def bounded(low: float, high: float, unit: str) -> Any:
    """A field that holds a number within those bounds, in that unit."""
    return Field(ge=low, le=high, json_schema_extra={"unit": unit})


Seconds = Annotated[float, bounded(0.0, 86_400.0, "s")]


class Part(BaseModel):
    """A part of a scenario; an unknown key is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _truth_is_no_number(cls, values: Any) -> Any:
        """Refuse true and false where a number stands, which pydantic takes for 1 and 0."""
        if isinstance(values, Mapping):
            for name, value in values.items():
                field = cls.model_fields.get(name) if isinstance(value, bool) else None
                kinds = {field.annotation, *get_args(field.annotation)} if field else set()
                if kinds & {int, float} and bool not in kinds:
                    raise ConfigError(name, value, "a number")
        return values
