"""Packets that users get while events multiply the traffic of their cell, for any traffic model.

With a factor f a user is as many independent sources of its kind of traffic as f says; of a fraction of a source each
packet is offered with that probability. So every packet has a level, and is offered while the factor of the user's cell
is above it: packets of the user's own source have levels in [0, 1), those of its i-th further source in [i, i + 1).
With a factor of 1 all of its own are offered and no other, as without events.
A further source begins at a random moment of its stationary traffic in every block, so that it needs no state. (Full
buffers have the same packets in every source.)
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ranpilot.kernels import kernel
from ranpilot.twin.rng import STREAM_SURGE, draw_uniform, fold_seed
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.traffic.protocol import Packets, TrafficModel

__all__ = ["Drawn", "Surges"]

Int64Array = NDArray[np.int64]
Float32Array = NDArray[np.float32]

Drawn = tuple[Int64Array, NDArray[np.int32], NDArray[np.int32], Float32Array]
"""[P] place (network and user), slot, bits and level of each packet; levels are [0] where no event changes traffic."""


class Surges:
    """The levels of the packets of a scenario, and its further sources."""

    def __init__(self, scenario: Scenario) -> None:
        factors = [kind.traffic_factor for kind in scenario.events.kinds] if scenario.events else []
        self._has_levels = any(factor != 1.0 for factor in factors)
        self._further = math.ceil(max([1.0, *factors])) - 1

    def levelled(
        self,
        drawn: Packets,
        model: TrafficModel,
        who: tuple[Int64Array, Int64Array, Int64Array],
        block: int,
        place: Int64Array,
    ) -> list[Drawn]:
        """The packets `drawn` of users' own sources with their levels, and those of further sources.

        who: seeds, network ids and users [N] of one kind of traffic; place: [N] where each stands in the batch.
        """
        if not self._has_levels:
            return [(place[drawn.row], drawn.slot, drawn.bits, np.zeros(0, np.float32))]
        seeds, networks, ues = who
        parts = []
        for source in range(self._further + 1):
            own_seeds = _seeds(seeds, networks, ues, source, block)
            packets = drawn
            if source > 0:
                state = model.initial_state(own_seeds, networks, ues)
                packets = model.draw_block(own_seeds, networks, ues, block, state)
            level = _levels(own_seeds, packets.row, source)
            parts.append((place[packets.row], packets.slot, packets.bits, level))
        return parts


@kernel
def _seeds(seed: Int64Array, network: Int64Array, ue: Int64Array, source: int, block: int) -> Int64Array:
    """A seed for each user's source in a block."""
    seeds = np.empty(len(seed), np.int64)
    for row in range(len(seed)):
        own = fold_seed(seed[row], network[row], ue[row], block, STREAM_SURGE)
        seeds[row] = fold_seed(own, network[row], source, block, STREAM_SURGE)
    return seeds


@kernel
def _levels(seed: Int64Array, row: NDArray[np.int32], source: int) -> Float32Array:
    """Levels of packets, uniform in [source, source + 1); seed: [N], row: [P] in increasing order."""
    level = np.empty(len(row), np.float32)
    # The greatest number below 1 of which float32 holds the sum with a source: rounding must not reach the next.
    most = 1.0 - 2.0**-20
    index = 0
    for packet in range(len(row)):
        index = index + 1 if packet > 0 and row[packet] == row[packet - 1] else 0
        level[packet] = source + min(draw_uniform(seed[row[packet]], 0, index, 0, STREAM_SURGE), most)
    return level
