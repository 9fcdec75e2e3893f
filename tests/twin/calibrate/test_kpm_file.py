"""Files of KPMs: what is read, and one sentence for everything that cannot be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranpilot.errors import ConfigError
from ranpilot.twin import Networks, kpm
from ranpilot.twin.calibrate import KpmFile, read_kpm_file
from ranpilot.twin.scenario import Scenario

WIDE = """\
time_s,cell,ue,RRU.PrbTotDl [%],CARR.WBCQIDist.Mean,L1M.SS-RSRP.UE
1,a,,50,9,
1,a,phone,,,-90.5
1,b,,40,8,
2,a,,51,9,
2,b,,30,,
3,0,,10,1,
3,-1,phone,,,-91
"""
LONG = """\
kpm,value,time_s,cell,unit
RRU.PrbTotDl,50,0.25,a,%
RRU.PrbTotDl,40,0.25,b,%
DRB.UEThpDl,2500,0.5,a,kbit/s
"""


def read(folder: Path, text: str) -> KpmFile:
    path = folder / "kpm.csv"
    path.write_text(text, encoding="utf-8")
    return read_kpm_file(path, ["a", "b"])


def test_a_wide_file_is_cells_and_users_by_period(tmp_path: Path) -> None:
    found = read(tmp_path, WIDE)
    assert (found.source, found.num_values) == ("kpm.csv", 11)
    series = found.series
    assert series.period_s == 1.0
    assert series.end_s.tolist() == [1.0, 2.0, 3.0]
    use = series.cell[kpm.PRB_USE.name]
    assert use.shape == (3, 1, 2)
    np.testing.assert_array_equal(use[:, 0], [[50, 40], [51, 30], [10, np.nan]])
    np.testing.assert_array_equal(series.cell[kpm.CQI_MEAN.name][:, 0], [[9, 8], [9, np.nan], [1, np.nan]])
    np.testing.assert_array_equal(series.ue[kpm.UE_RSRP.name][:, 0, 0], [-90.5, np.nan, -91])


def test_a_long_file_is_the_same_whatever_the_order_of_columns(tmp_path: Path) -> None:
    series = read(tmp_path, LONG).series
    assert series.period_s == 0.25
    np.testing.assert_array_equal(series.cell[kpm.PRB_USE.name][:, 0], [[50, 40], [np.nan, np.nan]])
    np.testing.assert_array_equal(series.cell[kpm.CELL_THROUGHPUT.name][:, 0], [[np.nan, np.nan], [2500, np.nan]])


def test_parquet_and_csv_hold_the_same(tmp_path: Path) -> None:
    from_csv = read(tmp_path, WIDE)
    pd.read_csv(tmp_path / "kpm.csv").to_parquet(tmp_path / "kpm.parquet", index=False)
    from_parquet = read_kpm_file(tmp_path / "kpm.parquet", ["a", "b"])
    assert from_parquet.num_values == from_csv.num_values
    for scope in ("cell", "ue"):
        for name, values in getattr(from_csv.series, scope).items():
            np.testing.assert_array_equal(values, getattr(from_parquet.series, scope)[name])


def test_what_networks_measure_can_be_read_again(make_scenario: Callable[..., Scenario], tmp_path: Path) -> None:
    networks = Networks(make_scenario(), 2, seed=3)
    frames, measured = [], []
    for _ in range(3):
        networks.advance(100)
        measured.append(networks.measure())
    networks.reset()
    for _ in range(3):
        networks.advance(100)
        frames.append(networks.measure_frame())
    path = tmp_path / "kpm.csv"
    pd.concat(frames).to_csv(path, index=False)
    series = read_kpm_file(path, ["a", "b"]).series
    assert series.period_s == pytest.approx(0.1)
    by_name = {measurement.name: measurement for measurement in kpm.MEASUREMENTS}
    assert set(series.cell) == {name for name, m in by_name.items() if m.scope == "cell"}
    assert set(series.ue) == {name for name, m in by_name.items() if m.scope == "ue"}
    for name, values in {**series.cell, **series.ue}.items():
        np.testing.assert_allclose(values, [values_of[name] for values_of in measured], err_msg=name)
    frames[0].drop(columns=["start_s", "end_s"]).to_csv(path, index=False)
    assert np.isnan(read_kpm_file(path, ["a", "b"]).series.period_s), "a file without a time is one period"


MISTAKES: list[tuple[str, str, str, str]] = [
    (WIDE, "RRU.PrbTotDl [%]", "RRU.PrbTot", "kpm.csv:1: column = 'RRU.PrbTot', but must be time_s, end_s, start_s, "
     "network, scope, cell, cell_name, slice, slice_name, snssai, ue or a KPM of docs/kpm.md; "
     "did you mean 'RRU.PrbTotDl'."),
    (WIDE, "time_s", "time", "kpm.csv:1: column = 'time', but must be time_s, end_s, start_s, network, scope, cell, "
     "cell_name, slice, slice_name, snssai, ue or a KPM of docs/kpm.md; did you mean 'time_s'."),
    (WIDE, "[%]", "[PRB]", "kpm.csv:1: unit = 'PRB', but must be % for RRU.PrbTotDl."),
    (WIDE, "CARR.WBCQIDist.Mean", "RRU.PrbTotDl [%]",
     "kpm.csv:1: column = 'RRU.PrbTotDl [%]', but must be there once."),
    (WIDE, "2,a,,51", "2,a,,nan", "kpm.csv:5: RRU.PrbTotDl = nan, but must be 0 to 100 %."),
    (WIDE, "2,a,,51", "2,a,,5100", "kpm.csv:5: RRU.PrbTotDl = 5100.0, but must be 0 to 100 %."),
    (WIDE, "2,a,,51", "2,a,,51%", "kpm.csv:5: RRU.PrbTotDl = '51%', but must be 0 to 100 %."),
    (WIDE, "2,a,,51", "0.5,a,,51", "kpm.csv:5: time_s = 0.5, but must be at least that of the line before (1)."),
    (WIDE, "1,a,,50", "-1,a,,50", "kpm.csv:2: time_s = -1.0, but must be a finite number of at least 0 s."),
    (WIDE, "1,a,,50", ",a,,50", "kpm.csv:2: time_s = '', but must be a finite number of at least 0 s."),
    (WIDE, "3,-1,phone", "4.4,-1,phone",
     "kpm.csv:8: time_s = 4.4, but must be a whole number of periods of 1 s after the one before (3)."),
    (WIDE, "time_s,cell,", "time_s,scope,", "kpm.csv:1: column = 'cell', but must be in the header."),
    (WIDE, "cell,ue,", "cell,scope,", "kpm.csv:1: column = 'ue', but must be in the header."),
    (WIDE, WIDE, WIDE.replace(",", ";"), "kpm.csv:1: text = 'time_s;cell;ue;RRU.PrbTotDl [%];CARR.WBCQIDist.Mean;"
     "L1M.SS-RSRP.UE', but must be separated by ',' instead of ';'."),
    (WIDE, WIDE, "cell,RRU.PrbTotDl\na,50\na,40\n", "kpm.csv:3: RRU.PrbTotDl = 40.0, but must be given once for a "
     "period, network and cell; lines differ by time_s or end_s where there are several periods."),
    (WIDE, WIDE, "time_s,cell,RRU.PrbTotDl\n1,a,50\n2,a,40\n3,a,40\n3.4,a,40\n5,a,40\n",
     "kpm.csv:5: time_s = 3.4, but must be a whole number of periods of 1 s after the one before (3)."),
    (WIDE, "2,b,", "2,roof,", "kpm.csv:6: cell = 'roof', but must be one of a, b, or 0 to 1."),
    (WIDE, "2,b,", "2,2,", "kpm.csv:6: cell = '2', but must be one of a, b, or 0 to 1."),
    (WIDE, "2,b,", "2,,", "kpm.csv:6: cell = '', but must be one of a, b where RRU.PrbTotDl is given."),
    (WIDE, "2,b,,30", "2,a,,30",
     "kpm.csv:6: RRU.PrbTotDl = 30.0, but must be given once for a period, network and cell."),
    (WIDE, "2,b,,30", "2,b,phone,30",
     "kpm.csv:6: ue = 'phone', but must be empty where RRU.PrbTotDl, a KPM of a cell, is given."),
    (WIDE, "1,a,phone", "1,a,", "kpm.csv:3: ue = '', but must be given where L1M.SS-RSRP.UE, a KPM of a user, is."),
    (WIDE, "2,b,,30,,", "2,b,,30,", "kpm.csv:6: line = '5 values', but must be 6 values, as the header has."),
    (WIDE, WIDE, "", "kpm.csv:1: text = '0 lines', but must be a header and at least one value."),
    (WIDE, WIDE, "time_s,cell\n1,a\n",
     "kpm.csv:1: text = 'time_s,cell', but must be a header with at least one KPM, or with kpm."),
    (LONG, "unit", "units", "kpm.csv:1: column = 'units', but must be one of time_s, end_s, start_s, network, scope, "
     "cell, cell_name, slice, slice_name, snssai, ue, kpm, bin, unit, value; did you mean 'unit'."),
    (LONG, "kpm,", "cell_name,", "kpm.csv:1: column = 'kpm', but must be in the header."),
    (LONG, "a,kbit/s", "a,Mbit/s", "kpm.csv:4: unit = 'Mbit/s', but must be kbit/s for DRB.UEThpDl."),
    (LONG, "DRB.UEThpDl", "DRB.UEThp", "kpm.csv:4: kpm = 'DRB.UEThp', but must be a KPM of docs/kpm.md; did you mean "
     "'DRB.UEThpDl'."),
    (LONG, LONG, "kpm,value,ue,cell\nL1M.SS-SINR.Link,3,0,1\n",
     "kpm.csv: value = '1 others', but must be a file with at least one KPM of a cell or a user."),
]  # fmt: skip


@pytest.mark.parametrize(("text", "right", "wrong", "sentence"), MISTAKES)
def test_a_broken_file_of_kpms_is_one_sentence(
    tmp_path: Path, text: str, right: str, wrong: str, sentence: str
) -> None:
    assert right in text
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text.replace(right, wrong, 1))
    assert str(caught.value) == sentence


def test_a_file_is_read_whatever_ends_its_lines(tmp_path: Path) -> None:
    plain = read(tmp_path, WIDE).series
    for end in ("\r\n", "\r"):
        (tmp_path / "kpm.csv").write_bytes(b"\xef\xbb\xbf" + WIDE.replace("\n", end).encode())
        other = read_kpm_file(tmp_path / "kpm.csv", ["a", "b"]).series
        np.testing.assert_array_equal(other.cell["RRU.PrbTotDl"], plain.cell["RRU.PrbTotDl"])


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("2,b\xfc".encode("latin-1"), r"kpm.csv:6: text = b'\xfc', but must be text in UTF-8."),
        (b"2,b\x00", r"kpm.csv:6: text = '\x00', but must be without control characters."),
    ],
)
def test_what_is_no_text_is_told_by_its_line(tmp_path: Path, wrong: bytes, sentence: str) -> None:
    (tmp_path / "kpm.csv").write_bytes(WIDE.encode().replace(b"2,b", wrong, 1))
    with pytest.raises(ConfigError) as caught:
        read_kpm_file(tmp_path / "kpm.csv", ["a", "b"])
    assert str(caught.value) == sentence


def test_a_missing_or_foreign_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a CSV file that exists"):
        read_kpm_file(tmp_path / "none.csv", ["a"])
    with pytest.raises(ConfigError, match="a Parquet file that exists"):
        read_kpm_file(tmp_path / "none.parquet", ["a"])
    (tmp_path / "text.parquet").write_text(WIDE)
    with pytest.raises(ConfigError, match=r"^text.parquet: file = .*, but must be a Parquet file\.$"):
        read_kpm_file(tmp_path / "text.parquet", ["a"])


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="time_s,celaRU.PrbTotD[%]\"'\n\r 0123456789.-+eEn\t", max_size=60), st.integers(0, 200))
def test_no_text_makes_anything_but_kpms_or_one_sentence(tmp_path_factory: Any, noise: str, place: int) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "kpm.csv"
    path.write_text(WIDE[:place] + noise + WIDE[place:], encoding="utf-8", newline="")
    try:
        found = read_kpm_file(path, ["a", "b"])
    except ConfigError as error:
        assert str(error).startswith("kpm.csv")
        assert "\n" not in str(error)
    else:
        assert found.num_values > 0
