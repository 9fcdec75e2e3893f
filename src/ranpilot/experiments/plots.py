"""The pictures of a report, each as one inline SVG; text stays text, so the page can be searched."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ranpilot.envs.controller import FloatArray
from ranpilot.experiments.results import Results
from ranpilot.experiments.statistics import iqm_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["CELL_COLOURS", "MANY_ROWS", "colour_of", "draw_bars", "draw_curves", "new_figure", "to_svg"]

INK, FAINT, GRID = "#1f2937", "#6b7280", "#e5e7eb"
_COLOURS = {
    "marl-only": "#6b7280",
    "marl-only-10x": "#9ca3af",
    "marl-neighbours": "#a78b5a",
    "marl-neighbours-10x": "#c4a86a",
    "dqn": "#8b8fa3",
    "dqn-neighbours": "#b08968",
    "guided": "#2563eb",
    "guided-ab": "#0891b2",
    "guided-beta": "#ca8a04",
    "guided-noisy-60-counterfactual": "#65a30d",
    "guided-noisy-60-ab": "#4d7c0f",
    "aura": "#0d9488",
    "aura-ab": "#0e7490",
    "aura-literal": "#9333ea",
    "trained": "#0d9488",
    "guided-score": "#7c3aed",
    "guided-untrained": "#f472b6",
    "guided-trained": "#db2777",
    "aura-trained": "#be185d",
    "trained-alone": "#9d174d",
    "guided-trained-no-text": "#f9a8d4",
    "aura-trained-no-text": "#e9a3c9",
    "trained-alone-no-text": "#c9a0b4",
    "lookahead-oracle": "#111827",
}
CELL_COLOURS = ("#2563eb", "#ea580c", "#0d9488", "#7c3aed", "#ca8a04", "#db2777", "#64748b", "#65a30d")
"""Of the cells of a network, in their order."""
_BAD_ADVICE, _HEURISTIC = "#ea580c", "#a3b18a"
CURVE_ROWS = ("marl-only", "guided", "aura", "trained", "guided-score", "guided-trained", "guided-untrained")
MANY_ROWS = 20
MAIN_ROWS = (
    "marl-only",
    "marl-only-10x",
    "marl-neighbours-10x",
    "dqn-neighbours",
    "guided",
    "aura",
    "guided-ab",
    "guided-score",
    "guided-noisy-60-counterfactual",
    "guided-inverted-rules-counterfactual",
    "guided-inverted-rules-score",
    "guided-untrained",
    "guided-trained",
    "aura-trained",
    "rules",
    "always-handoff",
    "lookahead-oracle",
)
"""What a picture shows where all rows would be too many."""
CURVE_POINTS = 40


def colour_of(label: str, learns: bool) -> str:
    """The row's colour, the same in every picture."""
    return _COLOURS.get(label, _BAD_ADVICE if learns else _HEURISTIC)


def draw_bars(results: Results, metric: str = "dropped", *, main: bool = False) -> str:
    """IQM of `metric` for every row and load, with 95 % intervals and one dot a seed; main: the main rows alone."""
    experiment = results.experiment
    shown = [row for row in experiment.rows if not main or row.label in MAIN_ROWS]
    rows = [row for row in shown if results.cell(row.label, experiment.loads[0]).per_seed(metric) is not None]
    labels = [row.label for row in rows]
    figure, axes = new_figure(len(experiment.loads), height=1.0 + 0.34 * len(labels), share_y=True)
    for axis, load in zip(axes, experiment.loads, strict=True):
        for place, row in enumerate(rows):
            values = results.per_seed(row.label, load, metric)
            interval = iqm_interval(values)
            colour = colour_of(row.label, row.learns)
            axis.barh(place, interval.estimate, height=0.62, color=colour, alpha=0.32, zorder=2)
            axis.plot(
                [interval.low, interval.high], [place, place], color=colour, lw=2.4, zorder=4, solid_capstyle="butt"
            )
            axis.plot(interval.estimate, place, "|", color=colour, ms=11, mew=2.4, zorder=5)
            spread = 0.22 * np.sin(2.4 * np.arange(len(values)))
            axis.scatter(values, place + spread, s=7, color=colour, alpha=0.55, lw=0, zorder=3)
        axis.set_title(f"{load} load", loc="left", fontsize=10, color=INK)
        axis.set_xlabel(f"{metric} an episode" if metric != "used" else "share of decisions")
        axis.set_xlim(left=0)
        axis.grid(axis="x", color=GRID, lw=0.8, zorder=0)
    axes[0].set_yticks(range(len(labels)), labels)
    axes[0].set_ylim(len(labels) - 0.4, -0.6)
    return to_svg(figure, f"{metric} of {'the main rows' if main else 'every row'} at each load")


