"""FTP model 3: files of one size arrive at a user as a Poisson process, whatever became of those before.

A file is in the queue as a whole in the slot of its arrival, cut into packets of `packet_bits` (the last one has the
rest). Files arrive `mean_rate_bps` / `file_bits` times a second. The defaults are 0.5 MB every 200 ms.
Source: TR 36.814 §A.2.1.3.1 (Poisson arrivals of fixed files, 0.5 or 2 Mbytes); TR 36.889 Annex A (model 3: files for
the same user, each timed from its arrival); TR 38.864 Annex A (0.5 Mbytes, mean gap 200 ms).
Differs from source: the source sees a file as one packet; a queue here holds IP packets.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ranpilot.kernels import kernel
from ranpilot.twin.rng import STREAM_TRAFFIC, draw_uniform4, fold_seed
from ranpilot.twin.traffic.drawn import DrawnTraffic, Out, States
from ranpilot.twin.traffic.packets import check_packet_rate, put_packets
from ranpilot.twin.traffic.protocol import (
    BLOCK_SLOTS,
    Int64Array,
    Rows,
    TrafficConfig,
)

__all__ = ["Ftp3"]


class Ftp3(DrawnTraffic):
    """Poisson arrivals of equal files."""

    class Config(TrafficConfig):
        """Mean rate, and the sizes of files and packets."""

        kind: Literal["ftp-3"] = "ftp-3"
        mean_rate_bps: Annotated[
            float, Field(ge=0, le=1e9, description="mean rate of a user", json_schema_extra={"unit": "bit/s"})
        ] = 20e6
        file_bits: Annotated[
            int, Field(ge=8, le=2_000_000_000, description="size of a file", json_schema_extra={"unit": "bit"})
        ] = 4_000_000
        packet_bits: Annotated[
            int,
            Field(ge=8, le=100_000_000, description="size of the packets of a file", json_schema_extra={"unit": "bit"}),
        ] = 12_000

        @property
        def burst_packets(self) -> int:
            """Packets of a file."""
            return -(-self.file_bits // self.packet_bits)

        @model_validator(mode="after")
        def _packets_fit_a_block(self) -> Self:
            check_packet_rate(self.mean_rate_bps, self.packet_bits)
            return self

    def __init__(self, config: Config, slot_s: float) -> None:
        self.config, self.slot_s = config, slot_s
        self._files_per_slot = config.mean_rate_bps * slot_s / config.file_bits

    @property
    def mean_rate_bps(self) -> float:
        """The mean rate of the config."""
        return self.config.mean_rate_bps

    @property
    def _packets_per_block(self) -> float:
        return BLOCK_SLOTS * self._files_per_slot * self.config.burst_packets

    def _fill(self, rows: Rows, block: int, states: States, out: Out) -> int:
        if self._files_per_slot == 0.0:
            return 0
        return _fill(*rows, (block, self._files_per_slot, self.config.file_bits, self.config.packet_bits), out)


@kernel
def _fill(
    seed: Int64Array,
    network: Int64Array,
    ue: Int64Array,
    shape: tuple[int, float, int, int],
    out: Out,
) -> int:
    """Write the packets in order and return how many there are."""
    block, files_per_slot, file_bits, packet_bits = shape
    gap_scale = -1.0 / files_per_slot
    total = 0
    for row in range(len(ue)):
        block_seed = fold_seed(seed[row], network[row], ue[row], block, STREAM_TRAFFIC)
        time = 0.0
        index = 0
        # The process has no memory, so that every block may begin with a gap of its own.
        while time < BLOCK_SLOTS:
            for uniform in draw_uniform4(block_seed, network[row], ue[row], index, STREAM_TRAFFIC):
                time += gap_scale * math.log(uniform)
                if time >= BLOCK_SLOTS:
                    break
                total = put_packets(out, total, row, int(time), file_bits, packet_bits)
            index += 1
    return total


PART = Ftp3
