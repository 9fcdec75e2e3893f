"""Pictures of the network itself: map, signal quality, delay. Only a scenario of the twin has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ranpilot.experiments.design import PAPER_SCENARIO, Experiment
from ranpilot.experiments.plots import FAINT, GRID, new_figure, to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ranpilot.twin.inspect import Inspection

__all__ = ["Picture", "draw_inspection", "draw_scenario", "inspection_table"]

CELL_COLOURS = ("#2563eb", "#ea580c", "#0d9488", "#7c3aed", "#ca8a04", "#db2777", "#64748b", "#65a30d")


@dataclass(frozen=True)
class Picture:
    """A picture with its caption."""

    title: str
    note: str
    svg: str


def draw_scenario(experiment: Experiment) -> Sequence[Picture]:
    """Map, SINR and delay of the experiment's scenario; nothing for `aura-paper`, which has no geometry."""
    if experiment.scenario == PAPER_SCENARIO:
        return []
    from ranpilot import scenarios
    from ranpilot.twin.inspect import inspect_scenario

    load = experiment.loads[-1]
    scenario = scenarios.load(experiment.scenario).with_load(load).heldout
    found = inspect_scenario(scenario, experiment.base_seed)
    note = (
        f"Scenario {found.scenario} ({found.scenario_hash[:12]}) at {load} load, seed {found.seed}, before anybody "
        "controls it. Left: which cell is received strongest, shadowing included, with the sites and the users of one "
        "network. Middle: filtered wideband SINR of the users; below the dashed −3 dB a link is bad. Right: delay of "
        "delivered packets."
    )
    return [Picture("The network", note, draw_inspection(found))]


def draw_inspection(found: Inspection) -> str:
    """Map with best-server areas and users, SINR and delay as distribution functions; one SVG."""
    figure, axes = new_figure(3, height=3.4, widths=(1.7, 1, 1))
    _draw_map(axes[0], found)
    for cell, name in enumerate(found.site_names):
        colour = CELL_COLOURS[cell % len(CELL_COLOURS)]
        _draw_sinr(axes[1], found.sinr_db[found.sinr_cell == cell], name, colour)
        _draw_delay(axes[2], found.delay_edge_ms, found.delay_packets[cell], name, colour)
    axes[1].set(xlabel="SINR, dB", ylabel="share of samples below", ylim=(0, 1))
    axes[2].set(xlabel="packet delay, ms", ylabel="share of packets below", ylim=(0, 1), xscale="log")
    for axis in axes[1:]:
        axis.grid(color=GRID, lw=0.8)
        axis.legend(frameon=False, fontsize=8, loc="lower right")
    return to_svg(figure, f"Map, SINR and delay of {found.scenario}")


def inspection_table(found: Inspection) -> list[list[str]]:
    """Header, and one line a cell: place, power, users, SINR, packets and delay."""
    lines = [["cell", "x, m", "y, m", "power, dBm", "users", "SINR 5 / 50 %, dB", "packets", "delay 50 / 95 %, ms"]]
    for cell, name in enumerate(found.site_names):
        values_db = found.sinr_db[found.sinr_cell == cell]
        sinr = "{:.1f} / {:.1f}".format(*np.quantile(values_db, [0.05, 0.5])) if len(values_db) else "–"
        packets = found.delay_packets[cell]
        place = np.searchsorted(np.cumsum(packets), np.array([0.5, 0.95]) * packets.sum())
        delay = "≤ {:g} / {:g}".format(*found.delay_edge_ms[place]) if packets.sum() else "–"
        numbers = [
            found.site_x_m[cell],
            found.site_y_m[cell],
            found.site_power_dbm[cell],
            np.sum(found.ue_cell == cell),
        ]
        lines.append([name, *(f"{number:g}" for number in numbers), sinr, f"{packets.sum()}", delay])
    return lines


def _draw_map(axis: Axes, found: Inspection) -> None:
    from matplotlib.colors import ListedColormap

    colours = [CELL_COLOURS[cell % len(CELL_COLOURS)] for cell in range(len(found.site_names))]
    left, bottom, right, top = (edge / 1000 for edge in found.area_m)
    axis.imshow(
        found.best_server, origin="lower", extent=(left, right, bottom, top), cmap=ListedColormap(colours),
        vmin=-0.5, vmax=len(colours) - 0.5, alpha=0.22, interpolation="nearest",
    )  # fmt: skip
    served = [colours[cell] for cell in found.ue_cell]
    axis.scatter(found.ue_x_m / 1000, found.ue_y_m / 1000, s=9, c=served, lw=0, zorder=3)
    axis.scatter(
        found.site_x_m / 1000, found.site_y_m / 1000, s=70, c=colours, marker="^", edgecolors="white", zorder=4
    )
    if len(found.site_names) <= 12:
        for name, x_m, y_m in zip(found.site_names, found.site_x_m, found.site_y_m, strict=True):
            axis.annotate(name, (x_m / 1000, y_m / 1000), xytext=(6, 5), textcoords="offset points", fontsize=8)
    axis.set(xlabel="km", ylabel="km", aspect="equal")


def _draw_sinr(axis: Axes, values_db: np.ndarray, name: str, colour: str) -> None:
    if len(values_db):
        # A few hundred points draw the curve as well as all samples.
        share = np.linspace(0, 1, 200)
        axis.plot(np.quantile(values_db, share), share, color=colour, lw=1.8, label=name)
        axis.axvline(-3, color=FAINT, lw=0.8, ls=(0, (3, 3)))


def _draw_delay(axis: Axes, edge_ms: np.ndarray, packets: np.ndarray, name: str, colour: str) -> None:
    if packets.sum():
        inside = np.isfinite(edge_ms)
        axis.plot(edge_ms[inside], (np.cumsum(packets) / packets.sum())[inside], color=colour, lw=1.8, label=name)
