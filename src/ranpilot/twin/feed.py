"""Packets for the running block of 1000 slots, drawn from the traffic models of all places.

A place keeps its kind of traffic for a whole block at least, so that the models' explicit state belongs to the place;
where a block begins with another kind, so does the state. The state before the running block is kept: from it the block
is drawn again after `restore`, and anew for a fresh future (a burst under way is then not remembered). Forks share the
packets that they have in common. Where events multiply the traffic of a cell, further sources are drawn as well, and
the kernel leaves out what is not offered (`surge.py`).
"""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from ranpilot.twin import state
from ranpilot.twin.mac.queue import PacketBlock
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.surge import Drawn, Surges
from ranpilot.twin.traffic import make_model
from ranpilot.twin.traffic.protocol import BLOCK_SLOTS, SharedClock

__all__ = ["Feed"]

FloatArray = NDArray[np.float64]
Int64Array = NDArray[np.int64]


class Feed:
    """The traffic models of one scenario, their state, and the packets of the running block."""

    def __init__(self, scenario: Scenario, network: state.Network) -> None:
        self._models = tuple(make_model(config, scenario.slot_s) for config in scenario.traffic.models())
        self._surges = Surges(scenario)
        size = max(1, *(model.state_size for model in self._models))
        num, num_ues = network.ue.shape[:2]
        self._before: FloatArray = np.zeros((num, num_ues, size))
        """[B, U, S] states before the running block."""
        self._kind = np.full((num, num_ues), -1, np.int64)
        """[B, U] kind of traffic that the states are of."""
        self._block = -1
        self._after = self._before.copy()
        self._begin_states(network)
        self._before = self._after.copy()
        self._packets = _no_packets(num, num_ues)

    def is_at_turn(self, slot: int) -> bool:
        """Whether the block of `slot` has not begun."""
        return slot // BLOCK_SLOTS != self._block

    def slots_left(self, slot: int) -> int:
        """Slots from `slot` to the end of its block."""
        return BLOCK_SLOTS - slot % BLOCK_SLOTS

    def block(self, network: state.Network, slot: int) -> PacketBlock:
        """The packets of the block that `slot` is in; begins it where it has not begun."""
        if self.is_at_turn(slot):
            self._block = slot // BLOCK_SLOTS
            self._begin_states(network)
            self._before = self._after.copy()
            self._draw(network)
            network.ue[..., state.TAKEN] = 0
            network.ue[..., state.NEXT_ARRIVAL_SLOT] = self._next_arrival(network)
        return self._packets

    def renew(self, network: state.Network, slot: int) -> None:
        """Draw what is left of the running block anew, with the networks' present seeds."""
        if self.is_at_turn(slot):
            # The next block has not begun and will be drawn with the new seeds anyway.
            return
        self._draw(network)
        start, stop = self._packets.start, self._packets.stop
        # Sorted by place and slot, the packets before `slot` are counted by a search in one increasing key.
        span = BLOCK_SLOTS * (self._block + 2)
        place = np.repeat(np.arange(start.size), (stop - start).ravel())
        key = place * span + self._packets.slot
        first = np.searchsorted(key, np.arange(start.size) * span + slot).reshape(start.shape)
        network.ue[..., state.TAKEN] = first - start
        network.ue[..., state.NEXT_ARRIVAL_SLOT] = self._next_arrival(network)

    def reload(self, network: state.Network, slot: int) -> None:
        """Draw the running block again, as it was (after `restore`)."""
        self._block = (slot - 1) // BLOCK_SLOTS if slot > 0 else -1
        if slot % BLOCK_SLOTS == 0:
            # The block is over, and a fork with a fresh future could no longer draw it as its past did.
            self._packets = _no_packets(*network.ue.shape[:2])
        else:
            self._draw(network)

    def copy(self, rows: NDArray[np.integer]) -> Self:
        """The feed of copies of the networks `rows`; packets are shared."""
        copy = object.__new__(type(self))
        copy._models, copy._surges, copy._block = self._models, self._surges, self._block
        copy._before, copy._after, copy._kind = self._before[rows], self._after[rows], self._kind[rows]
        packets = self._packets
        copy._packets = PacketBlock(packets.start[rows], packets.stop[rows], packets.slot, packets.bits, packets.level)
        return copy

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What must be kept to go on."""
        return {"feed.before": self._before, "feed.after": self._after, "feed.kind": self._kind}

    def _begin_states(self, network: state.Network) -> None:
        """Begin the states of places that have another kind of traffic than before."""
        is_new = network.ue[..., state.TRAFFIC_KIND] != self._kind
        if not is_new.any():
            return
        for kind, model in enumerate(self._models):
            seeds, networks, places, rows = _places(network, kind, is_new)
            if len(places):
                block = max(self._block, 0)
                if isinstance(model, SharedClock):
                    begun = model.state_at_block(seeds, networks, places, block)
                else:
                    # Another start for each block, as a user that comes later is another user.
                    begun = model.initial_state(seeds + block, networks, places)
                self._after[rows[0], rows[1], : model.state_size] = begun
        self._kind = network.ue[..., state.TRAFFIC_KIND].copy()

    def _draw(self, network: state.Network) -> None:
        """The packets of the running block, with `_after` as the states behind it."""
        num, num_ues = network.ue.shape[:2]
        self._after[...] = self._before
        parts: list[Drawn] = []
        for kind, model in enumerate(self._models):
            seeds, networks, places, rows = _places(network, kind)
            if not len(places):
                continue
            kept = np.ascontiguousarray(self._before[rows[0], rows[1], : model.state_size])
            drawn = model.draw_block(seeds, networks, places, self._block, kept)
            self._after[rows[0], rows[1], : model.state_size] = kept
            own = rows[0] * num_ues + rows[1]
            parts += self._surges.levelled(drawn, model, (seeds, networks, places), self._block, own)
        if not parts:
            self._packets = _no_packets(num, num_ues)
            return
        place, slot, bits, level = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        if len(parts) > 1:
            order = np.argsort(place * BLOCK_SLOTS + slot, kind="stable")
            place, slot, bits = place[order], slot[order], bits[order]
            level = level[order] if len(level) else level
        edge = np.searchsorted(place, np.arange(num * num_ues + 1)).astype(np.int64)
        self._packets = PacketBlock(
            edge[:-1].reshape(num, num_ues),
            edge[1:].reshape(num, num_ues),
            (slot.astype(np.int64) + self._block * BLOCK_SLOTS).astype(np.int32),
            np.ascontiguousarray(bits, dtype=np.int32),
            np.ascontiguousarray(level, dtype=np.float32),
        )

    def _next_arrival(self, network: state.Network) -> NDArray[np.int32]:
        position = self._packets.start + network.ue[..., state.TAKEN]
        last = max(len(self._packets.slot) - 1, 0)
        found = np.minimum(position, last)
        slots = self._packets.slot[found] if len(self._packets.slot) else np.zeros(found.shape, np.int32)
        result: NDArray[np.int32] = np.where(position < self._packets.stop, slots, state.NEVER).astype(np.int32)
        return result


def _places(
    network: state.Network, kind: int, picked: NDArray[np.bool_] | None = None
) -> tuple[Int64Array, Int64Array, Int64Array, tuple[Int64Array, Int64Array]]:
    """Seed, network id and place of every place with that kind of traffic, and its (network, place) in the batch."""
    has_kind = network.ue[..., state.TRAFFIC_KIND] == kind
    rows = np.nonzero(has_kind if picked is None else has_kind & picked)
    seeds, ids = network.identity[:, state.SEED], network.identity[:, state.NETWORK]
    return seeds[rows[0]], ids[rows[0]], rows[1].astype(np.int64), (rows[0], rows[1])


def _no_packets(num: int, num_ues: int) -> PacketBlock:
    nothing = np.zeros((num, num_ues), np.int64)
    none = np.zeros(0, np.int32)
    return PacketBlock(nothing, nothing.copy(), none, none.copy(), np.zeros(0, np.float32))
