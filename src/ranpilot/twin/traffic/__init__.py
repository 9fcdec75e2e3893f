"""Traffic: what arrives in the queues, as models that are pure functions of (seed, network, UE, block).

`models/` holds the models, one file each: the file name is the model's `kind` in a scenario. `docs/extending.md` shows
how to add one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ranpilot.errors import ConfigError
from ranpilot.family import Family
from ranpilot.validation import as_config_error

if TYPE_CHECKING:
    from ranpilot.twin.traffic.protocol import TrafficConfig, TrafficModel

__all__ = ["TRAFFIC_MODELS", "make_model", "parse_config"]

TRAFFIC_MODELS: Family[type[TrafficModel]] = Family("traffic model", "ranpilot.twin.traffic.models")


def make_model(config: TrafficConfig, slot_s: float) -> TrafficModel:
    """The model that `config` describes, for slots of `slot_s` seconds."""
    return TRAFFIC_MODELS.load(config.kind)(config, slot_s)


def parse_config(values: Mapping[str, Any], *, field: str = "traffic", source: str = "") -> TrafficConfig:
    """The validated config of a mapping such as `{"kind": "poisson", "mean_rate_bps": 1e6}`.

    Raises: ConfigError that names `field` and the value, UnknownNameError for an unknown kind.
    """
    kind = values.get("kind")
    if not isinstance(kind, str):
        raise ConfigError(f"{field}.kind", kind, f"one of {', '.join(TRAFFIC_MODELS.names())}", source=source)
    config_type = TRAFFIC_MODELS.load(kind).Config
    try:
        config: TrafficConfig = config_type.model_validate(dict(values))
    except ValidationError as error:
        raise as_config_error(error, config_type, prefix=field, source=source) from None
    return config
