"""Everything of the physical layer that the slot kernel looks up, in one read-only tuple of arrays."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranpilot.errors import ConfigError
from ranpilot.twin.phy.bler import (
    class_and_weight,
    probit_grid,
    transport_block_error,
)
from ranpilot.twin.phy.mcs import ModulationAndCoding, cqi_table, mcs_of_cqi, mcs_table, read_rows
from ranpilot.twin.phy.transport_block import MAX_PRB, code_blocks, scheme_transport_block_bits

__all__ = ["PhyTables", "load_phy_tables"]

CQI_BLER_TARGET = {1: 0.1, 2: 0.1, 3: 1e-5}
"""Error probability that a CQI of each table promises (TS 38.214 §5.2.2.1)."""

Int32Array = NDArray[np.int32]
Float32Array = NDArray[np.float32]


class PhyTables(NamedTuple):
    """Look-up arrays for one MCS table; index prb is a number of resource blocks, 0..max_prb."""

    tbs_bits: Int32Array
    """[mcs, prb] transport block size in bits; 0 at prb 0."""
    num_code_blocks: Int32Array
    """[mcs, prb]; 0 at prb 0."""
    size_class: Int32Array
    """[mcs, prb] lower code block size class of the transport block."""
    size_weight: Float32Array
    """[mcs, prb] weight of the next class, 0..1."""
    probit: Float32Array
    """[mcs, class, bin] probit of the code block error rate on the SINR grid of `bler.py`."""
    eesm_beta: Float32Array
    """[mcs]."""
    spectral_efficiency: Float32Array
    """[mcs] bits of one resource element."""
    mcs_threshold_db: Float32Array
    """[mcs] effective SINR at which a transport block over max_prb has the error rate that a CQI promises (0.1, with
    CQI table 3 1e-5); MCS 0: -inf."""
    cqi_threshold_db: Float32Array
    """[cqi] effective SINR from which each CQI is reported; CQI 0: -inf."""
    cqi_beta: Float32Array
    """[cqi] EESM beta of each CQI's modulation and code rate (CQI 0: that of CQI 1)."""
    cqi_efficiency: Float32Array
    """[cqi] bits of one resource element; CQI 0: 0."""
    mcs_of_cqi: Int32Array
    """[cqi] highest MCS whose spectral efficiency is at most the CQI's; CQI 0: 0."""


@functools.cache
def load_phy_tables(table: int = 1, max_prb: int = 106, re_per_prb: int = 144, *, cqi: int | None = None) -> PhyTables:
    """The tables for MCS table 1, 2 or 3 and one layer; cached and read-only. Raises: ConfigError.

    cqi: number of the CQI table, that of the MCS table where None.
    """
    cqi_number = table if cqi is None else cqi
    schemes = mcs_table(table)
    for field, value, high in (("max_prb", max_prb, MAX_PRB), ("re_per_prb", re_per_prb, 168)):
        if not 1 <= value <= high:
            raise ConfigError(field, value, f"a whole number 1 to {high}")
    shape = (len(schemes), max_prb + 1)
    tbs_bits, num_code_blocks, size_class = (np.zeros(shape, dtype=np.int32) for _ in range(3))
    size_weight = np.zeros(shape, dtype=np.float32)
    for mcs, scheme in enumerate(schemes):
        for prb in range(1, max_prb + 1):
            tbs_bits[mcs, prb] = scheme_transport_block_bits(scheme, prb, 1, re_per_prb)
            blocks = code_blocks(int(tbs_bits[mcs, prb]), scheme.code_rate_x1024)
            num_code_blocks[mcs, prb] = blocks.num_blocks
            size_class[mcs, prb], size_weight[mcs, prb] = class_and_weight(blocks.bits)
    cqis = cqi_table(cqi_number)
    target = CQI_BLER_TARGET[cqi_number]
    mcs_threshold_db = [_threshold_db(scheme, max_prb, re_per_prb, target) for scheme in schemes]
    return _read_only(
        PhyTables(
            tbs_bits=tbs_bits,
            num_code_blocks=num_code_blocks,
            size_class=size_class,
            size_weight=size_weight,
            probit=np.stack([probit_grid(scheme) for scheme in schemes]),
            eesm_beta=np.array([_beta(scheme) for scheme in schemes], dtype=np.float32),
            spectral_efficiency=np.array([scheme.spectral_efficiency for scheme in schemes], dtype=np.float32),
            mcs_threshold_db=np.array([-np.inf, *mcs_threshold_db[1:]], dtype=np.float32),
            cqi_threshold_db=np.array(
                [-np.inf, *(_threshold_db(row, max_prb, re_per_prb, target) for row in cqis)], dtype=np.float32
            ),
            cqi_beta=np.array([_beta(cqis[0]), *(_beta(row) for row in cqis)], dtype=np.float32),
            cqi_efficiency=np.array([0.0, *(row.spectral_efficiency for row in cqis)], dtype=np.float32),
            mcs_of_cqi=np.array(mcs_of_cqi(table, cqi_number), dtype=np.int32),
        )
    )


@functools.cache
def _betas() -> dict[tuple[int, float], float]:
    return {(int(order), float(rate)): float(beta) for order, rate, beta, _ in read_rows("eesm_beta.csv")}


def _beta(scheme: ModulationAndCoding) -> float:
    return _betas()[scheme.modulation_order, scheme.code_rate_x1024]


def _threshold_db(scheme: ModulationAndCoding, num_prb: int, re_per_prb: int, target: float) -> float:
    """Effective SINR at which a transport block over `num_prb` resource blocks has error rate `target`."""
    blocks = code_blocks(scheme_transport_block_bits(scheme, num_prb, 1, re_per_prb), scheme.code_rate_x1024)
    size_class, weight = class_and_weight(blocks.bits)
    probit = probit_grid(scheme)[None]
    low_db, high_db = -30.0, 60.0
    while high_db - low_db > 1e-4:
        middle_db = (low_db + high_db) / 2.0
        if transport_block_error(probit, 0, size_class, weight, blocks.num_blocks, middle_db) > target:
            low_db = middle_db
        else:
            high_db = middle_db
    return high_db


def _read_only(tables: PhyTables) -> PhyTables:
    for array in tables:
        array.setflags(write=False)
    return tables
