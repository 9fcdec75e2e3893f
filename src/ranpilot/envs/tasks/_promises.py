"""How well slices get what they were promised: Q, the least of measured over required among the parts of an SLA.

Parts: mean rate and 5th percentile of the members' throughput while they have data, delay at a reliability (inverted:
budget over the delay within which that share of the packets arrived, a dropped or lost one never), and the share that
is served (inverted: what may be left out over what was, for good, of the packets that left the queues). Q is within
[0, 2]; a slice that wanted nothing in a cell is not judged there (NaN).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ranpilot.envs.controller import FloatArray, IntArray
from ranpilot.errors import ConfigError
from ranpilot.twin import kpm
from ranpilot.twin import slice_columns as seats
from ranpilot.twin.scenario import Scenario

__all__ = ["BEST_QUALITY", "JUDGED_KPMS", "Promises", "make_promises", "quality"]

BEST_QUALITY = 2.0
LEAST_LEFT_OUT = 1e-9
JUDGED_KPMS = frozenset({kpm.SLICE_THROUGHPUT.name, kpm.SLICE_THROUGHPUT_P5.name})
"""What `quality` reads of the measurements."""


class Promises(NamedTuple):
    """The SLA of every tenant, NaN where a part is not promised."""

    mean_rate_kbps: FloatArray
    """[tenant]"""
    p5_rate_kbps: FloatArray
    """[tenant]"""
    delay_ms: FloatArray
    """[tenant]"""
    reliability: FloatArray
    """[tenant] share of the packets; given for every tenant"""
    served_share: FloatArray
    """[tenant]"""
    priority: FloatArray
    """[tenant] 1 to 4"""


def make_promises(scenario: Scenario) -> Promises:
    """The promises of a scenario's tenants. Raises ConfigError where there are no slices, or one without a promise."""
    if scenario.slices is None:
        raise ConfigError(
            "slices", None, f"given in scenario {scenario.name!r} for task 'slicing' (see docs/slices.md)"
        )
    for tenant in scenario.slices.tenants:
        if tenant.sla.model_dump(exclude={"reliability"}, exclude_none=True) == {}:
            allowed = "at least one of mean_rate_mbps, p5_rate_mbps, delay_ms, served_share for task 'slicing'"
            raise ConfigError(f"slices.tenants[{tenant.name}].sla", {}, allowed)
    slas = [tenant.sla for tenant in scenario.slices.tenants]
    return Promises(
        mean_rate_kbps=_column([sla.mean_rate_mbps for sla in slas], 1e3),
        p5_rate_kbps=_column([sla.p5_rate_mbps for sla in slas], 1e3),
        delay_ms=_column([sla.delay_ms for sla in slas]),
        reliability=_column([sla.reliability for sla in slas]),
        served_share=_column([sla.served_share for sla in slas]),
        priority=_column([float(tenant.priority) for tenant in scenario.slices.tenants]),
    )


def quality(
    promises: Promises,
    tenant: IntArray,
    measured: Mapping[str, FloatArray],
    counted: FloatArray | IntArray,
    delays: IntArray,
    edges_ms: FloatArray,
) -> FloatArray:
    """Q [B, C, S] over a period; NaN where nothing is to be judged.

    tenant: [B, S], -1 for a free seat; measured: KPMs of the period; counted: counters of slices [B, C, S, columns];
    delays: delivered packets by delay [B, C, S, D], edges_ms: upper edges of those bins.
    """
    of = np.maximum(tenant, 0)[:, None, :]
    parts = (
        measured[kpm.SLICE_THROUGHPUT.name] / promises.mean_rate_kbps[of],
        measured[kpm.SLICE_THROUGHPUT_P5.name] / promises.p5_rate_kbps[of],
        promises.delay_ms[of] / _delay_ms(promises.reliability[of], counted, delays, edges_ms),
        np.maximum(1.0 - promises.served_share[of], LEAST_LEFT_OUT) / _left_out(counted),
    )
    least = np.fmin.reduce(parts)
    wants = (counted[..., seats.SLICE_BUSY_SLOTS] > 0) & (tenant >= 0)[:, None, :]
    return np.where(wants, np.clip(least, 0.0, BEST_QUALITY), np.nan)


def _left_out(counted: FloatArray | IntArray) -> FloatArray:
    """[B, C, S] share of the packets that left the queues undelivered, NaN where none left; never quite 0."""
    gone = (counted[..., seats.SLICE_PACKETS_DROPPED] + counted[..., seats.SLICE_PACKETS_LOST]).astype(np.float64)
    left = gone + counted[..., seats.SLICE_PACKETS_OUT]
    share = np.divide(gone, left, out=np.full(gone.shape, np.nan), where=left > 0.0)
    result: FloatArray = np.maximum(share, LEAST_LEFT_OUT)
    return result


def _delay_ms(
    reliability: FloatArray, counted: FloatArray | IntArray, delays: IntArray, edges_ms: FloatArray
) -> FloatArray:
    """[B, C, S] within which that share of the packets that left the queues arrived, infinite where fewer did.

    The first edge where none left.
    """
    dropped = counted[..., seats.SLICE_PACKETS_DROPPED] + counted[..., seats.SLICE_PACKETS_LOST]
    arrived = np.cumsum(delays, axis=-1)
    needed = np.ceil(reliability * (arrived[..., -1] + dropped) - 1e-9)
    bin_index = (arrived < needed[..., None]).sum(axis=-1)
    padded = np.append(edges_ms, np.inf)
    result: FloatArray = padded[bin_index]
    return result


def _column(values: list[float | None], scale: float = 1.0) -> FloatArray:
    return np.array([np.nan if value is None else value * scale for value in values])
