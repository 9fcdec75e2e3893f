"""URLLC: small packets at random moments, never closer than a least gap (sporadic arrivals).

The gap between packets is `min_gap_s` plus an exponential time, with mean `mean_gap_s`: without a least gap a Poisson
process, with one as long as the mean a clock. A user starts at a random moment of that.
Source: FTP model 3 (Poisson) with small packets as for URLLC in TR 38.824 Annex A; 32 bytes within 1 ms at 1e-5 from TR
38.913 §7.9; the least gap makes them events of an aperiodic deterministic communication (TS 22.104 §5.3), whose source
does not repeat itself at once (the sporadic arrivals of Mok 1983).
Differs from source: how often events happen is no number of the standard; 50 ms is ours.
"""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from ranpilot.errors import ConfigError
from ranpilot.kernels import kernel
from ranpilot.twin.rng import STREAM_TRAFFIC, draw_uniform, draw_uniform4, fold_seed
from ranpilot.twin.traffic.drawn import DrawnTraffic, Out, States
from ranpilot.twin.traffic.protocol import (
    BLOCK_SLOTS,
    INITIAL_BLOCK,
    FloatArray,
    Int64Array,
    Rows,
    TrafficConfig,
    as_rows,
)

__all__ = ["Urllc"]


class Urllc(DrawnTraffic):
    """Sporadic small packets."""

    class Config(TrafficConfig):
        """Mean and least gap, and the size of packets."""

        kind: Literal["urllc"] = "urllc"
        mean_gap_s: Annotated[
            float, Field(ge=1e-4, le=3600.0, description="mean time between packets", json_schema_extra={"unit": "s"})
        ] = 0.05
        min_gap_s: Annotated[
            float, Field(ge=0.0, le=3600.0, description="least time between packets", json_schema_extra={"unit": "s"})
        ] = 0.001
        packet_bits: Annotated[
            int, Field(ge=8, le=1_000_000, description="size of a packet", json_schema_extra={"unit": "bit"})
        ] = 256

        @model_validator(mode="after")
        def _least_gap_within_mean(self) -> Self:
            if self.min_gap_s > self.mean_gap_s:
                raise ConfigError("min_gap_s", self.min_gap_s, f"at most mean_gap_s ({self.mean_gap_s:g} s)")
            return self

    state_size: ClassVar[int] = 1
    """Slots from the start of the next block to the next packet."""

    def __init__(self, config: Config, slot_s: float) -> None:
        self.config, self.slot_s = config, slot_s
        self._gap_slots = (config.mean_gap_s / slot_s, config.min_gap_s / slot_s)

    @property
    def mean_rate_bps(self) -> float:
        """One packet a mean gap."""
        return self.config.packet_bits / self.config.mean_gap_s

    def initial_state(self, seed: int | Int64Array, networks: Int64Array, ues: Int64Array) -> FloatArray:
        """The wait for the first packet, [N, 1]."""
        return _initial_state(*as_rows(seed, networks, ues), self._gap_slots)

    @property
    def _packets_per_block(self) -> float:
        return BLOCK_SLOTS / self._gap_slots[0] + 1.0

    def _fill(self, rows: Rows, block: int, states: States, out: Out) -> int:
        return _fill(*rows, (block, *self._gap_slots, self.config.packet_bits), states, out)


@kernel
def _initial_state(seed: Int64Array, network: Int64Array, ue: Int64Array, gap_slots: tuple[float, float]) -> FloatArray:
    """The rest of a gap at a random moment: density (1 - F) / mean of the gaps' distribution F."""
    mean, least = gap_slots
    state = np.empty((len(ue), 1))
    for row in range(len(ue)):
        which, place, _, _ = draw_uniform4(seed[row], network[row], ue[row], INITIAL_BLOCK, STREAM_TRAFFIC)
        if which * mean < least:
            state[row, 0] = place * least
        else:
            state[row, 0] = least - (mean - least) * math.log(place)
    return state


@kernel
def _fill(
    seed: Int64Array,
    network: Int64Array,
    ue: Int64Array,
    shape: tuple[int, float, float, int],
    states: States,
    out: Out,
) -> int:
    """Write the packets in order and the state after the block; return how many packets there are."""
    block, mean, least, packet_bits = shape
    before, after = states
    row_out, slot_out, bits_out = out
    total = 0
    for row in range(len(ue)):
        block_seed = fold_seed(seed[row], network[row], ue[row], block, STREAM_TRAFFIC)
        when = before[row, 0]
        index = 0
        while when < BLOCK_SLOTS:
            if total < len(row_out):
                row_out[total] = row
                slot_out[total] = int(when)
                bits_out[total] = packet_bits
            total += 1
            uniform = draw_uniform(block_seed, network[row], ue[row], index, STREAM_TRAFFIC)
            when += least - (mean - least) * math.log(uniform)
            index += 1
        after[row, 0] = when - BLOCK_SLOTS
    return total


PART = Urllc
