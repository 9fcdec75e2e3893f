"""KPMs as files: tables of granularity periods as CSV or Parquet, written as they come or at once, and read again.

A row a value, with the columns of `period_frame`, the unit among them. A Parquet file also carries, as JSON under the
key `ranpilot` of its metadata, where the table is from and unit, scope, formula and source of each KPM.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from ranpilot.declare import Distribution, Measurement
from ranpilot.errors import ConfigError, MissingExtraError
from ranpilot.runs.files import storing
from ranpilot.twin import kpm
from ranpilot.twin.recording import PERIOD_COLUMNS, Period, period_frame

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PeriodFile", "check_table_path", "open_period_file", "read_kpms", "write_kpms"]

KINDS = (".csv", ".parquet")
KEY = b"ranpilot"


class PeriodFile(Protocol):
    """A table that grows by the rows of each period."""

    def write(self, period: Period) -> None:
        """Add the period's rows; they are on disk when it returns."""
        ...


@contextmanager
def open_period_file(
    path: Path, cell_names: Sequence[str], about: Mapping[str, object] | None = None
) -> Iterator[PeriodFile]:
    """Begin a file of the rows of `period_frame`; about: what a Parquet file's metadata says of them.

    Raises ConfigError where the name ends in neither .csv nor .parquet, MissingExtraError for .parquet without pyarrow.
    """
    with _open(path, about or {}) as file:
        yield _Periods(file, cell_names)


def write_kpms(table: pd.DataFrame, path: Path, about: Mapping[str, object] | None = None) -> None:
    """Write a table such as `kpm_table` makes. Raises as `open_period_file` does."""
    with _open(path, about or {}) as file:
        file.append(table)


def read_kpms(path: Path) -> pd.DataFrame:
    """A table that was written here, the same to the last bit; its `attrs` are what a Parquet file says of it.

    Raises ConfigError for a file that is not there or not such a table, MissingExtraError for .parquet without pyarrow.
    """
    check_table_path(path)
    if not path.is_file():
        raise ConfigError("table", str(path), "a file that is there")
    table = _read_csv(path) if path.suffix.lower() == ".csv" else _read_parquet(path)
    missing = [column for column in PERIOD_COLUMNS if column not in table.columns]
    if missing:
        raise ConfigError("columns", list(table.columns), f"with {', '.join(missing)} too", source=str(path))
    return table


def check_table_path(path: Path) -> None:
    """Raise ConfigError for an ending that is not one of the two, MissingExtraError for .parquet without pyarrow."""
    if path.suffix.lower() not in KINDS:
        raise ConfigError("table", str(path), f"a name that ends in {' or '.join(KINDS)}")
    if path.suffix.lower() == ".parquet":
        _parquet()


@contextmanager
def _open(path: Path, about: Mapping[str, object]) -> Iterator[_CsvFile | _ParquetFile]:
    check_table_path(path)
    with storing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = _CsvFile(path) if path.suffix.lower() == ".csv" else _ParquetFile(path, about)
    try:
        yield file
    finally:
        with storing(path):
            file.close()


class _Periods:
    def __init__(self, file: _CsvFile | _ParquetFile, cell_names: Sequence[str]) -> None:
        self._file, self._names = file, cell_names

    def write(self, period: Period) -> None:
        self._file.append(period_frame(period, self._names))


class _CsvFile:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] = path.open("w", encoding="utf-8", newline="")
        self._is_new = True

    def append(self, table: pd.DataFrame) -> None:
        with storing(self._path):
            table.to_csv(self._file, index=False, header=self._is_new)
            self._file.flush()
        self._is_new = False

    def close(self) -> None:
        self._file.close()


class _ParquetFile:
    """A row group a period; the file can be read once it is closed, also after a stop."""

    def __init__(self, path: Path, about: Mapping[str, object]) -> None:
        self._path, self._about = path, json.dumps({**about, "kpms": _described()})
        self._arrow, self._parquet = _parquet()
        self._writer: Any = None

    def append(self, table: pd.DataFrame) -> None:
        rows = self._arrow.Table.from_pandas(table, preserve_index=False)
        rows = rows.replace_schema_metadata({**rows.schema.metadata, KEY: self._about})
        with storing(self._path):
            if self._writer is None:
                self._writer = self._parquet.ParquetWriter(self._path, rows.schema)
            self._writer.write_table(rows)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


def _described() -> dict[str, dict[str, object]]:
    """Every KPM's declaration, by its name."""
    declared: list[Measurement | Distribution] = [*kpm.MEASUREMENTS, *kpm.HISTOGRAMS]
    return {each.name: asdict(each) for each in declared}


def _parquet() -> tuple[Any, Any]:
    """The packages that read and write Parquet."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError("pyarrow", "A .parquet file", "pip install pyarrow") from None
    return pyarrow, pyarrow.parquet


def _read_csv(path: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        names = pd.read_csv(path, nrows=0).columns
        kinds = {column: kind for column, kind in PERIOD_COLUMNS.items() if column in names}
        # Python's own reading of a number is exact in every version of pandas; a cell may be called "NA".
        numbers = {column: _read_number for column, kind in kinds.items() if kind == "float64"}
        others = {column: kind for column, kind in kinds.items() if kind != "float64"}
        return pd.read_csv(path, dtype=others, converters=numbers, keep_default_na=False)
    except (ValueError, pd.errors.ParserError) as error:
        raise ConfigError("table", str(path), f"a CSV table of KPMs ({str(error).strip()})") from None


def _read_number(text: str) -> float:
    return float(text or "nan")


def _read_parquet(path: Path) -> pd.DataFrame:
    arrow, parquet = _parquet()
    try:
        rows = parquet.read_table(path)
    except arrow.ArrowInvalid as error:
        problem = str(error).splitlines()[0].rstrip(".")
        raise ConfigError("table", str(path), f"a Parquet table of KPMs ({problem})") from None
    table: pd.DataFrame = rows.to_pandas()
    table.attrs = json.loads((rows.schema.metadata or {}).get(KEY, b"{}"))
    return table
