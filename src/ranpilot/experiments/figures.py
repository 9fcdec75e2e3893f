"""Pictures of what was found: where a gain comes from, every seed, and whether trust is what it says.

They are drawn from plain numbers, so that the report and the docs draw the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ranpilot.experiments.aura_rows import BUSY, CONTROL, ORACLE
from ranpilot.experiments.findings import GAIN_ROWS, GAIN_STEPS
from ranpilot.experiments.plots import CELL_COLOURS, FAINT, GRID, INK, MAIN_ROWS, colour_of, new_figure, to_svg
from ranpilot.experiments.statistics import iqm, iqm_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Percentiles", "SeedValues", "draw_calibration", "draw_gain", "draw_reliability", "draw_seeds"]

SeedValues = Mapping[str, Mapping[str, Sequence[float]]]
"""Load, then row, to one number for each seed."""

Percentiles = Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]]
"""Scenario, then quantity, to `value`, `low` and `high` (None without bounds) of the percentiles 0 to 100."""

LOSING = "#dc2626"
LEAST_ANSWERS = 10
"""Fewer answers in a bin say too little to be drawn."""
RELIABILITY_ROWS = (
    "guided",
    "guided-ab",
    "guided-beta",
    "guided-score",
    "guided-noisy-60-counterfactual",
    "guided-inverted-rules-score",
    "guided-trained",
)


def draw_calibration(curves: Percentiles) -> str:
    """Distribution functions of the large-scale calibration, with what other simulators span behind them."""
    quantities = list(dict.fromkeys(quantity for of in curves.values() for quantity in of))
    figure, axes = new_figure(len(quantities), height=3.4, share_y=True)
    share = np.arange(101) / 100.0
    for axis, quantity in zip(axes, quantities, strict=True):
        for (scenario, of), colour in zip(curves.items(), CELL_COLOURS, strict=False):
            records = of[quantity]
            axis.plot([record["value"] for record in records], share, color=colour, lw=1.8, label=scenario, zorder=3)
            held = [at for at, record in enumerate(records) if record["low"] is not None]
            low, high = ([records[at][bound] for at in held] for bound in ("low", "high"))
            axis.fill_betweenx(share[held], low, high, color=colour, alpha=0.18, lw=0, zorder=2)
        axis.set(xlabel=f"{quantity.removesuffix('_db').replace('_', ' ')}, dB", ylim=(0, 1))
        axis.grid(color=GRID, lw=0.8)
    axes[0].set_ylabel("share of users below")
    axes[0].legend(frameon=False, fontsize=8, loc="lower right")
    return to_svg(figure, "Large-scale calibration of TR 38.901 Table 7.8-1")


def draw_gain(drops: SeedValues) -> str | None:
    """Dropped requests along the way from learning alone to advice, and what each step is of the gain.

    Loads without a gain are left out; None where none is left, or rows of the way are missing.
    """
    shown = {load: of for load, of in drops.items() if load in BUSY and all(label in of for label in GAIN_ROWS)}
    if not shown:
        return None
    figure, axes = new_figure(len(shown), height=3.6)
    for axis, (load, of_load) in zip(axes, shown.items(), strict=True):
        rows = [*GAIN_ROWS, *(label for label in ("rules", ORACLE) if label in of_load)]
        intervals = [iqm_interval(np.array(of_load[label])) for label in rows]
        highest = max(interval.high for interval in intervals)
        for place, (label, interval) in enumerate(zip(rows, intervals, strict=True)):
            colour = colour_of(label, label in GAIN_ROWS)
            axis.bar(place, interval.estimate, width=0.66, color=colour, alpha=0.35, zorder=2)
            axis.plot([place, place], [interval.low, interval.high], color=colour, lw=2.4, zorder=4)
            said = f"{interval.estimate:.2f}" if interval.estimate < 9.995 else f"{interval.estimate:.1f}"
            _write(axis, said, place, interval.high + 0.02 * highest, INK)
        _write_steps(axis, [interval.estimate for interval in intervals[: len(GAIN_ROWS)]], 1.2 * highest)
        axis.set_title(f"{load} load", loc="left", fontsize=10, color=INK)
        axis.set_xticks(range(len(rows)), [label.replace("-", "\n") for label in rows], fontsize=8)
        axis.set_ylim(0, 1.32 * highest)
        axis.grid(axis="y", color=GRID, lw=0.8, zorder=0)
    axes[0].set_ylabel("dropped requests an episode")
    return to_svg(figure, f"Where the gain comes from: {', '.join(GAIN_STEPS)}")


def draw_seeds(drops: SeedValues, *, paired: bool) -> str | None:
    """One dot a seed for the main rows; seeds that drop more than learning alone are marked.

    paired: rows share their networks, and each dot is a network's difference from learning alone on it.
    None where learning alone is missing or nothing stands beside it.
    """
    first = next(iter(drops.values()), {})
    others = [label for label in first if label != CONTROL and (len(first) <= len(MAIN_ROWS) or label in MAIN_ROWS)]
    labels = others if paired else [CONTROL, *others]
    if CONTROL not in first or not others:
        return None
    figure, axes = new_figure(len(drops), height=0.9 + 0.27 * len(labels), share_y=True)
    for axis, (load, of_load) in zip(axes, drops.items(), strict=True):
        base = np.array(of_load[CONTROL])
        for place, label in enumerate(labels):
            values = np.array(of_load[label]) - (base if paired else 0.0)
            limit = 0.0 if paired else iqm(base)
            is_losing = (values > limit) & (label != CONTROL)
            spread = place + 0.2 * np.sin(2.4 * np.arange(len(values)))
            colour = colour_of(label, True)
            axis.scatter(values, spread, s=11, lw=0, alpha=0.8, zorder=3, c=np.where(is_losing, LOSING, colour))
            middle = iqm_interval(values)
            axis.plot([middle.low, middle.high], [place, place], color=INK, lw=1.4, zorder=4)
        axis.axvline(0.0 if paired else iqm(base), color=FAINT, lw=0.9, ls=(0, (3, 3)), zorder=2)
        axis.set_title(f"{load} load", loc="left", fontsize=10, color=INK)
        axis.set_xlabel(f"dropped an episode{f', minus {CONTROL}' if paired else ''}")
        axis.grid(axis="x", color=GRID, lw=0.8, zorder=0)
    axes[0].set_yticks(range(len(labels)), labels)
    axes[0].set_ylim(len(labels) - 0.4, -0.6)
    return to_svg(figure, "Every seed of the main rows")


def draw_reliability(found: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str | None:
    """Share of advice that was better than the own choice at each level of trust that was tried often enough.

    found: load, then row, to `bin_count`, `bin_trust` and `bin_won`. None where no trust was tried often enough.
    """
    loads = {
        load: {label: _filled(of[label]) for label in RELIABILITY_ROWS if label in of} for load, of in found.items()
    }
    loads = {load: of for load, of in loads.items() if load in BUSY and any(of.values())}
    if not loads:
        return None
    figure, axes = new_figure(len(loads), height=3.9)
    for axis, (load, rows) in zip(axes, loads.items(), strict=True):
        axis.plot([0, 1], [0, 1], color=FAINT, lw=0.9, ls=(0, (3, 3)), zorder=1)
        for label, filled in rows.items():
            if filled:
                trust, won, count = zip(*filled, strict=True)
                colour = colour_of(label, True)
                axis.plot(trust, won, color=colour, lw=1.2, alpha=0.8, zorder=3)
                size = 6 + 3 * np.sqrt(count)
                axis.scatter(trust, won, s=size, color=colour, alpha=0.75, lw=0, zorder=4, label=label)
        axis.set_title(f"{load} load", loc="left", fontsize=10, color=INK)
        axis.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel="trust in the advice")
        axis.grid(color=GRID, lw=0.8, zorder=0)
    axes[0].set_ylabel("share of advice that was better")
    handles = {label: handle for axis in axes for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside upper right", ncols=4, frameon=False, fontsize=8)
    return to_svg(figure, "Reliability of trust")


def _filled(bins: Mapping[str, Any]) -> list[tuple[float, float, int]]:
    """Mean trust, share of wins and number of the bins with enough answers."""
    columns = zip(bins["bin_trust"], bins["bin_won"], bins["bin_count"], strict=True)
    return [(trust, won, count) for trust, won, count in columns if count >= LEAST_ANSWERS]


def _write_steps(axis: Axes, middles: Sequence[float], height: float) -> None:
    """What each step is of the way from the first bar to the last one, in per cent, at that height between the bars."""
    gain = middles[0] - middles[-1]
    for place, (before, after) in enumerate(pairwise(middles)):
        if gain > 0.05 * middles[0]:
            share = f"{100 * (before - after) / gain:.0f} %".replace("-", "−")
            _write(axis, share, place + 0.5, height, FAINT)
            axis.annotate(
                "", (place + 0.85, height), (place + 0.15, height), arrowprops={"arrowstyle": "->", "color": GRID}
            )


def _write(axis: Axes, text: str, x: float, y: float, colour: str) -> None:
    axis.text(x, y, text, ha="center", va="bottom", fontsize=8, color=colour, zorder=5)
