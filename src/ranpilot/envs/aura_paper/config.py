"""Every constant of `aura-paper`, and its variants as functions.

Source: AURA (Nourzad, Zong, Krishnamachari 2025) for stations, powers, places, signal and SNR ranges.
Differs from source: what the paper leaves open is ours: arrivals, holding, walk, what a request is, that a refused one
is lost, patience, reward weights.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, ValidationError, model_validator

from ranpilot.errors import ConfigError, UnknownNameError
from ranpilot.validation import as_config_error

__all__ = ["LOADS", "VARIANTS", "AuraPaperConfig", "Station", "make_config"]

LOADS = {"low": 0.5, "normal": 1.5, "high": 3.0}
"""Mean arrivals at each station in one step."""

MIN_USABLE_PROBABILITY = 0.05
"""A new call's serving link is redrawn until it is usable, so that this must happen now and then."""

PowerDbm = Annotated[int, Field(ge=0, le=80, json_schema_extra={"unit": "dBm"})]
Probability = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0, le=10)]


class Station(BaseModel, frozen=True, extra="forbid"):
    """A base station: its power is set on a grid of 1 dB."""

    name: Annotated[str, Field(min_length=1)]
    power_low_dbm: PowerDbm
    power_high_dbm: PowerDbm
    places: Annotated[int, Field(ge=1, le=100, description="calls that it can hold")]

    @model_validator(mode="after")
    def _low_below_high(self) -> Self:
        if self.power_low_dbm >= self.power_high_dbm:
            allowed = f"less than power_high_dbm ({self.power_high_dbm})"
            raise ConfigError("station.power_low_dbm", self.power_low_dbm, allowed)
        return self

    @property
    def num_powers(self) -> int:
        """Points of the power grid."""
        return self.power_high_dbm - self.power_low_dbm + 1

    @property
    def midpoint_dbm(self) -> float:
        """The power that base links are given for."""
        return 0.5 * (self.power_low_dbm + self.power_high_dbm)


RURAL = Station(name="rural", power_low_dbm=43, power_high_dbm=46, places=50)
URBAN = Station(name="urban", power_low_dbm=30, power_high_dbm=37, places=30)


class AuraPaperConfig(BaseModel, frozen=True, extra="forbid"):
    """Two stations, their calls and what is rewarded; the defaults are normal load."""

    stations: tuple[Station, Station] = (RURAL, URBAN)
    arrivals_per_step: Annotated[float, Field(ge=0, le=10, description="mean at each station")] = LOADS["normal"]
    holding_steps: Annotated[float, Field(ge=1, le=1000, description="mean length of a call")] = 15.0
    surge_probability: Annotated[Probability, Field(description="that a surge begins at a station, each step")] = 0.0
    surge_factor: Annotated[float, Field(ge=1, le=5, description="of the arrivals while it lasts")] = 3.0
    surge_steps: Annotated[int, Field(ge=1, le=1000)] = 10

    signal_low_dbm: Annotated[float, Field(ge=-200, le=0)] = -120.0
    signal_high_dbm: Annotated[float, Field(ge=-200, le=0)] = -50.0
    snr_low_db: Annotated[float, Field(ge=-50, le=100)] = 0.0
    snr_high_db: Annotated[float, Field(ge=-50, le=100)] = 30.0
    signal_sigma_db: Annotated[float, Field(ge=0, le=20, description="of the walk, each step")] = 4.0
    snr_sigma_db: Annotated[float, Field(ge=0, le=20, description="of the walk, each step")] = 2.0
    usable_signal_dbm: Annotated[float, Field(ge=-200, le=0, description="below it a link is bad")] = -100.0
    usable_snr_db: Annotated[float, Field(ge=-50, le=100, description="below it a link is bad")] = 5.0
    interference_share: Annotated[float, Field(ge=0, le=1, description="of the other's offset, off the SNR")] = 0.5

    most_moves: Annotated[int, Field(ge=1, le=100, description="requests that one hand-off moves")] = 3
    patience_steps: Annotated[int, Field(ge=1, le=100, description="age beyond which a request is dropped")] = 3
    pingpong_steps: Annotated[int, Field(ge=0, le=1000)] = 5
    episode_steps: Annotated[int, Field(ge=1, le=10_000)] = 50

    drop_weight: Weight = 1.0
    power_weight: Weight = 0.1
    pingpong_weight: Weight = 0.05

    @model_validator(mode="after")
    def _ranges_hold_the_walk(self) -> Self:
        for kind, unit in (("signal", "dbm"), ("snr", "db")):
            low, high = getattr(self, f"{kind}_low_{unit}"), getattr(self, f"{kind}_high_{unit}")
            sigma_name = f"{kind}_sigma_db"
            if low >= high:
                raise ConfigError(f"{kind}_low_{unit}", low, f"less than {kind}_high_{unit} ({high:g})")
            most = (high - low) / 3**0.5
            if getattr(self, sigma_name) > most:
                allowed = f"at most {most:.3g}, so that one step crosses the range once"
                raise ConfigError(sigma_name, getattr(self, sigma_name), allowed)
        if self.least_usable_probability < MIN_USABLE_PROBABILITY:
            allowed = f"low enough that a random link is usable in {MIN_USABLE_PROBABILITY:.0%} of draws at any power"
            raise ConfigError("usable_signal_dbm", self.usable_signal_dbm, allowed)
        return self

    @property
    def least_usable_probability(self) -> float:
        """Probability that a random link is usable, at the powers where it is least likely."""
        half_ranges = [0.5 * (s.power_high_dbm - s.power_low_dbm) for s in self.stations]
        return min(
            _share_above(self.usable_signal_dbm + own, self.signal_low_dbm, self.signal_high_dbm)
            * _share_above(
                self.usable_snr_db + own + self.interference_share * other, self.snr_low_db, self.snr_high_db
            )
            for own, other in (half_ranges, half_ranges[::-1])
        )

    @property
    def num_places(self) -> int:
        """Calls that both stations can hold."""
        return sum(station.places for station in self.stations)

    def with_load(self, load: str) -> AuraPaperConfig:
        """The same at load `low`, `normal` or `high`. Raises UnknownNameError."""
        if load not in LOADS:
            raise UnknownNameError("load", load, tuple(LOADS))
        return self.model_copy(update={"arrivals_per_step": LOADS[load]})


def default() -> AuraPaperConfig:
    """The recommended setting."""
    return AuraPaperConfig()


def power() -> AuraPaperConfig:
    """A smaller weight on power, so that the best power lies inside the grid: power is a real decision."""
    return AuraPaperConfig(power_weight=0.03)


def surge() -> AuraPaperConfig:
    """Now and then a station has three times its arrivals for ten steps."""
    return AuraPaperConfig(surge_probability=0.02)


VARIANTS: dict[str, Callable[[], AuraPaperConfig]] = {"default": default, "power": power, "surge": surge}


def make_config(values: dict[str, Any], source: str = "") -> AuraPaperConfig:
    """The configuration with `values` in place of defaults. Raises ConfigError in one sentence."""
    try:
        return AuraPaperConfig(**values)
    except ValidationError as report:
        raise as_config_error(report, AuraPaperConfig, source=source) from None


def _share_above(limit: float, low: float, high: float) -> float:
    """Share of a uniform range that is not below the limit."""
    return min(1.0, max(0.0, (high - limit) / (high - low)))
