"""What a tenant's service needs of the network, the levels that labels choose from, and the class that follows.

A label is a level of each dimension, chosen by the questions in docs/tenant_corpus.md; the level's value stands in the
corpus. The values are ours: about equal steps on a logarithmic scale around the classic mix of broadband (10 Mbit/s),
low latency (5 ms at 99.9 %) and machine type (95 % served).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from ranpilot.errors import ConfigError

__all__ = ["DIMENSIONS", "LEVELS", "Dimension", "Level", "ServiceClass", "Sla"]

Dimension = Literal["delay", "reliability", "priority", "served", "rate"]

ServiceClass = Literal["urllc", "hdllc", "embb", "transaction", "miot"]
"""After the slice/service types of TS 23.501 Table 5.15.2.2-1; `transaction` (small and awaited) is ours."""


class Level(NamedTuple):
    """One answer to the question of a dimension, and the value that it stands for."""

    name: str
    value: float


LEVELS: Mapping[Dimension, tuple[Level, ...]] = MappingProxyType(
    {
        "delay": (
            Level("reflex", 5),
            Level("hand", 20),
            Level("talk", 100),
            Level("moment", 500),
            Level("watched", 2000),
            Level("whenever", 10_000),
        ),
        "reliability": (Level("unnoticed", 0.9), Level("blemish", 0.99), Level("halt", 0.999), Level("harm", 0.9999)),
        "priority": (Level("comfort", 1), Level("work", 2), Level("operation", 3), Level("life", 4)),
        "served": (Level("half", 0.5), Level("most", 0.8), Level("nearly-all", 0.95), Level("all", 0.99)),
        "rate": (
            Level("trickle", 0.01),
            Level("voice", 0.1),
            Level("page", 1),
            Level("video", 10),
            Level("many-videos", 50),
        ),
    }
)
"""In the order of the tables in docs/tenant_corpus.md."""

DIMENSIONS: tuple[Dimension, ...] = tuple(LEVELS)


class Sla(BaseModel):
    """The needs of one service, for one user or device while it is in use."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    delay_budget_ms: Annotated[float, Field(ge=0.5, le=10_000, json_schema_extra={"unit": "ms"})]
    """Within which data has to be there; 10 000 is the loosest that is asked for."""
    reliability: Annotated[float, Field(ge=0.5, le=0.99999)]
    """Share of the data that has to be there within the delay budget."""
    priority: Annotated[int, Field(ge=1, le=4)]
    """Weight in a reward; 4 is the highest."""
    served_share: Annotated[float, Field(gt=0, le=1)]
    """Share of the offered load that has to be served at all."""
    rate_mbps: Annotated[float, Field(gt=0, le=1000, json_schema_extra={"unit": "Mbit/s"})]
    """Mean rate in use."""

    def value(self, dimension: Dimension) -> float:
        """The value of a dimension, by the name that labels use."""
        values: Mapping[Dimension, float] = {
            "delay": self.delay_budget_ms,
            "reliability": self.reliability,
            "priority": self.priority,
            "served": self.served_share,
            "rate": self.rate_mbps,
        }
        return values[dimension]

    def level(self, dimension: Dimension) -> int:
        """Index in LEVELS[dimension]. Raises ConfigError for a value that is none of the levels'."""
        values = [level.value for level in LEVELS[dimension]]
        if self.value(dimension) not in values:
            known = ", ".join(f"{value:g}" for value in values)
            raise ConfigError(f"level of {dimension}", self.value(dimension), f"one of {known}")
        return values.index(self.value(dimension))

    @property
    def service_class(self) -> ServiceClass:
        """The class that follows from delay budget and rate."""
        if self.delay_budget_ms <= 20:
            return "hdllc" if self.rate_mbps >= 10 else "urllc"
        if self.rate_mbps >= 1:
            return "embb"
        return "transaction" if self.delay_budget_ms <= 500 else "miot"
