"""A look at a scenario: where sites and users are, who serves where, how good links and delays are; plain arrays."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranpilot.errors import ConfigError
from ranpilot.twin.network import Networks
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.views import EventView

__all__ = ["Inspection", "inspect_scenario"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

WARM_UP_S = 1.0
SAMPLE_S = 0.1
"""Between two samples of every user's SINR: half the default time constant of the filter."""


@dataclass(frozen=True)
class Inspection:
    """What a scenario looks like; the map is one network's, the samples are of all that were run."""

    scenario: str
    scenario_hash: str
    seed: int
    area_m: tuple[float, float, float, float]
    """Left, bottom, right, top."""
    cell_names: tuple[str, ...]
    cell_x_m: FloatArray
    """[C] place of its site"""
    cell_y_m: FloatArray
    """[C]"""
    cell_azimuth_deg: tuple[float | None, ...]
    """[C] boresight from the x axis towards the y axis; None = omnidirectional"""
    cell_power_dbm: FloatArray
    """[C]"""
    grid_x_m: FloatArray
    """[X] middles of the map's columns"""
    grid_y_m: FloatArray
    """[Y] middles of the map's rows, from the bottom"""
    best_server: IntArray
    """[Y, X] the cell received with most power, shadowing and line of sight included"""
    ue_x_m: FloatArray
    """[N] users at the end of the run"""
    ue_y_m: FloatArray
    """[N]"""
    ue_cell: IntArray
    """[N] the cell that serves each"""
    coupling_gain_db: FloatArray
    """[G] of every user of all networks at the end of the run, from its serving cell, without fading"""
    gain_cell: IntArray
    """[G] the serving cell of each"""
    sinr_db: FloatArray
    """[M] filtered wideband SINR of users, sampled every 100 ms"""
    sinr_cell: IntArray
    """[M] the serving cell of each sample"""
    delay_edge_ms: FloatArray
    """[D] upper edges of the bins of packet delay; the last is open"""
    delay_packets: IntArray
    """[C, D] delivered packets in each bin"""

    events: EventView
    """Of that network since its reset, [1, E] each."""

    def to_json(self) -> dict[str, Any]:
        """The same as numbers, texts and lists; of the windows of events only those that have one."""
        values = {
            name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in asdict(self).items()
        }
        has_event = self.events.kind >= 0
        return values | {"events": {name: v[has_event].tolist() for name, v in self.events._asdict().items()}}


def inspect_scenario(
    scenario: Scenario, seed: int, *, num_networks: int = 4, duration_s: float = 2.0, map_points: int = 96
) -> Inspection:
    """Run `num_networks` networks for a second of warm-up and `duration_s` and look at them.

    map_points: columns or rows of the map along its longer side. Raises ConfigError for a number out of range.
    """
    if not 0.0 < duration_s <= 3600.0:
        raise ConfigError("duration_s", duration_s, "above 0 and at most 3600 seconds")
    if not 2 <= map_points <= 1000:
        raise ConfigError("map_points", map_points, "a whole number in 2..1000")
    networks = Networks(scenario, num_networks, seed)
    networks.advance(round(WARM_UP_S / scenario.slot_s))
    networks.measure()
    sinr_db, sinr_cell = _sample_sinr(networks, max(1, round(duration_s / SAMPLE_S)))
    edges_ms, delay_packets = networks.delay_histogram()
    gain_db, gain_cell = _coupling_gain(networks)
    grid_x_m, grid_y_m = _grid(scenario.layout.area_m, map_points)
    ues, cells = networks.ues, scenario.cells
    here = ues.serving_cell[0] >= 0
    return Inspection(
        scenario=scenario.name,
        scenario_hash=scenario.hash(),
        seed=seed,
        area_m=scenario.layout.area_m,
        cell_names=tuple(cell.name for cell in cells),
        cell_x_m=np.array([cell.x_m for cell in cells]),
        cell_y_m=np.array([cell.y_m for cell in cells]),
        cell_azimuth_deg=tuple(cell.azimuth_deg for cell in cells),
        cell_power_dbm=networks.cells.tx_power_dbm[0],
        grid_x_m=grid_x_m,
        grid_y_m=grid_y_m,
        best_server=networks.best_server(grid_x_m, grid_y_m)[0].astype(np.int64),
        ue_x_m=ues.x_m[0, here],
        ue_y_m=ues.y_m[0, here],
        ue_cell=ues.serving_cell[0, here].astype(np.int64),
        coupling_gain_db=gain_db,
        gain_cell=gain_cell,
        sinr_db=sinr_db,
        sinr_cell=sinr_cell,
        delay_edge_ms=edges_ms,
        delay_packets=np.asarray(delay_packets.sum(axis=0), dtype=np.int64),
        events=EventView(*(column[:1] for column in networks.events())),
    )


def _sample_sinr(networks: Networks, samples: int) -> tuple[FloatArray, IntArray]:
    """SINR and serving cell of every user at `samples` moments."""
    values, cells = [], []
    for _ in range(samples):
        networks.advance(round(SAMPLE_S / networks.scenario.slot_s))
        ues = networks.ues
        place = np.nonzero(ues.serving_cell >= 0)
        serving = ues.serving_cell[place]
        values.append(ues.sinr_l3_db[(*place, serving)])
        cells.append(serving)
    return np.concatenate(values), np.concatenate(cells).astype(np.int64)


def _coupling_gain(networks: Networks) -> tuple[FloatArray, IntArray]:
    """Gain from its serving cell, and that cell, of every user now."""
    serving = networks.ues.serving_cell
    place = np.nonzero(serving >= 0)
    return networks.coupling_gain_db()[(*place, serving[place])], serving[place].astype(np.int64)


def _grid(area_m: tuple[float, float, float, float], map_points: int) -> tuple[FloatArray, FloatArray]:
    """Middles of the columns and rows of square tiles over the area."""
    left, bottom, right, top = area_m
    tile_m = max(right - left, top - bottom) / map_points
    columns, rows = max(1, round((right - left) / tile_m)), max(1, round((top - bottom) / tile_m))
    x_m = left + (np.arange(columns) + 0.5) * (right - left) / columns
    y_m = bottom + (np.arange(rows) + 0.5) * (top - bottom) / rows
    return x_m, y_m
