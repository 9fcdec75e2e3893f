"""Where the base stations stand, and the rectangle in which users are."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ranpilot.errors import ConfigError
from ranpilot.twin.bounds import Part, bounded

__all__ = ["LEAST_POWER_DBM", "Layout", "Propagation", "Site"]

Propagation = Literal["RMa", "UMa", "UMi"]

LEAST_POWER_DBM, MOST_POWER_DBM = -10.0, 60.0
"""What a cell radiates over its carrier; measurements and controls have the same range."""

PowerDbm = Annotated[float, bounded(LEAST_POWER_DBM, MOST_POWER_DBM, "dBm")]

Metres = Annotated[float, bounded(-100_000.0, 100_000.0, "m")]


class Site(Part):
    """A base station with one omnidirectional cell."""

    name: str
    x_m: Metres
    y_m: Metres
    height_m: Annotated[float, bounded(3.0, 150.0, "m")]
    propagation: Propagation
    power_dbm: PowerDbm
    min_power_dbm: PowerDbm | None = None
    """Least power that a control may set; None = `power_dbm`."""
    max_power_dbm: PowerDbm | None = None
    """Greatest power that a control may set; None = `power_dbm`."""
    capacity: Annotated[int, bounded(1, 1000, "UE")] | None = None
    """Connected users at most; None = no limit."""

    @model_validator(mode="after")
    def _power_within_its_range(self) -> Self:
        low, high = self.power_range_dbm
        if not low <= self.power_dbm <= high:
            raise ConfigError("power_dbm", self.power_dbm, f"within min_power_dbm..max_power_dbm ({low:g}..{high:g})")
        return self

    @property
    def power_range_dbm(self) -> tuple[float, float]:
        """Least and greatest power that a control may set."""
        low = self.power_dbm if self.min_power_dbm is None else self.min_power_dbm
        high = self.power_dbm if self.max_power_dbm is None else self.max_power_dbm
        return low, high


class Layout(Part):
    """Where the sites stand and the rectangle in which users are."""

    area_m: tuple[Metres, Metres, Metres, Metres]
    """Left, bottom, right, top."""
    sites: Annotated[tuple[Site, ...], Field(min_length=1, max_length=64)]

    @model_validator(mode="after")
    def _area_and_names(self) -> Self:
        left, bottom, right, top = self.area_m
        if right - left < 10.0 or top - bottom < 10.0:
            raise ConfigError("area_m", list(self.area_m), "left, bottom, right, top with sides of at least 10 m")
        names = [site.name for site in self.sites]
        for name in names:
            if names.count(name) > 1:
                raise ConfigError("sites.name", name, "different for every site")
        return self
