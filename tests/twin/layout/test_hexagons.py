"""Hexagonal lattices: ring by ring, tiled without gap."""

from __future__ import annotations

import numpy as np
import pytest

from ranpilot.twin.layout.hexagons import cluster_shifts_m, hexagon_corners_m, site_positions_m


@pytest.mark.parametrize(("num_sites", "rings"), [(1, 0), (7, 1), (19, 2)])
def test_neighbours_are_one_distance_apart_at_30_degrees_and_on(num_sites: int, rings: int) -> None:
    site_m = site_positions_m(num_sites, 500.0)
    assert len(site_m) == num_sites
    assert (site_m[0] == 0).all()
    way = (site_m[:, None] - site_m[None]) @ np.array([1, 1j])
    apart = np.abs(way)[~np.eye(num_sites, dtype=bool)]
    assert num_sites == 1 or apart.min() == pytest.approx(500)
    assert np.abs(site_m @ np.array([1, 1j])).max() <= 500 * rings + 1e-3
    near = way[(np.abs(way) > 1) & (np.abs(way) < 501)]
    turn = (np.degrees(np.angle(near)) - 30) / 60
    assert turn == pytest.approx(np.round(turn), abs=1e-4)


@pytest.mark.parametrize("num_sites", [1, 7, 19])
def test_copies_of_the_cluster_tile_the_lattice(num_sites: int) -> None:
    """Together with its six copies it has seven times the sites, all of them on the lattice and none twice."""
    site_m, shift_m = site_positions_m(num_sites, 500.0), cluster_shifts_m(num_sites, 500.0)
    assert np.hypot(*shift_m.T) == pytest.approx(500 * np.sqrt(num_sites), rel=1e-6)
    many = np.concatenate([site_m, *(site_m + shift for shift in shift_m)]) @ np.array([1, 1j])
    apart = np.abs(many[:, None] - many[None])[~np.eye(len(many), dtype=bool)]
    assert apart.min() == pytest.approx(500, abs=1e-3)
    # No hole: every site of the middle cluster has six neighbours.
    for site in many[:num_sites]:
        assert (np.abs(np.abs(many - site) - 500) < 1e-3).sum() == 6


def test_the_corners_are_those_of_the_area_nearest_to_a_site() -> None:
    for corner_m in hexagon_corners_m(500.0):
        distance_m = np.sort(np.hypot(*(site_positions_m(7, 500.0) - corner_m).T))
        assert distance_m[:3] == pytest.approx([500 / np.sqrt(3)] * 3, rel=1e-6)
