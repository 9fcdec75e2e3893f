"""mMTC bursts: many devices react to the same event, each with one packet within a window of time.

Every `period_s` an event happens; each of the `devices` that a user stands for sends one packet at its own moment
within `burst_s` after it, distributed as Beta(3, 4): density 60 x^2 (1 - x)^3, highest after 40 % of the window. All
users of a network share the events (that is what makes a burst), the first of which is at a random moment before the
start. One user of the scenario stands for `devices` devices in one place, as a gateway does; with 1 for a single one.
Source: TR 37.868 §6.1, Table 6.1.1, traffic model 2 (beta, T = 10 s, up to 30 000 devices a cell).
Differs from source: the event repeats (the report looks at one); packets go down, to the devices; 1600 bits are ours;
what the report studies, random access and set-up of connections, is not modelled: users are connected.
"""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from ranpilot.errors import ConfigError
from ranpilot.kernels import kernel
from ranpilot.twin.rng import STREAM_TRAFFIC, draw_uniform, fold_seed
from ranpilot.twin.traffic.drawn import DrawnTraffic, Out, States
from ranpilot.twin.traffic.packets import MOST_PACKETS_PER_S
from ranpilot.twin.traffic.protocol import (
    BLOCK_SLOTS,
    INITIAL_BLOCK,
    FloatArray,
    Int64Array,
    Rows,
    TrafficConfig,
    as_rows,
)

__all__ = ["MmtcBursts"]

_EVENT_BLOCK = INITIAL_BLOCK - 1
"""The block number under which a network draws the phase of its events; no real block has it."""

_HALVINGS = 50
_HIGHEST_DENSITY = 60.0 * 0.4**2 * 0.6**3
"""Of Beta(3, 4), at 0.4."""


class MmtcBursts(DrawnTraffic):
    """A packet from each of many devices after an event that all users share."""

    class Config(TrafficConfig):
        """Devices of a user, how often the event happens, and how long the reaction takes."""

        kind: Literal["mmtc-bursts"] = "mmtc-bursts"
        devices: Annotated[
            int, Field(ge=1, le=10_000, description="devices that a user stands for", json_schema_extra={"unit": "1"})
        ] = 100
        burst_s: Annotated[
            float,
            Field(ge=0.01, le=3600.0, description="window in which all devices send", json_schema_extra={"unit": "s"}),
        ] = 10.0
        period_s: Annotated[
            float, Field(ge=0.01, le=86_400.0, description="time between events", json_schema_extra={"unit": "s"})
        ] = 10.0
        packet_bits: Annotated[
            int, Field(ge=8, le=1_000_000, description="size of a packet", json_schema_extra={"unit": "bit"})
        ] = 1600

        @model_validator(mode="after")
        def _bursts_fit(self) -> Self:
            if self.burst_s > self.period_s:
                raise ConfigError("burst_s", self.burst_s, f"at most period_s ({self.period_s:g} s)")
            if self.devices * _HIGHEST_DENSITY > MOST_PACKETS_PER_S * self.burst_s:
                least = self.devices * _HIGHEST_DENSITY / MOST_PACKETS_PER_S
                raise ConfigError("burst_s", self.burst_s, f"at least {least:.3g} s for {self.devices} devices")
            return self

    state_size: ClassVar[int] = 3
    """Slots from the start of the next block to the running event and to the next packet; devices yet to send."""

    def __init__(self, config: Config, slot_s: float) -> None:
        self.config, self.slot_s = config, slot_s
        self._shape = (config.period_s / slot_s, config.burst_s / slot_s, config.devices)

    @property
    def mean_rate_bps(self) -> float:
        """A packet a device and period."""
        return self.config.devices * self.config.packet_bits / self.config.period_s

    def initial_state(self, seed: int | Int64Array, networks: Int64Array, ues: Int64Array) -> FloatArray:
        """A moment between two events [N, 3], the same for all UEs of a network."""
        return self.state_at_block(np.asarray(seed), networks, ues, 0)

    def state_at_block(self, seed: Int64Array, networks: Int64Array, ues: Int64Array, block: int) -> FloatArray:
        """The same for a UE that comes at the start of a block: it finds the events of those who were there."""
        return _initial_state(*as_rows(seed, networks, ues), self._shape, block)

    @property
    def _packets_per_block(self) -> float:
        share = min(1.0, _HIGHEST_DENSITY * BLOCK_SLOTS / self._shape[1])
        return self.config.devices * max(share, BLOCK_SLOTS / self._shape[0])

    def _fill(self, rows: Rows, block: int, states: States, out: Out) -> int:
        return _fill(*rows, (block, self.config.packet_bits), self._shape, states, out)


