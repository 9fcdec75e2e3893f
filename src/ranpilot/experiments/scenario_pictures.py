"""Pictures of the network itself: map, coupling gain, SINR, delay. Only a scenario of the twin has them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from ranpilot.experiments.design import PAPER_SCENARIO, Experiment
from ranpilot.experiments.page import render_page
from ranpilot.experiments.plots import CELL_COLOURS, FAINT, GRID, INK, new_figure, to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ranpilot.twin.inspect import Inspection
    from ranpilot.twin.scenario import Scenario

__all__ = ["Picture", "draw_inspection", "draw_scenario", "inspection_page", "inspection_table", "picture_title"]

TEMPLATE = Path(__file__).with_name("inspection.html.j2")
MOST_NAMED = 8
"""Cells that have a curve and a name of their own; of more, each has a thin line beside the one over all."""
BAD_SINR_DB = -3.0
IN_METRES_M = 1000.0
"""An area up to this wide is drawn in metres, a wider one in kilometres."""
SECTOR_DEG = 65.0
"""Opening of the wedge that stands for a sector: its half-power beam width."""

NOTE = (
    "The map is of one network: which cell is received strongest, shadowing included, with the sites, the directions "
    "of their sectors and the users. Coupling gain (antennas, path loss, shadowing, walls) is from each user's serving "
    "cell; SINR is wideband and filtered, and a link below the dashed −3 dB is bad; delay is of delivered packets."
)


@dataclass(frozen=True)
class Picture:
    """A picture with its caption."""

    title: str
    note: str
    svg: str


def draw_scenario(experiment: Experiment) -> Sequence[Picture]:
    """Map, coupling gain, SINR and delay of the experiment's scenario; `aura-paper` has no geometry, so nothing."""
    if experiment.scenario == PAPER_SCENARIO:
        return []
    from ranpilot import scenarios
    from ranpilot.twin.inspect import inspect_scenario

    load = experiment.loads[-1]
    scenario = scenarios.load(experiment.scenario).with_load(load).heldout
    found = inspect_scenario(scenario, experiment.base_seed)
    note = (
        f"Scenario {found.scenario} ({found.scenario_hash[:12]}) at {load} load, seed {found.seed}, before anybody "
        f"controls it. {NOTE}"
    )
    return [Picture("The network", note, to_svg(draw_inspection(found), picture_title(found)))]


def picture_title(found: Inspection) -> str:
    """What the picture of an inspection shows."""
    return f"Map, coupling gain, SINR and delay of {found.scenario}"


def draw_inspection(found: Inspection) -> Figure:
    """Map with best-server areas, sectors and users; coupling gain, SINR and delay as distribution functions."""
    figure, axes = new_figure(4, height=3.6, widths=(1.7, 1, 1, 1))
    draw_map(axes[0], found)
    _draw_curves(axes[1], found, found.coupling_gain_db, found.gain_cell)
    _draw_curves(axes[2], found, found.sinr_db, found.sinr_cell)
    axes[2].axvline(BAD_SINR_DB, color=FAINT, lw=0.8, ls=(0, (3, 3)))
    _draw_delays(axes[3], found)
    axes[1].set(xlabel="coupling gain, dB", ylabel="share below", ylim=(0, 1))
    axes[2].set(xlabel="SINR, dB", ylim=(0, 1))
    axes[3].set(xlabel="packet delay, ms", ylim=(0, 1), xscale="log")
    for axis in axes[1:]:
        axis.grid(color=GRID, lw=0.8)
    if len(found.cell_names) <= MOST_NAMED and len(found.sinr_db):
        axes[2].legend(frameon=False, fontsize=8, loc="lower right")
    return figure


def inspection_page(scenario: Scenario, found: Inspection, events: list[list[str]]) -> str:
    """A self-contained page: picture, table of cells, events, and the resolved scenario."""
    config = scenario.model_dump(mode="json", exclude={"description", "loads", "splits"})
    return render_page(
        TEMPLATE, found=found, load=scenario.load, description=scenario.description, note=NOTE,
        picture=to_svg(draw_inspection(found), picture_title(found)), cells=inspection_table(found), events=events,
        config=json.dumps(config, indent=1), table=_html_table,
    )  # fmt: skip


def inspection_table(found: Inspection) -> list[list[str]]:
    """Header, and one line a cell: place, direction, power, users, coupling gain, SINR, packets and delay."""
    lines = [
        [
            "cell", "x, m", "y, m", "towards", "power, dBm", "users", "gain 5 / 50 %, dB", "SINR 5 / 50 %, dB",
            "packets", "delay 50 / 95 %, ms",
        ]
    ]  # fmt: skip
    for cell, name in enumerate(found.cell_names):
        packets = found.delay_packets[cell]
        place = np.searchsorted(np.cumsum(packets), np.array([0.5, 0.95]) * packets.sum())
        delay = "≤ {:g} / {:g}".format(*found.delay_edge_ms[place]) if packets.sum() else "–"
        azimuth_deg = found.cell_azimuth_deg[cell]
        lines.append(
            [
                name,
                _metres(found.cell_x_m[cell]),
                _metres(found.cell_y_m[cell]),
                "all around" if azimuth_deg is None else f"{azimuth_deg:g}°",
                f"{found.cell_power_dbm[cell]:g}",
                f"{np.sum(found.ue_cell == cell)}",
                _low_and_middle(found.coupling_gain_db[found.gain_cell == cell]),
                _low_and_middle(found.sinr_db[found.sinr_cell == cell]),
                f"{packets.sum()}",
                delay,
            ]
        )
    return lines


