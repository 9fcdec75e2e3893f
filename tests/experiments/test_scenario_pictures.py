"""Pictures, table and page of a look at a network, whatever its layout."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ranpilot.errors import ConfigError
from ranpilot.experiments.picture_files import save_picture
from ranpilot.experiments.scenario_pictures import (
    MOST_NAMED,
    draw_inspection,
    inspection_page,
    inspection_table,
    picture_title,
)
from ranpilot.twin.inspect import Inspection
from ranpilot.twin.scenario_file import load_scenario
from ranpilot.twin.views import EventView


def _inspection(cells: int, azimuths_deg: tuple[float | None, ...], size_m: float) -> Inspection:
    """A made-up look at `cells` cells, two users each."""
    owner = np.repeat(np.arange(cells), 2)
    grid_m = (np.arange(12) + 0.5) * size_m / 12
    nothing = np.full((1, 1), -1)
    return Inspection(
        scenario="made-up", scenario_hash="0123456789abcdef", seed=1, area_m=(0.0, 0.0, size_m, size_m),
        cell_names=tuple(f"cell<{cell}>" for cell in range(cells)),
        cell_x_m=np.full(cells, size_m / 2), cell_y_m=np.full(cells, size_m / 2), cell_azimuth_deg=azimuths_deg,
        cell_power_dbm=np.full(cells, 46.0), grid_x_m=grid_m, grid_y_m=grid_m,
        best_server=np.arange(144).reshape(12, 12) % cells, ue_x_m=owner * size_m / cells,
        ue_y_m=owner * size_m / cells, ue_cell=owner, coupling_gain_db=-100.0 - owner, gain_cell=owner,
        sinr_db=5.0 + owner, sinr_cell=owner, delay_edge_ms=np.array([1.0, 2.0, np.inf]),
        delay_packets=np.tile([3, 2, 0], (cells, 1)), events=EventView(*(nothing for _ in EventView._fields)),
    )  # fmt: skip


SECTORED = _inspection(3, (30.0, 150.0, 270.0), 500.0)
OMNI = _inspection(2, (None, None), 2500.0)
MANY = _inspection(57, (30.0, 150.0, 270.0) * 19, 2500.0)


@pytest.mark.parametrize(("found", "unit", "wedges"), [(SECTORED, "m", 3), (OMNI, "km", 0), (MANY, "km", 57)])
def test_the_map_shows_a_wedge_a_sector_in_a_fitting_unit(found: Inspection, unit: str, wedges: int) -> None:
    axis = draw_inspection(found).axes[0]
    assert axis.get_xlabel() == unit
    assert [patch.theta1 + 32.5 for patch in axis.patches] == [a for a in found.cell_azimuth_deg if a is not None]
    assert len(axis.patches) == wedges


@pytest.mark.parametrize(("found", "curves"), [(SECTORED, 3), (MANY, 58)])
def test_few_cells_have_a_curve_each_and_many_also_one_over_all(found: Inspection, curves: int) -> None:
    _, gain, sinr, delay = draw_inspection(found).axes
    assert [len(axis.lines) for axis in (gain, sinr, delay)] == [curves, curves + 1, curves]
    assert (sinr.get_legend() is not None) == (len(found.cell_names) <= MOST_NAMED)


def test_the_table_has_a_line_a_cell() -> None:
    lines = inspection_table(SECTORED)
    assert lines[2] == [
        "cell<1>", "250", "250", "150°", "46", "2", "-101.0 / -101.0", "6.0 / 6.0", "5", "≤ 1 / 2",
    ]  # fmt: skip
    assert inspection_table(OMNI)[1][3] == "all around"


def test_a_cell_without_users_and_packets_is_drawn_and_listed() -> None:
    empty = replace(
        SECTORED, sinr_db=np.zeros(0), sinr_cell=np.zeros(0, dtype=np.int64), coupling_gain_db=np.zeros(0),
        gain_cell=np.zeros(0, dtype=np.int64), delay_packets=np.zeros((3, 3), dtype=np.int64),
    )  # fmt: skip
    draw_inspection(empty)
    assert inspection_table(empty)[1][-4:] == ["–", "–", "0", "–"]


def test_the_page_stands_alone_and_escapes_names() -> None:
    events = [["event", "cell"], ["surge", "a <b>"]]
    page = inspection_page(load_scenario("two-cell").with_load("high"), SECTORED, events)
    assert "<svg" in page
    assert "a &lt;b&gt;" in page
    assert "cell&lt;1&gt;" in page
    assert "two-cell" not in re.findall(r"<h1>(.*?)</h1>", page)[0]
    assert not re.search(r'(src|href)="(?!#|data:)', page), "nothing is loaded from elsewhere"
    assert page.count("<table>") == 2
    assert inspection_page(load_scenario("two-cell"), SECTORED, [events[0]]).count("<table>") == 1


def test_the_ending_decides_what_a_picture_is(tmp_path: Path) -> None:
    figure, title = draw_inspection(SECTORED), picture_title(SECTORED)
    save_picture(figure, title, tmp_path / "a.png")
    save_picture(figure, title, tmp_path / "a.svg")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "a.svg").read_text().startswith("<svg")
    with pytest.raises(ConfigError, match=r"must be a name that ends in \.png or \.svg"):
        save_picture(figure, title, tmp_path / "a.pdf")
