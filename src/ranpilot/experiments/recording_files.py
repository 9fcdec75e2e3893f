"""A recording of the twin as a table for the terminal, as a growing file of every period, and as a picture."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

import numpy as np

from ranpilot.errors import ConfigError
from ranpilot.experiments.plots import CELL_COLOURS, FAINT, GRID, new_figure
from ranpilot.runs.files import storing
from ranpilot.twin import kpm
from ranpilot.twin.frames import tidy
from ranpilot.twin.recording import Period, Recording, cell_measurements

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ranpilot.declare import Measurement

__all__ = ["PeriodFile", "draw_recording", "open_period_file", "recording_table"]

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
SCOPES = ("cell", "slice", "ue")
"""What the file of periods holds; links would be users times cells."""


class PeriodFile(Protocol):
    """A table that grows by the rows of each period."""

    def write(self, period: Period) -> None:
        """Add the period's rows; they are on disk when it returns."""
        ...


@contextmanager
def open_period_file(path: Path, cell_names: Sequence[str]) -> Iterator[PeriodFile]:
    """Begin a file of one row a value: end_s, network, scope, cell, cell_name, slice, ue, kpm, unit, value.

    Columns that a scope has not are -1 or empty. Raises ConfigError where the name ends in neither .csv nor .parquet.
    """
    kinds: dict[str, type[_CsvFile | _ParquetFile]] = {".csv": _CsvFile, ".parquet": _ParquetFile}
    if path.suffix.lower() not in kinds:
        raise ConfigError("table", str(path), "a name that ends in .csv or .parquet")
    with storing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = kinds[path.suffix.lower()](path, cell_names)
    try:
        yield file
    finally:
        with storing(path):
            file.close()


class _CsvFile:
    def __init__(self, path: Path, cell_names: Sequence[str]) -> None:
        self._path, self._names = path, cell_names
        self._file: IO[str] = path.open("w", encoding="utf-8", newline="")
        self._is_new = True

    def write(self, period: Period) -> None:
        with storing(self._path):
            _rows(period, self._names).to_csv(self._file, index=False, header=self._is_new)
            self._file.flush()
        self._is_new = False

    def close(self) -> None:
        self._file.close()


class _ParquetFile:
    """A row group a period; the file can be read once it is closed, also after a stop."""

    def __init__(self, path: Path, cell_names: Sequence[str]) -> None:
        self._path, self._names = path, cell_names
        self._writer: Any = None

    def write(self, period: Period) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.Table.from_pandas(_rows(period, self._names), preserve_index=False)
        with storing(self._path):
            if self._writer is None:
                self._writer = pq.ParquetWriter(self._path, table.schema)
            self._writer.write_table(table)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


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


def _rows(period: Period, cell_names: Sequence[str]) -> pd.DataFrame:
    scopes = {measurement.name: measurement.scope for measurement in kpm.MEASUREMENTS}
    shown = {name: array for name, array in period.values.items() if scopes[name] in SCOPES}
    frame = tidy(shown, period.network_ids)
    frame = frame[frame["value"].notna()]
    names = np.array([*cell_names, ""], dtype=object)
    frame.insert(3, "cell_name", names[frame["cell"].to_numpy()])
    frame.insert(0, "end_s", round(period.end_s, 9))
    return frame


def _mean_and_spread(values: np.ndarray) -> str:
    if len(values) == 1:
        return f"{values[0]:.4g}"
    return f"{values.mean():.4g} ± {values.std(ddof=1):.2g}"
