"""The MCS and CQI tables of PDSCH: modulation order and code rate of each index.

Source: TS 38.214 Tables 5.1.3.1-1 to -3 and 5.2.2.1-2 to -4, kept in data/*.csv.
"""

from __future__ import annotations

import functools
from importlib import resources
from typing import NamedTuple

from ranpilot.errors import ConfigError

__all__ = ["ModulationAndCoding", "check_mcs", "cqi_table", "mcs_of_cqi", "mcs_table", "read_rows"]

_NUM_TABLES = 3


class ModulationAndCoding(NamedTuple):
    """One row of an MCS or CQI table."""

    modulation_order: int
    """Bits of one symbol: 2, 4, 6 or 8."""
    code_rate_x1024: float
    """Target code rate times 1024 (with halves: 682.5 and 916.5)."""

    @property
    def spectral_efficiency(self) -> float:
        """Information bits of one resource element."""
        return self.modulation_order * self.code_rate_x1024 / 1024.0


def read_rows(name: str) -> list[list[str]]:
    """Rows of a data file of this package, without comment lines and header."""
    text = resources.files("ranpilot.twin.phy").joinpath("data", name).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [line.split(",") for line in lines[1:]]


@functools.cache
def mcs_table(table: int) -> tuple[ModulationAndCoding, ...]:
    """MCS table 1, 2 or 3; the position is the MCS index, reserved rows are left out. Raises: ConfigError."""
    return _table("mcs_tables.csv", "table", table)


@functools.cache
def cqi_table(table: int) -> tuple[ModulationAndCoding, ...]:
    """CQI table 1, 2 or 3; position 0 is CQI 1. Raises: ConfigError."""
    return _table("cqi_tables.csv", "table", table)


@functools.cache
def mcs_of_cqi(table: int, cqi: int | None = None) -> tuple[int, ...]:
    """For CQI 0..15, the highest MCS whose spectral efficiency is at most the CQI's.

    table: of the MCS; cqi: the CQI's, the same number where None. CQI 0 (out of range) and a CQI below the first MCS
    give MCS 0.
    """
    schemes = mcs_table(table)
    chosen = [0]
    for row in cqi_table(table if cqi is None else cqi):
        fits = [mcs for mcs, scheme in enumerate(schemes) if scheme.spectral_efficiency <= row.spectral_efficiency]
        # Table 1's efficiency falls at MCS 17 (64QAM 438) below MCS 16, so the highest fitting index is also the best.
        chosen.append(max(fits, default=0))
    return tuple(chosen)


def check_mcs(mcs: int, table: int) -> ModulationAndCoding:
    """The row of an MCS index. Raises: ConfigError."""
    schemes = mcs_table(table)
    if isinstance(mcs, bool) or not 0 <= mcs < len(schemes) or mcs != int(mcs):
        raise ConfigError("mcs", mcs, f"a whole number 0 to {len(schemes) - 1} (MCS table {table})")
    return schemes[int(mcs)]


def _table(name: str, field: str, table: int) -> tuple[ModulationAndCoding, ...]:
    if table not in range(1, _NUM_TABLES + 1):
        raise ConfigError(field, table, "1, 2 or 3")
    return tuple(
        ModulationAndCoding(int(order), float(rate)) for of, _, order, rate in read_rows(name) if int(of) == table
    )
