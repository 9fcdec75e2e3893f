"""Poisson: packets of one size arrive independently of each other at a constant rate.

The number of packets in a slot is Poisson with mean rate * slot, so the index of dispersion is 1 at every time scale.
Gaps are drawn as exponentials from the start of each block, which is exact because the process has no memory.
Source: the Poisson process of TR 36.814 §A.2.1.3.1, here of packets.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ranpilot.kernels import kernel
from ranpilot.twin.rng import STREAM_TRAFFIC, draw_uniform4, fold_seed
from ranpilot.twin.traffic.drawn import DrawnTraffic, Out, States
from ranpilot.twin.traffic.packets import check_packet_rate
from ranpilot.twin.traffic.protocol import (
    BLOCK_SLOTS,
    Int32Array,
    Int64Array,
    Rows,
    TrafficConfig,
)

__all__ = ["Poisson"]


class Poisson(DrawnTraffic):
    """Independent arrivals of equal packets."""

    class Config(TrafficConfig):
        """Mean rate and packet size."""

        kind: Literal["poisson"] = "poisson"
        mean_rate_bps: Annotated[
            float, Field(ge=0, le=1e9, description="mean rate of a user", json_schema_extra={"unit": "bit/s"})
        ] = 1e6
        packet_bits: Annotated[
            int, Field(ge=8, le=100_000_000, description="size of a packet", json_schema_extra={"unit": "bit"})
        ] = 12_000

        @model_validator(mode="after")
        def _packets_fit_a_block(self) -> Self:
            check_packet_rate(self.mean_rate_bps, self.packet_bits)
            return self

    def __init__(self, config: Config, slot_s: float) -> None:
        self.config, self.slot_s = config, slot_s
        self._packets_per_slot = config.mean_rate_bps * slot_s / config.packet_bits

    @property
    def mean_rate_bps(self) -> float:
        """The mean rate of the config."""
        return self.config.mean_rate_bps

    @property
    def _packets_per_block(self) -> float:
        return BLOCK_SLOTS * self._packets_per_slot

    def _fill(self, rows: Rows, block: int, states: States, out: Out) -> int:
        if self._packets_per_slot == 0.0:
            return 0
        return _fill(*rows, (block, self._packets_per_slot, self.config.packet_bits), *out)


@kernel
def _fill(
    seed: Int64Array,
    network: Int64Array,
    ue: Int64Array,
    block_rate_size: tuple[int, float, int],
    row_out: Int32Array,
    slot_out: Int32Array,
    bits_out: Int32Array,
) -> int:
    """Write the packets in order and return how many there are."""
    block, packets_per_slot, packet_bits = block_rate_size
    gap_scale = -1.0 / packets_per_slot
    total = 0
    for row in range(len(ue)):
        block_seed = fold_seed(seed[row], network[row], ue[row], block, STREAM_TRAFFIC)
        time = 0.0
        index = 0
        while time < BLOCK_SLOTS:
            for uniform in draw_uniform4(block_seed, network[row], ue[row], index, STREAM_TRAFFIC):
                time += gap_scale * math.log(uniform)
                if time >= BLOCK_SLOTS:
                    break
                if total < len(row_out):
                    row_out[total] = row
                    slot_out[total] = int(time)
                    bits_out[total] = packet_bits
                total += 1
            index += 1
    return total


PART = Poisson
