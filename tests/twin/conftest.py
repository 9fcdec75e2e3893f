"""Small networks that the tests of the twin share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ranpilot.twin.scenario import Scenario, merge

SMALL: dict[str, Any] = {
    "name": "small",
    "carrier": {"frequency_ghz": 2.0, "num_prbs": 24, "prbs_per_group": 4},
    "layout": {
        "area_m": [-300, -300, 700, 300],
        "sites": [
            {"name": "a", "x_m": 0, "y_m": 0, "height_m": 25, "propagation": "UMa", "power_dbm": 38},
            {"name": "b", "x_m": 400, "y_m": 0, "height_m": 25, "propagation": "UMa", "power_dbm": 38},
        ],
    },
    "users": {
        "population": {"kind": "static", "ues_per_cell": 3},
        "mobility": {"kind": "lines", "min_speed_kmh": 30, "max_speed_kmh": 60},
    },
    "traffic": {"mix": [{"kind": "poisson", "mean_rate_bps": 1e6, "deadline_ms": 200}], "buffer_packets": 64},
}


@pytest.fixture
def make_scenario() -> Callable[..., Scenario]:
    """A small two-cell scenario with changes written over it."""

    def make(changes: Mapping[str, Any] | None = None) -> Scenario:
        return Scenario.model_validate(merge(SMALL, changes or {}))

    return make
