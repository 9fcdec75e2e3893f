"""What users ask for: a mix of traffic models with shares, deadlines and a common scale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field, ValidationError, field_serializer, field_validator, model_validator

from ranpilot.errors import ConfigError
from ranpilot.twin.bounds import Part, bounded
from ranpilot.twin.description.link import TargetBler

if TYPE_CHECKING:
    from ranpilot.twin.traffic.protocol import TrafficConfig

__all__ = ["Traffic", "TrafficShare"]

RATES, GAPS = ("scale", "mean_rate_bps"), ("mean_gap_s", "period_s")
"""Fields of a model's config that its rate is proportional to, and those that it falls with."""


class TrafficShare(Part):
    """One kind of traffic: the share of the users who have it, what it asks for, and the model's own config."""

    name: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    """By which slices name it; None = that of the model."""
    share: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    """Of the users who have it; with slices, how often it is drawn among the kinds of one slice."""
    deadline_ms: Annotated[float, bounded(0.5, 60_000.0, "ms")] | None = None
    """A packet that waits longer is discarded; None = never."""
    target_bler: TargetBler | None = None
    """Share of first transmissions that may fail; None = as `link` says."""
    reliability: Annotated[float, Field(ge=0.5, le=0.999999)] = 0.99
    """Share of packets that should meet the deadline; M-LWDF weighs by it."""
    model: Any

    @model_validator(mode="before")
    @classmethod
    def _split_off_the_model(cls, value: Any) -> Any:
        """In a file the model's keys stand beside those of the share."""
        if not isinstance(value, Mapping) or "model" in value:
            return value
        own = {key: value[key] for key in cls.model_fields if key in value}
        return {**own, "model": {key: item for key, item in value.items() if key not in own}}

    @field_validator("model", mode="before")
    @classmethod
    def _parse_model(cls, value: Any) -> TrafficConfig:
        from ranpilot.twin.traffic import parse_config
        from ranpilot.twin.traffic.protocol import TrafficConfig

        if isinstance(value, TrafficConfig):
            return value
        if not isinstance(value, Mapping):
            raise ConfigError("model", value, "a mapping")
        return parse_config(value, field="model")

    @property
    def label(self) -> str:
        """Its name."""
        return self.name or str(self.model.kind)

    @field_serializer("model")
    def _dump_model(self, model: Any) -> Any:
        return model.model_dump(mode="json")


class Traffic(Part):
    """The mix of traffic; `rate_scale` multiplies the rate of every kind (a load's offered traffic)."""

    mix: Annotated[tuple[TrafficShare, ...], Field(min_length=1, max_length=64)]
    rate_scale: Annotated[float, bounded(1e-6, 1e6, "1")] = 1.0
    buffer_packets: Annotated[int, bounded(4, 65_536, "packet")] = 256
    """Room of a user's queue; what does not fit is dropped on arrival and counted."""
    buffer_bits: Annotated[int, bounded(1, 10**12, "bit")] | None = None
    """The same in bits that wait; None = no limit but that of packets."""

    @model_validator(mode="after")
    def _rates_and_bursts_fit(self) -> Self:
        for config in self.models():
            if config.burst_packets > self.buffer_packets:
                allowed = f"at least {config.burst_packets}, which traffic {config.kind!r} sends in one burst"
                raise ConfigError("buffer_packets", self.buffer_packets, allowed)
        return self

    def check_shares(self) -> None:
        """Raise ConfigError for shares that do not sum to 1."""
        total = sum(entry.share for entry in self.mix)
        if abs(total - 1.0) > 1e-6:
            shares = [entry.share for entry in self.mix]
            raise ConfigError("traffic.mix.share", shares, f"shares that sum to 1 (not {total:g})")

    def models(self) -> tuple[TrafficConfig, ...]:
        """The config of each kind with `rate_scale` applied."""
        return tuple(_scaled(entry.model, self.rate_scale) for entry in self.mix)


def _scaled(config: TrafficConfig, rate_scale: float) -> TrafficConfig:
    """`config` at `rate_scale` times its rate, by whichever field it has for that."""
    if rate_scale == 1.0:
        return config
    for field in (*RATES, *GAPS):
        if field in type(config).model_fields:
            values = config.model_dump()
            value = values[field] * rate_scale if field in RATES else values[field] / rate_scale
            try:
                return type(config).model_validate({**values, field: value})
            except ValidationError:
                how = "times" if field in RATES else "divided by"
                allowed = f"such that {field} ({values[field]:g}) {how} it can be used for traffic {config.kind!r}"
                raise ConfigError("rate_scale", rate_scale, allowed) from None
    raise ConfigError("rate_scale", rate_scale, f"1 where a kind of traffic is {config.kind!r}")
