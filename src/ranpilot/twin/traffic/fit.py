"""Fits a traffic profile to captures, and measures how well it reproduces them.

1. A capture is read as a circle (after its last packet comes its first), without the time that was cut out.
2. A gap above `burst_idle_s` ends a burst.
3. A burst's phase is its class by size (three classes with equal shares of the whole), by the idle time after it
   (bounds 30 ms, 0.3 s, 3 s), and by the rate in windows around it; size and rate count packets or bits (`weighing`).
   Phases with fewer than four visits join the most visited phase with the same idle class.
4. Of every phase: what came next and how often, and the tables of packets, gaps, idle times and sizes.

Steps 2 and 3 are tried for each of `BURST_IDLES_S`, `RATE_WINDOWS_S` and `WEIGHINGS`; kept is what reproduces the index
of dispersion of packets and of bits from 1 ms to 10 s best: smallest largest |log(model / capture)|, among those whose
bursts fill at most a quarter of the time (so that the rate can be scaled up fourfold), if there are any. What is
reported comes from other random numbers than what was chosen by.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ranpilot.errors import InputError
from ranpilot.twin.traffic.capture import PHONE, Capture, read_capture
from ranpilot.twin.traffic.models.fitted import Fitted
from ranpilot.twin.traffic.profile import Bin, Component, Phase, Profile, Table, Weighing
from ranpilot.twin.traffic.protocol import BLOCK_SLOTS, FloatArray, Int64Array
from ranpilot.twin.traffic.statistics import (
    TIME_SCALES_S,
    Dispersion,
    dispersion_of_capture,
    dispersion_of_runs,
    ks_distance,
)

__all__ = ["FitReport", "FitRow", "fit_capture", "fit_captures", "play_component", "save_profile"]

BURST_IDLES_S = (0.001, 0.002, 0.005, 0.02)
RATE_WINDOWS_S = ((), (0.2,), (4.0,), (10.0,), (0.2, 4.0), (1.0, 10.0), (2.0, 20.0), (4.0, 40.0))
WEIGHINGS: tuple[Weighing, ...] = ("packets", "bits")

_IDLE_BOUNDS_S = (0.03, 0.3, 3.0)
_NUM_SIZE_CLASSES = 3
_MIN_VISITS = 4
_MAX_BURST_SHARE = 0.25
_MAX_BINS = {"packets": 8, "gap_s": 10, "idle_s": 10, "size_bits": 16}
_SAMPLES_PER_BIN = 6
_SLOT_S = 0.001
_CHOICE_RUNS, _REPORT_RUNS = 16, 64
_CHOICE_SEED, _REPORT_SEED = 1, 2


@dataclass(frozen=True)
class FitRow:
    """One quantity of one capture and of its model."""

    source: str
    name: str
    unit: str
    capture: float
    model: float


@dataclass(frozen=True)
class FitReport:
    """A fitted profile and how it compares with its captures."""

    profile: Profile
    rows: tuple[FitRow, ...]
    path: Path | None

    def table(self) -> str:
        """The comparison as text, a line for each quantity of each capture."""
        lines = [f"{'capture':<24} {'quantity':<32} {'unit':<8} {'capture':>12} {'model':>12} {'ratio':>7}"]
        for row in self.rows:
            ratio = f"{row.model / row.capture:7.2f}" if row.capture else f"{'':>7}"
            values = f"{row.capture:>12.5g} {row.model:>12.5g}"
            lines.append(f"{Path(row.source).name:<24} {row.name:<32} {row.unit:<8} {values} {ratio}")
        return "\n".join(lines)

    def values(self) -> list[dict[str, str | float]]:
        """The comparison as records {name, value, unit, reference, difference}."""
        return [
            {
                "name": f"traffic/{self.profile.name}/{Path(row.source).name}/{row.name}",
                "value": row.model,
                "unit": row.unit,
                "reference": row.capture,
                "difference": row.model - row.capture,
            }
            for row in self.rows
        ]


class _Bursts(NamedTuple):
    start: Int64Array
    """[N], index of the first packet."""
    stop: Int64Array
    """[N], index behind the last packet."""
    idle_s: FloatArray
    """[N], silence after the burst."""


def fit_capture(
    path: str | Path,
    *,
    phone: str = PHONE,
    cut_idle_s: float | None = None,
    out: str | Path | None = None,
) -> FitReport:
    """Fit a profile with one component to a capture (pcap or CSV), and write it to `out` where given.

    Raises: TraceError with file and line (or packet) for what cannot be read, InputError where `out` cannot be written.
    """
    if out is not None and not str(out).endswith(".json"):
        raise InputError(f"{out}: the name of a profile must end with .json.")
    if out is not None and not Path(out).parent.is_dir():
        raise InputError(f"{out}: cannot be written (no folder {Path(out).parent}).")
    capture = read_capture(path, phone=phone, cut_idle_s=cut_idle_s)
    name = Path(out).stem if out is not None else Path(path).stem
    options = f" --phone {phone}" if phone != PHONE else ""
    options += f" --cut-idle-s {cut_idle_s:g}" if cut_idle_s is not None else ""
    options += f" --out {out}" if out is not None else ""
    command = f"ranpilot traffic fit {path}{options}"
    report = fit_captures([capture], name=name, source=str(path), licence="as the capture", command=command)
    if out is None:
        return report
    return FitReport(report.profile, report.rows, save_profile(report.profile, out))


def fit_captures(captures: Sequence[Capture], *, name: str, source: str, licence: str, command: str) -> FitReport:
    """Fit a profile with a component for each capture."""
    components = tuple(_fit_component(capture) for capture in captures)
    profile = Profile(name=name, source=source, licence=licence, command=command, components=components)
    rows = [
        row for capture, component in zip(captures, components, strict=True) for row in _compare(capture, component)
    ]
    return FitReport(profile, tuple(rows), None)


def save_profile(profile: Profile, path: str | Path) -> Path:
    """Write a profile as JSON, complete or not at all."""
    path = Path(path)
    text = json.dumps(profile.model_dump(mode="json"), separators=(",", ":")).replace('{"visits"', '\n{"visits"')
    partial = path.with_name(path.name + ".tmp")
    try:
        partial.write_text(text + "\n", encoding="utf-8")
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise InputError(f"{path}: cannot be written ({error.strerror}).") from None
    return path


def _fit_component(capture: Capture) -> Component:
    """The candidate that reproduces the capture's dispersion best."""
    candidates = [
        _candidate(capture, idle_s, windows, weighing)
        for idle_s in BURST_IDLES_S
        for windows in RATE_WINDOWS_S
        for weighing in WEIGHINGS
    ]
    sparse = [component for component in candidates if _burst_share(component) <= _MAX_BURST_SHARE]
    aim = dispersion_of_capture(capture)
    errors = [_dispersion_error(capture, aim, component) for component in sparse or candidates]
    best = (sparse or candidates)[int(np.argmin(errors))]
    of_packets, of_bits = (tuple(float(f"{x:.5g}") for x in values) for values in (aim.packets, aim.bits))
    return best.model_copy(update={"dispersion_packets": of_packets, "dispersion_bits": of_bits})


