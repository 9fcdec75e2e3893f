"""HARQ: a failed block is sent again after a round trip, on the same groups, its SINRs added up (chase combining).

An acknowledgement is known at once, so that only failed blocks occupy one of a user's processes; new blocks go on
meanwhile. After the last transmission a block is given up. A handover or release loses the blocks that wait.
"""

from __future__ import annotations

from ranpilot.kernels import inner_kernel
from ranpilot.twin import state as s
from ranpilot.twin.mac.queue import lose_packets, settle_oldest

__all__ = ["due_process", "flush_processes", "free_process", "free_process_index"]


@inner_kernel
def due_process(net: s.Network, ue: int, slot: int) -> int:
    """The process of a user that has been due for longest, or -1."""
    best = -1
    best_slot = slot + 1
    for process in range(net.process.shape[1]):
        if net.process[ue, process, s.BLOCK_BITS] > 0 and net.process[ue, process, s.DUE_SLOT] < best_slot:
            best = process
            best_slot = net.process[ue, process, s.DUE_SLOT]
    return best


@inner_kernel
def free_process_index(net: s.Network, ue: int) -> int:
    """A process of a user that holds no block."""
    for process in range(net.process.shape[1]):
        if net.process[ue, process, s.BLOCK_BITS] == 0:
            return process
    return -1


@inner_kernel
def free_process(net: s.Network, ue: int, process: int) -> None:
    """Forget the block of a process."""
    net.process[ue, process, s.BLOCK_BITS] = 0
    net.process[ue, process, s.PAYLOAD_BITS] = 0
    net.ue[ue, s.WAITING] -= 1
    settle_oldest(net, ue)


@inner_kernel
def flush_processes(net: s.Network, ue: int) -> None:
    """Give up every block that waits."""
    for process in range(net.process.shape[1]):
        if net.process[ue, process, s.BLOCK_BITS] > 0:
            num_packets = net.process[ue, process, s.NUM_PACKETS]
            lose_packets(net, ue, net.process[ue, process, s.PAYLOAD_BITS], num_packets)
            free_process(net, ue, process)
