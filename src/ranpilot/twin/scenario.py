"""A network described in typed, bounded fields: carrier, layout, users, traffic, link, measurements, loads and splits.

`load_scenario` reads one from YAML (`scenario_file.py`); `with_load`, `train` and `heldout` are the same scenario with
the differences that the file names under `loads` and `splits`. Defaults stand here, a file holds only differences.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, field_serializer, field_validator, model_validator

from ranpilot.errors import ConfigError, UnknownNameError
from ranpilot.twin.bounds import Part, bounded
from ranpilot.twin.events import Events

if TYPE_CHECKING:
    from ranpilot.twin.traffic.protocol import TrafficConfig

__all__ = [
    "Arrivals",
    "Carrier",
    "ControlStep",
    "Layout",
    "Link",
    "Mobility",
    "Population",
    "Propagation",
    "Radio",
    "Rrc",
    "Scenario",
    "Scheduler",
    "Site",
    "Split",
    "Static",
    "Traffic",
    "TrafficShare",
    "Users",
    "merge",
]

Propagation = Literal["RMa", "UMa", "UMi"]
Scheduler = Literal["round-robin", "proportional-fair"]
Split = Literal["train", "heldout"]

UNNAMED_HELDOUT: Mapping[str, Any] = {"placement_seed_offset": 1}
"""What a scenario that names no held-out split holds out: other places, objects and traffic of the same kind."""

DEFAULT_CAPACITY = 100
"""Places that a cell without a limit gives to arriving users."""
MAX_GROUPS = 62
"""A set of resource-block groups is a bit mask in one signed 64-bit number."""

PowerDbm = Annotated[float, bounded(-10.0, 60.0, "dBm")]
Metres = Annotated[float, bounded(-100_000.0, 100_000.0, "m")]


class Carrier(Part):
    """The downlink carrier, the same in every cell (frequency reuse 1)."""

    frequency_ghz: Annotated[float, bounded(0.5, 100.0, "GHz")]
    subcarrier_spacing_khz: Literal[15, 30, 60, 120] = 15
    num_prbs: Annotated[int, bounded(1, 275, "PRB")]
    prbs_per_group: Annotated[int, bounded(1, 16, "PRB")]

    @model_validator(mode="after")
    def _groups_fit_a_mask(self) -> Self:
        if self.num_groups > MAX_GROUPS:
            least = -(-self.num_prbs // MAX_GROUPS)
            raise ConfigError("prbs_per_group", self.prbs_per_group, f"at least {least} for {self.num_prbs} PRBs")
        return self

    @property
    def num_groups(self) -> int:
        """Resource-block groups; the last may be smaller."""
        return -(-self.num_prbs // self.prbs_per_group)

    @property
    def slot_s(self) -> float:
        """Duration of a slot: 1 ms at 15 kHz."""
        return 0.015 / self.subcarrier_spacing_khz

    @property
    def prb_bandwidth_hz(self) -> float:
        """Bandwidth of a PRB of 12 subcarriers."""
        return 12_000.0 * self.subcarrier_spacing_khz


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
    max_speed_kmh: Annotated[float, bounded(0.0, 500.0, "km/h")] = 3.0

    @model_validator(mode="after")
    def _min_below_max(self) -> Self:
        if self.min_speed_kmh > self.max_speed_kmh:
            raise ConfigError("min_speed_kmh", self.min_speed_kmh, f"at most max_speed_kmh ({self.max_speed_kmh:g})")
        return self


class Users(Part):
    """Who is in the network and how their receivers are."""

    population: Population
    mobility: Mobility = Mobility()
    height_m: Annotated[float, bounded(1.0, 22.5, "m")] = 1.5
    noise_figure_db: Annotated[float, bounded(0.0, 30.0, "dB")] = 9.0
    rx_antennas: Literal[1, 2] = 2


class TrafficShare(Part):
    """One kind of traffic: the share of the users who have it, its deadline, and the model's own config."""

    share: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    deadline_ms: Annotated[float, bounded(0.5, 60_000.0, "ms")] | None = None
    """A packet that waits longer is discarded; None = never."""
    model: Any

    @model_validator(mode="before")
    @classmethod
    def _split_off_the_model(cls, value: Any) -> Any:
        """In a file the model's keys stand beside `share` and `deadline_ms`."""
        if not isinstance(value, Mapping) or "model" in value:
            return value
        own = {key: value[key] for key in ("share", "deadline_ms") if key in value}
        return {**own, "model": {key: item for key, item in value.items() if key not in own}}

    @field_validator("model", mode="before")
    @classmethod
    def _parse_model(cls, value: Any) -> TrafficConfig:
        from ranpilot.twin.traffic import parse_config

        if not isinstance(value, Mapping):
            return value  # type: ignore[no-any-return]
        return parse_config(value, field="model")

    @field_serializer("model")
    def _dump_model(self, model: Any) -> Any:
        return model.model_dump(mode="json")


