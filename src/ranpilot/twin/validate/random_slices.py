"""Slices and their controls at random, beside the rest of a random scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ranpilot.declare import Control
from ranpilot.twin.description.link import Scheduler
from ranpilot.twin.network import Networks

if TYPE_CHECKING:
    from ranpilot.twin.validate.random_scenario import Choose

__all__ = ["random_slice_controls", "random_slices"]


def random_slices(choose: Choose, kinds: list[str], ues_per_cell: int | None, block_s: float) -> dict[str, Any]:
    """The values of `slices`.

    kinds: names of the traffic mix; ues_per_cell: None where users come and go; block_s: of a block of traffic.
    """
    # Each has a member at least.
    num = choose.whole(1, min(4, ues_per_cell or 4))
    tenants = []
    for index in range(num):
        least = choose.one_of([0.0, 100.0 / num, 50.0 / num, choose.number(0.0, 100.0 / num)])
        most = choose.one_of([100.0, max(least, 10.0), choose.number(least, 100.0)])
        tenants.append(
            {
                "name": f"tenant {index}",
                "share": 1.0 / num,
                "traffic": [choose.one_of(kinds)] if choose.one_of([True, False]) else kinds,
                "min_ratio": least,
                "max_ratio": most,
                "dedicated_ratio": choose.one_of([0.0, least, choose.number(0.0, least)]),
                "scheduler": choose.one_of([None, *get_args(Scheduler)]),
                "target_bler": choose.one_of([None, 0.01]),
                "deadline_ms": choose.one_of([None, 5.0]),
                "sla": {"delay_ms": choose.one_of([None, 3.0])},
            }
        )
    if ues_per_cell is None or choose.one_of([True, False]):
        return {"tenants": tenants}
    if choose.one_of([True, False]):
        tenants[-1]["from_s"] = block_s
        tenants[0]["until_s"] = 2 * block_s
        return {"tenants": tenants}
    turnover = {"least": choose.whole(0, 1), "most": choose.whole(1, num), "mean_stay_s": 0.5, "mean_gap_s": 0.5}
    return {"tenants": tenants, "turnover": turnover}


def random_slice_controls(choose: Choose, networks: Networks) -> dict[Control | str, ArrayLike]:
    """Controls of slices that the networks accept now."""
    generator = np.random.Generator(np.random.PCG64(choose.whole(0, 2**20)))
    shape = networks.slices.min_ratio.shape
    controls: dict[Control | str, ArrayLike] = {
        "SLICE_SCHEDULER": generator.integers(0, 5, shape),
        "SLICE_TARGET_BLER": generator.choice([np.nan, 0.001, 0.3], shape),
        "SLICE_DEADLINE_MS": generator.choice([np.nan, 1.0, 50.0], shape),
    }
    if networks.scenario.slices is not None:
        # A little less than everything, which rounding could take beyond it.
        least = generator.dirichlet(np.ones(shape[2]), shape[:2]) * choose.one_of([0.0, 50.0, 99.9])
        controls["SLICE_MIN_RATIO"] = least
        controls["SLICE_MAX_RATIO"] = least + (100.0 - least) * _parts(generator, shape)
        controls["SLICE_DEDICATED_RATIO"] = least * _parts(generator, shape)
    return controls


def _parts(generator: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Nothing, half, everything, or any part."""
    kind = generator.integers(0, 4, shape)
    return np.asarray(np.where(kind < 3, 0.5 * kind, generator.random(shape)))
