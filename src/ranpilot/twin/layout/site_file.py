"""Sites from a CSV file: one site a line, under a header that names the columns in any order.

Needed: name, x_m, y_m, height_m, propagation (RMa, UMa, UMi, InH, InH-open), power_dbm.
Optional (empty = not given): min_power_dbm, max_power_dbm, capacity, azimuths_deg (one number a sector with spaces
between, from the x axis towards the y axis), elements, spacing_wavelengths, downtilt_deg (of each sector's antenna).
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ranpilot.errors import ConfigError
from ranpilot.twin.description.site import Antenna, Site
from ranpilot.twin.layout.csv_lines import parse_lines, read_bytes
from ranpilot.validation import first_problem

__all__ = ["ANTENNA_COLUMNS", "NEEDED_COLUMNS", "OPTIONAL_COLUMNS", "read_sites"]

NEEDED_COLUMNS = ("name", "x_m", "y_m", "height_m", "propagation", "power_dbm")
ANTENNA_COLUMNS = ("elements", "spacing_wavelengths", "downtilt_deg")
LEAST_APART_M = 1.0
MOST_OUTSIDE_M = 10_000.0
"""The longest link of RMa, TR 38.901 Table 7.4.1-1."""
OPTIONAL_COLUMNS = ("min_power_dbm", "max_power_dbm", "capacity", "azimuths_deg", *ANTENNA_COLUMNS)


def read_sites(path: Path, area_m: tuple[float, float, float, float] | None = None) -> tuple[Site, ...]:
    """The sites of a file. Raises ConfigError: file, line, column, value and what is allowed.

    area_m: left, bottom, right, top of where users are; sites far outside are refused. None = the sites say where.
    Degrees and kilometres in place of metres show in sites that all but touch: apart from one place for several sites,
    they must be `LEAST_APART_M` from each other.
    """
    sites: list[Site] = []
    for number, texts in parse_lines(read_bytes(path), path.name, NEEDED_COLUMNS, OPTIONAL_COLUMNS, of="site"):
        source = f"{path.name}:{number}"
        site = _site(texts, source)
        if any(site.name == other.name for other in sites):
            raise ConfigError("name", site.name, "different for every site", source=source)
        _check_place(site, sites, area_m, source)
        sites.append(site)
    return tuple(sites)


def _check_place(site: Site, others: list[Site], area_m: tuple[float, float, float, float] | None, source: str) -> None:
    for other in others:
        if 0.0 < math.hypot(site.x_m - other.x_m, site.y_m - other.y_m) < LEAST_APART_M:
            field, value = ("y_m", site.y_m) if site.x_m == other.x_m else ("x_m", site.x_m)
            allowed = f"in metres, at least {LEAST_APART_M:g} from site {other.name!r} or at its very place"
            raise ConfigError(field, value, allowed, source=source)
    if area_m is None:
        return
    for field, value, low, high in (("x_m", site.x_m, area_m[0], area_m[2]), ("y_m", site.y_m, area_m[1], area_m[3])):
        if not low - MOST_OUTSIDE_M <= value <= high + MOST_OUTSIDE_M:
            allowed = f"at most {MOST_OUTSIDE_M:g} m outside area_m ({low:g} to {high:g})"
            raise ConfigError(field, value, allowed, source=source)


def _site(texts: dict[str, str], source: str) -> Site:
    given: dict[str, Any] = {name: text for name, text in texts.items() if text}
    if "azimuths_deg" in given:
        given["azimuths_deg"] = given["azimuths_deg"].split()
    antenna = {name: given.pop(name) for name in ANTENNA_COLUMNS if name in given}
    try:
        if antenna:
            given["antenna"] = Antenna.model_validate(antenna)
        return Site.model_validate(given)
    except ValidationError as error:
        problem = first_problem(error, Site)
        field = str(problem.path[0])
        # A text such as 'nan' has become a number by then: tell what stands in the file.
        raise ConfigError(field, texts.get(field, problem.value), problem.allowed, source=source) from None
