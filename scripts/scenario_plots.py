"""The plot of what each named scenario is about, which stands beside its map in docs/scenarios.md."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ranpilot.declare import Measurement
from ranpilot.experiments.plots import CELL_COLOURS, FAINT, GRID, INK
from ranpilot.twin import kpm
from ranpilot.twin.controls import CELL_SLEEP
from ranpilot.twin.inspect import Inspection
from ranpilot.twin.network import Networks
from ranpilot.twin.recording import Recording
from ranpilot.twin.scenario import Scenario

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["FIRST_S", "PLOTS", "Plot", "Run", "Watched"]

FIRST_S = 1.0
"""Warm-up."""
LOAD_COLOURS = dict(zip(("low", "normal", "high"), CELL_COLOURS, strict=False))
DEEP_SLEEP = 3
MOST_IN_A_COLUMN = 4


@dataclass(frozen=True)
class Run:
    """A scenario at one load, as it was measured."""

    scenario: Scenario
    recording: Recording
    delays: np.ndarray
    """[D] delivered packets of all cells by delay"""
    slices: Mapping[str, np.ndarray]
    """[T, B, C, S] what was measured of slices, by name"""

    @property
    def delay_edge_ms(self) -> np.ndarray:
        """[D] upper edges of the bins; the last is open."""
        return kpm.delay_edges_ms(self.scenario.slot_s)

    @property
    def mean_delay_ms(self) -> float:
        """Each cell's mean over packets, which it reports in 0.1 ms, weighed by the bits that it delivered."""
        total = self.recording.total
        bits = total[kpm.VOLUME.name]
        return 0.1 * float((total[kpm.PACKET_DELAY.name] * bits).sum() / max(bits.sum(), 1e-9))


@dataclass(frozen=True)
class Watched:
    """A scenario at all its loads, and a look at one network of it."""

    scenario: Scenario
    runs: Mapping[str, Run]
    look: Inspection


Plot = Callable[["Axes", Watched], None]


def plot_delays(axis: Axes, found: Watched) -> None:
    """Distribution of packet delay at each load, with the deadlines of the traffic."""
    deadlines_ms = {entry.deadline_ms for entry in found.scenario.traffic.mix if entry.deadline_ms is not None}
    for deadline_ms in sorted(deadlines_ms):
        axis.axvline(deadline_ms, color=FAINT, lw=0.8, ls=(0, (3, 3)))
    for load, run in found.runs.items():
        edge_ms = run.delay_edge_ms
        is_closed = np.isfinite(edge_ms)
        share = (np.cumsum(run.delays) / max(run.delays.sum(), 1))[is_closed]
        axis.plot(edge_ms[is_closed], share, color=LOAD_COLOURS[load], lw=1.8, label=f"{load} load")
    axis.set(xlabel="packet delay, ms (dashed: deadlines)", ylabel="share of packets below", xscale="log", ylim=(0, 1))
    axis.set_xlim(right=2.0 * max(deadlines_ms, default=found.look.delay_edge_ms[-2]))
    _finish(axis)