def _candidate(
    capture: Capture, burst_idle_s: float, rate_windows_s: tuple[float, ...], weighing: Weighing
) -> Component:
    bursts = _split_bursts(capture, burst_idle_s)
    weight = capture.bits if weighing == "bits" else np.ones(len(capture.bits), dtype=np.int64)
    phase = _assign_phases(capture, bursts, rate_windows_s, weight)
    return Component(
        source=Path(capture.source).name,
        sha256=capture.sha256,
        duration_s=round(capture.duration_s, 6),
        packets=len(capture.time_s),
        cut_idle_s=capture.cut_idle_s,
        burst_idle_s=burst_idle_s,
        rate_windows_s=rate_windows_s,
        weighing=weighing,
        phases=_make_phases(capture, bursts, phase),
    )


def _split_bursts(capture: Capture, burst_idle_s: float) -> _Bursts:
    around_s = max(capture.duration_s - capture.time_s[-1] + capture.time_s[0], 1e-6)
    gap = np.append(np.diff(capture.time_s), around_s)
    is_last = gap > burst_idle_s
    is_last[-1] = True
    stop = np.flatnonzero(is_last) + 1
    return _Bursts(np.append(0, stop[:-1]), stop, gap[stop - 1])


def _assign_phases(
    capture: Capture, bursts: _Bursts, rate_windows_s: tuple[float, ...], weight: Int64Array
) -> Int64Array:
    """The phase of each burst [N], numbered from 0 without holes; `weight` [P] of a packet is 1 or its bits."""
    total = np.append(0, np.cumsum(weight))
    size = total[bursts.stop] - total[bursts.start]
    by_size = _equal_share_classes(size.astype(float), size, _NUM_SIZE_CLASSES)
    by_idle = np.searchsorted(_IDLE_BOUNDS_S, bursts.idle_s)
    by_rate = np.zeros(len(size), dtype=np.int64)
    num_classes = 3 if len(rate_windows_s) > 1 else 4
    time = capture.time_s[bursts.start]
    for window_s in rate_windows_s:
        first = np.searchsorted(capture.time_s, time - window_s / 2)
        last = np.searchsorted(capture.time_s, time + window_s / 2)
        by_rate = by_rate * num_classes + _equal_share_classes(
            (total[last] - total[first]) / window_s, size, num_classes
        )
    idle_classes = len(_IDLE_BOUNDS_S) + 1
    key = (by_rate * _NUM_SIZE_CLASSES + by_size) * idle_classes + by_idle
    found, visits = np.unique(key, return_counts=True)
    for rare in found[visits < _MIN_VISITS]:
        fits = (found % idle_classes == rare % idle_classes) & (visits >= _MIN_VISITS)
        among = fits if fits.any() else np.ones(len(found), dtype=bool)
        key[key == rare] = found[among][np.argmax(visits[among])]
    phase: Int64Array = np.unique(key, return_inverse=True)[1].astype(np.int64)
    return phase


