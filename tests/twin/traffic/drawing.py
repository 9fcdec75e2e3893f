"""Traffic drawn for some users, that the tests of several models share."""

from __future__ import annotations

import numpy as np

from ranpilot.twin.traffic.protocol import BLOCK_SLOTS, TrafficModel

__all__ = ["draw_users"]


def draw_users(model: TrafficModel, num_ues: int, num_blocks: int, *, seed: int = 11) -> list[np.ndarray]:
    """For each user [P, 2]: absolute slot and bits of its packets; user n is UE n of network 0."""
    networks, ues = np.zeros(num_ues, dtype=np.int64), np.arange(num_ues)
    state = model.initial_state(seed, networks, ues)
    drawn = [model.draw_block(seed, networks, ues, block, state) for block in range(num_blocks)]
    row = np.concatenate([packets.row for packets in drawn])
    slot = np.concatenate([packets.slot + BLOCK_SLOTS * block for block, packets in enumerate(drawn)])
    pairs = np.stack([slot, np.concatenate([packets.bits for packets in drawn])], axis=1)
    order = np.argsort(row, kind="stable")
    edges = np.searchsorted(row[order], np.arange(1, num_ues))
    return np.split(pairs[order], edges)