def plot_over_time(axis: Axes, found: Watched, measurement: Measurement, load: str = "normal") -> None:
    """A measurement of cells over time, mean over networks and 0.3 s; one line for cells without events."""
    recording, events = found.runs[load].recording, found.scenario.events
    scheduled = () if events is None else events.schedule
    named = list(dict.fromkeys(event.cell for event in scheduled)) or list(recording.cell_names)
    series = _by_threes(recording.series[measurement.name].mean(axis=1))
    end_s = _by_threes(recording.end_s)
    for number, name in enumerate(named):
        colour = CELL_COLOURS[number % len(CELL_COLOURS)]
        axis.plot(end_s, series[:, recording.cell_names.index(name)], color=colour, lw=1.6, label=name)
    others = [cell for cell, name in enumerate(recording.cell_names) if name not in named]
    if others:
        axis.plot(end_s, series[:, others].mean(axis=1), color=FAINT, lw=1.0, label="mean of others")
    top = 1.06 * max(1e-9, float(series.max()))
    for number, event in enumerate(scheduled):
        colour, height = CELL_COLOURS[named.index(event.cell) % len(CELL_COLOURS)], top * (1.04 + 0.07 * number)
        axis.plot([event.start_s, event.start_s + event.duration_s], [height, height], color=colour, lw=4, alpha=0.5)
        axis.annotate(event.kind, (event.start_s, height), fontsize=7, color=INK, va="center")
    axis.set(xlabel=f"s, {load} load", ylabel=f"{measurement.name}, {measurement.unit}")
    axis.grid(color=GRID, lw=0.8, zorder=0)
    # Above the bars of events, which would run through it.
    axis.set_ylim(0, top * (1.35 + 0.07 * len(scheduled)))
    axis.legend(frameon=False, fontsize=8, loc="upper left", ncols=1 if len(named) < MOST_IN_A_COLUMN else 3)


def plot_handovers(axis: Axes, found: Watched) -> None:
    """Handovers and what goes wrong with them, for a user and a minute, at each load."""
    shown = {
        "handovers": kpm.HANDOVERS_IN,
        "ping-pongs": kpm.PING_PONGS,
        "too late": kpm.HANDOVERS_TOO_LATE,
        "link failures": kpm.LINK_FAILURES,
    }
    for number, (load, run) in enumerate(found.runs.items()):
        total = run.recording.total
        user_minutes = total[kpm.CONNECTED_MEAN.name].sum() * run.recording.recorded_s / 60.0
        rates = [total[measurement.name].sum() / user_minutes for measurement in shown.values()]
        place = np.arange(len(shown)) + 0.27 * (number - 1)
        axis.bar(place, rates, width=0.25, color=LOAD_COLOURS[load], label=f"{load} load", zorder=3)
    axis.set_xticks(range(len(shown)), list(shown))
    axis.set_ylabel("for a user and a minute")
    _finish(axis)


def plot_gain_over_distance(axis: Axes, found: Watched) -> None:
    """Coupling gain of every user of one network over the distance to the site that serves it."""
    look = found.look
    far_km = np.hypot(look.ue_x_m - look.cell_x_m[look.ue_cell], look.ue_y_m - look.cell_y_m[look.ue_cell]) / 1000.0
    colours = [CELL_COLOURS[cell % len(CELL_COLOURS)] for cell in look.ue_cell]
    axis.scatter(far_km, look.coupling_gain_db, s=14, c=colours, lw=0, zorder=3)
    axis.set(xlabel="km to the serving site", ylabel="coupling gain, dB", xlim=(0, None))
    axis.grid(color=GRID, lw=0.8)


def plot_sinr(axis: Axes, found: Watched) -> None:
    """Distribution of the mean SINR of cells at each load: what interference does."""
    for load, run in found.runs.items():
        values_db = np.sort(run.recording.series[kpm.SINR_MEAN.name].ravel())
        share = np.linspace(0, 1, len(values_db))
        axis.plot(values_db, share, color=LOAD_COLOURS[load], lw=1.8, label=f"{load} load")
    axis.set(xlabel="mean SINR of a cell's users, dB", ylabel="share of cells and times below", ylim=(0, 1))
    _finish(axis)