def draw_curves(results: Results, metric: str = "dropped") -> str | None:
    """IQM over seeds along the training, in windows of episodes, with 95 % bands; None where nothing learns."""
    experiment = results.experiment
    rows = [row for row in experiment.rows if row.learns and row.label in CURVE_ROWS]
    if not rows or experiment.train_episodes < 2:
        return None
    figure, axes = new_figure(len(experiment.loads), height=3.2)
    window = max(1, (experiment.train_episodes + CURVE_POINTS - 1) // CURVE_POINTS)
    for axis, load in zip(axes, experiment.loads, strict=True):
        for row in rows:
            cell = results.cell(row.label, load)
            for phase in ("train", "test"):
                values = cell.series(metric, phase)
                if values is None:
                    continue
                first = 0 if phase == "train" else experiment.train_episodes
                episode, middle, low, high = _windows(values, window)
                colour = colour_of(row.label, True)
                label = row.label if phase == "train" else None
                axis.plot(first + episode, middle, color=colour, lw=1.8, label=label, zorder=4)
                axis.fill_between(first + episode, low, high, color=colour, alpha=0.15, lw=0, zorder=3)
        axis.axvline(experiment.train_episodes, color=FAINT, lw=0.9, ls=(0, (3, 3)), zorder=2)
        axis.annotate(
            "test",
            (experiment.train_episodes, 1),
            xycoords=("data", "axes fraction"),
            xytext=(3, -10),
            textcoords="offset points",
            fontsize=8,
            color=FAINT,
        )
        axis.set_title(f"{load} load", loc="left", fontsize=10, color=INK)
        axis.set_xlabel("episode")
        axis.set_ylim(bottom=0)
        axis.grid(color=GRID, lw=0.8, zorder=0)
    axes[0].set_ylabel(f"{metric} an episode")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=6, frameon=False, fontsize=9)
    return to_svg(figure, "Learning curves with bands")


def new_figure(
    columns: int, *, height: float, rows: int = 1, share_y: bool = False, widths: Sequence[float] | None = None
) -> tuple[Figure, Sequence[Axes]]:
    """Axes in the report's style, row by row, drawn without a display."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.0, height), layout="constrained")
    axes = figure.subplots(rows, columns, sharey=share_y, squeeze=False, width_ratios=widths).ravel()
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.spines[["left", "bottom"]].set_color("#9ca3af")
        axis.tick_params(colors=INK, labelsize=9, length=3, color="#9ca3af")
        axis.xaxis.label.set(color=FAINT, fontsize=9)
        axis.yaxis.label.set(color=FAINT, fontsize=9)
    return figure, list(axes)


def to_svg(figure: Figure, title: str) -> str:
    """The figure as an <svg> element that scales with the page; the same figure gives the same text."""
    import matplotlib

    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": title, "font.family": "sans-serif"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(
        r'<svg ([^>]*?)width="[^"]*" ?|height="[^"]*pt" ?', lambda m: f"<svg {m[1]}" if m[1] else "", text, count=2
    )
    # Ids must be unique in the page: every picture gets its own prefix.
    prefix = "p" + hashlib.sha256(text.encode()).hexdigest()[:8]
    text = re.sub(r'\bid="', f'id="{prefix}-', text)
    text = re.sub(r'(href="#|url\(#)', lambda match: f"{match[1]}{prefix}-", text)
    return text.replace("<svg ", f'<svg role="img" aria-label="{title}" ', 1)


def _windows(values: FloatArray, window: int) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Middle episode, IQM and interval over seeds of each window of episodes of [E, B]."""
    parts = [values[start : start + window] for start in range(0, len(values), window)]
    starts = np.arange(len(parts)) * window
    intervals = [iqm_interval(part.mean(axis=0), resamples=400) for part in parts]
    middle = starts + np.array([(len(part) - 1) / 2 for part in parts])
    columns = [[interval.estimate, interval.low, interval.high] for interval in intervals]
    estimate, low, high = np.array(columns).T
    return middle, estimate, low, high
