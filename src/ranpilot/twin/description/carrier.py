"""The downlink carrier: frequency, numerology, resource blocks and their groups."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import model_validator

from ranpilot.errors import ConfigError
from ranpilot.twin.bounds import Part, bounded

__all__ = ["Carrier"]

MAX_GROUPS = 62
"""A set of resource-block groups is a bit mask in one signed 64-bit number."""


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
