"""Fitted: traffic as in captures, from a profile that `ranpilot traffic fit` made (`profile.py` tells the model).

Each UE plays one capture's chain of bursts. `scale` multiplies the mean rate: idle times shrink by a common factor, so
bursts come more often, while their packets, gaps and sizes stay as they are.
Source: captures; those of the shipped profiles are TRACTOR's (GENESYS lab, MIT licence), fitted by
`scripts/fit_tractor.py`.
Differs from source: how well a profile reproduces its capture is what `ranpilot traffic fit` prints; the dependence of
bursts on each other beyond their phases is lost.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from ranpilot.kernels import kernel
from ranpilot.twin.rng import STREAM_TRAFFIC, draw_uniform, draw_uniform4, fold_seed
from ranpilot.twin.traffic.drawn import DrawnTraffic, Out, States
from ranpilot.twin.traffic.profile import GAP, IDLE, PACKETS, SIZE, PhaseTables, Profile, load_profile, tabulate
from ranpilot.twin.traffic.protocol import (
    BLOCK_SLOTS,
    INITIAL_BLOCK,
    FloatArray,
    Int64Array,
    Rows,
    TrafficConfig,
    as_rows,
)

__all__ = ["Fitted"]

_START_TRIES = 256


class Fitted(DrawnTraffic):
    """Bursts and silences as in captures."""

    class Config(TrafficConfig):
        """Which profile, and how much more of it."""

        kind: Literal["fitted"] = "fitted"
        profile: Annotated[str, Field(min_length=1, description="a shipped profile or a path that ends with .json")]
        scale: Annotated[
            float, Field(ge=0.01, le=100.0, description="of the profile's rate", json_schema_extra={"unit": "1"})
        ] = 1.0

    state_size: ClassVar[int] = 3
    """Phase, slots from the start of the next block to the next packet, packets of the burst not yet sent."""

    def __init__(self, config: Config, slot_s: float) -> None:
        self._set_up(load_profile(config.profile), config.scale, slot_s)

    @classmethod
    def from_profile(cls, profile: Profile, slot_s: float, scale: float = 1.0) -> Self:
        """The model of a profile that is not in a file."""
        model = cls.__new__(cls)
        model._set_up(profile, scale, slot_s)
        return model

    def _set_up(self, profile: Profile, scale: float, slot_s: float) -> None:
        self.profile, self.scale, self.slot_s = profile, scale, slot_s
        self._tables = tabulate(profile, scale, slot_s)
        packets = sum(component.packets for component in profile.components)
        duration_s = sum(component.duration_s for component in profile.components)
        self._mean_packets = scale * packets / duration_s * slot_s * BLOCK_SLOTS

    @property
    def mean_rate_bps(self) -> float:
        """The rate of the profile times the scale."""
        return self.profile.mean_rate_bps * self.scale

    def initial_state(self, seed: int | Int64Array, networks: Int64Array, ues: Int64Array) -> FloatArray:
        """States [N, 3] at a random moment of a component drawn by its duration."""
        return _initial_state(*as_rows(seed, networks, ues), self._tables)

    @property
    def _packets_per_block(self) -> float:
        return 2.0 * self._mean_packets

    def _fill(self, rows: Rows, block: int, states: States, out: Out) -> int:
        return _fill(*rows, block, self._tables, states, out)


@kernel
def _draw(tables: PhaseTables, kind: int, phase: int, uniform: float) -> float:
    """A value from a table: the bin by the leading part of `uniform`, the place in the bin by the rest."""
    first = tables.bin_start[kind, phase]
    last = tables.bin_start[kind, phase + 1]
    place = uniform * (last - first)
    index = min(int(place), last - first - 1)
    at = first + index
    if tables.span[at] == 0.0:
        return float(tables.low[at])
    return float(tables.low[at] + tables.span[at] * (place - index) ** tables.power[at])


@kernel
def _next_phase(tables: PhaseTables, phase: int, uniform: float) -> int:
    at = tables.next_start[phase]
    while at < tables.next_start[phase + 1] - 1 and uniform > tables.next_share[at]:
        at += 1
    return int(tables.next_phase[at])


@kernel
def _start(tables: PhaseTables, seed: int, network: int, ue: int) -> tuple[int, float, float]:
    """Phase, slots to the next packet and packets of the burst left, at a random moment.

    A visit is met in proportion to its length, which is done by rejection; then the moment is uniform in it.
    """
    choose, within, _, _ = draw_uniform4(seed, network, ue, 0, STREAM_TRAFFIC)
    component = 0
    while choose > tables.component_share[component]:
        component += 1
    phase = tables.first_phase[component]
    while within > tables.start_share[phase]:
        phase += 1
    packets, idle, mean_gap, length = 1.0, 0.0, 0.0, 0.0
    longest = _draw(tables, IDLE, phase, 1.0) + _draw(tables, PACKETS, phase, 1.0) * _draw(tables, GAP, phase, 1.0)
    for attempt in range(1, _START_TRIES):
        of_packets, of_idle, of_gap, accept = draw_uniform4(seed, network, ue, attempt, STREAM_TRAFFIC)
        packets = np.floor(_draw(tables, PACKETS, phase, of_packets) + 0.5)
        idle = _draw(tables, IDLE, phase, of_idle)
        mean_gap = _draw(tables, GAP, phase, of_gap)
        length = (packets - 1.0) * mean_gap + idle
        if accept * longest < length:
            break
    moment, turn, of_packets, _ = draw_uniform4(seed, network, ue, _START_TRIES, STREAM_TRAFFIC)
    passed = moment * length
    if passed < length - idle:
        sent = min(np.ceil(passed / mean_gap), packets - 1.0)
        return phase, max(0.0, sent * mean_gap - passed), packets - sent
    phase = _next_phase(tables, phase, turn)
    return phase, length - passed, np.floor(_draw(tables, PACKETS, phase, of_packets) + 0.5)


@kernel
def _initial_state(seed: Int64Array, network: Int64Array, ue: Int64Array, tables: PhaseTables) -> FloatArray:
    state = np.empty((len(ue), 3))
    for row in range(len(ue)):
        own_seed = fold_seed(seed[row], network[row], ue[row], INITIAL_BLOCK, STREAM_TRAFFIC)
        phase, wait, left = _start(tables, own_seed, network[row], ue[row])
        state[row, 0] = phase
        state[row, 1] = wait
        state[row, 2] = left
    return state


@kernel
def _fill(
    seed: Int64Array,
    network: Int64Array,
    ue: Int64Array,
    block: int,
    tables: PhaseTables,
    states: States,
    out: Out,
) -> int:
    """Write the packets in order and the state after the block; return how many packets there are."""
    before, after = states
    row_out, slot_out, bits_out = out
    total = 0
    for row in range(len(ue)):
        block_seed = fold_seed(seed[row], network[row], ue[row], block, STREAM_TRAFFIC)
        phase, when, left = int(before[row, 0]), before[row, 1], before[row, 2]
        index = 0
        while when < BLOCK_SLOTS:
            of_size, of_wait, turn, of_packets = draw_uniform4(block_seed, network[row], ue[row], index, STREAM_TRAFFIC)
            index += 1
            if total < len(row_out):
                row_out[total] = row
                slot_out[total] = int(when)
                bits_out[total] = max(1, int(_draw(tables, SIZE, phase, of_size) + 0.5))
            total += 1
            left -= 1.0
            if left > 0.5:
                when += _draw(tables, GAP, phase, of_wait)
            else:
                when += _draw(tables, IDLE, phase, of_wait)
                phase = _next_phase(tables, phase, turn)
                rounding = draw_uniform(block_seed, network[row], ue[row], index, STREAM_TRAFFIC)
                index += 1
                left = np.floor(_draw(tables, PACKETS, phase, of_packets) + rounding)
        after[row, 0] = phase
        after[row, 1] = when - BLOCK_SLOTS
        after[row, 2] = left
    return total


PART = Fitted