class Traffic(Part):
    """The mix of traffic; `rate_scale` multiplies the rate of every kind (a load's offered traffic)."""

    mix: Annotated[tuple[TrafficShare, ...], Field(min_length=1, max_length=16)]
    rate_scale: Annotated[float, bounded(1e-6, 1e6, "1")] = 1.0
    buffer_packets: Annotated[int, bounded(4, 65_536, "packet")] = 256
    """Room of a user's queue; what does not fit is dropped on arrival and counted."""

    @model_validator(mode="after")
    def _shares_sum_to_one(self) -> Self:
        total = sum(entry.share for entry in self.mix)
        if abs(total - 1.0) > 1e-6:
            raise ConfigError("mix.share", [entry.share for entry in self.mix], f"shares that sum to 1 (not {total:g})")
        return self

    def models(self) -> tuple[TrafficConfig, ...]:
        """The config of each kind with `rate_scale` applied."""
        return tuple(_scaled(entry.model, self.rate_scale) for entry in self.mix)


class Radio(Part):
    """What the channel consists of; parts are switched off in tests against closed forms."""

    shadowing: bool = True
    line_of_sight: Literal["random", "always", "never"] = "random"
    fading: bool = True
    delay_spread_ns: Annotated[float, bounded(1.0, 5000.0, "ns")] = 300.0
    individual_interferers: Annotated[int, bounded(1, 8, "cell")] = 3
    """Strongest interferers with a fading of their own; the rest are summed at their mean power."""


class Link(Part):
    """Scheduling and link adaptation."""

    scheduler: Scheduler = "proportional-fair"
    fairness_time_ms: Annotated[float, bounded(1.0, 10_000.0, "ms")] = 100.0
    cqi_period_slots: Annotated[int, bounded(2, 320, "slot")] = 10
    cqi_delay_slots: Annotated[int, bounded(0, 40, "slot")] = 4
    """Slots from measuring to using a report; less than the period."""
    target_bler: Annotated[float, Field(ge=0.001, le=0.5)] = 0.1
    fixed_mcs: Annotated[int, bounded(0, 28, "index")] | None = None
    """MCS of every block; None = adapted to the reports."""
    harq_round_trip_slots: Annotated[int, bounded(1, 64, "slot")] = 8
    harq_max_transmissions: Annotated[int, bounded(1, 8, "transmission")] = 4

    @model_validator(mode="after")
    def _delay_below_period(self) -> Self:
        if self.cqi_delay_slots >= self.cqi_period_slots:
            limit = self.cqi_period_slots
            raise ConfigError("cqi_delay_slots", self.cqi_delay_slots, f"below cqi_period_slots ({limit})")
        return self


class Rrc(Part):
    """Measurements, radio link failure and handover."""

    l3_time_constant_ms: Annotated[float, bounded(10.0, 10_000.0, "ms")] = 200.0
    failure_sinr_db: Annotated[float, bounded(-30.0, 20.0, "dB")] = -8.0
    failure_time_ms: Annotated[float, bounded(10.0, 60_000.0, "ms")] = 1000.0
    handover_interruption_ms: Annotated[float, bounded(0.0, 5000.0, "ms")] = 50.0


class ControlStep(Part):
    """How often a controller acts and how long an episode lasts."""

    step_ms: Annotated[float, bounded(1.0, 60_000.0, "ms")] = 100.0
    episode_steps: Annotated[int, bounded(1, 1_000_000, "step")] = 100


