"""Where the base stations stand, and where users are: sites one by one, in a file, or made by rule.

Kinds: `explicit` (the sites stand in the scenario; the kind may be left out), `csv` (they stand in a file, which is
read with the scenario), `hexagonal`, `indoor-office`. Whatever the kind, a layout has `sites`, `cells`, `area_m`,
`placement`, `distance_floor_m` and `shifts_m`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, GetCoreSchemaHandler, Tag, model_validator
from pydantic_core import CoreSchema

from ranpilot.errors import ConfigError
from ranpilot.twin.bounds import Part, bounded
from ranpilot.twin.description.site import Antenna, Cell, Metres, PowerDbm, Site, Station
from ranpilot.twin.layout.hexagons import SECTOR_AZIMUTHS_DEG, cluster_shifts_m, site_positions_m
from ranpilot.twin.layout.indoor_office import AREA_M, CEILING_M, office_positions_m
from ranpilot.twin.layout.site_file import read_sites

__all__ = ["KINDS", "Area", "CsvSites", "ExplicitSites", "Hexagonal", "IndoorOffice", "Layout", "Placement"]

Area = tuple[Metres, Metres, Metres, Metres]

Placement = Literal["best-server", "uniform"]
"""best-server: every cell has its users, uniform over the area where it is received strongest. uniform: users are
uniform over the area (hexagonal: those of a cell over the hexagon of its site) and begin in the strongest cell."""

Distance = Annotated[float, bounded(0.0, 1000.0, "m")]

MIN_DISTANCE_M = {"RMa": 35.0, "UMa": 35.0, "UMi": 10.0, "InH": 0.0, "InH-open": 0.0}
"""Least distance along the ground from a new user to a site. Source: TR 38.901 Tables 7.2-1, 7.2-2 and 7.2-3."""

MAX_SITES = 256
MAX_CELLS = 256


class ExplicitSites(Part):
    """Sites one by one, and the rectangle in which users are."""

    kind: Literal["explicit"] = "explicit"
    area_m: Area
    """Left, bottom, right, top."""
    sites: Annotated[tuple[Site, ...], Field(min_length=1, max_length=MAX_SITES)]
    placement: Placement = "best-server"
    min_distance_m: Distance = 0.0
    """Least distance along the ground from a new user to any site."""

    @model_validator(mode="after")
    def _area_and_names(self) -> Self:
        _check_area(self.area_m)
        names = [site.name for site in self.sites]
        for name in names:
            if names.count(name) > 1:
                raise ConfigError("sites.name", name, "different for every site")
        covered_m2 = len(names) * math.pi * self.min_distance_m**2
        left, bottom, right, top = self.area_m
        if covered_m2 > 0.5 * (right - left) * (top - bottom):
            raise ConfigError("min_distance_m", self.min_distance_m, "so small that half of area_m is left for users")
        cells = [cell.name for cell in self.cells]
        if len(cells) > MAX_CELLS:
            raise ConfigError("sites", f"{len(cells)} cells", f"sites with at most {MAX_CELLS} cells")
        for name in cells:
            if cells.count(name) > 1:
                raise ConfigError("sites.name", name, "different from every sector of another site")
        return self

    @property
    def cells(self) -> tuple[Cell, ...]:
        """[C] site by site."""
        return _cells(self.sites)

    @property
    def distance_floor_m(self) -> float:
        """Least distance along the ground from a new user to any site."""
        return self.min_distance_m

    @property
    def shifts_m(self) -> list[list[float]]:
        """Nothing is wrapped around."""
        return []


class CsvSites(Part):
    """Sites in a CSV file (`layout/site_file.py` names its columns); becomes `explicit` when the scenario is read."""

    kind: Literal["csv"]
    file: Path
    """In a scenario file, relative to it."""
    area_m: Area
    """Left, bottom, right, top."""
    placement: Placement = "best-server"
    min_distance_m: Distance = 0.0

    def read(self) -> ExplicitSites:
        """The same with the sites that the file holds. Raises ConfigError that names the file and the line."""
        return ExplicitSites(
            area_m=self.area_m,
            sites=read_sites(self.file, self.area_m),
            placement=self.placement,
            min_distance_m=self.min_distance_m,
        )


class Hexagonal(Station):
    """Sites on a triangular lattice in 0, 1 or 2 rings around one, each with one or three sectors.

    Three sectors look towards 30, 150 and 270 degrees, where neighbouring sites stand.
    """

    kind: Literal["hexagonal"]
    num_sites: Literal[1, 7, 19] = 19
    sectors: Literal[1, 3] = 3
    isd_m: Annotated[float, bounded(10.0, 20_000.0, "m")]
    """Distance between neighbouring sites."""
    wrap_around: bool = True
    """A link goes to the nearest of a site's seven copies, and who leaves the cluster enters it on the other side."""
    placement: Placement = "uniform"
    min_distance_m: Distance | None = None
    """Least distance along the ground from a new user to any site; None = the standard's for this propagation."""

    @model_validator(mode="after")
    def _one_sector_is_omnidirectional(self) -> Self:
        if self.sectors == 1 and self.antenna is not None:
            raise ConfigError("antenna", self.antenna.model_dump(), "left out where sectors = 1 (omnidirectional)")
        if self.distance_floor_m > 0.4 * self.isd_m:
            raise ConfigError("min_distance_m", self.distance_floor_m, f"at most 0.4 isd_m ({0.4 * self.isd_m:g})")
        return self

    @property
    def sites(self) -> tuple[Site, ...]:
        """[S] the middle one first, then ring by ring."""
        azimuths = SECTOR_AZIMUTHS_DEG if self.sectors == 3 else ()
        return _sites(self, site_positions_m(self.num_sites, self.isd_m), azimuths)

    @property
    def cells(self) -> tuple[Cell, ...]:
        """[C] site by site."""
        return _cells(self.sites)

    @property
    def area_m(self) -> Area:
        """Left, bottom, right, top of the sites' hexagons."""
        x_m, y_m = site_positions_m(self.num_sites, self.isd_m).T
        side_m, half_m = self.isd_m / math.sqrt(3.0), 0.5 * self.isd_m
        return (
            float(x_m.min() - side_m), float(y_m.min() - half_m), float(x_m.max() + side_m), float(y_m.max() + half_m)
        )  # fmt: skip

    @property
    def distance_floor_m(self) -> float:
        """Least distance along the ground from a new user to any site."""
        return MIN_DISTANCE_M[self.propagation] if self.min_distance_m is None else self.min_distance_m

    @property
    def shifts_m(self) -> list[list[float]]:
        """[6, 2] from the cluster to its copies, none without wrap-around."""
        return cluster_shifts_m(self.num_sites, self.isd_m).tolist() if self.wrap_around else []


