"""Two cells with five users each, and slices that come and go."""

from __future__ import annotations

from typing import Any

import numpy as np

from ranpilot.twin.scenario import Scenario

SITE = {"height_m": 25, "propagation": "UMa", "power_dbm": 30}
VALUES: dict[str, Any] = {
    "name": "shared",
    "carrier": {"frequency_ghz": 2.0, "num_prbs": 24, "prbs_per_group": 4},
    "layout": {
        "area_m": [-300, -300, 700, 300],
        "sites": [{"name": "a", "x_m": 0, "y_m": 0, **SITE}, {"name": "b", "x_m": 400, "y_m": 0, **SITE}],
    },
    "users": {"population": {"kind": "static", "ues_per_cell": 5}},
    "radio": {"shadowing": False, "line_of_sight": "always", "fading": False},
    "traffic": {
        "mix": [
            {"name": "web", "kind": "poisson", "mean_rate_bps": 2e6, "deadline_ms": 200},
            {"name": "commands", "kind": "poisson", "mean_rate_bps": 1e5, "packet_bits": 800, "deadline_ms": 20},
        ]
    },
    "slices": {
        "tenants": [
            {"name": "homes", "share": 0.6, "traffic": ["web"], "sla": {"mean_rate_mbps": 4}, "description": "Films."},
            {"name": "cranes", "share": 0.4, "traffic": ["commands"], "priority": 4, "sla": {"delay_ms": 5}},
            {"name": "late", "share": 0.2, "traffic": ["web"], "sla": {"served_share": 0.9}, "description": "Late."},
            {"name": "later", "share": 0.2, "traffic": ["web"], "sla": {"p5_rate_mbps": 1}, "description": "Later."},
        ],
        "turnover": {"least": 2, "most": 3, "mean_stay_s": 1.0, "mean_gap_s": 1.0},
    },
    "control": {"step_ms": 100, "episode_steps": 12},
}
NUM = 3


def shared(**changes: Any) -> Scenario:
    return Scenario.model_validate(VALUES | changes)


def actions(steps: int, num: int = NUM) -> np.ndarray:
    return np.random.default_rng(1).uniform(-1.0, 1.0, (steps, num, 2, 3))