def _equal_share_classes(value: FloatArray, weight: Int64Array, num_classes: int) -> Int64Array:
    """Classes of rising `value` [N] that hold about equal sums of `weight`."""
    order = np.argsort(value, kind="stable")
    share = np.cumsum(weight[order]) / weight.sum()
    bounds = np.unique(value[order][np.searchsorted(share, np.arange(1, num_classes) / num_classes)])
    return np.searchsorted(bounds, value, side="left").astype(np.int64)


def _make_phases(capture: Capture, bursts: _Bursts, phase: Int64Array) -> tuple[Phase, ...]:
    gap = np.append(np.diff(capture.time_s), 0.0)
    of_packet = np.repeat(phase, bursts.stop - bursts.start)
    is_inside = np.ones(len(capture.time_s), dtype=bool)
    is_inside[bursts.stop - 1] = False
    follower = np.roll(phase, -1)
    phases = []
    for index in range(int(phase.max()) + 1):
        chosen = phase == index
        target, count = np.unique(follower[chosen], return_counts=True)
        values = {
            "packets": (bursts.stop - bursts.start)[chosen].astype(float),
            "gap_s": gap[is_inside & (of_packet == index)],
            "idle_s": bursts.idle_s[chosen],
            "size_bits": capture.bits[of_packet == index].astype(float),
        }
        tables = {name: _make_table(value, _MAX_BINS[name]) for name, value in values.items()}
        successors = tuple(zip(target.tolist(), count.tolist(), strict=True))
        phases.append(Phase(visits=int(chosen.sum()), next=successors, **tables))
    return tuple(phases)


