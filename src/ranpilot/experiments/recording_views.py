"""A recording of the twin as a table for the terminal and as a picture."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from ranpilot.experiments.plots import CELL_COLOURS, FAINT, GRID, new_figure
from ranpilot.twin import kpm
from ranpilot.twin.recording import Recording, cell_measurements

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ranpilot.declare import Measurement

__all__ = ["draw_recording", "energy_sentence", "recording_table"]

MOST_COLUMNS = 6
"""Cells that a table shows side by side, and a picture as a line each; more are summed up."""
SHOWN = (
    kpm.PRB_USE,
    kpm.CELL_THROUGHPUT,
    kpm.PACKET_DELAY,
    kpm.PACKET_DROP_RATE,
    kpm.INITIAL_BLER,
    kpm.CONNECTED_MEAN,
)
"""What a picture shows."""


def recording_table(found: Recording) -> list[list[str]]:
    """Header, and one line a KPM: mean over networks ± their standard deviation in each cell, or over many cells."""
    is_wide = len(found.cell_names) <= MOST_COLUMNS
    columns = list(found.cell_names) if is_wide else ["mean of cells", "least cell", "greatest cell"]
    lines = [["KPM", "unit", *columns, "what"]]
    for measurement in cell_measurements():
        values = found.total[measurement.name]
        if is_wide:
            shown = [_mean_and_spread(values[:, cell]) for cell in range(values.shape[1])]
        else:
            by_cell = values.mean(axis=0)
            named = (f"{by_cell[cell]:.4g} ({found.cell_names[cell]})" for cell in (by_cell.argmin(), by_cell.argmax()))
            shown = [_mean_and_spread(values.mean(axis=1)), *named]
        lines.append([measurement.name, measurement.unit, *shown, measurement.description])
    return lines


def energy_sentence(found: Recording) -> str:
    """What a whole network drew, and what it delivered for that: mean over networks ± their standard deviation."""
    whole = kpm.network_energy(found.total)
    kilojoules, watt_hours = _mean_and_spread(whole.energy_j / 1e3), _mean_and_spread(whole.energy_kwh)
    power, efficiency = _mean_and_spread(whole.mean_power_w), _mean_and_spread(whole.efficiency)
    return f"A network drew {kilojoules} kJ ({watt_hours} kWh, {power} W) and delivered {efficiency} bit/J."


def draw_recording(found: Recording) -> Figure:
    """The main KPMs over time: a line a cell with the spread over networks, or where there are many, over cells."""
    figure, axes = new_figure(3, height=5.4, rows=2)
    for axis, measurement in zip(axes, SHOWN, strict=True):
        _draw_series(axis, found, measurement)
        axis.set_title(textwrap.fill(measurement.description, 48), loc="left", fontsize=8, color=FAINT)
        axis.set(xlabel="s", ylabel=f"{measurement.name}, {measurement.unit}", ylim=(0, None))
        axis.grid(color=GRID, lw=0.8)
    if len(found.cell_names) <= MOST_COLUMNS:
        handles = axes[0].get_legend_handles_labels()
        figure.legend(*handles, loc="outside upper right", ncols=MOST_COLUMNS, frameon=False, fontsize=9)
    return figure


def _draw_series(axis: Axes, found: Recording, measurement: Measurement) -> None:
    values = found.series[measurement.name]  # [T, B, C]
    middle_s = found.end_s - 0.5 * found.period_s
    if len(found.cell_names) > MOST_COLUMNS:
        by_cell = values.mean(axis=1)
        low, high = np.quantile(by_cell, [0.1, 0.9], axis=1)
        axis.plot(middle_s, by_cell.mean(axis=1), color=CELL_COLOURS[0], lw=1.6)
        axis.fill_between(middle_s, low, high, color=CELL_COLOURS[0], alpha=0.15, lw=0)
        return
    for cell, name in enumerate(found.cell_names):
        mean, colour = values[:, :, cell].mean(axis=1), CELL_COLOURS[cell % len(CELL_COLOURS)]
        axis.plot(middle_s, mean, color=colour, lw=1.6, label=name, marker="." if len(mean) < 3 else None)
        if found.num_networks > 1:
            spread = values[:, :, cell].std(axis=1, ddof=1)
            axis.fill_between(middle_s, mean - spread, mean + spread, color=colour, alpha=0.12, lw=0)


def _mean_and_spread(values: np.ndarray) -> str:
    if len(values) == 1:
        return f"{values[0]:.4g}"
    return f"{values.mean():.4g} ± {values.std(ddof=1):.2g}"
