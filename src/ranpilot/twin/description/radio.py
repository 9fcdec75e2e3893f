"""What the radio channel consists of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import model_validator

from ranpilot.errors import ConfigError
from ranpilot.twin.bounds import Part, bounded

__all__ = ["Radio"]

_DELAY_SPREAD_NS = (1.0, 5000.0)
_RICE_FACTOR_DB = (-20.0, 40.0)


class Radio(Part):
    """What the channel consists of; parts are switched off in tests against closed forms."""

    path_loss_offset_db: Annotated[float, bounded(-40.0, 40.0, "dB")] = 0.0
    """Added to the path loss of every link; what a fit to measurements moves."""
    shadowing: bool = True
    shadowing_scale: Annotated[float, bounded(0.0, 4.0, "1")] = 1.0
    """Multiplies the standard deviation of shadow fading of every link; that of a building's wall stays."""
    line_of_sight: Literal["random", "always", "never"] = "random"
    fading: Literal["bank", "exact"] | None = "bank"
    """bank: traces that links share; exact: every link its own, slow; None: none. Files may say true and false."""
    rice_factor: Annotated[float, bounded(*_RICE_FACTOR_DB, "dB")] | Literal["model"] | None = "model"
    """K of links in line of sight; model: the mean of TR 38.901 Table 7.5-6; None: Rayleigh like all others."""
    delay_spread_ns: Annotated[float, bounded(*_DELAY_SPREAD_NS, "ns")] | Literal["model"] = 300.0
    """Rms; model: the median of TR 38.901 Table 7.5-6 for the site's model, the carrier and the link's state."""
    individual_interferers: Annotated[int, bounded(1, 8, "cell")] = 3
    """Strongest interferers with a fading of their own; the rest are summed at their mean power."""
    site_correlation: Annotated[float, bounded(0.0, 1.0, "1")] = 0.5
    """Of the shadowing of two sites; sectors of one site share it."""

    @model_validator(mode="before")
    @classmethod
    def _words_and_numbers(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        result = dict(values)
        if isinstance(values.get("fading"), bool):
            result["fading"] = "bank" if values["fading"] else None
        if result.get("rice_factor") == "none":
            result["rice_factor"] = None
        if result.get("fading") not in ("bank", "exact", None):
            raise ConfigError("fading", result["fading"], "one of bank, exact, null")
        rice_factor, delay_spread_ns = result.get("rice_factor", "model"), result.get("delay_spread_ns", "model")
        if rice_factor is not None:
            _check_number_or_model("rice_factor", rice_factor, _RICE_FACTOR_DB, "dB, model or null")
        _check_number_or_model("delay_spread_ns", delay_spread_ns, _DELAY_SPREAD_NS, "ns, or model")
        return result


def _check_number_or_model(field: str, value: Any, bounds: tuple[float, float], words: str) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if value != "model" and not (is_number and bounds[0] <= value <= bounds[1]):
        raise ConfigError(field, value, f"{bounds[0]:g} to {bounds[1]:g} {words}")