def draw_map(axis: Axes, found: Inspection) -> None:
    """Best-server areas, users in the colour of their cell, sites with the directions of their sectors."""
    from matplotlib.colors import ListedColormap

    colours = [CELL_COLOURS[cell % len(CELL_COLOURS)] for cell in range(len(found.cell_names))]
    left, bottom, right, top = found.area_m
    size_m = max(right - left, top - bottom)
    unit, unit_m = ("m", 1.0) if size_m <= IN_METRES_M else ("km", 1000.0)
    axis.imshow(
        found.best_server, origin="lower", extent=(left / unit_m, right / unit_m, bottom / unit_m, top / unit_m),
        cmap=ListedColormap(colours), vmin=-0.5, vmax=len(colours) - 0.5, alpha=0.22, interpolation="nearest",
    )  # fmt: skip
    served = [colours[cell] for cell in found.ue_cell]
    axis.scatter(found.ue_x_m / unit_m, found.ue_y_m / unit_m, s=9, c=served, lw=0, zorder=3)
    for cell, colour in enumerate(colours):
        place = (float(found.cell_x_m[cell]) / unit_m, float(found.cell_y_m[cell]) / unit_m)
        _draw_site(axis, place, found.cell_azimuth_deg[cell], colour, 0.045 * size_m / unit_m)
        if len(colours) <= MOST_NAMED:
            axis.annotate(
                found.cell_names[cell], place, xytext=_beside(found.cell_azimuth_deg[cell]), fontsize=8, color=INK,
                textcoords="offset points", ha="center", va="center", zorder=5,
            )  # fmt: skip
    axis.set(xlabel=unit, ylabel=unit, aspect="equal")


def _draw_site(axis: Axes, place: tuple[float, float], azimuth_deg: float | None, colour: str, reach: float) -> None:
    """A wedge that looks along a sector, or a triangle for a cell that looks all around."""
    from matplotlib.patches import Wedge

    if azimuth_deg is None:
        axis.scatter(*place, s=70, color=colour, marker="^", edgecolors="white", zorder=4)
        return
    half_deg = SECTOR_DEG / 2
    wedge = Wedge(place, reach, azimuth_deg - half_deg, azimuth_deg + half_deg, fc=colour, ec="white", lw=0.6, zorder=4)
    axis.add_patch(wedge)


def _beside(azimuth_deg: float | None) -> tuple[float, float]:
    """Where a cell's name stands, in points from its site."""
    if azimuth_deg is None:
        return 0.0, 11.0
    angle = math.radians(azimuth_deg)
    return 24.0 * math.cos(angle), 18.0 * math.sin(angle)


def _draw_curves(axis: Axes, found: Inspection, values_db: np.ndarray, cells: np.ndarray) -> None:
    """Distribution functions by cell, and over all cells where those are many."""
    is_named = len(found.cell_names) <= MOST_NAMED
    for cell, name in enumerate(found.cell_names):
        own_db = values_db[cells == cell]
        if is_named:
            _draw_quantiles(axis, own_db, CELL_COLOURS[cell], 1.8, name)
        else:
            _draw_quantiles(axis, own_db, GRID, 0.7)
    if not is_named:
        _draw_quantiles(axis, values_db, CELL_COLOURS[0], 2.0)


def _draw_quantiles(axis: Axes, values: np.ndarray, colour: str, width: float, name: str | None = None) -> None:
    if len(values):
        # A few hundred points draw the curve as well as all samples.
        share = np.linspace(0, 1, 200)
        axis.plot(np.quantile(values, share), share, color=colour, lw=width, label=name)


def _draw_delays(axis: Axes, found: Inspection) -> None:
    is_named = len(found.cell_names) <= MOST_NAMED
    for cell in range(len(found.cell_names)):
        colour, width = (CELL_COLOURS[cell], 1.8) if is_named else (GRID, 0.7)
        _draw_delay(axis, found.delay_edge_ms, found.delay_packets[cell], colour, width)
    if not is_named:
        _draw_delay(axis, found.delay_edge_ms, found.delay_packets.sum(axis=0), CELL_COLOURS[0], 2.0)


def _draw_delay(axis: Axes, edge_ms: np.ndarray, packets: np.ndarray, colour: str, width: float) -> None:
    if packets.sum():
        inside = np.isfinite(edge_ms)
        axis.plot(edge_ms[inside], (np.cumsum(packets) / packets.sum())[inside], color=colour, lw=width)


def _metres(value_m: float) -> str:
    """To a decimetre, and no minus before nothing."""
    return f"{round(value_m, 1) + 0.0:g}"


def _low_and_middle(values: np.ndarray) -> str:
    return "{:.1f} / {:.1f}".format(*np.quantile(values, [0.05, 0.5])) if len(values) else "–"


def _html_table(lines: list[list[str]]) -> Markup:
    """Lines of text as an HTML table, the first one its header."""
    head = Markup("").join(Markup("<th>{}</th>").format(cell) for cell in lines[0])
    rows = (Markup("").join(Markup("<td>{}</td>").format(cell) for cell in line) for line in lines[1:])
    body = Markup("\n").join(Markup("<tr>{}</tr>").format(row) for row in rows)
    return Markup("<table>\n<tr>{}</tr>\n{}\n</table>").format(head, body)
