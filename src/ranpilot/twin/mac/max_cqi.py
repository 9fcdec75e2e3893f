"""Max C/I: the metric of a user on a group is weight x rate, whatever it has had so far.

The greatest throughput of the cell where all users have enough to send, and nothing for those at its edge.
"""

from __future__ import annotations

from ranpilot.kernels import woven_kernel
from ranpilot.twin import state as s
from ranpilot.twin.mac.scratch import NUM_CANDIDATES, WEIGHT, Scratch

__all__ = ["weigh_max_cqi"]


@woven_kernel
def weigh_max_cqi(net: s.Network, scratch: Scratch, cell: int) -> None:
    """Give the candidates of `cell` their weights."""
    for index in range(scratch.cell[cell, NUM_CANDIDATES]):
        ue = scratch.candidate[cell, index]
        scratch.ue_real[ue, WEIGHT] = net.ue_real[ue, s.SCHEDULING_WEIGHT]
