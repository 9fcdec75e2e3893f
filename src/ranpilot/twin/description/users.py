"""Who is in the network: how users come and go, move, and receive."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from ranpilot.errors import ConfigError
from ranpilot.twin.bounds import Part, bounded
from ranpilot.twin.layout.trace_file import UserTraces, read_traces, trace_digest

__all__ = [
    "MOBILITY_KINDS",
    "Arrivals",
    "Indoor",
    "Mobility",
    "Population",
    "Static",
    "Trace",
    "Users",
    "floor_height_m",
]

MOBILITY_KINDS = ("static", "lines", "waypoint", "trace")


class Static(Part):
    """A fixed number of users a cell, who stay; after a radio link failure they reconnect to the strongest cell."""

    kind: Literal["static"] = "static"
    ues_per_cell: Annotated[int, bounded(1, 1000, "UE")]


class Arrivals(Part):
    """Users who arrive (Poisson, each station its own), stay for an exponential time and leave.

    An episode starts with Poisson(`initial_load` v arrivals x holding) users a station, v uniform in [0, 1].
    """

    kind: Literal["arrivals"] = "arrivals"
    arrivals_per_s: Annotated[float, bounded(0.0, 1000.0, "1/s")]
    mean_holding_s: Annotated[float, bounded(0.1, 86_400.0, "s")]
    initial_load: Annotated[float, bounded(0.0, 10.0, "1")] = 2.0


Population = Annotated[Static | Arrivals, Field(discriminator="kind")]


class Mobility(Part):
    """How users move; every user draws a speed uniformly between the two.

    lines: a straight line, reflected at the border of the area. waypoint: to a uniformly drawn point, then the next.
    """

    kind: Literal["static", "lines", "waypoint"] = "lines"
    min_speed_kmh: Annotated[float, bounded(0.0, 500.0, "km/h")] = 3.0
    """Least speed of a user; of one who stands still, that of the things around it, by which the channel fades."""
    max_speed_kmh: Annotated[float, bounded(0.0, 500.0, "km/h")] = 3.0
    """Greatest speed of a user; 0 = everybody stands and no channel changes."""

    @model_validator(mode="after")
    def _min_below_max(self) -> Self:
        if self.min_speed_kmh > self.max_speed_kmh:
            raise ConfigError("min_speed_kmh", self.min_speed_kmh, f"at most max_speed_kmh ({self.max_speed_kmh:g})")
        return self


class Trace(Part):
    """Users move as a CSV file says (`layout/trace_file.py` names its columns), which must cover an episode.

    Places take the users of the file in its order, and begin again with the first where there are more places; who
    comes later is where that user is by then. After its last point a user stays there.
    """

    kind: Literal["trace"]
    file: Path
    """CSV with the columns time_s, user, x_m, y_m; in a scenario file, relative to it."""
    sha256: str | None = None
    """Of the file, taken as the scenario is read; a file that has changed since is refused."""
    min_speed_kmh: Annotated[float, bounded(0.0, 500.0, "km/h")] = 3.0
    """The channel of a user fades as at the mean speed of its trace, or as at this one where that is lower."""

    def read(self) -> UserTraces:
        """What the file holds. Raises ConfigError where it cannot be used or has changed."""
        return read_traces(self.file, self.sha256 or trace_digest(self.file))


def _name_kind(value: Any) -> Any:
    """What names a file is a trace, anything else without a kind is lines."""
    if isinstance(value, Mapping) and "kind" not in value:
        return {"kind": "trace" if "file" in value else "lines", **value}
    return value


def _take_hash(mobility: Mobility | Trace) -> Mobility | Trace:
    if isinstance(mobility, Trace) and mobility.sha256 is None:
        return mobility.model_copy(update={"sha256": trace_digest(mobility.file)})
    return mobility


AnyMobility = Annotated[
    Annotated[Mobility | Trace, Field(discriminator="kind")], BeforeValidator(_name_kind), AfterValidator(_take_hash)
]


class Indoor(Part):
    """Users in buildings of their own, on a floor and some way behind the outer wall (TR 38.901 §7.4.3, Table 7.2-1).

    A building has uniformly `min_floors` to `max_floors` floors of 3 m, the user is on any of them alike, and its
    distance to the wall is the least of two uniform numbers up to `max_depth_m`. It takes all that along as it moves.
    """

    share: Annotated[float, bounded(0.0, 1.0, "1")] = 0.8
    """Of the users who are indoors."""
    high_loss_share: Annotated[float, bounded(0.0, 1.0, "1")] = 0.5
    """Of the buildings whose walls are of the high-loss kind."""
    min_floors: Annotated[int, bounded(1, 8, "floor")] = 4
    max_floors: Annotated[int, bounded(1, 8, "floor")] = 8
    max_depth_m: Annotated[float, bounded(0.1, 25.0, "m")] = 25.0

    @model_validator(mode="after")
    def _min_below_max(self) -> Self:
        if self.min_floors > self.max_floors:
            raise ConfigError("min_floors", self.min_floors, f"at most max_floors ({self.max_floors})")
        return self


def floor_height_m(floor: int) -> float:
    """Height of a user on a floor, counted from 1: h_UT = 3 (n_fl - 1) + 1.5. Source: TR 38.901 Table 7.2-1."""
    return 3.0 * (floor - 1) + 1.5


class Users(Part):
    """Who is in the network and how their receivers are."""

    population: Population
    mobility: AnyMobility = Mobility()
    height_m: Annotated[float, bounded(0.5, 22.5, "m")] = 1.5
    """Of users outdoors."""
    indoor: Indoor | None = None
    """Users in buildings, seen from sites outside; None = nobody."""
    noise_figure_db: Annotated[float, bounded(0.0, 30.0, "dB")] = 9.0
    rx_antennas: Literal[1, 2] = 2
