"""The downlink carrier: frequency, numerology, resource blocks and their groups.

Source: TS 38.101-1 Table 5.3.2-1 (data/bandwidths.csv), TS 38.214 Table 5.1.2.2.1-1 (data/group_sizes.csv).
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Mapping
from importlib import resources
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from ranpilot.errors import ConfigError
from ranpilot.twin.bounds import Part, bounded

__all__ = ["MAX_GROUPS", "Carrier"]

MAX_GROUPS = 62
"""A set of resource-block groups is a bit mask in one signed 64-bit number. Groups of at least 5 PRBs always fit."""


def _prbs_of_bandwidth(data: Mapping[str, Any]) -> int:
    """What a carrier has that gives its bandwidth only; 0 where the standard knows no such carrier."""
    return _bandwidths().get((data.get("subcarrier_spacing_khz"), data.get("bandwidth_mhz")), 0)


def _nominal_group(data: Mapping[str, Any]) -> int:
    """The standard's group size for a carrier that gives none."""
    num_prbs, configuration = data.get("num_prbs", 1), data.get("group_configuration", 1)
    return next(sizes[configuration - 1] for most, sizes in _group_sizes() if num_prbs <= most)


class Carrier(Part):
    """The downlink carrier, the same in every cell (frequency reuse 1); one bandwidth part over the whole of it."""

    frequency_ghz: Annotated[float, bounded(0.5, 100.0, "GHz")]
    subcarrier_spacing_khz: Literal[15, 30, 60, 120] = 15
    bandwidth_mhz: Annotated[int, bounded(5, 400, "MHz")] | None = None
    """In place of `num_prbs`: the channel bandwidth."""
    num_prbs: Annotated[int, bounded(1, 275, "PRB")] = Field(default_factory=_prbs_of_bandwidth)
    group_configuration: Literal[1, 2] = 1
    """`rbg-Size`: which column of the standard's table gives the size of groups."""
    prbs_per_group: Annotated[int, bounded(1, 16, "PRB")] = Field(default_factory=_nominal_group)
    """Left out: by `group_configuration`."""

    @model_validator(mode="before")
    @classmethod
    def _none_is_left_out(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {key: item for key, item in value.items() if item is not None}

    @model_validator(mode="after")
    def _parts_fit_together(self) -> Self:
        spacing, bandwidth = self.subcarrier_spacing_khz, self.bandwidth_mhz
        known = sorted(mhz for khz, mhz in _bandwidths() if khz == spacing)
        if bandwidth is not None and bandwidth not in known:
            allowed = f"one of {', '.join(map(str, known))} at {spacing} kHz"
            raise ConfigError("bandwidth_mhz", bandwidth, allowed)
        if bandwidth is None and "num_prbs" not in self.model_fields_set:
            raise ConfigError("num_prbs", None, "given, or bandwidth_mhz in its place")
        if bandwidth is not None and self.num_prbs != _bandwidths()[spacing, bandwidth]:
            allowed = (
                f"{_bandwidths()[spacing, bandwidth]} ({bandwidth} MHz at {spacing} kHz), or one of the two left out"
            )
            raise ConfigError("num_prbs", self.num_prbs, allowed)
        if self.num_groups > MAX_GROUPS:
            least = -(-self.num_prbs // MAX_GROUPS)
            raise ConfigError("prbs_per_group", self.prbs_per_group, f"at least {least} for {self.num_prbs} PRBs")
        return self

    @model_serializer(mode="wrap")
    def _leave_out_what_follows(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """So that changed copies (`Scenario.with_changes`) work it out again."""
        follows = {"num_prbs", "prbs_per_group"} - self.model_fields_set
        return {key: value for key, value in serialize(self).items() if key not in follows}

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


@functools.cache
def _bandwidths() -> dict[tuple[Any, Any], int]:
    rows = _rows("bandwidths.csv")
    return {(int(row["subcarrier_spacing_khz"]), int(row["bandwidth_mhz"])): int(row["num_prbs"]) for row in rows}


@functools.cache
def _group_sizes() -> tuple[tuple[int, tuple[int, int]], ...]:
    rows = _rows("group_sizes.csv")
    return tuple((int(row["most_prbs"]), (int(row["configuration_1"]), int(row["configuration_2"]))) for row in rows)


def _rows(name: str) -> list[dict[str, str]]:
    text = resources.files("ranpilot.twin.description").joinpath("data", name).read_text(encoding="utf-8")
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