@kernel
def _share_before(place: float) -> float:
    """Distribution function of Beta(3, 4): the chance that three or more of six uniform numbers lie below `place`."""
    rest = 1.0 - place
    return place**3 * (20.0 * rest**3 + 15.0 * place * rest**2 + 6.0 * place**2 * rest + place**3)


@kernel
def _next_place(place: float, left: float, uniform: float) -> float:
    """Where in the window the next of `left` devices sends, none of which has sent before `place`.

    The least of n values with distribution F, all above x, is y with 1 - F(y) = (1 - F(x)) u^(1/n).
    """
    after = (1.0 - _share_before(place)) * math.exp(math.log(uniform) / left)
    low, high = place, 1.0
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        if 1.0 - _share_before(middle) > after:
            low = middle
        else:
            high = middle
    return high


@kernel
def _initial_state(
    seed: Int64Array, network: Int64Array, ue: Int64Array, shape: tuple[float, float, int], block: int
) -> FloatArray:
    period_slots, burst_slots, devices = shape
    state = np.empty((len(ue), 3))
    for row in range(len(ue)):
        phase = period_slots * draw_uniform(seed[row], network[row], 0, _EVENT_BLOCK, STREAM_TRAFFIC)
        start = -((phase + float(block) * BLOCK_SLOTS) % period_slots)
        own_seed = fold_seed(seed[row] + block, network[row], ue[row], INITIAL_BLOCK, STREAM_TRAFFIC)
        left, place, index, when = devices, 0.0, 0, -1.0
        while True:
            uniform = draw_uniform(own_seed, network[row], ue[row], index, STREAM_TRAFFIC)
            place = _next_place(place, float(left), uniform)
            when = start + place * burst_slots
            if when >= 0.0:
                break
            index += 1
            left -= 1
            if left == 0:
                left, place = devices, 0.0
                start += period_slots
        state[row, 0] = start
        state[row, 1] = when
        state[row, 2] = left
    return state


@kernel
def _fill(
    seed: Int64Array,
    network: Int64Array,
    ue: Int64Array,
    cut: tuple[int, int],
    shape: tuple[float, float, int],
    states: States,
    out: Out,
) -> int:
    """Write the packets in order and the state after the block; return how many packets there are."""
    block, packet_bits = cut
    period_slots, burst_slots, devices = shape
    before, after = states
    row_out, slot_out, bits_out = out
    total = 0
    for row in range(len(ue)):
        block_seed = fold_seed(seed[row], network[row], ue[row], block, STREAM_TRAFFIC)
        start, when, left = before[row, 0], before[row, 1], before[row, 2]
        index = 0
        while when < BLOCK_SLOTS:
            if total < len(row_out):
                row_out[total] = row
                slot_out[total] = int(when)
                bits_out[total] = packet_bits
            total += 1
            left -= 1.0
            place = min(1.0, (when - start) / burst_slots)
            if left < 0.5:
                left, place = float(devices), 0.0
                start += period_slots
            uniform = draw_uniform(block_seed, network[row], ue[row], index, STREAM_TRAFFIC)
            when = max(when, start + _next_place(place, left, uniform) * burst_slots)
            index += 1
        after[row, 0] = start - BLOCK_SLOTS
        after[row, 1] = when - BLOCK_SLOTS
        after[row, 2] = left
    return total


PART = MmtcBursts