class Scenario(Part):
    """One network, its three loads and its two splits."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    description: str = ""
    carrier: Carrier
    layout: Layout
    users: Users
    traffic: Traffic
    radio: Radio = Radio()
    link: Link = Link()
    rrc: Rrc = Rrc()
    control: ControlStep = ControlStep()
    events: Events | None = None
    """What happens to cells now and then; None = nothing."""
    placement_seed_offset: Annotated[int, bounded(0, 1_000_000, "1")] = 0
    """Networks with different offsets share no random number, whatever their seed."""
    loads: Mapping[str, Mapping[str, Any]] = {}
    """What each load changes, by its name."""
    splits: Mapping[Split, Mapping[str, Any]] = {}
    """What the train and the held-out split change."""
    load: str | None = None
    """The load that is applied; set by `with_load`."""
    split: Split = "train"
    """The split that is applied; set by `heldout`."""

    @model_validator(mode="after")
    def _parts_fit_together(self) -> Self:
        slots = self.control.step_ms * 1e-3 / self.slot_s
        if abs(slots - round(slots)) > 1e-6:
            raise ConfigError("control.step_ms", self.control.step_ms, f"a multiple of {self.slot_s * 1e3:g} ms slots")
        if self.events is not None:
            self.events.check_population(isinstance(self.users.population, Arrivals))
        return self

    @property
    def slot_s(self) -> float:
        """Duration of a slot."""
        return self.carrier.slot_s

    @property
    def slots_per_step(self) -> int:
        """Slots of a control step."""
        return round(self.control.step_ms * 1e-3 / self.slot_s)

    @property
    def num_cells(self) -> int:
        """C, one cell a site."""
        return len(self.layout.sites)

    @property
    def num_places(self) -> int:
        """U, the places that users can take: what all cells can hold (static: the users there are)."""
        if isinstance(self.users.population, Static):
            return self.num_cells * self.users.population.ues_per_cell
        return sum(site.capacity or DEFAULT_CAPACITY for site in self.layout.sites)

    def with_load(self, name: str) -> Scenario:
        """This scenario at that load. Raises UnknownNameError for one that it does not have."""
        if name not in self.loads:
            raise UnknownNameError(f"load of scenario {self.name!r}", name, list(self.loads))
        return self.with_changes(self.loads[name], load=name)

    @property
    def train(self) -> Scenario:
        """The split that training and tuning use."""
        return self.with_changes(self.splits.get("train", {}), split="train")

    @property
    def heldout(self) -> Scenario:
        """The split that only evaluation uses: other places of users and objects, other captures."""
        return self.with_changes(self.splits.get("heldout", UNNAMED_HELDOUT), split="heldout")

    def with_changes(self, changes: Mapping[str, Any], **names: str) -> Scenario:
        """A copy in which `changes` (nested mappings; lists are replaced whole) stand. Raises ConfigError."""
        from ranpilot.twin.scenario_file import validate_scenario

        return validate_scenario(merge(merge(self.model_dump(mode="json"), changes), names))

    def hash(self) -> str:
        """A short hash of everything that decides how the network behaves."""
        values = self.model_dump(mode="json", exclude={"description", "loads", "splits"})
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def merge(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`values` with `changes` written over it, mapping by mapping; anything else is replaced whole."""
    result = dict(values)
    for key, change in changes.items():
        old = result.get(key)
        same_kind = isinstance(old, Mapping) and isinstance(change, Mapping)
        if same_kind and old.get("kind") == change.get("kind", old.get("kind")):  # type: ignore[union-attr]
            result[key] = merge(old, change)  # type: ignore[arg-type]
        else:
            result[key] = change
    return result


def _scaled(config: TrafficConfig, rate_scale: float) -> TrafficConfig:
    """`config` at `rate_scale` times its rate, by whichever field it has for that."""
    if rate_scale == 1.0:
        return config
    for field in ("scale", "mean_rate_bps"):
        if field in type(config).model_fields:
            values = config.model_dump()
            return type(config).model_validate({**values, field: values[field] * rate_scale})
    raise ConfigError("traffic.rate_scale", rate_scale, f"1 where a kind of traffic is {config.kind!r}")
