"""Video: buffered streaming over HTTP, whose segments come as bursts with silence between them (on and off).

Every frames_per_segment / frame_rate_hz seconds the player asks for a segment. Its size is the sum of its frames, which
are Weibull with shape 0.8099 and the mean that gives `mean_rate_bps`. On: the segment comes in packets that are as far
apart as `peak_rate_bps` says. Off: silence until the next is due; a segment that is due while the one before is still
coming waits for it. The phase is uniform, different for each UE; the 32 segments before the start have been played.
Source: frames: IEEE 802.11-14/0571r12, buffered video streaming (2 to 15.6 Mbit/s, Weibull, shape 0.8099; scale 6950
bytes at 2 Mbit/s, of which the sum is 1.87); on and off: Rao et al., Network characteristics of video streaming
traffic, CoNEXT 2011 (players fetch blocks at the pace that the video is played).
Differs from source: the mean rate is met exactly; delays of the internet are left out; the server sends at a constant
rate, whatever the cell carries (no TCP), and a player that has fallen behind does not ask for a lower quality.
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
from ranpilot.twin.traffic.packets import check_packet_rate
from ranpilot.twin.traffic.protocol import (
    BLOCK_SLOTS,
    INITIAL_BLOCK,
    FloatArray,
    Int64Array,
    Rows,
    TrafficConfig,
    as_rows,
)

__all__ = ["SHAPE", "Video"]

SHAPE = 0.8099
"""Of the Weibull distribution of frame sizes."""

LEAST_PEAK = 1.25
"""Least peak rate over mean rate; below it segments queue up at the server for long."""

_SEGMENTS_BEFORE = 32
_PHASE = 1_000_000
"""Under which number the phase is drawn: no segment before the start has it."""


class Video(DrawnTraffic):
    """Segments of Weibull frames, sent at a peak rate."""

    class Config(TrafficConfig):
        """Rates, and how a video is cut into segments and packets."""

        kind: Literal["video"] = "video"
        mean_rate_bps: Annotated[
            float, Field(ge=1e3, le=1e9, description="mean rate of the video", json_schema_extra={"unit": "bit/s"})
        ] = 4e6
        peak_rate_bps: Annotated[
            float,
            Field(ge=1e3, le=2e9, description="rate of a segment that comes", json_schema_extra={"unit": "bit/s"}),
        ] = 20e6
        frame_rate_hz: Annotated[
            float, Field(ge=1, le=240, description="frames a second", json_schema_extra={"unit": "1/s"})
        ] = 30.0
        frames_per_segment: Annotated[
            int, Field(ge=1, le=3600, description="frames of a segment", json_schema_extra={"unit": "frame"})
        ] = 120
        packet_bits: Annotated[
            int, Field(ge=8, le=100_000_000, description="size of a packet", json_schema_extra={"unit": "bit"})
        ] = 12_000

        @property
        def burst_packets(self) -> int:
            """Packets of a mean segment."""
            return math.ceil(self.mean_rate_bps * self.frames_per_segment / self.frame_rate_hz / self.packet_bits)

        @model_validator(mode="after")
        def _rates_fit(self) -> Self:
            if self.peak_rate_bps < LEAST_PEAK * self.mean_rate_bps:
                allowed = f"at least {LEAST_PEAK:g} times mean_rate_bps ({self.mean_rate_bps:g} bit/s)"
                raise ConfigError("peak_rate_bps", self.peak_rate_bps, allowed)
            check_packet_rate(self.peak_rate_bps, self.packet_bits)
            return self

    state_size: ClassVar[int] = 3
    """Slots from the start of the next block to when a segment is due and to the next packet; bits yet to come."""

    def __init__(self, config: Config, slot_s: float) -> None:
        self.config, self.slot_s = config, slot_s
        self._period_slots = config.frames_per_segment / config.frame_rate_hz / slot_s
        mean_frame_bits = config.mean_rate_bps / config.frame_rate_hz
        scale_bits = mean_frame_bits / math.gamma(1.0 + 1.0 / SHAPE)
        self._shape = (self._period_slots, config.peak_rate_bps * slot_s, scale_bits, config.frames_per_segment)

    @property
    def mean_rate_bps(self) -> float:
        """The mean rate of the config."""
        return self.config.mean_rate_bps

    def initial_state(self, seed: int | Int64Array, networks: Int64Array, ues: Int64Array) -> FloatArray:
        """A phase for each UE [N, 3], and what has not come of the segments before."""
        return _initial_state(*as_rows(seed, networks, ues), self._shape)

    @property
    def _packets_per_block(self) -> float:
        packets = BLOCK_SLOTS * self.slot_s * self.config.mean_rate_bps / self.config.packet_bits
        return 1.5 * (packets + BLOCK_SLOTS / self._period_slots + 1.0)

    def _fill(self, rows: Rows, block: int, states: States, out: Out) -> int:
        return _fill(*rows, (block, self.config.packet_bits), self._shape, states, out)


@kernel
def _draw_segment(seed: int, network: int, ue: int, index: int, scale_bits: float, frames: int) -> float:
    """Bits of a segment, a whole number of at least 1: the sum of its frames, each scale (-ln u)^(1 / shape)."""
    own_seed = fold_seed(seed, network, ue, index, STREAM_TRAFFIC)
    bits = 0.0
    frame = 0
    while frame < frames:
        for uniform in draw_uniform4(own_seed, network, ue, frame, STREAM_TRAFFIC):
            if frame < frames:
                bits += scale_bits * (-math.log(uniform)) ** (1.0 / SHAPE)
            frame += 1
    return max(1.0, math.floor(bits + 0.5))


@kernel
def _initial_state(
    seed: Int64Array, network: Int64Array, ue: Int64Array, shape: tuple[float, float, float, int]
) -> FloatArray:
    period_slots, peak_bits, scale_bits, frames = shape
    state = np.empty((len(ue), 3))
    for row in range(len(ue)):
        own_seed = fold_seed(seed[row], network[row], ue[row], INITIAL_BLOCK, STREAM_TRAFFIC)
        phase = draw_uniform(own_seed, network[row], ue[row], _PHASE, STREAM_TRAFFIC)
        due = (phase - _SEGMENTS_BEFORE) * period_slots
        done = due
        for index in range(_SEGMENTS_BEFORE):
            bits = _draw_segment(own_seed, network[row], ue[row], index, scale_bits, frames)
            done = max(done, due) + bits / peak_bits
            due += period_slots
        state[row, 0] = due
        state[row, 1] = 0.0
        state[row, 2] = math.floor(max(0.0, done) * peak_bits)
    return state


@kernel
def _fill(
    seed: Int64Array,
    network: Int64Array,
    ue: Int64Array,
    cut: tuple[int, int],
    shape: tuple[float, float, float, int],
    states: States,
    out: Out,
) -> int:
    """Write the packets in order and the state after the block; return how many packets there are."""
    block, packet_bits = cut
    period_slots, peak_bits, scale_bits, frames = shape
    before, after = states
    row_out, slot_out, bits_out = out
    total = 0
    for row in range(len(ue)):
        block_seed = fold_seed(seed[row], network[row], ue[row], block, STREAM_TRAFFIC)
        due, when, left = before[row, 0], before[row, 1], before[row, 2]
        index = 0
        while True:
            if left < 0.5:
                if max(due, when) >= BLOCK_SLOTS:
                    break
                when = max(due, when)
                left = _draw_segment(block_seed, network[row], ue[row], index, scale_bits, frames)
                due += period_slots
                index += 1
            if when >= BLOCK_SLOTS:
                break
            bits = min(left, float(packet_bits))
            if total < len(row_out):
                row_out[total] = row
                slot_out[total] = int(when)
                bits_out[total] = int(bits)
            total += 1
            left -= bits
            when += bits / peak_bits
        after[row, 0] = due - BLOCK_SLOTS
        after[row, 1] = when - BLOCK_SLOTS
        after[row, 2] = left
    return total


PART = Video
