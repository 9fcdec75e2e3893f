"""Replay: the packets of a capture, as they were.

Each UE starts at a moment of the capture that is drawn for it, uniform over the capture, and goes round: after the last
packet comes the first. The file is made by `ranpilot traffic replay`.
Source: a capture of yours.
Differs from source: users with the same capture differ by the moment alone; packets come when they came, whatever the
network does.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from ranpilot.kernels import kernel
from ranpilot.twin.rng import STREAM_TRAFFIC, draw_uniform
from ranpilot.twin.traffic.drawn import DrawnTraffic, Out, States
from ranpilot.twin.traffic.protocol import (
    BLOCK_SLOTS,
    INITIAL_BLOCK,
    FloatArray,
    Int32Array,
    Int64Array,
    Rows,
    TrafficConfig,
    as_rows,
)
from ranpilot.twin.traffic.replay_file import load_replay

__all__ = ["Replay"]


class Replay(DrawnTraffic):
    """A capture, played round and round, from another moment for each UE."""

    class Config(TrafficConfig):
        """The replay file."""

        kind: Literal["replay"] = "replay"
        file: Annotated[str, Field(min_length=1, description="a .npz file made by `ranpilot traffic replay`")]

    state_size: ClassVar[int] = 2
    """Number of the next packet, slots from the start of the next block to it."""

    def __init__(self, config: Config, slot_s: float) -> None:
        self.config, self.slot_s = config, slot_s
        replay = load_replay(config.file)
        self._duration_s = replay.duration_s
        self._time_slots = replay.time_s / slot_s
        around = replay.duration_s / slot_s - self._time_slots[-1] + self._time_slots[0]
        self._gap_slots = np.append(np.diff(self._time_slots), around)
        self._bits = replay.bits.astype(np.int32)

    @property
    def mean_rate_bps(self) -> float:
        """Bits of the capture over its duration."""
        return float(self._bits.sum(dtype=np.int64)) / self._duration_s

    def initial_state(self, seed: int | Int64Array, networks: Int64Array, ues: Int64Array) -> FloatArray:
        """A moment of the capture for each UE, [N, 2]."""
        rows = as_rows(seed, networks, ues)
        moment = _draw_moment(rows.seed, rows.network, rows.ue) * (self._duration_s / self.slot_s)
        following = np.searchsorted(self._time_slots, moment)
        index = following % len(self._bits)
        wait = self._time_slots[index] - moment + np.where(following > index, self._duration_s / self.slot_s, 0.0)
        return np.stack([index.astype(float), wait], axis=1)

    @property
    def _packets_per_block(self) -> float:
        return 2.0 * BLOCK_SLOTS * self.slot_s * len(self._bits) / self._duration_s

    def _fill(self, rows: Rows, block: int, states: States, out: Out) -> int:
        return _fill(self._gap_slots, self._bits, states, out)


@kernel
def _draw_moment(seed: Int64Array, network: Int64Array, ue: Int64Array) -> FloatArray:
    """Uniform numbers [N]."""
    moment = np.empty(len(ue))
    for row in range(len(ue)):
        moment[row] = draw_uniform(seed[row], network[row], ue[row], INITIAL_BLOCK, STREAM_TRAFFIC)
    return moment


@kernel
def _fill(
    gap_slots: FloatArray,
    packet_bits: Int32Array,
    states: States,
    out: Out,
) -> int:
    """Write the packets in order and the state after the block; return how many packets there are."""
    before, after = states
    row_out, slot_out, bits_out = out
    total = 0
    for row in range(len(before)):
        index, when = int(before[row, 0]), before[row, 1]
        while when < BLOCK_SLOTS:
            if total < len(row_out):
                row_out[total] = row
                slot_out[total] = int(when)
                bits_out[total] = packet_bits[index]
            total += 1
            when += gap_slots[index]
            index = (index + 1) % len(packet_bits)
        after[row, 0] = index
        after[row, 1] = when - BLOCK_SLOTS
    return total


PART = Replay
