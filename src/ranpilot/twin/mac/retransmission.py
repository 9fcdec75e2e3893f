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
def due_process(processes: s.Processes, ue: int, slot: int) -> int:
    """The process of a user that has been due for longest, or -1."""
    best = -1
    best_slot = slot + 1
    for process in range(processes.block_bits.shape[1]):
        if processes.block_bits[ue, process] > 0 and processes.due_slot[ue, process] < best_slot:
            best = process
            best_slot = processes.due_slot[ue, process]
    return best


@inner_kernel
def free_process_index(processes: s.Processes, ue: int) -> int:
    """A process of a user that holds no block."""
    for process in range(processes.block_bits.shape[1]):
        if processes.block_bits[ue, process] == 0:
            return process
    return -1


@inner_kernel
def free_process(net: s.Network, ue: int, process: int) -> None:
    """Forget the block of a process."""
    net.processes.block_bits[ue, process] = 0
    net.processes.payload_bits[ue, process] = 0
    net.processes.waiting[ue] -= 1
    settle_oldest(net, ue)


@inner_kernel
def flush_processes(net: s.Network, ue: int) -> None:
    """Give up every block that waits."""
    for process in range(net.processes.block_bits.shape[1]):
        if net.processes.block_bits[ue, process] > 0:
            num_packets = net.processes.num_packets[ue, process]
            lose_packets(net, ue, net.processes.payload_bits[ue, process], num_packets)
            free_process(net, ue, process)
