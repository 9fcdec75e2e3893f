"""The picture of a training: its loss, and the regret on held-out states along it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ranpilot.experiments.plots import GRID, new_figure, to_svg

__all__ = ["draw_training"]

COLOUR = "#0d9488"

Points = Sequence[Mapping[str, float]]


def draw_training(losses: Points, regrets: Points) -> str:
    """Loss of the training and held-out regret (in units of the returns' spread) over its steps, as SVG."""
    figure, axes = new_figure(2, height=3.0)
    panels = ((losses, "loss", "loss of the training"), (regrets, "regret", "held-out regret / spread"))
    for axis, (points, field, label) in zip(axes, panels, strict=True):
        axis.plot([point["step"] for point in points], [point[field] for point in points], color=COLOUR, lw=1.8)
        axis.set_xlabel("step")
        axis.set_title(label, loc="left", fontsize=10)
        axis.grid(color=GRID, lw=0.8, zorder=0)
    axes[1].set_ylim(bottom=0)
    return to_svg(figure, "Training of the adviser")
