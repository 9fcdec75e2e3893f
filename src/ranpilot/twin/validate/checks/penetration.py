"""Users in buildings: loss of the wall, way behind it, floors, against closed forms of the standard's distributions.

Wall: TR 38.901 Tables 7.4.3-1 and 7.4.3-2 at 6 GHz by hand (glass 3.2 dB, IRR glass 24.8 dB, concrete 29 dB):
low 5 - 10 log10(0.3 x 10^-0.32 + 0.7 x 10^-2.9) = 13.402 dB,
high 5 - 10 log10(0.7 x 10^-2.48 + 0.3 x 10^-2.9) = 30.694 dB.
Way: the least of two uniform numbers up to D has mean D / 3 and variance D^2 / 18, so that the loss has mean
PL_tw + D / 6 and variance sigma_P^2 + D^2 / 72.
Floors (Table 7.2-1): N uniform on 4..8, n uniform on 1..N, so that P(n) = sum over N >= n of 1 / (5 N), and the mean
height is 3 x 2.5 + 1.5 = 9 m.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranpilot.twin.network import Networks
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.validate.line import Effort, Line, compared
from ranpilot.twin.views import UserView

__all__ = ["lines"]

SEED = 7
NETWORKS = {"quick": 100, "full": 2000}
USERS = 100
DEPTH_M = 25.0
WALLS = {"low": (0.0, 13.402, 4.4), "high": (1.0, 30.694, 6.5)}
"""Share of high-loss buildings, loss of the wall, deviation."""
LOSS = "TR 38.901 §7.4.3.1"
FLOORS = "TR 38.901 Table 7.2-1"

FloatArray = NDArray[np.float64]


def lines(effort: Effort) -> Iterator[Line]:
    """Mean and standard deviation of the loss of both kinds of wall, way from the wall, floors, shares."""
    for kind, (share, wall_db, sigma_db) in WALLS.items():
        ues = _users(NETWORKS[effort], {"share": 1.0, "high_loss_share": share})
        mean_db, spread_db = wall_db + DEPTH_M / 6.0, math.hypot(sigma_db, DEPTH_M / math.sqrt(72.0))
        yield from _moments(f"penetration/{kind}-loss", ues.penetration_db, mean_db, spread_db, "dB", LOSS)
        if kind == "low":
            yield from _moments("penetration/way-inside", ues.indoor_m, DEPTH_M / 3, DEPTH_M / math.sqrt(18), "m", LOSS)
            yield from _floors(ues.height_m)
    ues = _users(NETWORKS[effort], {"share": 0.8, "high_loss_share": 0.5})
    error = math.sqrt(0.8 * 0.2 / ues.indoor_m.size)
    found = float((ues.indoor_m > 0.0).mean())
    yield compared("penetration/share-indoors", found, 0.8, 4 * error, "1", FLOORS, n=ues.indoor_m.size, seed=SEED)


def _moments(name: str, values: FloatArray, mean: float, spread: float, unit: str, source: str) -> Iterator[Line]:
    num = values.size
    error = spread / math.sqrt(num)
    yield compared(f"{name}/mean", float(values.mean()), mean, 4 * error, unit, source, n=num, seed=SEED)
    # The error of a standard deviation from the fourth moment of what was drawn.
    fourth = float(((values - values.mean()) ** 4).mean()) / spread**4
    error = 0.5 * spread * math.sqrt((fourth - 1.0) / num)
    yield compared(f"{name}/deviation", float(values.std()), spread, 4 * error, unit, source, n=num, seed=SEED)


def _floors(height_m: FloatArray) -> Iterator[Line]:
    for floor in range(1, 9):
        expected = sum(0.2 / floors for floors in range(4, 9) if floors >= floor)
        found = float((height_m == 3.0 * (floor - 1) + 1.5).mean())
        error = math.sqrt(expected * (1.0 - expected) / height_m.size)
        name = f"penetration/floor-{floor}"
        yield compared(name, found, expected, 4 * error, "1", FLOORS, n=height_m.size, seed=SEED)
    error = float(height_m.std()) / math.sqrt(height_m.size)
    name = "penetration/mean-height"
    yield compared(name, float(height_m.mean()), 9.0, 4 * error, "m", FLOORS, n=height_m.size, seed=SEED)


def _users(num: int, indoor: dict[str, float]) -> UserView:
    site: dict[str, Any] = {"name": "a", "x_m": 0.0, "y_m": 0.0, "height_m": 25.0, "propagation": "UMa"}
    scenario = Scenario.model_validate(
        {
            "name": "buildings",
            "carrier": {"frequency_ghz": 6.0, "num_prbs": 24, "prbs_per_group": 12},
            "layout": {"sites": [{**site, "power_dbm": 40.0}], "area_m": [-100.0, -100.0, 100.0, 100.0]},
            "users": {
                "population": {"kind": "static", "ues_per_cell": USERS},
                "mobility": {"kind": "static"},
                "indoor": indoor,
            },
            "traffic": {"mix": [{"kind": "poisson", "mean_rate_bps": 1.0}], "buffer_packets": 4},
            "radio": {"fading": False},
        }
    )
    return Networks(scenario, num, SEED).ues