def _make_table(values: FloatArray, max_bins: int) -> Table:
    """Bins of equal probability as (lowest, highest, mean), five digits each; (0, 0, 0) where there is no value."""
    if len(values) == 0:
        return ((0.0, 0.0, 0.0),)
    num_bins = int(np.clip(len(values) // _SAMPLES_PER_BIN, 1, max_bins))
    ordered = np.sort(values)
    at = np.arange(num_bins + 1) / num_bins * len(ordered)
    cumulative = np.concatenate([[0.0], np.cumsum(ordered)])
    sums = np.diff(np.interp(at, np.arange(len(ordered) + 1), cumulative))
    means = sums * num_bins / len(ordered)
    return tuple(_make_bin(ordered, at[i], at[i + 1], means[i]) for i in range(num_bins))


def _make_bin(ordered: FloatArray, begin: float, end: float, mean: float) -> Bin:
    """One bin; a value on the border of two bins counts in each with its share."""
    low = ordered[min(int(begin), len(ordered) - 1)]
    high = ordered[max(int(np.ceil(end)) - 1, 0)]
    low, mean, high = (float(f"{value:.5g}") for value in (low, mean, high))
    return low, max(high, mean), max(low, mean)


def _burst_share(component: Component) -> float:
    burst, idle = component.mean_cycle_s
    return burst / (burst + idle)


def play_component(component: Component, runs: int, seed: int) -> tuple[Int64Array, FloatArray, FloatArray]:
    """Run [P], time in s [P] and bits [P] of `runs` UEs for as long as the capture, sorted by run, then time."""
    profile = Profile(name="fit", source="", licence="", command="", components=(component,))
    model = Fitted.from_profile(profile, _SLOT_S)
    networks, ues = np.zeros(runs, dtype=np.int64), np.arange(runs)
    state = model.initial_state(seed, networks, ues)
    num_slots = int(component.duration_s / _SLOT_S)
    drawn = []
    for block in range(-(-num_slots // BLOCK_SLOTS)):
        packets = model.draw_block(seed, networks, ues, block, state)
        slot = packets.slot.astype(np.int64) + block * BLOCK_SLOTS
        drawn.append(np.stack([packets.row.astype(np.int64), slot, packets.bits.astype(np.int64)]))
    run, slot, bits = np.concatenate(drawn, axis=1)
    order = np.argsort(run * (num_slots + BLOCK_SLOTS) + slot, kind="stable")
    order = order[slot[order] < num_slots]
    return run[order], (slot[order] + 0.5) * _SLOT_S, bits[order].astype(float)


def _dispersion_error(capture: Capture, of_capture: Dispersion, component: Component) -> float:
    played = play_component(component, _CHOICE_RUNS, _CHOICE_SEED)
    of_model = dispersion_of_runs(*played, _CHOICE_RUNS, capture.duration_s)
    ratio = np.concatenate([of_model.packets / of_capture.packets, of_model.bits / of_capture.bits])
    return float(np.abs(np.log(ratio[np.isfinite(ratio) & (ratio > 0)])).max())


def _compare(capture: Capture, component: Component) -> list[FitRow]:
    run, time_s, bits = play_component(component, _REPORT_RUNS, _REPORT_SEED)
    of_capture = dispersion_of_capture(capture)
    of_model = dispersion_of_runs(run, time_s, bits, _REPORT_RUNS, capture.duration_s)
    played_s = _REPORT_RUNS * capture.duration_s

    def row(name: str, unit: str, of_the_capture: float, of_the_model: float) -> FitRow:
        return FitRow(capture.source, name, unit, float(of_the_capture), float(of_the_model))

    rows = [
        row("mean rate, played", "kbit/s", capture.mean_rate_bps / 1e3, bits.sum() / played_s / 1e3),
        row("mean rate, long run", "kbit/s", capture.mean_rate_bps / 1e3, component.mean_rate_bps / 1e3),
        row("packet rate", "1/s", len(capture.time_s) / capture.duration_s, len(bits) / played_s),
        row("packet size, mean", "bit", capture.bits.mean(), bits.mean()),
        row("packet size, KS distance", "1", 0.0, ks_distance(capture.bits.astype(float), bits)),
    ]
    for kind in ("packets", "bits"):
        for scale, ours, theirs in zip(TIME_SCALES_S, getattr(of_model, kind), getattr(of_capture, kind), strict=True):
            rows.append(row(f"dispersion of {kind}, {scale * 1e3:g} ms", "1", theirs, ours))
    return rows
