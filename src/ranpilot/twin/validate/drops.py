"""Drops of users for the large-scale calibration of TR 38.901 Table 7.8-1, made by `Networks` itself.

A drop is one network at its reset: users placed, attached to the strongest cell, nothing run. What a user has is read
off the twin's own coupling gains: G of its serving cell, SINR = P G_s / (N + P sum of the others' G), SIR without N,
with every cell transmitting at full power over 20 MHz.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranpilot.twin.network import Networks
from ranpilot.twin.scenario import Scenario
from ranpilot.units import noise_dbm

__all__ = ["CALIBRATIONS", "Drops", "calibration_scenario", "drop_users"]

BANDWIDTH_HZ = 20e6
NOISE_FIGURE_DB = 9.0
USERS_A_CELL = 10
NETWORKS_AT_ONCE = 8

FloatArray = NDArray[np.float64]

_UMA: dict[str, Any] = {
    "layout": {
        "kind": "hexagonal",
        "num_sites": 19,
        "sectors": 3,
        "isd_m": 500.0,
        "height_m": 25.0,
        "propagation": "UMa",
        "power_dbm": 49.0,
        "antenna": {"elements": 10, "spacing_wavelengths": 0.5, "downtilt_deg": 12.0},
        "wrap_around": True,
    },
    "users": {"indoor": {"share": 0.8, "high_loss_share": 0.5}},
}
_UMI: dict[str, Any] = {
    **_UMA,
    "layout": {**_UMA["layout"], "isd_m": 200.0, "height_m": 10.0, "propagation": "UMi", "power_dbm": 44.0},
}
_INH: dict[str, Any] = {
    "layout": {
        "kind": "indoor-office",
        "office": "open",
        "sectors": 3,
        "power_dbm": 24.0,
        "antenna": {"elements": 10, "spacing_wavelengths": 0.5, "downtilt_deg": 20.0},
    },
    "users": {"height_m": 1.0},
}
CALIBRATIONS: Mapping[str, Mapping[str, Any]] = {"UMa-6GHz": _UMA, "UMi-6GHz": _UMI, "InH-6GHz": _INH}
"""Layout and users of each calibration; tilts below the horizon (102 degrees from the zenith are 12)."""


class Drops(NamedTuple):
    """What every user of some drops has, [N] each."""

    coupling_gain_db: FloatArray
    """Of the serving cell, both antennas included."""
    sinr_db: FloatArray
    sir_db: FloatArray


def calibration_scenario(name: str) -> Scenario:
    """The scenario of a calibration: nobody sends or moves, and shadowing of different sites is independent."""
    parts = CALIBRATIONS[name]
    return Scenario.model_validate(
        {
            "name": name.lower(),
            "carrier": {"frequency_ghz": 6.0, "num_prbs": 106, "prbs_per_group": 16},
            "layout": parts["layout"],
            "users": {
                "population": {"kind": "static", "ues_per_cell": USERS_A_CELL},
                "mobility": {"kind": "static"},
                "noise_figure_db": NOISE_FIGURE_DB,
                **parts["users"],
            },
            "traffic": {"mix": [{"kind": "poisson", "mean_rate_bps": 1.0}], "buffer_packets": 4},
            # TR 38.901 §7.5 step 4: large-scale parameters of different sites are independent.
            "radio": {"fading": False, "site_correlation": 0.0},
        }
    )


def drop_users(scenario: Scenario, num_drops: int, seed: int) -> Drops:
    """What users have in `num_drops` independent drops."""
    found = []
    for first in range(0, num_drops, NETWORKS_AT_ONCE):
        networks = Networks(scenario, min(NETWORKS_AT_ONCE, num_drops - first), seed, first_network=first)
        found.append(_read(networks))
    return Drops(*(np.concatenate(values) for values in zip(*found, strict=True)))


def _read(networks: Networks) -> Drops:
    gain_db = networks.coupling_gain_db()
    received_mw = 10.0 ** ((gain_db + networks.cells.tx_power_dbm[:, None]) / 10.0)  # [B, U, C]
    serving = networks.ues.serving_cell[..., None]
    own_mw = np.take_along_axis(received_mw, serving, axis=2)[..., 0]
    others_mw = received_mw.sum(axis=2) - own_mw
    noise_mw = 10.0 ** (noise_dbm(BANDWIDTH_HZ, NOISE_FIGURE_DB) / 10.0)
    return Drops(
        np.take_along_axis(gain_db, serving, axis=2).ravel(),
        (10.0 * np.log10(own_mw / (others_mw + noise_mw))).ravel(),
        (10.0 * np.log10(own_mw / others_mw)).ravel(),
    )
