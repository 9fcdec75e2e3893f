"""KPMs as files: what is written is read again to the last bit, and what cannot be is one sentence."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranpilot.errors import ConfigError, MissingExtraError
from ranpilot.experiments.kpm_files import read_kpms, write_kpms
from ranpilot.experiments.twin_run import run_networks
from ranpilot.twin import Networks, kpm
from ranpilot.twin.recording import PERIOD_COLUMNS, kpm_table
from ranpilot.twin.scenario_file import load_scenario


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    networks = Networks(load_scenario("two-cell").with_load("low"), 2, seed=1)
    return kpm_table(networks, 0.2, 0.1, histograms=True)


@pytest.mark.parametrize("name", ["deep/kpms.csv", "deep/kpms.parquet"])
def test_a_table_survives_its_file_to_the_last_bit(name: str, table: pd.DataFrame, tmp_path: Path) -> None:
    write_kpms(table, tmp_path / name)
    read = read_kpms(tmp_path / name)
    pd.testing.assert_frame_equal(read, table, check_exact=True)
    assert list(table.columns) == list(PERIOD_COLUMNS)
    assert len(table["kpm"].unique()) > 50


@settings(max_examples=30, deadline=None)
@given(values=st.lists(st.floats(allow_nan=False), min_size=1, max_size=20))
def test_every_number_survives_both_files(values: list[float], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("kpms")
    rows = {column: 0 if kind in ("int64", "float64") else "x" for column, kind in PERIOD_COLUMNS.items()}
    table = pd.DataFrame(rows | {"value": values}).astype(PERIOD_COLUMNS)
    for name in ("a.csv", "a.parquet"):
        write_kpms(table, folder / name)
        pd.testing.assert_frame_equal(read_kpms(folder / name), table, check_exact=True)


def test_a_parquet_file_says_what_its_kpms_are(table: pd.DataFrame, tmp_path: Path) -> None:
    write_kpms(table, tmp_path / "a.parquet", {"scenario": "mine"})
    said = read_kpms(tmp_path / "a.parquet").attrs
    assert said["scenario"] == "mine"
    assert set(table["kpm"]) <= set(said["kpms"])
    delay = said["kpms"][kpm.PACKET_DELAY.name]
    assert (delay["unit"], delay["scope"], delay["source"]) == ("0.1 ms", "cell", kpm.PACKET_DELAY.source)
    assert said["kpms"][kpm.CQI_HISTOGRAM.name]["bin_unit"] == "index"
    units = table.drop_duplicates("kpm").set_index("kpm")["unit"]
    assert units.to_dict() == {name: said["kpms"][name]["unit"] for name in units.index}


def test_a_run_writes_the_same_rows_as_a_table_of_the_same_networks(tmp_path: Path) -> None:
    scenario, path = load_scenario("two-cell").with_load("low"), tmp_path / "a.parquet"
    times = {"seconds": 0.2, "period_s": 0.1, "warm_up_s": 0.0}
    run_networks(scenario, num_networks=2, seed=1, **times, kpms=[path], histograms=True)
    expected = kpm_table(Networks(scenario, 2, seed=1), 0.2, 0.1, histograms=True)
    pd.testing.assert_frame_equal(read_kpms(path), expected, check_exact=True)
    assert np.isfinite(expected["value"]).all()


def test_without_pyarrow_a_parquet_file_is_refused_in_a_sentence(
    table: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    sentence = "A .parquet file needs pyarrow, which is not installed; get it with: pip install pyarrow"
    for attempt in (write_kpms, lambda _, path: read_kpms(path)):
        with pytest.raises(MissingExtraError) as refused:
            attempt(table, tmp_path / "a.parquet")
        assert str(refused.value) == sentence
    assert list(tmp_path.iterdir()) == []
    write_kpms(table, tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.txt", "", "table = '{path}', but must be a name that ends in .csv or .parquet."),
        ("missing.csv", None, "table = '{path}', but must be a file that is there."),
        ("a.csv", "", "table = '{path}', but must be a CSV table of KPMs (No columns to parse from file)."),
        ("a.csv", "kpm,value\nx,1\n", "{path}: columns = ['kpm', 'value'], but must be with start_s, end_s, network, "),
        ("a.csv", f"{','.join(PERIOD_COLUMNS)}\n{'x,' * 13}x\n", "table = '{path}', but must be a CSV table of KPMs ("),
        ("a.parquet", "not parquet", "table = '{path}', but must be a Parquet table of KPMs ("),
    ],
)  # fmt: skip
def test_a_file_that_is_no_table_of_kpms_is_refused_in_a_sentence(
    name: str, content: str | None, sentence: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        read_kpms(path)
    assert str(refused.value).startswith(sentence.format(path=path))
    assert "\n" not in str(refused.value)


def test_what_a_parquet_file_says_is_plain_json(table: pd.DataFrame, tmp_path: Path) -> None:
    import pyarrow.parquet

    write_kpms(table, tmp_path / "a.parquet")
    metadata = pyarrow.parquet.read_schema(tmp_path / "a.parquet").metadata
    assert json.loads(metadata[b"ranpilot"])["kpms"][kpm.VOLUME.name]["formula"] == kpm.VOLUME.formula
