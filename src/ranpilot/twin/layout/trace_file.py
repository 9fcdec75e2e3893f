"""Where users are over time, from a CSV file: one point of one user a line, columns time_s, user, x_m, y_m.

The lines of a user stand in the order of time, those of different users may be mixed. Every user begins at 0 s; between
two points it moves in a straight line at constant speed.
"""

from __future__ import annotations

import functools
import hashlib
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ranpilot.errors import ConfigError
from ranpilot.twin.layout.csv_lines import Line, parse_lines, read_bytes

__all__ = ["TIME_S", "TRACE_COLUMNS", "X_M", "Y_M", "UserTraces", "check_traces", "read_traces", "trace_digest"]

TRACE_COLUMNS = ("time_s", "user", "x_m", "y_m")
MOST_SPEED_KMH = 500.0

# Columns of UserTraces.point.
TIME_S, X_M, Y_M = 0, 1, 2

FloatArray = NDArray[np.float64]
Int64Array = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class UserTraces:
    """The points of every user, one user after the other in the order in which the file first names them."""

    source: str
    users: tuple[str, ...]
    """[N]."""
    first: Int64Array
    """[N + 1], where the points of each user begin."""
    point: FloatArray
    """[P, 3] columns TIME_S, X_M, Y_M."""
    line: Int64Array
    """[P], in the file."""

    @property
    def mean_speed_mps(self) -> FloatArray:
        """[N], way over time."""
        way_m = np.hypot(*np.diff(self.point[:, [X_M, Y_M]], axis=0).T)
        # The step from one user's last point to the next one's first is nobody's.
        way_m[self.first[1:-1] - 1] = 0.0
        total_m = np.add.reduceat(way_m, self.first[:-1])
        mean: FloatArray = total_m / self.point[self.first[1:] - 1, TIME_S]
        return mean


def trace_digest(path: Path) -> str:
    """SHA-256 of a file that `read_traces` can read. Raises ConfigError with file and line where it cannot."""
    content = read_bytes(path)
    _parse(content, path.name)
    return hashlib.sha256(content).hexdigest()


def read_traces(path: Path, sha256: str) -> UserTraces:
    """The traces of a file that has not changed since its hash was taken. Raises ConfigError."""
    content = read_bytes(path)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ConfigError("file", str(path), f"the file whose SHA-256 is {sha256} (it has changed)", source=path.name)
    return _parse(content, path.name)


def check_traces(traces: UserTraces, area_m: tuple[float, float, float, float], duration_s: float) -> None:
    """Raise ConfigError for a point outside the area, or a user that is not there for all of `duration_s`."""
    left, bottom, right, top = area_m
    for column, name, low, high in ((X_M, "x_m", left, right), (Y_M, "y_m", bottom, top)):
        outside = np.flatnonzero((traces.point[:, column] < low) | (traces.point[:, column] > high))
        if len(outside):
            value, line = float(traces.point[outside[0], column]), traces.line[outside[0]]
            allowed = f"within the layout's area_m ({low:g} to {high:g})"
            raise ConfigError(name, value, allowed, source=f"{traces.source}:{line}")
    last = traces.first[1:] - 1
    for user, at in zip(traces.users, last, strict=True):
        if traces.point[at, TIME_S] < duration_s - 1e-9:
            allowed = f"at least {duration_s:g} in the last line of user {user!r} (an episode)"
            value = float(traces.point[at, TIME_S])
            raise ConfigError("time_s", value, allowed, source=f"{traces.source}:{traces.line[at]}")


@functools.lru_cache(maxsize=8)
def _parse(content: bytes, source: str) -> UserTraces:
    points: dict[str, list[tuple[float, float, float]]] = {}
    lines: dict[str, list[int]] = {}
    for number, texts in parse_lines(content, source, TRACE_COLUMNS, (), of="point"):
        user, point = _point((number, texts), source)
        of_user = points.setdefault(user, [])
        _check_step(user, of_user[-1] if of_user else None, point, f"{source}:{number}")
        of_user.append(point)
        lines.setdefault(user, []).append(number)
    for user, of_user in points.items():
        if len(of_user) < 2:
            allowed = f"followed by another line of user {user!r}"
            raise ConfigError("time_s", of_user[0][0], allowed, source=f"{source}:{lines[user][0]}")
    return UserTraces(
        source=source,
        users=tuple(points),
        first=np.cumsum([0, *(len(of_user) for of_user in points.values())], dtype=np.int64),
        point=np.array([point for of_user in points.values() for point in of_user]),
        line=np.array([number for numbers in lines.values() for number in numbers], dtype=np.int64),
    )


def _point(line: Line, source: str) -> tuple[str, tuple[float, float, float]]:
    """User, and time, x and y of a line."""
    number, texts = line
    if not texts["user"]:
        raise ConfigError("user", "", "a name", source=f"{source}:{number}")
    values = []
    for column in ("time_s", "x_m", "y_m"):
        try:
            value = float(texts[column])
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise ConfigError(column, texts[column], "a finite number", source=f"{source}:{number}")
        values.append(value)
    time_s, x_m, y_m = values
    if time_s < 0.0:
        raise ConfigError("time_s", time_s, "at least 0", source=f"{source}:{number}")
    return texts["user"], (time_s, x_m, y_m)


def _check_step(
    user: str, before: tuple[float, float, float] | None, point: tuple[float, float, float], source: str
) -> None:
    if before is None:
        if point[TIME_S] != 0.0:
            raise ConfigError("time_s", point[TIME_S], f"0 in the first line of user {user!r}", source=source)
        return
    passed_s = point[TIME_S] - before[TIME_S]
    if passed_s <= 0.0:
        allowed = f"above that of the line before of user {user!r} ({before[TIME_S]:g})"
        raise ConfigError("time_s", point[TIME_S], allowed, source=source)
    speed_kmh = 3.6 * math.hypot(point[X_M] - before[X_M], point[Y_M] - before[Y_M]) / passed_s
    if speed_kmh > MOST_SPEED_KMH:
        allowed = f"so late that user {user!r} moves at up to {MOST_SPEED_KMH:g} km/h (not {speed_kmh:.4g})"
        raise ConfigError("time_s", point[TIME_S], allowed, source=source)
