"""Layouts of every kind, and what is said of wrong ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranpilot.errors import ConfigError
from ranpilot.twin.description.layout import Hexagonal, IndoorOffice
from ranpilot.twin.layout.site_file import read_sites
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.scenario_file import load_scenario, read_scenario

TEXT = """\
name: small
carrier: {frequency_ghz: 2.0, num_prbs: 52, prbs_per_group: 4}
layout:
  LAYOUT
users:
  population: {kind: static, ues_per_cell: 2}
traffic:
  mix:
    - {kind: poisson, mean_rate_bps: 1.0e6}
"""
HEXAGONAL = "kind: hexagonal, isd_m: 500, height_m: 25, propagation: UMa, power_dbm: 46"
CSV = """\
name,x_m,y_m,height_m,propagation,power_dbm,capacity,azimuths_deg,elements,downtilt_deg
west,0,0,25,UMa,46,20,30 150 270,10,6
east,500,0,10,UMi,41,,,,
"""


def hexagonal(more: str = "") -> Scenario:
    return load("{" + HEXAGONAL + more + "}")


def load(flow: str) -> Scenario:
    return read_scenario(TEXT.replace("layout:\n  LAYOUT", f"layout: {flow}"), source="small.yaml")


def test_a_site_has_a_cell_for_each_sector_and_else_one_with_its_own_name() -> None:
    scenario = load(
        "{area_m: [0, 0, 500, 500], sites: ["
        "{name: a, x_m: 0, y_m: 0, height_m: 25, propagation: UMa, power_dbm: 40, azimuths_deg: [0, 90]}, "
        "{name: b, x_m: 9, y_m: 0, height_m: 25, propagation: UMa, power_dbm: 30, capacity: 7}]}"
    )
    assert [cell.name for cell in scenario.cells] == ["a-1", "a-2", "b"]
    assert [cell.site for cell in scenario.cells] == [0, 0, 1]
    assert [cell.azimuth_deg for cell in scenario.cells] == [0, 90, None]
    assert [cell.power_dbm for cell in scenario.cells] == [40, 40, 30]
    assert (scenario.num_cells, scenario.num_places) == (3, 6)


@pytest.mark.parametrize(("sites", "sectors"), [(1, 1), (1, 3), (7, 1), (7, 3), (19, 3)])
def test_a_hexagonal_layout_has_its_sites_and_sectors(sites: int, sectors: int) -> None:
    scenario = hexagonal(f", num_sites: {sites}, sectors: {sectors}")
    assert (len(scenario.layout.sites), scenario.num_cells) == (sites, sites * sectors)
    assert len(scenario.layout.shifts_m) == 6
    left, bottom, right, top = scenario.layout.area_m
    assert all(left < site.x_m < right and bottom < site.y_m < top for site in scenario.layout.sites)
    assert scenario.layout.distance_floor_m == 35.0
    assert scenario.with_changes({}).hash() == scenario.hash()


def test_the_indoor_office_is_that_of_the_table() -> None:
    scenario = load("{kind: indoor-office, sectors: 3, antenna: {elements: 10, downtilt_deg: 20}}")
    sites = scenario.layout.sites
    assert len(sites) == 12
    assert sorted({site.x_m for site in sites}) == [10, 30, 50, 70, 90, 110]
    assert sorted({site.y_m for site in sites}) == [15, 35]
    assert {(site.height_m, site.propagation, site.power_dbm) for site in sites} == {(3.0, "InH-open", 24.0)}
    assert scenario.num_cells == 36
    assert load("{kind: indoor-office, office: mixed}").layout.sites[0].propagation == "InH"


def test_sites_come_from_a_file_beside_the_scenario(tmp_path: Path) -> None:
    (tmp_path / "sites.csv").write_text(CSV, encoding="utf-8")
    path = tmp_path / "mine.yaml"
    path.write_text(TEXT.replace("LAYOUT", "{kind: csv, file: sites.csv, area_m: [-100, -100, 600, 100]}"), "utf-8")
    scenario = load_scenario(path)
    assert [cell.name for cell in scenario.cells] == ["west-1", "west-2", "west-3", "east"]
    assert [cell.capacity for cell in scenario.cells] == [20, 20, 20, None]
    antenna = scenario.cells[0].antenna
    assert antenna is not None
    assert (antenna.elements, antenna.downtilt_deg) == (10, 6.0)
    # The scenario holds what stood in the file: it no longer matters.
    before = scenario.hash()
    (tmp_path / "sites.csv").unlink()
    assert scenario.with_changes({"layout": {"placement": "best-server"}}).hash() == before


MISTAKES = [
    (", num_sites: 8", "small.yaml:3: layout.num_sites = 8, but must be one of 1, 7, 19."),
    (
        ", isd: 400",
        "small.yaml:3: layout.isd = 400, but must be left out (no such key; did you mean 'isd_m'; known: height_m, "
        "propagation, power_dbm, min_power_dbm, max_power_dbm, capacity, antenna, kind, num_sites, sectors, isd_m, "
        "wrap_around, placement, min_distance_m).",
    ),
    (", min_distance_m: 300", "small.yaml:3: layout.min_distance_m = 300.0, but must be at most 0.4 isd_m (200)."),
    (
        ", sectors: 1, antenna: {elements: 4}",
        "small.yaml:3: layout.antenna = {'elements': 4, 'spacing_wavelengths': 0.5, 'downtilt_deg': 0.0}, but must be "
        "left out where sectors = 1 (omnidirectional).",
    ),
    (", antenna: {elements: 0}", "small.yaml:3: layout.antenna.elements = 0, but must be at least 1."),
]


@pytest.mark.parametrize(("more", "sentence"), MISTAKES)
def test_a_wrong_hexagonal_layout_is_one_sentence(more: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        hexagonal(more)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("layout", "sentence"),
    [
        ("{kind: hexagon}", "layout.kind = 'hexagon', but must be one of explicit, csv, hexagonal, indoor-office."),
        ("{kind: indoor-office, power_dbm: 70}", "layout.power_dbm = 70, but must be at most 60."),
        (
            "{kind: indoor-office, min_power_dbm: 25}",
            "layout.power_dbm = 24.0, but must be within min_power_dbm..max_power_dbm (25..24).",
        ),
        (
            "{area_m: [0, 0, 99, 99], "
            "sites: [{name: a, x_m: 0, y_m: 0, height_m: 5, propagation: RMa, power_dbm: 40}]}",
            "layout.sites.0.height_m = 5.0, but must be 10 to 150 m for RMa.",
        ),
        (
            "{area_m: [0, 0, 99, 99], min_distance_m: 45, "
            "sites: [{name: a, x_m: 0, y_m: 0, height_m: 25, propagation: UMa, power_dbm: 40}]}",
            "layout.min_distance_m = 45.0, but must be so small that half of area_m is left for users.",
        ),
        (
            "{area_m: [0, 0, 99, 99], sites: [{name: a, x_m: 0, y_m: 0, height_m: 25, propagation: UMa, power_dbm: 40, "
            "azimuths_deg: [0, 360]}]}",
            "layout.sites.0.azimuths_deg = [0.0, 360.0], but must be different for every sector.",
        ),
        (
            "{area_m: [0, 0, 99, 99], sites: [{name: a, x_m: 0, y_m: 0, height_m: 25, propagation: UMa, power_dbm: 40, "
            "antenna: {elements: 4}}]}",
            "layout.sites.0.azimuths_deg = [], but must be given where there is an antenna.",
        ),
    ],
)
def test_a_wrong_layout_is_one_sentence(layout: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(layout)
    assert str(caught.value).endswith(sentence)
    assert str(caught.value).startswith("small.yaml:3: ")


@pytest.mark.parametrize(
    ("layout", "users", "sentence"),
    [
        ("{" + HEXAGONAL + "}", "height_m: 1.0", "users.height_m = 1.0, but must be 1.5 to 22.5 m for UMa."),
        ("{kind: indoor-office}", "indoor: {}", "left out for InH-open, whose sites are indoors too."),
        (
            "{" + HEXAGONAL.replace("UMa", "RMa") + "}",
            "indoor: {}",
            "users.indoor.max_floors = 8, but must be at most 3 for RMa.",
        ),
        (
            "{" + HEXAGONAL.replace("25", "15") + "}",
            "indoor: {}",
            "layout.sites.height_m = 15.0, but must be above 21 m where UMa users are so high.",
        ),
        (
            "{" + HEXAGONAL + "}",
            "indoor: {min_floors: 5, max_floors: 4}",
            "users.indoor.min_floors = 5, but must be at most max_floors (4).",
        ),
    ],
)
def test_users_that_a_propagation_model_does_not_know_are_refused(layout: str, users: str, sentence: str) -> None:
    text = TEXT.replace("layout:\n  LAYOUT", f"layout: {layout}").replace("users:\n", f"users:\n  {users}\n")
    with pytest.raises(ConfigError) as caught:
        read_scenario(text, source="small.yaml")
    assert str(caught.value).endswith(sentence)


CSV_MISTAKES = [
    ("west,0,", "west,far,", "sites.csv:2: x_m = 'far', but must be a number."),
    ("25,UMa", "nan,UMa", "sites.csv:2: height_m = 'nan', but must be a finite number."),
    ("25,UMa", "2500,UMa", "sites.csv:2: height_m = '2500', but must be at most 150."),
    ("25,UMa", ",UMa", "sites.csv:2: height_m = '', but must be given."),
    ("UMi", "UMu", "sites.csv:3: propagation = 'UMu', but must be one of RMa, UMa, UMi, InH, InH-open."),
    ("east", "west", "sites.csv:3: name = 'west', but must be different for every site."),
    ("30 150 270", "30 450", "sites.csv:2: azimuths_deg = '30 450', but must be at most 360."),
    ("30 150 270", "", "sites.csv:2: azimuths_deg = '', but must be given where there is an antenna."),
    (",46,20,", ",46,2.5,", "sites.csv:2: capacity = '2.5', but must be a whole number."),
    ("10,6", "10", "sites.csv:2: line = '9 values', but must be 10 values, as the header has."),
    ("west,0,0", "west,46000,0",
     "sites.csv:2: x_m = 46000.0, but must be at most 10000 m outside area_m (-100 to 600)."),
    ("east,500,0", "east,0.2,0.4",
     "sites.csv:3: x_m = 0.2, but must be in metres, at least 1 from site 'west' or at its very place."),
    ("east,500,0", "east,0,0.4",
     "sites.csv:3: y_m = 0.4, but must be in metres, at least 1 from site 'west' or at its very place."),
    (CSV, CSV.replace(",", ";"),
     "sites.csv:1: text = 'name;x_m;y_m;height_m;propagation;power_dbm;capacity;azimuths_deg;elements;downtilt_deg', "
     "but must be separated by ',' instead of ';'."),
    ("elements", "rows", None),
    ("power_dbm,", "", None),
    ("capacity", "name", "sites.csv:1: column = 'name', but must be there once."),
    ("x_m", "xm", None),
    (CSV, "", "sites.csv:1: text = '0 lines', but must be a header and at least one site."),
    ('west', '"west', None),
]  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "sentence"), CSV_MISTAKES)
def test_a_broken_file_of_sites_is_one_sentence(tmp_path: Path, right: str, wrong: str, sentence: str | None) -> None:
    path = tmp_path / "sites.csv"
    path.write_text(CSV.replace(right, wrong, 1), encoding="utf-8")
    layout: dict[str, Any] = {"kind": "csv", "file": str(path), "area_m": [-100, -100, 600, 100]}
    with pytest.raises(ConfigError) as caught:
        read_scenario(TEXT.replace("layout:\n  LAYOUT", f"layout: {layout}"), source="small.yaml")
    assert str(caught.value).startswith("sites.csv:")
    assert "\n" not in str(caught.value)
    if sentence is not None:
        assert str(caught.value) == sentence


def test_a_missing_or_unreadable_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a CSV file that exists"):
        read_sites(tmp_path / "none.csv")
    (tmp_path / "sites.csv").write_bytes(b"name\xff\xfe,x_m\n")
    with pytest.raises(ConfigError, match="text in UTF-8"):
        read_sites(tmp_path / "sites.csv")


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="nameox_my,;\"'\n\r 0123456789.-+eE#UMaiRH\t", max_size=120), st.integers(0, 120))
def test_no_text_makes_anything_but_sites_or_one_sentence(tmp_path_factory: Any, noise: str, place: int) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "sites.csv"
    path.write_text(CSV[:place] + noise + CSV[place:], encoding="utf-8", newline="")
    try:
        sites = read_sites(path)
    except ConfigError as error:
        assert str(error).startswith("sites.csv")
    else:
        assert all(np.isfinite([site.x_m, site.y_m, site.height_m, site.power_dbm]).all() for site in sites)


def test_layouts_are_equal_where_their_fields_are() -> None:
    one = Hexagonal(kind="hexagonal", isd_m=500, height_m=25, propagation="UMa", power_dbm=46)
    two = Hexagonal(kind="hexagonal", isd_m=500, height_m=25, propagation="UMa", power_dbm=46)
    assert one.cells == two.cells
    assert one == two
    assert IndoorOffice(kind="indoor-office") == IndoorOffice(kind="indoor-office")
