"""The radio channel as kernels see it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranpilot.twin.parameters.fading import Fading, make_fading
from ranpilot.twin.radio import make_shadowing_bank
from ranpilot.twin.radio.propagation import model_id
from ranpilot.twin.scenario import Scenario
from ranpilot.units import dbm_to_mw, noise_dbm

__all__ = [
    "ALWAYS_IN_SIGHT",
    "NEVER_IN_SIGHT",
    "RANDOM_SIGHT",
    "SITE_HEIGHT_M",
    "SITE_POWER_DBM",
    "SITE_X_M",
    "SITE_Y_M",
    "Air",
    "make_air",
]

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]
Int32Array = NDArray[np.int32]

RANDOM_SIGHT, ALWAYS_IN_SIGHT, NEVER_IN_SIGHT = 0, 1, 2

# Columns of Air.site.
SITE_X_M, SITE_Y_M, SITE_HEIGHT_M, SITE_POWER_DBM = 0, 1, 2, 3


class Air(NamedTuple):
    """The radio channel."""

    site: FloatArray
    """[C, 4]"""
    propagation: Int32Array
    """[C] id of the propagation model"""
    carrier_hz: float
    ue_height_m: float
    noise_mw: float
    """of one PRB, with the receiver's noise figure"""
    rx_antennas: int
    sight: int
    has_shadowing: int
    fading: Fading
    fields: Float32Array
    """[field, row, column] of shadowing and line of sight"""


def make_air(scenario: Scenario) -> Air:
    """The radio channel of a scenario, with its fading bank and shadowing fields."""
    sites, carrier, users = scenario.layout.sites, scenario.carrier, scenario.users
    carrier_hz = carrier.frequency_ghz * 1e9
    sight = {"random": RANDOM_SIGHT, "always": ALWAYS_IN_SIGHT, "never": NEVER_IN_SIGHT}[scenario.radio.line_of_sight]
    return Air(
        site=np.array([(site.x_m, site.y_m, site.height_m, site.power_dbm) for site in sites], dtype=np.float64),
        propagation=np.array([model_id(site.propagation) for site in sites], dtype=np.int32),
        carrier_hz=carrier_hz,
        ue_height_m=users.height_m,
        noise_mw=dbm_to_mw(noise_dbm(carrier.prb_bandwidth_hz, users.noise_figure_db)),
        rx_antennas=users.rx_antennas,
        sight=sight,
        has_shadowing=int(scenario.radio.shadowing),
        fading=make_fading(scenario),
        fields=make_shadowing_bank().field,
    )
