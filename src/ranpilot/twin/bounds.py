"""What every part of a scenario is made of: frozen records of bounded numbers with a unit."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Part", "Seconds", "bounded"]


def bounded(low: float, high: float, unit: str) -> Any:
    """A field that holds a number within those bounds, in that unit."""
    return Field(ge=low, le=high, json_schema_extra={"unit": unit})


Seconds = Annotated[float, bounded(0.0, 86_400.0, "s")]


class Part(BaseModel):
    """A part of a scenario; an unknown key is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
