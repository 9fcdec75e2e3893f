"""A fit of the twin to a file of KPMs, with the files that it leaves: scenario, numbers, picture."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ruamel.yaml import YAML

from ranpilot.experiments.picture_files import check_picture_path, save_picture
from ranpilot.experiments.plots import CELL_COLOURS, FAINT, GRID, INK, new_figure
from ranpilot.runs import Progress, SilentProgress, write_atomic
from ranpilot.twin import kpm
from ranpilot.twin.calibrate import (
    DEFAULT_FIT,
    Calibration,
    Effort,
    Level,
    calibrate,
    most_evaluations,
    read_kpm_file,
)
from ranpilot.twin.calibrate.parameters import pick_parameters
from ranpilot.twin.layout.site_file import read_sites
from ranpilot.twin.scenario import Scenario

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_levels", "fit_scenario", "scenario_text", "with_sites"]

SHOWN = (
    kpm.PRB_USE,
    kpm.PRB_MEAN,
    kpm.VOLUME,
    kpm.CELL_THROUGHPUT,
    kpm.CQI_MEAN,
    kpm.SINR_MEAN,
    kpm.UE_SINR,
    kpm.UE_RSRP,
    kpm.CONNECTED_MEAN,
    kpm.HANDOVERS_OUT,
    kpm.PACKET_DELAY,
)
"""What a picture shows, the first six that the file has."""
MOST_PANELS = 6
MOST_NAMED = 6
"""Cells whose names stand under a picture."""
LEAST_MARGIN_M = 250.0
"""From the outermost site to the border of the area."""


def fit_scenario(  # noqa: PLR0913  # one option each, the same as on the command line
    scenario: Scenario, kpm_file: Path, *, sites: Path | None = None, names: Sequence[str] = DEFAULT_FIT,
    effort: Effort | None = None, held_out: float = 0.25, out: Path | None = None, picture: Path | None = None,
    progress: Progress | None = None,
) -> Calibration:  # fmt: skip
    """Fit a scenario (at the sites of a CSV file, where given) to a file of KPMs, and write it as YAML to `out`.

    Raises ConfigError for a file or a value that cannot be used, IdentificationError for what the file cannot tell.
    """
    pick_parameters(names)  # before anything is read
    if picture is not None:
        check_picture_path(picture)
    progress = progress or SilentProgress()
    placed = scenario if sites is None else with_sites(scenario, sites)
    file = read_kpm_file(kpm_file, [cell.name for cell in placed.cells])
    most = most_evaluations(len(names))
    progress.expect(most, 0)

    def told(done: int, text: str) -> None:
        progress.advance(1, f"{text}: run {done} of at most {most}")

    found = calibrate(placed, file, names=names, effort=effort, held_out=held_out, told=told)
    if out is not None:
        write_atomic(out, scenario_text(found).encode())
    if picture is not None:
        save_picture(draw_levels(found), f"{found.given.name} before and after the fit to {found.source}", picture)
    return found


def with_sites(scenario: Scenario, path: Path) -> Scenario:
    """The scenario with the sites of a CSV file; users are up to as far outside as neighbouring sites are apart."""
    sites = read_sites(path)
    place_m = np.array([(site.x_m, site.y_m) for site in sites])
    margin_m = LEAST_MARGIN_M
    if len(sites) > 1:
        apart_m = np.hypot(*(place_m[:, None] - place_m[None]).transpose(2, 0, 1))
        np.fill_diagonal(apart_m, np.inf)
        margin_m = max(margin_m, float(np.median(apart_m.min(axis=1))))
    low, high = place_m.min(axis=0) - margin_m, place_m.max(axis=0) + margin_m
    layout = {"kind": "csv", "file": str(path), "area_m": [*low.tolist(), *high.tolist()]}
    return scenario.with_changes({"layout": layout | {"placement": scenario.layout.placement}})


def scenario_text(found: Calibration) -> str:
    """The fitted scenario as YAML that `ranpilot twin run` takes, with what was fitted above it.

    Loads are left out, since they would write over what was fitted.
    """
    lines = [f"# Fitted to {found.source} by `ranpilot twin calibrate`, from the scenario {found.given.name}:"]
    for estimate in found.estimates:
        unit = f" {estimate.axis.parameter.unit}".removesuffix(" 1")
        interval = f"{estimate.low:.4g} to {estimate.high:.4g}"
        lines.append(f"# {estimate.axis.parameter.name} {estimate.value:.4g}{unit} (95 %: {interval})")
    held = f"{found.error_before:.3g} before, {found.error_after:.3g} after"
    lines.append(f"# Error on the {found.periods[1]} periods held out: {held}.")
    scenario = found.scenario
    exclude = {"load", "split", "loads"}
    full = scenario.model_dump(mode="json", exclude=exclude)
    values = _without_defaults(full, scenario.model_dump(mode="json", exclude=exclude, exclude_defaults=True))
    values["name"] = f"{scenario.name[:69]}-calibrated"
    values["traffic"]["mix"] = [_flat(entry) for entry in values["traffic"]["mix"]]
    buffer = io.StringIO()
    yaml = YAML()
    yaml.default_flow_style = None
    yaml.width = 120
    yaml.dump(values, buffer)
    return "\n".join([*lines, buffer.getvalue()])


def draw_levels(found: Calibration) -> Figure:
    """KPMs of every cell in the held-out periods: the file's, and the networks' before and after the fit."""
    by_kpm = {level.measurement: level for level in found.levels}
    shown = [by_kpm[measurement] for measurement in SHOWN if measurement in by_kpm][:MOST_PANELS]
    shown = shown or list(found.levels[:MOST_PANELS])
    rows = 1 if len(shown) <= 3 else 2
    columns = -(-len(shown) // rows)
    figure, axes = new_figure(columns, height=2.9 * rows, rows=rows)
    names = [cell.name for cell in found.given.cells]
    for axis, level in zip(axes, shown, strict=False):
        _draw_level(axis, level, names)
    for axis in axes[len(shown) :]:
        axis.set_visible(False)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=3, frameon=False, fontsize=9)
    return figure


def _draw_level(axis: Axes, level: Level, cell_names: Sequence[str]) -> None:
    place = np.arange(len(level.file))
    axis.plot(place, level.file, "_", color=INK, ms=18, mew=2.0, label="file", zorder=4)
    for values, shift, colour, label in (
        (level.before, -0.15, FAINT, "before"), (level.after, 0.15, CELL_COLOURS[0], "fitted"),
    ):  # fmt: skip
        spread = values.std(axis=0, ddof=1)
        axis.errorbar(place + shift, values.mean(axis=0), spread, fmt="o", ms=5, lw=1.4, color=colour, label=label)
    is_of_users = level.measurement.scope == "ue"
    labels = ["median user"] if is_of_users else cell_names
    if len(labels) <= MOST_NAMED:
        axis.set_xticks(place, labels)
    else:
        axis.set_xlabel("cell")
    axis.set_xlim(-0.6, len(place) - 0.4)
    axis.set_ylabel(f"{level.measurement.name}, {level.unit}")
    axis.grid(axis="y", color=GRID, lw=0.8)


def _without_defaults(full: Any, short: Any) -> Any:
    """`short` (defaults left out) with every `kind` of `full`, by which a reader knows what a mapping is."""
    if isinstance(full, Mapping) and isinstance(short, Mapping):
        kept = {key: _without_defaults(full[key], value) for key, value in short.items()}
        return ({"kind": full["kind"]} if "kind" in full else {}) | kept
    if isinstance(full, list) and isinstance(short, list) and len(full) == len(short):
        return [_without_defaults(one, other) for one, other in zip(full, short, strict=True)]
    return short


def _flat(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A kind of traffic with the model's keys beside those of the share, as files have them."""
    return {**entry["model"], **{key: value for key, value in entry.items() if key != "model"}}
