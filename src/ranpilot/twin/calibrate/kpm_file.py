"""KPMs of a network from a CSV or Parquet file: long (a value a line) or wide (a column a KPM), columns in any order.

Both: `time_s` (or `end_s`: the end of the granularity period, not falling from line to line), `cell` (its name in the
scenario, or its number from 0; empty or -1 in lines of users) and, where there are users, `ue` (any name that stays).
Long: also `kpm` (a name of the twin's measurements) and `value`; `unit`, where given, must be the measurement's.
Wide: a column for each KPM, with or without its unit: `RRU.PrbTotDl` or `RRU.PrbTotDl [%]`.
`network` tells several networks of the same kind apart. `cell_name` stands in place of `cell`; `start_s` beside `end_s`
gives the period where there is one alone; `scope`, `slice`, `slice_name`, `snssai` and `bin` are what the twin writes
beside. An empty value was not measured; KPMs of links, slices and whole networks, and histograms, are left aside. A
file without a time is one period.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranpilot.declare import Measurement
from ranpilot.errors import ConfigError, nearest
from ranpilot.twin import kpm
from ranpilot.twin.calibrate.series import FloatArray, Series
from ranpilot.twin.layout.csv_lines import read_bytes, split_rows

__all__ = ["INDEX_COLUMNS", "LONG_COLUMNS", "KpmFile", "read_kpm_file"]

TIME_COLUMNS = ("time_s", "end_s")
INDEX_COLUMNS = (
    *TIME_COLUMNS,
    "start_s",
    "network",
    "scope",
    "cell",
    "cell_name",
    "slice",
    "slice_name",
    "snssai",
    "ue",
)
LONG_COLUMNS = ("kpm", "bin", "unit", "value")
NOBODY = ("", "-1")
"""What stands for no cell or no user."""

MOST_VALUES = 50_000_000
"""Of one KPM of users, with the places in which nobody is."""

BY_NAME: Mapping[str, Measurement] = {measurement.name: measurement for measurement in kpm.MEASUREMENTS}
LEFT_ASIDE = frozenset(
    [each.name for each in kpm.HISTOGRAMS] + [each.name for each in kpm.MEASUREMENTS if each.scope == "slice"]
)

Lines = list[tuple[int, list[str]]]


@dataclass(frozen=True)
class KpmFile:
    """What a file holds of a network."""

    source: str
    series: Series
    num_values: int


class _Value(NamedTuple):
    """One value of a file and where it belongs."""

    line: int
    measurement: Measurement
    value: float
    time_s: float
    period_s: float
    """NaN where the line does not tell."""
    network: str
    cell: int
    """-1 where there is none."""
    ue: str
    """Empty where there is none."""


def read_kpm_file(path: Path, cells: Sequence[str]) -> KpmFile:
    """The KPMs of cells (their names in the scenario) and users in a file.

    Raises ConfigError: file, line (in Parquet: row), column, value and what is allowed.
    """
    lines = _parquet_lines(path) if path.suffix.lower() == ".parquet" else _csv_lines(path)
    header = lines[0][1]
    columns = _check_header(header, f"{path.name}:{lines[0][0]}")
    values = list(_values(lines[1:], header, columns, cells, path.name))
    kept = [value for value in values if value.measurement.scope in ("cell", "ue")]
    if not kept:
        allowed = "a file with at least one KPM of a cell or a user"
        raise ConfigError("value", f"{len(values)} others", allowed, source=path.name)
    return KpmFile(path.name, _series(kept, len(cells), path.name), len(kept))


def _check_header(header: list[str], source: str) -> dict[str, Measurement]:
    """The measurement of each column of a wide file, none of a long one. Raises ConfigError."""
    is_long = "kpm" in header or "value" in header
    found: dict[str, Measurement] = {}
    for name in header:
        if header.count(name) > 1:
            raise ConfigError("column", name, "there once", source=source)
        if name in INDEX_COLUMNS or (is_long and name in LONG_COLUMNS):
            continue
        if is_long:
            known = (*INDEX_COLUMNS, *LONG_COLUMNS)
            raise ConfigError("column", name, f"one of {', '.join(known)}{_hint(name, known)}", source=source)
        found[name] = _column_measurement(name, source)
    if sum(name in header for name in TIME_COLUMNS) > 1:
        raise ConfigError("column", TIME_COLUMNS[1], f"left out where there is {TIME_COLUMNS[0]}", source=source)
    for name in ("kpm", "value") if is_long else ():
        if name not in header:
            raise ConfigError("column", name, "in the header", source=source)
    for scope, needed in (("cell", ("cell", "cell_name")), ("ue", ("ue",))):
        if any(each.scope == scope for each in found.values()) and not any(name in header for name in needed):
            raise ConfigError("column", needed[0], "in the header", source=source)
    if not is_long and not found:
        raise ConfigError("text", ",".join(header), "a header with at least one KPM, or with kpm", source=source)
    return found


def _column_measurement(name: str, source: str) -> Measurement:
    """The measurement that a column such as `RRU.PrbTotDl [%]` is of."""
    short, _, unit = name.partition("[")
    measurement = BY_NAME.get(short.strip())
    if measurement is None:
        known = (*INDEX_COLUMNS, *BY_NAME)
        allowed = f"{', '.join(INDEX_COLUMNS)} or a KPM of docs/kpm.md{_hint(short.strip(), known)}"
        raise ConfigError("column", name, allowed, source=source)
    if unit:
        _check_unit(unit.removesuffix("]").strip(), measurement, source)
    return measurement


def _hint(name: str, known: Sequence[str]) -> str:
    guess = nearest(name, known)
    return f"; did you mean {guess!r}" if guess else ""


def _check_unit(unit: str, measurement: Measurement, source: str) -> None:
    if unit != measurement.unit:
        raise ConfigError("unit", unit, f"{measurement.unit} for {measurement.name}", source=source)


def _values(
    lines: Lines, header: list[str], columns: Mapping[str, Measurement], cells: Sequence[str], name: str
) -> Iterator[_Value]:
    """Every value that the lines hold. Raises ConfigError."""
    last_s = 0.0
    for number, row in lines:
        source = f"{name}:{number}"
        texts = dict(zip(header, row, strict=True))
        # A slice that left within a period has an end of its own.
        if texts.get("kpm") in LEFT_ASIDE:
            continue
        time_s = _time_s(texts, last_s, source)
        last_s = time_s
        period_s = math.nan
        if "start_s" in texts:
            period_s = time_s - _number("start_s", texts["start_s"], 0.0, time_s, "s", source)
        network, ue = texts.get("network", ""), texts.get("ue", "")
        ue = "" if ue in NOBODY else ue
        cell = _cell(texts, cells, source)
        if "kpm" in texts:
            measurement = _named(texts["kpm"], source)
            if "unit" in texts:
                _check_unit(texts["unit"], measurement, source)
            given = [(measurement, texts["value"])]
        else:
            given = [(measurement, texts[column]) for column, measurement in columns.items()]
        for measurement, text in given:
            if not text:
                continue
            value = _number(measurement.name, text, measurement.low, measurement.high, measurement.unit, source)
            _check_place(measurement, cell, ue, cells, source)
            yield _Value(number, measurement, value, time_s, period_s, network, cell, ue)


def _time_s(texts: Mapping[str, str], last_s: float, source: str) -> float:
    column = next((name for name in TIME_COLUMNS if name in texts), None)
    if column is None:
        return 0.0
    time_s = _number(column, texts[column], 0.0, math.inf, "s", source)
    if time_s < last_s:
        raise ConfigError(column, time_s, f"at least that of the line before ({last_s:g})", source=source)
    return time_s


def _number(column: str, text: str, low: float, high: float, unit: str, source: str) -> float:
    allowed = f"{low:g} to {high:g} {unit}" if math.isfinite(high) else f"a finite number of at least {low:g} {unit}"
    try:
        value = float(text)
    except ValueError:
        raise ConfigError(column, text, allowed, source=source) from None
    if not (math.isfinite(value) and low - 1e-9 <= value <= high + 1e-9 * max(1.0, abs(high))):
        raise ConfigError(column, value, allowed, source=source)
    return value


def _named(name: str, source: str) -> Measurement:
    if name not in BY_NAME:
        raise ConfigError("kpm", name, f"a KPM of docs/kpm.md{_hint(name, tuple(BY_NAME))}", source=source)
    return BY_NAME[name]


def _cell(texts: Mapping[str, str], cells: Sequence[str], source: str) -> int:
    """Number of the cell that a line names, -1 where it names none."""
    column = "cell_name" if texts.get("cell_name", "") not in NOBODY else "cell"
    text = texts.get(column, "")
    if text in cells:
        return cells.index(text)
    if text in NOBODY:
        return -1
    if text.isdecimal() and int(text) < len(cells):
        return int(text)
    allowed = f"one of {', '.join(cells)}, or 0 to {len(cells) - 1}{_hint(text, cells)}"
    raise ConfigError(column, text, allowed, source=source)


def _check_place(measurement: Measurement, cell: int, ue: str, cells: Sequence[str], source: str) -> None:
    """Refuse a KPM of a cell without a cell or with a user, and one of a user without a user."""
    if measurement.scope == "cell" and cell < 0:
        allowed = f"one of {', '.join(cells)} where {measurement.name} is given"
        raise ConfigError("cell", "", allowed, source=source)
    if measurement.scope == "cell" and ue:
        raise ConfigError("ue", ue, f"empty where {measurement.name}, a KPM of a cell, is given", source=source)
    if measurement.scope == "ue" and not ue:
        raise ConfigError("ue", "", f"given where {measurement.name}, a KPM of a user, is", source=source)


def _series(values: list[_Value], num_cells: int, name: str) -> Series:
    """The values as arrays [T, N, C] and [T, N, U]. Raises ConfigError for uneven periods and a value that is twice."""
    end_s, of_time = np.unique(np.array([value.time_s for value in values]), return_inverse=True)
    networks = {network: number for number, network in enumerate(dict.fromkeys(value.network for value in values))}
    users = {ue: number for number, ue in enumerate(dict.fromkeys(value.ue for value in values if value.ue))}
    if len(end_s) * len(networks) * max(len(users), num_cells) > MOST_VALUES:
        what = f"{len(end_s)} periods x {len(networks)} networks x {len(users)} users"
        raise ConfigError("file", what, f"at most {MOST_VALUES:,} (cut it into shorter ones)", source=name)
    shapes = {"cell": (len(end_s), len(networks), num_cells), "ue": (len(end_s), len(networks), len(users))}
    found: dict[str, dict[str, FloatArray]] = {"cell": {}, "ue": {}}
    for value, time in zip(values, of_time.tolist(), strict=True):
        scope, kpm_name = value.measurement.scope, value.measurement.name
        if kpm_name not in found[scope]:
            found[scope][kpm_name] = np.full(shapes[scope], np.nan)
        place = (time, networks[value.network], value.cell if scope == "cell" else users[value.ue])
        if not math.isnan(found[scope][kpm_name][place]):
            what = "period, network and cell" if scope == "cell" else "period, network and user"
            if len(end_s) == 1:
                what += f"; lines differ by {' or '.join(TIME_COLUMNS)} where there are several periods"
            raise ConfigError(kpm_name, value.value, f"given once for a {what}", source=f"{name}:{value.line}")
        found[scope][kpm_name][place] = value.value
    first_line = {time: value.line for value, time in zip(reversed(values), of_time[::-1].tolist(), strict=True)}
    period_s = _period_s(end_s, values[0].period_s, first_line, name)
    return Series(period_s, end_s, found["cell"], found["ue"])


def _period_s(end_s: FloatArray, told_s: float, first_line: Mapping[int, int], name: str) -> float:
    """The granularity period, as a line tells it, or the least or the usual gap, of which every gap is a whole number.

    Raises ConfigError.
    """
    if len(end_s) == 1:
        return told_s
    gaps_s = np.diff(end_s)
    period_s = told_s if told_s > 0.0 else float(gaps_s.min())
    uneven = _are_uneven(gaps_s, period_s)
    if uneven.any() and not told_s > 0.0:
        # One time that is wrong may make the least gap: the usual one tells which it is.
        period_s = float(np.sort(gaps_s)[len(gaps_s) // 2])
        uneven = _are_uneven(gaps_s, period_s)
    if uneven.any():
        at = int(uneven.argmax()) + 1
        allowed = f"a whole number of periods of {period_s:g} s after the one before ({end_s[at - 1]:g})"
        raise ConfigError("time_s", float(end_s[at]), allowed, source=f"{name}:{first_line[at]}")
    return period_s


def _are_uneven(gaps_s: FloatArray, period_s: float) -> NDArray[np.bool_]:
    """Which gaps are no whole number of periods."""
    return np.asarray((np.abs(gaps_s / period_s - np.round(gaps_s / period_s)) > 0.01) | (gaps_s < 0.5 * period_s))


def _csv_lines(path: Path) -> Lines:
    """Number and values of the header and of every line that is not empty. Raises ConfigError."""
    lines = [(number, [value.strip() for value in row]) for number, row in split_rows(read_bytes(path), path.name)]
    if len(lines) < 2:
        raise ConfigError("text", f"{len(lines)} lines", "a header and at least one value", source=f"{path.name}:1")
    for number, row in lines[1:]:
        if len(row) != len(lines[0][1]):
            allowed = f"{len(lines[0][1])} values, as the header has"
            raise ConfigError("line", f"{len(row)} values", allowed, source=f"{path.name}:{number}")
    return lines


def _parquet_lines(path: Path) -> Lines:
    """Header and rows of a Parquet file as texts, row 1 being the first of values. Raises ConfigError."""
    import pyarrow
    import pyarrow.parquet

    if not path.is_file():
        raise ConfigError("file", str(path), "a Parquet file that exists", source=path.name)
    try:
        table = pyarrow.parquet.read_table(path)
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise ConfigError("file", " ".join(str(error).split()), "a Parquet file", source=path.name) from None
    columns = [[_text(value) for value in column.to_pylist()] for column in table.columns]
    rows = [(number, list(row)) for number, row in enumerate(zip(*columns, strict=True), start=1)]
    if not rows:
        raise ConfigError("text", "0 rows", "at least one value", source=path.name)
    return [(0, [str(name) for name in table.column_names]), *rows]


def _text(value: object) -> str:
    """A value of a Parquet file as it would stand in a CSV file; whole numbers without a point, as names have none."""
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
