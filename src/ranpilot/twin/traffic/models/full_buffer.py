"""Full buffer: a UE that always has more to send than a cell can carry.

A packet of `packet_bits` arrives every `interval_slots`, by default 100 Mbit/s at 1 ms slots, from the first slot on.
The queue in the kernel is finite: what it has no room for is dropped on arrival and counted as dropped. So throughput
is the measurement of such a UE; its delay and loss only tell how long the queue is. Rates scale by no common factor:
there is no more than all.
Source: full buffer, TR 36.814 Table A.2.1.3-1.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from ranpilot.twin.traffic.protocol import BLOCK_SLOTS, FloatArray, Int64Array, Packets, TrafficConfig

__all__ = ["FullBuffer"]


class FullBuffer:
    """A large packet at fixed slots of the absolute clock."""

    class Config(TrafficConfig):
        """Size of the packets and their distance; together at least what a cell can carry."""

        kind: Literal["full-buffer"] = "full-buffer"
        packet_bits: Annotated[
            int, Field(ge=10_000, le=1_000_000_000, description="size of a packet", json_schema_extra={"unit": "bit"})
        ] = 1_000_000
        interval_slots: Annotated[
            int, Field(ge=1, le=BLOCK_SLOTS, description="time between packets", json_schema_extra={"unit": "slot"})
        ] = 10

    state_size: ClassVar[int] = 0

    def __init__(self, config: Config, slot_s: float) -> None:
        self.config, self.slot_s = config, slot_s

    @property
    def mean_rate_bps(self) -> float:
        """What is offered; more than is carried."""
        return self.config.packet_bits / (self.config.interval_slots * self.slot_s)

    def initial_state(self, seed: int | Int64Array, networks: Int64Array, ues: Int64Array) -> FloatArray:
        """No memory: [N, 0]."""
        return np.zeros((len(networks), 0))

    def draw_block(
        self, seed: int | Int64Array, networks: Int64Array, ues: Int64Array, block: int, state: FloatArray
    ) -> Packets:
        """The packets of one block, the same for every UE."""
        interval = self.config.interval_slots
        first = -(block * BLOCK_SLOTS) % interval
        slots = np.arange(first, BLOCK_SLOTS, interval, dtype=np.int32)
        row = np.repeat(np.arange(len(networks), dtype=np.int32), len(slots))
        return Packets(row, np.tile(slots, len(networks)), np.full(len(row), self.config.packet_bits, dtype=np.int32))


PART = FullBuffer
