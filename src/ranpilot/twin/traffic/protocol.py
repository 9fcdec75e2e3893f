"""What every traffic model is: a pure function of (seed, network, UE, block) with its state in the open.

A block is 1000 slots on the absolute clock, so that a packet does not depend on when the network was looked at. The
caller keeps the state of each UE (and puts it into its snapshots); a model object holds only what its config says and
may serve any number of networks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

__all__ = [
    "BLOCK_SLOTS",
    "INITIAL_BLOCK",
    "FloatArray",
    "Int32Array",
    "Int64Array",
    "Packets",
    "Rows",
    "SharedClock",
    "TrafficConfig",
    "TrafficModel",
    "as_rows",
    "collect_packets",
]

FloatArray = NDArray[np.float64]
Int32Array = NDArray[np.int32]
Int64Array = NDArray[np.int64]

BLOCK_SLOTS = 1000
"""Slots of a block; block b holds the absolute slots 1000 b to 1000 b + 999."""

INITIAL_BLOCK = 2**32 - 1
"""The block number under which initial states draw: no real block has it."""


class Packets(NamedTuple):
    """Packets of one block, sorted by (row, slot); all arrays have the length P."""

    row: Int32Array
    """[P], which of the N rows asked for."""
    slot: Int32Array
    """[P], 0 to 999 within the block."""
    bits: Int32Array
    """[P], at least 1."""


class Rows(NamedTuple):
    """The UEs that a call is about, as contiguous int64 arrays [N]."""

    seed: Int64Array
    network: Int64Array
    ue: Int64Array


class TrafficConfig(BaseModel):
    """What the config of every traffic model has; `kind` is the name of the model's file."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    kind: str

    @property
    def burst_packets(self) -> int:
        """Packets that come as one thing (a file, a frame): a queue must have room for as many."""
        return 1


class TrafficModel(Protocol):
    """Packets for blocks of slots; row r depends only on (seed[r], networks[r], ues[r], block, state[r])."""

    Config: ClassVar[type[Any]]
    """The frozen pydantic model that `__init__` takes, a TrafficConfig."""

    def __init__(self, config: Any, slot_s: float) -> None: ...

    @property
    def state_size(self) -> int:
        """How many float64 numbers a UE keeps from block to block; 0 for a model without memory."""
        ...

    @property
    def mean_rate_bps(self) -> float:
        """The long-run mean rate of a UE, averaged over UEs, in bit/s."""
        ...

    def initial_state(self, seed: int | Int64Array, networks: Int64Array, ues: Int64Array) -> FloatArray:
        """The states [N, state_size] with which UEs start, at a random moment of their stationary traffic."""
        ...

    def draw_block(
        self, seed: int | Int64Array, networks: Int64Array, ues: Int64Array, block: int, state: FloatArray
    ) -> Packets:
        """The packets of `block`; `state` [N, state_size] is read and replaced in place."""
        ...


@runtime_checkable
class SharedClock(Protocol):
    """A traffic model whose users share what happens when: one that comes later must find the same clock."""

    def state_at_block(self, seed: Int64Array, networks: Int64Array, ues: Int64Array, block: int) -> FloatArray:
        """The states [N, state_size] with which UEs come at the start of `block`."""
        ...


def as_rows(seed: int | Int64Array, networks: Int64Array, ues: Int64Array) -> Rows:
    """Seed (one, or one for each row), networks [N] and UEs [N] as contiguous int64 arrays."""
    network = np.ascontiguousarray(networks, dtype=np.int64)
    ue = np.ascontiguousarray(ues, dtype=np.int64)
    each_seed = np.ascontiguousarray(np.broadcast_to(np.asarray(seed, dtype=np.int64), network.shape))
    return Rows(each_seed, network, ue)


def collect_packets(fill: Callable[[Int32Array, Int32Array, Int32Array], int], expected_packets: float) -> Packets:
    """Run `fill(row, slot, bits)` with buffers that are large enough, and cut them to what it wrote.

    `fill` returns how many packets there are, writes only those that fit and, called again, gives the same ones: so
    one pass is enough where `expected_packets` was about right, and two always are.
    """
    capacity = int(1.05 * expected_packets + 8.0 * expected_packets**0.5) + 64
    while True:
        row, slot, bits = (np.empty(capacity, dtype=np.int32) for _ in range(3))
        total = fill(row, slot, bits)
        if total <= capacity:
            return Packets(row[:total], slot[:total], bits[:total])
        capacity = total
