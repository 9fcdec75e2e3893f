"""What traffic models share whose blocks a kernel draws: buffers that are large enough, and a state that moves on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from ranpilot.twin.traffic.protocol import FloatArray, Int32Array, Int64Array, Packets, Rows, as_rows, collect_packets

__all__ = ["DrawnTraffic", "Out", "States"]

States = tuple[FloatArray, FloatArray]
"""[N, state_size] before a block, which is read, and after it, which is written."""

Out = tuple[Int32Array, Int32Array, Int32Array]
"""Row, slot and bits of packets, to be written in order as far as they fit."""


class DrawnTraffic(ABC):
    """A traffic model, see `TrafficModel`; a model without memory keeps this `initial_state`."""

    state_size: ClassVar[int] = 0

    def initial_state(self, seed: int | Int64Array, networks: Int64Array, ues: Int64Array) -> FloatArray:
        """No memory: [N, 0]."""
        return np.zeros((len(networks), 0))

    def draw_block(
        self, seed: int | Int64Array, networks: Int64Array, ues: Int64Array, block: int, state: FloatArray
    ) -> Packets:
        """The packets of one block."""
        rows, after = as_rows(seed, networks, ues), np.empty_like(state)
        packets = collect_packets(
            lambda row, slot, bits: self._fill(rows, block, (state, after), (row, slot, bits)),
            len(networks) * self._packets_per_block,
        )
        state[:] = after
        return packets

    @property
    @abstractmethod
    def _packets_per_block(self) -> float:
        """About how many packets a row has in a block; a buffer that is too small costs a second pass."""

    @abstractmethod
    def _fill(self, rows: Rows, block: int, states: States, out: Out) -> int:
        """Write the packets in order and the state after the block; return how many packets there are."""
