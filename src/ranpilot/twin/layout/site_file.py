"""Sites from a CSV file: one site a line, under a header that names the columns in any order.

Needed: name, x_m, y_m, height_m, propagation (RMa, UMa, UMi, InH, InH-open), power_dbm.
Optional (empty = not given): min_power_dbm, max_power_dbm, capacity, azimuths_deg (one number a sector with spaces
between, from the x axis towards the y axis), elements, spacing_wavelengths, downtilt_deg (of each sector's antenna).
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ranpilot.errors import ConfigError, nearest
from ranpilot.twin.description.site import Antenna, Site
from ranpilot.validation import first_problem

__all__ = ["ANTENNA_COLUMNS", "NEEDED_COLUMNS", "OPTIONAL_COLUMNS", "read_sites"]

NEEDED_COLUMNS = ("name", "x_m", "y_m", "height_m", "propagation", "power_dbm")
ANTENNA_COLUMNS = ("elements", "spacing_wavelengths", "downtilt_deg")
OPTIONAL_COLUMNS = ("min_power_dbm", "max_power_dbm", "capacity", "azimuths_deg", *ANTENNA_COLUMNS)


def read_sites(path: Path) -> tuple[Site, ...]:
    """The sites of a file. Raises ConfigError: file, line, column, value and what is allowed."""
    lines = _read_lines(path)
    header = [name.strip() for name in lines[0][1]]
    _check_header(header, f"{path.name}:{lines[0][0]}")
    sites: list[Site] = []
    for number, row in lines[1:]:
        source = f"{path.name}:{number}"
        if len(row) != len(header):
            raise ConfigError("line", f"{len(row)} values", f"{len(header)} values, as the header has", source=source)
        site = _site(dict(zip(header, (value.strip() for value in row), strict=True)), source)
        if any(site.name == other.name for other in sites):
            raise ConfigError("name", site.name, "different for every site", source=source)
        sites.append(site)
    return tuple(sites)


def _read_lines(path: Path) -> list[tuple[int, list[str]]]:
    """Number and values of every line that is not empty: a header and at least one more."""
    if not path.is_file():
        raise ConfigError("file", str(path), "a CSV file that exists", source=path.name)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        wrong = error.object[error.start : error.start + 1]
        raise ConfigError("text", wrong, "text in UTF-8", source=path.name) from None
    reader = csv.reader(io.StringIO(text), strict=True)
    lines = []
    try:
        for row in reader:
            if any(value.strip() for value in row):
                lines.append((reader.line_num, row))
    except csv.Error as error:
        raise ConfigError(
            "text", str(error), "comma-separated values", source=f"{path.name}:{reader.line_num}"
        ) from None
    if len(lines) < 2:
        raise ConfigError("text", f"{len(lines)} lines", "a header and at least one site", source=f"{path.name}:1")
    return lines


def _check_header(header: list[str], source: str) -> None:
    known = (*NEEDED_COLUMNS, *OPTIONAL_COLUMNS)
    for name in header:
        if name not in known:
            guess = nearest(name, known)
            hint = f"; did you mean {guess!r}" if guess else ""
            raise ConfigError("column", name, f"one of {', '.join(known)}{hint}", source=source)
        if header.count(name) > 1:
            raise ConfigError("column", name, "there once", source=source)
    for name in NEEDED_COLUMNS:
        if name not in header:
            raise ConfigError("column", name, "in the header", source=source)


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
