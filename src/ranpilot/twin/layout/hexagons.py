"""Hexagonal layouts: sites on a triangular lattice in rings around the first, and how the plane is wrapped around.

Neighbouring sites lie at 30, 90, ... degrees, so that sectors at 30, 150 and 270 degrees point at neighbouring sites
(ITU-R M.2135 figure 8: the boresight points to a side of the site's hexagon). The hexagon of a site has its corners
at 0, 60, ... degrees and the circumradius ISD / sqrt(3). Copies of a cluster of 1 + 3 r (r + 1) sites tile the plane
at the lattice vectors (r + 1, r) and its rotations by 60 degrees; wrap-around takes, of a site and its six copies, the
nearest.
Source: TR 38.901 Table 7.8-1 (azimuths; geographical distance based wrapping); ITU-R M.2135 §8.3.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["SECTOR_AZIMUTHS_DEG", "cluster_shifts_m", "hexagon_corners_m", "site_positions_m"]

SECTOR_AZIMUTHS_DEG = (30.0, 150.0, 270.0)
_RINGS = {1: 0, 7: 1, 19: 2}
_LATTICE_DEG = 30.0

FloatArray = NDArray[np.float64]


def site_positions_m(num_sites: int, isd_m: float) -> FloatArray:
    """[S, 2] sites of 0, 1 or 2 rings around one at the origin; ring by ring, counter-clockwise."""
    rings = _RINGS[num_sites]
    found = [(0, 0)]
    steps = [(-1, 1), (-1, 0), (0, -1), (1, -1), (1, 0), (0, 1)]
    for ring in range(1, rings + 1):
        along, across = ring, 0
        for step_along, step_across in steps:
            for _ in range(ring):
                found.append((along, across))
                along, across = along + step_along, across + step_across
    return np.array([_at(along, across, isd_m) for along, across in found])


def cluster_shifts_m(num_sites: int, isd_m: float) -> FloatArray:
    """[6, 2] from a cluster to its six copies around it."""
    rings = _RINGS[num_sites]
    along, across = rings + 1, rings
    shifts = []
    for _ in range(6):
        shifts.append(_at(along, across, isd_m))
        along, across = -across, along + across
    return np.array(shifts)


def hexagon_corners_m(isd_m: float) -> FloatArray:
    """[3, 2] every other corner of a site's hexagon: it consists of the three rhombi that they span in pairs."""
    angle = np.radians([0.0, 120.0, 240.0])
    return isd_m / math.sqrt(3.0) * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _at(along: int, across: int, isd_m: float) -> tuple[float, float]:
    """Place of a lattice point; the two lattice vectors lie at 30 and 90 degrees."""
    first, second = math.radians(_LATTICE_DEG), math.radians(_LATTICE_DEG + 60.0)
    x_m = isd_m * (along * math.cos(first) + across * math.cos(second))
    y_m = isd_m * (along * math.sin(first) + across * math.sin(second))
    return round(x_m, 6), round(y_m, 6)
