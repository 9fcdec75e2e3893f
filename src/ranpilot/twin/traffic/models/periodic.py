"""Periodic: equal packets at a constant distance, each late by its own jitter.

Packet k arrives at phase + k * period + jitter_k, with the phase uniform in a period, different for each UE, and
jitter_k uniform from 0 to `jitter_s`. The jitter is at most a period, so packets never overtake each other.
Source: periodic deterministic communication, TS 22.104 §5.2 (`period_s` is its transfer interval); how late a
packet may be is ours.
"""

from __future__ import annotations

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

__all__ = ["Periodic"]


class Periodic(DrawnTraffic):
    """Packets at a constant distance with jitter and a phase for each UE."""

    class Config(TrafficConfig):
        """Distance and size of the packets, and how late one may be."""

        kind: Literal["periodic"] = "periodic"
        period_s: Annotated[
            float, Field(ge=1e-4, le=3600.0, description="time between packets", json_schema_extra={"unit": "s"})
        ] = 0.02
        packet_bits: Annotated[
            int, Field(ge=8, le=100_000_000, description="size of a packet", json_schema_extra={"unit": "bit"})
        ] = 12_000
        jitter_s: Annotated[
            float, Field(ge=0.0, le=3600.0, description="how late a packet may be", json_schema_extra={"unit": "s"})
        ] = 0.0

        @model_validator(mode="after")
        def _jitter_within_period(self) -> Self:
            if self.jitter_s > self.period_s:
                raise ConfigError("jitter_s", self.jitter_s, f"at most period_s ({self.period_s:g} s)")
            return self

    state_size: ClassVar[int] = 2
    """Slots from the start of the next block to the next packet: without and with its jitter."""

    def __init__(self, config: Config, slot_s: float) -> None:
        self.config, self.slot_s = config, slot_s
        self._period_slots, self._jitter_slots = config.period_s / slot_s, config.jitter_s / slot_s

    @property
    def mean_rate_bps(self) -> float:
        """One packet a period."""
        return self.config.packet_bits / self.config.period_s

    def initial_state(self, seed: int | Int64Array, networks: Int64Array, ues: Int64Array) -> FloatArray:
        """A phase for each UE [N, 2]; the packet before it may still be on its way."""
        return _initial_state(*as_rows(seed, networks, ues), self._period_slots, self._jitter_slots)

    @property
    def _packets_per_block(self) -> float:
        return BLOCK_SLOTS / self._period_slots + 1.0

    def _fill(self, rows: Rows, block: int, states: States, out: Out) -> int:
        return _fill(*rows, (block, self._period_slots, self._jitter_slots, self.config.packet_bits), states, out)


@kernel
def _initial_state(
    seed: Int64Array, network: Int64Array, ue: Int64Array, period_slots: float, jitter_slots: float
) -> FloatArray:
    state = np.empty((len(ue), 2))
    for row in range(len(ue)):
        phase, late_now, late_next, _ = draw_uniform4(seed[row], network[row], ue[row], INITIAL_BLOCK, STREAM_TRAFFIC)
        nominal = (phase - 1.0) * period_slots
        arrival = nominal + late_now * jitter_slots
        if arrival < 0.0:
            nominal = phase * period_slots
            arrival = nominal + late_next * jitter_slots
        state[row, 0] = nominal
        state[row, 1] = arrival
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
    block, period_slots, jitter_slots, packet_bits = shape
    before, after = states
    row_out, slot_out, bits_out = out
    total = 0
    for row in range(len(ue)):
        block_seed = fold_seed(seed[row], network[row], ue[row], block, STREAM_TRAFFIC)
        nominal, arrival = before[row, 0], before[row, 1]
        index = 0
        while arrival < BLOCK_SLOTS:
            if total < len(row_out):
                row_out[total] = row
                slot_out[total] = int(arrival)
                bits_out[total] = packet_bits
            total += 1
            nominal += period_slots
            arrival = nominal
            if jitter_slots > 0.0:
                arrival += jitter_slots * draw_uniform(block_seed, network[row], ue[row], index, STREAM_TRAFFIC)
                index += 1
        after[row, 0] = nominal - BLOCK_SLOTS
        after[row, 1] = arrival - BLOCK_SLOTS
    return total


PART = Periodic
