"""XR frames: a video of constant frame rate for extended reality or cloud gaming, one burst of packets a frame.

Frame k arrives at phase + k / frame_rate_hz + jitter_k, the phase uniform in a frame's time and different for each UE;
its size has the mean mean_rate_bps / frame_rate_hz. Size and jitter are normal, drawn anew until they lie within
`size_span` of the mean (as a share of it) and within `jitter_max_s`: both ways alike, so that the means stay. Frames
never overtake each other. All packets of a frame arrive in one slot.
Source: TR 38.838 §5.1.1 (size: deviation 10.5 %, 50 % to 150 % of the mean; jitter: mean 0, deviation 2 ms, ±4 ms),
§5.2 to §5.4 (60 frames a second; VR and AR 30, 45 Mbit/s within 10 ms; cloud gaming 8, 30 Mbit/s within 15 ms).
Differs from source: a frame is cut into packets, each of which is delivered or not by itself; the optional models with
several streams (I and P frames, audio) and the uplink (poses) are left out.
"""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from ranpilot.errors import ConfigError
from ranpilot.kernels import kernel
from ranpilot.twin.rng import STREAM_TRAFFIC, draw_normal2, draw_uniform, fold_seed
from ranpilot.twin.traffic.drawn import DrawnTraffic, Out, States
from ranpilot.twin.traffic.packets import check_packet_rate, put_packets
from ranpilot.twin.traffic.protocol import (
    BLOCK_SLOTS,
    INITIAL_BLOCK,
    FloatArray,
    Int64Array,
    Rows,
    TrafficConfig,
    as_rows,
)

__all__ = ["XrFrames"]

_SIZE, _JITTER = 0, 1_000_000
"""Where the draws of a frame's size and of its jitter begin to count."""


class XrFrames(DrawnTraffic):
    """Frames of normal size at a constant rate with normal jitter, both truncated."""

    class Config(TrafficConfig):
        """Rate, frames a second, and the spread of sizes and arrivals."""

        kind: Literal["xr-frames"] = "xr-frames"
        mean_rate_bps: Annotated[
            float, Field(ge=1e3, le=1e9, description="mean rate of a user", json_schema_extra={"unit": "bit/s"})
        ] = 30e6
        frame_rate_hz: Annotated[
            float, Field(ge=1, le=240, description="frames a second", json_schema_extra={"unit": "1/s"})
        ] = 60.0
        size_std: Annotated[
            float,
            Field(ge=0, le=1, description="deviation of sizes over their mean", json_schema_extra={"unit": "1"}),
        ] = 0.105
        size_span: Annotated[
            float,
            Field(ge=0, le=0.99, description="furthest size from the mean, over it", json_schema_extra={"unit": "1"}),
        ] = 0.5
        jitter_std_s: Annotated[
            float, Field(ge=0, le=0.5, description="deviation of the jitter", json_schema_extra={"unit": "s"})
        ] = 0.002
        jitter_max_s: Annotated[
            float, Field(ge=0, le=0.5, description="largest jitter, early or late", json_schema_extra={"unit": "s"})
        ] = 0.004
        packet_bits: Annotated[
            int,
            Field(ge=8, le=100_000_000, description="size of a frame's packets", json_schema_extra={"unit": "bit"}),
        ] = 12_000

        @property
        def burst_packets(self) -> int:
            """Packets of the largest frame."""
            return math.ceil((1.0 + self.size_span) * self.mean_rate_bps / self.frame_rate_hz / self.packet_bits)

        @model_validator(mode="after")
        def _spreads_fit(self) -> Self:
            check_packet_rate(self.mean_rate_bps, self.packet_bits)
            # Below one deviation most draws would be thrown away.
            if self.size_span < self.size_std:
                raise ConfigError("size_span", self.size_span, f"at least size_std ({self.size_std:g})")
            if self.jitter_max_s < self.jitter_std_s:
                raise ConfigError("jitter_max_s", self.jitter_max_s, f"at least jitter_std_s ({self.jitter_std_s:g} s)")
            if 2.0 * self.jitter_max_s > 1.0 / self.frame_rate_hz:
                allowed = f"at most half a frame's time ({0.5 / self.frame_rate_hz:.4g} s)"
                raise ConfigError("jitter_max_s", self.jitter_max_s, allowed)
            return self

    state_size: ClassVar[int] = 2
    """Slots from the start of the next block to the next frame: without and with its jitter."""

    def __init__(self, config: Config, slot_s: float) -> None:
        self.config, self.slot_s = config, slot_s
        self._period_slots = 1.0 / config.frame_rate_hz / slot_s
        size = (config.mean_rate_bps / config.frame_rate_hz, config.size_std, _limit(config.size_std, config.size_span))
        jitter = (config.jitter_std_s / slot_s, _limit(config.jitter_std_s, config.jitter_max_s))
        self._shape = (self._period_slots, *size, *jitter)

    @property
    def mean_rate_bps(self) -> float:
        """The mean rate of the config."""
        return self.config.mean_rate_bps

    def initial_state(self, seed: int | Int64Array, networks: Int64Array, ues: Int64Array) -> FloatArray:
        """A phase for each UE [N, 2]; the frame before it may still be on its way."""
        return _initial_state(*as_rows(seed, networks, ues), self._shape)

    @property
    def _packets_per_block(self) -> float:
        packets_per_frame = self.config.mean_rate_bps / self.config.frame_rate_hz / self.config.packet_bits + 1.0
        return (BLOCK_SLOTS / self._period_slots + 1.0) * packets_per_frame

    def _fill(self, rows: Rows, block: int, states: States, out: Out) -> int:
        return _fill(*rows, (block, self.config.packet_bits), self._shape, states, out)


