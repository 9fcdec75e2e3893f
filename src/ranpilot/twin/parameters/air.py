"""The radio channel as kernels see it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranpilot.twin.description.site import Cell
from ranpilot.twin.parameters.fading import Fading, make_fading
from ranpilot.twin.radio import make_shadowing_bank
from ranpilot.twin.radio.propagation import model_id
from ranpilot.twin.scenario import Scenario
from ranpilot.units import dbm_to_mw, noise_dbm

__all__ = [
    "ALWAYS_IN_SIGHT",
    "CELL_AZIMUTH_DEG",
    "CELL_DOWNTILT_DEG",
    "CELL_ELEMENTS",
    "CELL_POWER_DBM",
    "CELL_SPACING",
    "NEVER_IN_SIGHT",
    "RANDOM_SIGHT",
    "SITE_HEIGHT_M",
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
SITE_X_M, SITE_Y_M, SITE_HEIGHT_M = 0, 1, 2

# Columns of Air.cell; the tilt is that at the reset.
CELL_POWER_DBM, CELL_AZIMUTH_DEG, CELL_ELEMENTS, CELL_SPACING, CELL_DOWNTILT_DEG = 0, 1, 2, 3, 4


class Air(NamedTuple):
    """The radio channel."""

    site: FloatArray
    """[S, 3] of S sites"""
    propagation: Int32Array
    """[S] id of the propagation model"""
    first_cell: Int32Array
    """[S + 1] site s has the cells first_cell[s] to first_cell[s + 1] - 1"""
    cell: FloatArray
    """[C, 5]"""
    is_directed: Int32Array
    """[C] 0 for an omnidirectional cell of 0 dBi"""
    shift: FloatArray
    """[6, 2] from the cluster of sites to its copies; [0, 2] where the plane is not wrapped around"""
    path_loss_offset_db: float
    """Added to the path loss of every link."""
    shadowing_scale: float
    """Multiplies the standard deviation of shadow fading."""
    site_correlation: float
    """Of the shadowing of two sites."""
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
        site=np.array([(site.x_m, site.y_m, site.height_m) for site in sites], dtype=np.float64),
        propagation=np.array([model_id(site.propagation) for site in sites], dtype=np.int32),
        first_cell=np.searchsorted([cell.site for cell in scenario.cells], np.arange(len(sites) + 1)).astype(np.int32),
        cell=np.array([_cell_row(cell) for cell in scenario.cells]),
        is_directed=np.array([cell.antenna is not None for cell in scenario.cells], dtype=np.int32),
        shift=np.array(scenario.layout.shifts_m, dtype=np.float64).reshape(-1, 2),
        path_loss_offset_db=scenario.radio.path_loss_offset_db,
        shadowing_scale=scenario.radio.shadowing_scale,
        site_correlation=scenario.radio.site_correlation,
        carrier_hz=carrier_hz,
        ue_height_m=users.height_m,
        noise_mw=dbm_to_mw(noise_dbm(carrier.prb_bandwidth_hz, users.noise_figure_db)),
        rx_antennas=users.rx_antennas,
        sight=sight,
        has_shadowing=int(scenario.radio.shadowing),
        fading=make_fading(scenario),
        fields=make_shadowing_bank().field,
    )


def _cell_row(cell: Cell) -> tuple[float, ...]:
    """Columns of Air.cell."""
    if cell.antenna is None or cell.azimuth_deg is None:
        return cell.power_dbm, 0.0, 1.0, 0.5, 0.0
    antenna = cell.antenna
    return (
        cell.power_dbm, cell.azimuth_deg, float(antenna.elements), antenna.spacing_wavelengths, antenna.downtilt_deg
    )  # fmt: skip
