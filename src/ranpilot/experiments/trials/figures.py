"""The pictures of a comparison, each as one inline SVG."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ranpilot.experiments.plots import CELL_COLOURS, new_figure, to_svg

__all__ = ["draw_gains", "draw_learning", "draw_timeline"]

INK, GRID = "#1f2937", "#e5e7eb"
KIND_COLOURS = {"learner": "#0d9488", "given": "#0d9488", "heuristic": "#a3b18a", "oracle": "#111827"}
MOST_POINTS = 40
MOST_SLICES = 8


def draw_gains(summary: Mapping[str, Any]) -> str:
    """Reward of every entrant at each load: IQM, 95 % interval, one dot a seed."""
    loads = summary["trials"]["loads"]
    rows = [[row for row in summary["rows"] if row["load"] == load] for load in loads]
    labels = [row["label"] for row in rows[0]]
    figure, axes = new_figure(len(loads), height=1.2 + 0.34 * len(labels), share_y=True)
    for axis, load, entrants in zip(axes, loads, rows, strict=True):
        for place, row in enumerate(entrants):
            colour, interval, seeds = KIND_COLOURS[row["kind"]], row["reward"], np.array(row["per_seed"])
            axis.plot([interval["low"], interval["high"]], [place, place], color=colour, lw=3, zorder=3)
            axis.plot(interval["estimate"], place, "|", color=colour, ms=13, mew=2.6, zorder=4)
            spread = 0.2 * np.sin(2.4 * np.arange(len(seeds)))
            axis.scatter(seeds, place + spread, s=10, color=colour, alpha=0.55, lw=0, zorder=2)
        axis.set_title(f"{load} load", loc="left", fontsize=10, color=INK)
        axis.set_xlabel("reward of an agent and step")
        axis.grid(axis="x", color=GRID, lw=0.8, zorder=0)
    axes[0].set_yticks(range(len(labels)), labels)
    axes[0].set_ylim(len(labels) - 0.4, -0.6)
    return to_svg(figure, "reward of every entrant at each load")


def draw_learning(summary: Mapping[str, Any]) -> str | None:
    """Reward along the training, IQM over seeds with 95 % bands; None where nothing learns."""
    curves = {label: curve for label, curve in summary["curves"].items() if len(curve["estimate"]) > 1}
    if not curves:
        return None
    figure, (axis,) = new_figure(1, height=3.4)
    for colour, (label, curve) in zip(CELL_COLOURS * len(curves), curves.items(), strict=False):
        count = len(curve["estimate"])
        window = max(1, -(-count // MOST_POINTS))
        parts = [slice(first, first + window) for first in range(0, count, window)]
        steps = [summary["episode_network_steps"] * min(part.stop, count) for part in parts]
        of = {name: [float(np.mean(curve[name][part])) for part in parts] for name in ("estimate", "low", "high")}
        axis.plot(steps, of["estimate"], color=colour, lw=1.8, label=label)
        axis.fill_between(steps, of["low"], of["high"], color=colour, alpha=0.16, lw=0)
    axis.set(xlabel="network-steps of training", ylabel="reward of an agent and step, while it explores")
    axis.grid(color=GRID, lw=0.8, zorder=0)
    axis.legend(frameon=False, fontsize=9, loc="lower right")
    return to_svg(figure, "learning curves")


def draw_timeline(found: Mapping[str, Any], title: str) -> str:
    """What slices of one cell are given, and how their promises are kept, step by step of one episode."""
    figure, (above, below) = new_figure(1, height=4.6, rows=2)
    tenants = np.array(found["tenant"])
    share = np.array(found["share"], dtype=np.float64)
    quality = np.array([[np.nan if q is None else q for q in step] for step in found["quality"]], dtype=np.float64)
    steps = np.arange(len(share))
    present = sorted(found["names"], key=lambda tenant: -int((tenants == int(tenant)).sum()))[:MOST_SLICES]
    for colour, tenant in zip(CELL_COLOURS, present, strict=False):
        is_its = tenants == int(tenant)
        own_share = np.where(is_its.any(axis=1), np.where(is_its, share, 0.0).sum(axis=1), np.nan)
        kept = np.where(is_its & ~np.isnan(quality), quality, 0.0).sum(axis=1)
        own_quality = np.where((is_its & ~np.isnan(quality)).any(axis=1), kept, np.nan)
        above.plot(steps, 100.0 * own_share, color=colour, lw=1.5, label=found["names"][tenant])
        below.plot(steps, own_quality, color=colour, lw=1.3)
    below.axhline(1.0, color="#9ca3af", lw=0.9, ls="--", zorder=1)
    most = np.nanmax(share, initial=0.0)
    # Room for the names above the lines.
    above.set(ylabel="share, %", ylim=(0, 130.0 * most + 1.0))
    below.set(xlabel="control step", ylabel="Q, 1 is what was promised", ylim=(0, 2.05))
    for axis in (above, below):
        axis.grid(color=GRID, lw=0.8, zorder=0)
    above.legend(frameon=False, fontsize=8, ncols=4, loc="upper right")
    return to_svg(figure, title)
