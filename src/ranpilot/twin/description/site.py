"""A base station: where it stands, what it radiates, its antenna and its cells."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from ranpilot.errors import ConfigError
from ranpilot.twin.bounds import Part, bounded

__all__ = ["LEAST_POWER_DBM", "Antenna", "Cell", "Metres", "PowerDbm", "Propagation", "Site", "Station"]

Propagation = Literal["RMa", "UMa", "UMi", "InH", "InH-open"]
"""InH is the mixed office, InH-open the open one."""

LEAST_POWER_DBM, MOST_POWER_DBM = -10.0, 60.0
"""What a cell radiates over its carrier; measurements and controls have the same range."""

PowerDbm = Annotated[float, bounded(LEAST_POWER_DBM, MOST_POWER_DBM, "dBm")]

Metres = Annotated[float, bounded(-100_000.0, 100_000.0, "m")]

Azimuth = Annotated[float, bounded(0.0, 360.0, "degree")]

BS_HEIGHT_M = {
    "RMa": (10.0, 150.0),
    "UMa": (3.0, 150.0),
    "UMi": (3.0, 150.0),
    "InH": (1.0, 50.0),
    "InH-open": (1.0, 50.0),
}
"""Of the base station, for each propagation model."""


class Antenna(Part):
    """A sector antenna of TR 38.901 Table 7.3-1: a column of elements behind one port, steered electrically."""

    elements: Annotated[int, bounded(1, 64, "element")] = 1
    spacing_wavelengths: Annotated[float, bounded(0.1, 2.0, "wavelength")] = 0.5
    downtilt_deg: Annotated[float, bounded(-90.0, 90.0, "degree")] = 0.0
    """Of the column's main lobe below the horizon: 12 is the zenith angle 102 degrees."""


class Cell(NamedTuple):
    """One cell of a layout."""

    name: str
    """The site's own name where it has one cell, else with the sector's number behind it: `west-2`."""
    site: int
    """Index of its site."""
    x_m: float
    y_m: float
    azimuth_deg: float | None
    """Of the boresight, from the x axis towards the y axis; None = omnidirectional, 0 dBi."""
    antenna: Antenna | None
    power_dbm: float
    power_range_dbm: tuple[float, float]
    """Least and greatest power that a control may set."""
    capacity: int | None
    """Connected users at most; None = no limit."""


class Station(Part):
    """What a base station radiates and holds, wherever it stands; power and capacity are those of each cell."""

    height_m: Annotated[float, bounded(1.0, 150.0, "m")]
    propagation: Propagation
    power_dbm: PowerDbm
    min_power_dbm: PowerDbm | None = None
    """Least power that a control may set; None = `power_dbm`."""
    max_power_dbm: PowerDbm | None = None
    """Greatest power that a control may set; None = `power_dbm`."""
    capacity: Annotated[int, bounded(1, 1000, "UE")] | None = None
    """Connected users of a cell at most; None = no limit."""
    antenna: Antenna | None = None
    """Of each sector; None = one element where there are sectors."""

    @model_validator(mode="after")
    def _power_and_height_within_their_ranges(self) -> Self:
        low, high = self.power_range_dbm
        if not low <= self.power_dbm <= high:
            raise ConfigError("power_dbm", self.power_dbm, f"within min_power_dbm..max_power_dbm ({low:g}..{high:g})")
        least_m, most_m = BS_HEIGHT_M[self.propagation]
        if not least_m <= self.height_m <= most_m:
            raise ConfigError("height_m", self.height_m, f"{least_m:g} to {most_m:g} m for {self.propagation}")
        return self

    @property
    def power_range_dbm(self) -> tuple[float, float]:
        """Least and greatest power that a control may set."""
        low = self.power_dbm if self.min_power_dbm is None else self.min_power_dbm
        high = self.power_dbm if self.max_power_dbm is None else self.max_power_dbm
        return low, high


class Site(Station):
    """A base station with one omnidirectional cell, or one for each sector."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    x_m: Metres
    y_m: Metres
    azimuths_deg: Annotated[tuple[Azimuth, ...], Field(max_length=6)] = ()
    """Boresight of each sector, from the x axis towards the y axis (TR 38.901 §7.1); none = one cell all around."""

    @model_validator(mode="after")
    def _antennas_look_somewhere(self) -> Self:
        if self.antenna is not None and not self.azimuths_deg:
            raise ConfigError("azimuths_deg", [], "given where there is an antenna")
        if len({azimuth % 360.0 for azimuth in self.azimuths_deg}) < len(self.azimuths_deg):
            raise ConfigError("azimuths_deg", list(self.azimuths_deg), "different for every sector")
        return self

    def cells(self, index: int) -> tuple[Cell, ...]:
        """Its cells, as those of site `index`."""
        return tuple(
            Cell(
                name=self.name if len(azimuths) == 1 else f"{self.name}-{number}",
                site=index,
                x_m=self.x_m,
                y_m=self.y_m,
                azimuth_deg=azimuth,
                antenna=None if azimuth is None else self.antenna or Antenna(),
                power_dbm=self.power_dbm,
                power_range_dbm=self.power_range_dbm,
                capacity=self.capacity,
            )
            for azimuths in [self.azimuths_deg or (None,)]
            for number, azimuth in enumerate(azimuths, start=1)
        )
