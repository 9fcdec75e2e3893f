"""Exponential effective SINR mapping (EESM): one SINR that has the block error rate of many.

gamma_eff = -beta ln(1/N sum_n exp(-gamma_n / beta)), with beta for each modulation and code rate.
Source: 3GPP TR 25.892 Annex A.4.3; beta from data/eesm_beta.csv.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ranpilot.kernels import kernel

__all__ = ["effective_sinr_db"]


@kernel
def effective_sinr_db(sinr: NDArray[np.float64], first: int, stop: int, beta: float) -> float:
    """Effective SINR in dB of the groups first..stop-1, all of the same width.

    sinr: linear, [R] (float32 or float64), above 0; stop > first; beta: `PhyTables.eesm_beta[mcs]`.
    The smallest SINR is factored out, so that no sum underflows.
    """
    smallest = sinr[first]
    for group in range(first + 1, stop):
        smallest = min(smallest, sinr[group])
    total = 0.0
    for group in range(first, stop):
        total += math.exp(-(sinr[group] - smallest) / beta)
    effective = smallest - beta * math.log(total / (stop - first))
    return 10.0 * math.log10(effective)
