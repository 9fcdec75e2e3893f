"""What controls change in all networks of a batch by kernels: sleep, tilt, and what follows from limits and powers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ranpilot.kernels import unlocked_kernel
from ranpilot.twin import state as s
from ranpilot.twin.parameters import Parameters
from ranpilot.twin.rrc.measurements import rank_interferers, update_gains
from ranpilot.twin.rrc.on_air import settle_cell
from ranpilot.twin.rrc.sleep import set_sleep_level

__all__ = ["renew_gains", "set_sleep_levels", "settle_cells"]

Int64Array = NDArray[np.int64]


@unlocked_kernel
def settle_cells(batch: s.Network, parameters: Parameters) -> None:
    """Put limits and powers into force that controls have set."""
    for b in range(batch.cell.shape[0]):
        net = s.network_view(batch, b)
        for cell in range(len(net.cell)):
            settle_cell(net, parameters, cell)


@unlocked_kernel
def set_sleep_levels(batch: s.Network, parameters: Parameters, level: Int64Array, slot: int) -> None:
    """Put cells to sleep or wake them: level [B, C], before `slot`."""
    for b in range(level.shape[0]):
        net = s.network_view(batch, b)
        for cell in range(level.shape[1]):
            set_sleep_level(net, parameters, cell, level[b, cell], slot)


@unlocked_kernel
def renew_gains(batch: s.Network, parameters: Parameters, networks: Int64Array) -> None:
    """Compute the gains of all users anew where they are, in those networks of the batch."""
    for index in range(len(networks)):
        net = s.network_view(batch, networks[index])
        for ue in range(len(net.ue)):
            if net.ue[ue, s.SERVING_CELL] >= 0:
                update_gains(net, parameters, ue, 0.0)
                rank_interferers(net, ue)