def plot_power(axis: Axes, found: Watched) -> None:
    """Power of the whole network under four ways to sleep, with the 95th percentile of delay beside each bar."""
    scenario = found.scenario.with_load("normal")
    small = np.array([cell.antenna is None for cell in scenario.cells])
    cases = {
        "none": ("none", False),
        "micro sleep\nin empty slots": ("micro", False),
        "light sleep\nafter 20 ms": ("light", False),
        "the same, street\ncells asleep": ("light", True),
    }
    for place, (sleep, by_control) in enumerate(cases.values()):
        networks = Networks(scenario.with_changes({"energy": {"automatic_sleep": sleep}}), 4, 1)
        if by_control:
            networks.apply({CELL_SLEEP: np.tile(np.where(small, DEEP_SLEEP, 0), (4, 1))})
        networks.advance(round(FIRST_S / scenario.slot_s))
        networks.measure()
        networks.advance(round(2.0 / scenario.slot_s))
        edge_ms, packets = networks.delay_histogram()
        counts = packets.sum(axis=(0, 1))
        slow_ms = edge_ms[np.searchsorted(np.cumsum(counts), 0.95 * counts.sum())]
        watts = networks.measure()[kpm.MEAN_POWER.name].sum(axis=1).mean()
        axis.bar(place, watts, width=0.6, color=CELL_COLOURS[2 if by_control else 0], zorder=3)
        text = f"{watts:.0f} W\n95 % ≤ {slow_ms:.0f} ms"
        axis.annotate(text, (place, watts), ha="center", va="bottom", fontsize=8, color=INK)
    axis.set_xticks(range(len(cases)), list(cases), fontsize=8)
    axis.set_ylabel("power of all cells, W")
    axis.margins(y=0.18)
    axis.grid(axis="y", color=GRID, lw=0.8, zorder=0)


def plot_served(axis: Axes, found: Watched) -> None:
    """Delivered over offered bits of each slice at each load, over cells, networks and time together."""
    assert found.scenario.slices is not None
    names = [tenant.name for tenant in found.scenario.slices.tenants]
    for number, (load, run) in enumerate(found.runs.items()):
        delivered, offered = (
            run.slices[each.name].sum(axis=(0, 1, 2)) for each in (kpm.SLICE_VOLUME, kpm.SLICE_OFFERED)
        )
        place = np.arange(len(names)) + 0.27 * (number - 1)
        served = 100.0 * delivered / np.maximum(offered, 1e-9)
        axis.bar(place, served, width=0.25, color=LOAD_COLOURS[load], label=f"{load} load", zorder=3)
    axis.set_xticks(range(len(names)), names)
    axis.set(ylabel="delivered of offered bits, %", ylim=(0, 135))
    _finish(axis)


def plot_seats(axis: Axes, found: Watched) -> None:
    """PRBs that each seat for a slice uses over time, in one network at normal load, one above the other."""
    run = found.runs["normal"]
    use = run.slices[kpm.SLICE_PRB_USE.name][:, 0].mean(axis=1)
    axis.stackplot(run.recording.end_s, use.T, colors=CELL_COLOURS, alpha=0.75, lw=0)
    axis.set(xlabel="s, normal load, one network", ylabel="PRBs in use, by seat, %", ylim=(0, 100))
    axis.grid(color=GRID, lw=0.8)


def _by_threes(values: np.ndarray) -> np.ndarray:
    """Means of three periods each; what is left over at the end is left out."""
    whole = len(values) // 3
    means: np.ndarray = values[: 3 * whole].reshape(whole, 3, *values.shape[1:]).mean(axis=1)
    return means


def _finish(axis: Axes) -> None:
    axis.grid(color=GRID, lw=0.8, zorder=0)
    axis.legend(frameon=False, fontsize=8)


PLOTS: Mapping[str, Plot] = {
    "reference": plot_delays,
    "dense-street": plot_delays,
    "indoor-office": plot_sinr,
    "indoor-factory": plot_delays,
    "xr-arena": plot_delays,
    "urban-macro": plot_sinr,
    "two-cell": partial(plot_over_time, measurement=kpm.CONNECTED_MEAN),
    "stadium-evening": partial(plot_over_time, measurement=kpm.CONNECTED_MEAN),
    "faults": partial(plot_over_time, measurement=kpm.VOLUME),
    "highway": plot_handovers,
    "rural": plot_gain_over_distance,
    "energy-night": plot_power,
    "slicing-small": plot_served,
    "oran-slicing": plot_seats,
    "oran-slicing-large": plot_seats,
}
"""By the name of the scenario; what is not here is drawn as `reference` is."""