def _limit(deviation: float, furthest: float) -> float:
    """The furthest value in deviations; any where nothing deviates."""
    return furthest / deviation if deviation > 0.0 else math.inf


@kernel
def _draw_truncated(seed: int, network: int, ue: int, first: int, limit: float) -> float:
    """A standard normal number within ±limit: the first of those counted from `first` on that lies there."""
    index = first
    while True:
        one, other = draw_normal2(seed, network, ue, index, STREAM_TRAFFIC)
        if abs(one) <= limit:
            return one
        if abs(other) <= limit:
            return other
        index += 1


@kernel
def _initial_state(
    seed: Int64Array, network: Int64Array, ue: Int64Array, shape: tuple[float, float, float, float, float, float]
) -> FloatArray:
    period_slots, _, _, _, jitter_slots, jitter_limit = shape
    state = np.empty((len(ue), 2))
    for row in range(len(ue)):
        own_seed = fold_seed(seed[row], network[row], ue[row], INITIAL_BLOCK, STREAM_TRAFFIC)
        nominal = (draw_uniform(own_seed, network[row], ue[row], 0, STREAM_TRAFFIC) - 1.0) * period_slots
        arrival = -1.0
        frame = 0
        while arrival < 0.0:
            frame_seed = fold_seed(own_seed, network[row], ue[row], frame, STREAM_TRAFFIC)
            late = _draw_truncated(frame_seed, network[row], ue[row], _JITTER, jitter_limit)
            arrival = nominal + jitter_slots * late
            state[row, 0] = nominal
            state[row, 1] = arrival
            nominal += period_slots
            frame += 1
    return state


@kernel
def _fill(
    seed: Int64Array,
    network: Int64Array,
    ue: Int64Array,
    cut: tuple[int, int],
    shape: tuple[float, float, float, float, float, float],
    states: States,
    out: Out,
) -> int:
    """Write the packets in order and the state after the block; return how many packets there are."""
    block, packet_bits = cut
    period_slots, mean_bits, size_std, size_limit, jitter_slots, jitter_limit = shape
    before, after = states
    total = 0
    for row in range(len(ue)):
        block_seed = fold_seed(seed[row], network[row], ue[row], block, STREAM_TRAFFIC)
        nominal, arrival = before[row, 0], before[row, 1]
        frame = 0
        while arrival < BLOCK_SLOTS:
            # The size of this frame and the jitter of the next.
            frame_seed = fold_seed(block_seed, network[row], ue[row], frame, STREAM_TRAFFIC)
            size = _draw_truncated(frame_seed, network[row], ue[row], _SIZE, size_limit)
            late = _draw_truncated(frame_seed, network[row], ue[row], _JITTER, jitter_limit)
            bits = max(1, int(mean_bits * (1.0 + size_std * size) + 0.5))
            total = put_packets(out, total, row, int(arrival), bits, packet_bits)
            nominal += period_slots
            arrival = nominal + jitter_slots * late
            frame += 1
        after[row, 0] = nominal - BLOCK_SLOTS
        after[row, 1] = arrival - BLOCK_SLOTS
    return total


PART = XrFrames