class IndoorOffice(Part):
    """The office of TR 38.901 Table 7.2-2: 120 m x 50 m, twelve sites under the 3 m ceiling, 20 m apart."""

    kind: Literal["indoor-office"]
    office: Literal["open", "mixed"] = "open"
    """Decides the probability of line of sight."""
    sectors: Literal[1, 3] = 1
    power_dbm: PowerDbm = 24.0
    min_power_dbm: PowerDbm | None = None
    """Least power that a control may set; None = `power_dbm`."""
    max_power_dbm: PowerDbm | None = None
    """Greatest power that a control may set; None = `power_dbm`."""
    capacity: Annotated[int, bounded(1, 1000, "UE")] | None = None
    """Connected users of a cell at most; None = no limit."""
    antenna: Antenna | None = None
    """Of each sector; None = one element where there are sectors."""
    placement: Placement = "uniform"

    @model_validator(mode="after")
    def _one_sector_is_omnidirectional(self) -> Self:
        if self.sectors == 1 and self.antenna is not None:
            raise ConfigError("antenna", self.antenna.model_dump(), "left out where sectors = 1 (omnidirectional)")
        # What is wrong with a station's power is told when the layout is checked, not when it is used.
        self._station()
        return self

    @property
    def sites(self) -> tuple[Site, ...]:
        """[12] row by row."""
        return _sites(self._station(), office_positions_m(), SECTOR_AZIMUTHS_DEG if self.sectors == 3 else ())

    @property
    def cells(self) -> tuple[Cell, ...]:
        """[C] site by site."""
        return _cells(self.sites)

    @property
    def area_m(self) -> Area:
        """Left, bottom, right, top: the office."""
        return AREA_M

    @property
    def distance_floor_m(self) -> float:
        """No least distance."""
        return 0.0

    @property
    def shifts_m(self) -> list[list[float]]:
        """Nothing is wrapped around."""
        return []

    def _station(self) -> Station:
        own = self.model_dump(include={"power_dbm", "min_power_dbm", "max_power_dbm", "capacity", "antenna"})
        propagation = "InH-open" if self.office == "open" else "InH"
        return Station.model_validate({**own, "height_m": CEILING_M, "propagation": propagation})


KINDS = {"explicit": ExplicitSites, "csv": CsvSites, "hexagonal": Hexagonal, "indoor-office": IndoorOffice}


def _kind(value: Any) -> str:
    """Which kind a layout is; a mapping without one lists its sites."""
    if isinstance(value, Mapping):
        return str(value.get("kind", "explicit"))
    return str(getattr(value, "kind", "explicit"))


def _read(layout: ExplicitSites | CsvSites | Hexagonal | IndoorOffice) -> ExplicitSites | Hexagonal | IndoorOffice:
    return layout.read() if isinstance(layout, CsvSites) else layout


_Written = Annotated[
    Annotated[ExplicitSites, Tag("explicit")]
    | Annotated[CsvSites, Tag("csv")]
    | Annotated[Hexagonal, Tag("hexagonal")]
    | Annotated[IndoorOffice, Tag("indoor-office")],
    Discriminator(_kind),
    AfterValidator(_read),
]


class _AsWritten:
    """What may be written where a layout is held."""

    @staticmethod
    def __get_pydantic_core_schema__(source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return handler.generate_schema(_Written)


# What a scenario holds never depends on a file that may change: `csv` is read at once.
Layout = Annotated[ExplicitSites | Hexagonal | IndoorOffice, _AsWritten]


@functools.lru_cache(maxsize=256)
def _cells(sites: tuple[Site, ...]) -> tuple[Cell, ...]:
    return tuple(cell for index, site in enumerate(sites) for cell in site.cells(index))


def _sites(station: Station, position_m: Any, azimuths_deg: tuple[float, ...]) -> tuple[Site, ...]:
    """The same station at every position, named `site-1`, `site-2`, ..."""
    values = station.model_dump(include=set(Station.model_fields))
    return tuple(
        Site.model_validate({**values, "name": f"site-{number}", "x_m": x_m, "y_m": y_m, "azimuths_deg": azimuths_deg})
        for number, (x_m, y_m) in enumerate(position_m.tolist(), start=1)
    )


def _check_area(area_m: Area) -> None:
    left, bottom, right, top = area_m
    if right - left < 10.0 or top - bottom < 10.0:
        raise ConfigError("area_m", list(area_m), "left, bottom, right, top with sides of at least 10 m")
