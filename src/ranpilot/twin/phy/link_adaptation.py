"""From SINR to CQI and MCS: the highest index whose block error rate stays at the target.

Source: TS 38.214 §5.2.2.1 (the CQI is the highest index whose single transport block, over the whole reference
resource, is received with an error probability of at most 0.1, or 0.00001 for CQI table 3).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ranpilot.kernels import kernel
from ranpilot.twin.phy.effective_sinr import effective_sinr_db

__all__ = ["cqi_from_groups", "cqi_from_sinr_db", "index_from_sinr_db"]

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]


@kernel
def index_from_sinr_db(threshold_db: Float32Array, sinr_db: float) -> int:
    """Highest index whose threshold is at most `sinr_db`; 0 if there is none. For MCS and for CQI thresholds."""
    index = len(threshold_db) - 1
    while index > 0 and threshold_db[index] > sinr_db:
        index -= 1
    return index


@kernel
def cqi_from_sinr_db(cqi_threshold_db: Float32Array, sinr_db: float) -> int:
    """Wideband CQI 0..15 of an effective SINR; 0 is out of range. cqi_threshold_db: [16] of `PhyTables`."""
    return int(index_from_sinr_db(cqi_threshold_db, sinr_db))


@kernel
def cqi_from_groups(
    cqi_threshold_db: Float32Array, cqi_beta: Float32Array, sinr: FloatArray, first: int, stop: int
) -> int:
    """Wideband CQI 0..15 of the groups first..stop-1, with each CQI's own EESM beta; 0 is out of range.

    sinr: linear, [R]. Tried from the highest down: where the modulation changes, so does beta, and a CQI may be met
    whose lower neighbour is not.
    """
    for cqi in range(len(cqi_threshold_db) - 1, 0, -1):
        if effective_sinr_db(sinr, first, stop, float(cqi_beta[cqi])) >= cqi_threshold_db[cqi]:
            return cqi
    return 0
