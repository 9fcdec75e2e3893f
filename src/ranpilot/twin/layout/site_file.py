"""Sites from a CSV file: one site a line, under a header that names the columns in any order.

Needed: name, x_m, y_m, height_m, propagation (RMa, UMa, UMi, InH, InH-open), power_dbm.
Optional (empty = not given): min_power_dbm, max_power_dbm, capacity, azimuths_deg (one number a sector with spaces
between, from the x axis towards the y axis), elements, spacing_wavelengths, downtilt_deg (of each sector's antenna).
"""

from __future__ import annotations

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
OPTIONAL_COLUMNS = ("min_power_dbm", "max_power_dbm", "capacity", "azimuths_deg", *ANTENNA_COLUMNS)


def read_sites(path: Path) -> tuple[Site, ...]:
    """The sites of a file. Raises ConfigError: file, line, column, value and what is allowed."""
    sites: list[Site] = []
    for number, texts in parse_lines(read_bytes(path), path.name, NEEDED_COLUMNS, OPTIONAL_COLUMNS, of="site"):
        source = f"{path.name}:{number}"
        site = _site(texts, source)
        if any(site.name == other.name for other in sites):
            raise ConfigError("name", site.name, "different for every site", source=source)
        sites.append(site)
    return tuple(sites)


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
