"""Files and frames cut into packets, and how many packets a user may get."""

from __future__ import annotations

import math

from ranpilot.errors import ConfigError
from ranpilot.kernels import kernel
from ranpilot.twin.traffic.protocol import Int32Array

__all__ = ["MOST_PACKETS_PER_S", "check_packet_rate", "put_packets"]

MOST_PACKETS_PER_S = 1e5
"""Of one user; all packets of a block of 1000 slots are held at once."""


def check_packet_rate(mean_rate_bps: float, packet_bits: int) -> None:
    """Raises ConfigError where packets of that size would come too often."""
    if mean_rate_bps > MOST_PACKETS_PER_S * packet_bits:
        least = math.ceil(mean_rate_bps / MOST_PACKETS_PER_S)
        raise ConfigError("packet_bits", packet_bits, f"at least {least} at {mean_rate_bps:g} bit/s")


@kernel
def put_packets(
    out: tuple[Int32Array, Int32Array, Int32Array], total: int, row: int, slot: int, bits: int, packet_bits: int
) -> int:
    """Write `bits` that arrive in one slot as packets of `packet_bits`, the last with the rest; return the new total.

    out: row, slot and bits of the packets; those beyond its end are counted only.
    """
    row_out, slot_out, bits_out = out
    left = bits
    while left > 0:
        if total < len(row_out):
            row_out[total] = row
            slot_out[total] = slot
            bits_out[total] = min(left, packet_bits)
        left -= packet_bits
        total += 1
    return total
