"""Users that move along the traces of a file: where they are, and every sentence that refuses a file."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ranpilot.errors import ConfigError
from ranpilot.twin import Networks
from ranpilot.twin import state as s
from ranpilot.twin.description.users import Trace
from ranpilot.twin.layout.trace_file import read_traces, trace_digest
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.scenario_file import load_scenario, read_scenario

MakeScenario = Callable[..., Scenario]

HEADER = "time_s,user,x_m,y_m"
LINES = [
    "0,ann,0,0",
    "0,ben,400,-50",
    "2,ann,20,0",
    "2.5,ben,400,-50",
    "5,ann,20,60",
    "12,ben,210,-50",
    "12,ann,20,-80",
]
TEXT = """\
name: small
carrier: {frequency_ghz: 2.0, num_prbs: 24, prbs_per_group: 4}
layout:
  area_m: [-300, -300, 700, 300]
  sites:
    - {name: a, x_m: 0, y_m: 0, height_m: 25, propagation: UMa, power_dbm: 38}
    - {name: b, x_m: 400, y_m: 0, height_m: 25, propagation: UMa, power_dbm: 38}
users:
  population: {kind: static, ues_per_cell: 2}
  mobility: {kind: trace, file: walks.csv}
traffic:
  mix:
    - {kind: poisson, mean_rate_bps: 1.0e6}
"""


def written(folder: Path, lines: list[str], header: str = HEADER) -> Path:
    path = folder / "walks.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def along(make_scenario: MakeScenario, folder: Path, changes: dict[str, Any] | None = None) -> Scenario:
    mobility = {"kind": "trace", "file": str(written(folder, LINES))}
    scenario = make_scenario({"users": {"mobility": mobility}})
    return scenario.with_changes(changes) if changes else scenario


def place_at(user: int, time_s: float) -> tuple[float, float]:
    points = [line.split(",") for line in LINES if line.split(",")[1] == ("ann", "ben")[user]]
    times = [float(point[0]) for point in points]
    x_m, y_m = (np.interp(time_s, times, [float(point[column]) for point in points]) for column in (2, 3))
    return float(x_m), float(y_m)


def test_users_are_where_the_straight_lines_between_the_points_say(make_scenario: MakeScenario, tmp_path: Path) -> None:
    """Six places and two users: place n is user n modulo 2; after the last point a user stays."""
    networks = Networks(along(make_scenario, tmp_path), 2, seed=1)
    for slots in (0, 10, 990, 1005, 2995, 5000, 5000):
        networks.advance(slots)
        moved_s = (networks.slot // 10 * 10) * 1e-3
        for place in range(6):
            expected = place_at(place % 2, moved_s)
            assert networks.ues.x_m[:, place] == pytest.approx(expected[0], abs=1e-9)
            assert networks.ues.y_m[:, place] == pytest.approx(expected[1], abs=1e-9)


def test_users_begin_in_the_strongest_cell_at_the_first_point(make_scenario: MakeScenario, tmp_path: Path) -> None:
    radio = {"shadowing": False, "line_of_sight": "always"}
    networks = Networks(along(make_scenario, tmp_path, {"radio": radio}), 3, seed=1)
    assert (networks.ues.serving_cell == [0, 1, 0, 1, 0, 1]).all()


def test_who_comes_later_is_where_its_trace_is_by_then(make_scenario: MakeScenario, tmp_path: Path) -> None:
    population = {"kind": "arrivals", "arrivals_per_s": 2.0, "mean_holding_s": 4.0}
    networks = Networks(along(make_scenario, tmp_path, {"users": {"population": population}}), 4, seed=3)
    networks.advance(7_500)
    is_taken = networks.ues.serving_cell >= 0
    assert is_taken.sum() > 20
    for place in range(is_taken.shape[1]):
        expected = place_at(place % 2, 7.5)
        assert networks.ues.x_m[:, place][is_taken[:, place]] == pytest.approx(expected[0], abs=1e-9)


def test_the_channel_fades_at_the_mean_speed_of_the_trace(make_scenario: MakeScenario, tmp_path: Path) -> None:
    scenario = along(make_scenario, tmp_path)
    networks = Networks(scenario, 1, seed=1)
    steps = networks._state.ue_real[0, :2, s.STEPS_PER_SLOT]
    per_metre = networks._parameters.air.fading.steps_per_metre * scenario.slot_s
    assert steps / per_metre == pytest.approx([(20 + 60 + 140) / 12, 190 / 12])
    fast = Networks(along(make_scenario, tmp_path, {"users": {"mobility": {"min_speed_kmh": 72.0}}}), 1, seed=1)
    assert fast._state.ue_real[0, :2, s.STEPS_PER_SLOT] / per_metre == pytest.approx([20.0, 20.0])


def test_a_trace_does_not_depend_on_the_batch_the_chunks_or_a_fork(make_scenario: MakeScenario, tmp_path: Path) -> None:
    scenario = along(make_scenario, tmp_path)
    whole, parts = Networks(scenario, 3, seed=4), Networks(scenario, 1, seed=4, first_network=2)
    whole.advance(3000)
    for slots in (7, 993, 1500):
        parts.advance(slots)
    fork = parts.fork(1)
    fork.advance(500)
    assert fork.fingerprint()[0] == whole.fingerprint()[2]


def test_a_trace_on_a_wrapped_plane_enters_on_the_other_side(make_scenario: MakeScenario, tmp_path: Path) -> None:
    layout = {
        "kind": "hexagonal", "num_sites": 1, "isd_m": 500, "height_m": 25, "propagation": "UMa", "power_dbm": 46,
    }  # fmt: skip
    path = written(tmp_path, ["0,ann,0,0", "12,ann,270,-150"])
    changes = {"layout": layout, "users": {"mobility": {"kind": "trace", "file": str(path)}}}
    networks = Networks(make_scenario(changes), 1, seed=1)
    networks.advance(12_000)
    step_m = 500 * math.cos(math.pi / 6), -500 * math.sin(math.pi / 6)
    assert networks.ues.x_m[0, 0] == pytest.approx(270 - step_m[0])
    assert networks.ues.y_m[0, 0] == pytest.approx(-150 - step_m[1])


def test_the_file_lies_beside_the_scenario_and_is_known_by_what_it_holds(tmp_path: Path) -> None:
    hashes = []
    for name in ("one", "other"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "mine.yaml").write_text(TEXT, encoding="utf-8")
        path = written(folder, LINES)
        scenario = load_scenario(folder / "mine.yaml")
        mobility = scenario.users.mobility
        assert isinstance(mobility, Trace) and mobility.sha256 == trace_digest(path)
        assert mobility.read().users == ("ann", "ben")
        hashes.append(scenario.with_changes({}).hash())
    assert hashes[0] == hashes[1]
    written(folder, [*LINES[:-1], "12,ann,20,-81"])
    assert load_scenario(folder / "mine.yaml").hash() != hashes[0]
    with pytest.raises(ConfigError) as caught:
        Networks(scenario, 1, seed=1)
    assert str(caught.value) == (
        f"walks.csv: file = '{path}', but must be the file whose SHA-256 is {mobility.sha256} (it has changed)."
    )


def test_a_split_may_name_another_file(tmp_path: Path) -> None:
    written(tmp_path, LINES)
    (tmp_path / "held.csv").write_text("\n".join([HEADER, "0,eve,5,5", "20,eve,6,5"]), encoding="utf-8")
    text = TEXT + "splits:\n  heldout: {users: {mobility: {file: held.csv}}}\n"
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    mobility = load_scenario(tmp_path / "mine.yaml").heldout.users.mobility
    assert isinstance(mobility, Trace) and mobility.read().users == ("eve",)


@pytest.mark.parametrize(
    ("lines", "header", "message"),
    [
        ([], HEADER, "walks.csv:1: text = '1 lines', but must be a header and at least one point."),
        (
            LINES,
            "time,user,x_m,y_m",
            "walks.csv:1: column = 'time', but must be one of time_s, user, x_m, y_m; did you",
        ),
        (LINES, "time_s,user,x_m,x_m", "walks.csv:1: column = 'x_m', but must be there once."),
        ([*LINES, "13,ann,20"], HEADER, "walks.csv:9: line = '3 values', but must be 4 values, as the header has."),
        ([*LINES, "nan,ann,20,0"], HEADER, "walks.csv:9: time_s = 'nan', but must be a finite number."),
        ([*LINES, "13,ann,inf,0"], HEADER, "walks.csv:9: x_m = 'inf', but must be a finite number."),
        ([*LINES, "13,ann,20,north"], HEADER, "walks.csv:9: y_m = 'north', but must be a finite number."),
        (["-1,ann,0,0", *LINES], HEADER, "walks.csv:2: time_s = -1.0, but must be at least 0."),
        ([*LINES, "13,,20,0"], HEADER, "walks.csv:9: user = '', but must be a name."),
        (
            [*LINES, "12,ann,21,-80"],
            HEADER,
            "walks.csv:9: time_s = 12.0, but must be above that of the line before of user 'ann' (12).",
        ),
        (
            [*LINES, "3,eve,20,0", "30,eve,20,0"],
            HEADER,
            "walks.csv:9: time_s = 3.0, but must be 0 in the first line of user 'eve'.",
        ),
        (
            [*LINES, "0,eve,20,0"],
            HEADER,
            "walks.csv:9: time_s = 0.0, but must be followed by another line of user 'eve'.",
        ),
        (
            [*LINES, "13,ann,20,80"],
            HEADER,
            "walks.csv:9: time_s = 13.0, but must be so late that user 'ann' moves at up to 500 km/h (not 576).",
        ),
        (
            [*LINES, "90,ann,701,0"],
            HEADER,
            "walks.csv:9: x_m = 701.0, but must be within the layout's area_m (-300 to 700).",
        ),
        (
            [*LINES, "0,eve,0,0", "9.5,eve,1,1"],
            HEADER,
            "walks.csv:10: time_s = 9.5, but must be at least 10 in the last line of user 'eve' (an episode).",
        ),
    ],
)
def test_a_wrong_file_is_one_sentence_with_its_name_and_line(
    lines: list[str], header: str, message: str, tmp_path: Path
) -> None:
    written(tmp_path, lines, header)
    with pytest.raises(ConfigError) as caught:
        read_scenario(TEXT, source="small.yaml", folder=tmp_path)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("mobility", "message"),
    [
        ("{kind: trace}", "small.yaml:10: users.mobility.file = None, but must be given."),
        ("{file: gone.csv}", "gone.csv: file = "),
        ("walks.csv", "small.yaml:10: users.mobility = 'walks.csv', but must be a mapping."),
        ("{file: 3}", "small.yaml:10: users.mobility.file = 3, but must be the name of a file."),
        (
            "{kind: trace, file: walks.csv, max_speed_kmh: 3}",
            "small.yaml:10: users.mobility.max_speed_kmh = 3, but must be left out (no such key; did you mean "
            "'min_speed_kmh'; known: kind, file, sha256, min_speed_kmh).",
        ),
        (
            "{kind: traces, file: walks.csv}",
            "small.yaml:10: users.mobility.kind = 'traces', but must be one of static, lines, waypoint, trace.",
        ),
    ],
)
def test_a_wrong_mobility_is_one_sentence(mobility: str, message: str, tmp_path: Path) -> None:
    written(tmp_path, LINES)
    with pytest.raises(ConfigError) as caught:
        read_scenario(TEXT.replace("{kind: trace, file: walks.csv}", mobility), source="small.yaml", folder=tmp_path)
    assert str(caught.value).startswith(message)


def test_a_file_without_commas_or_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "walks.csv"
    for content, message in (
        (b'time_s,user,x_m,y_m\n0,"ann,0,0\n', "walks.csv:2: text = 'unexpected end of data', but must be comma-sep"),
        (b"time_s,user,x_m,y_m\n0,\xff,0,0\n", "walks.csv:2: text = b'\\xff', but must be text in UTF-8."),
    ):
        path.write_bytes(content)
        with pytest.raises(ConfigError) as caught:
            read_traces(path, trace_digest(path))
        assert str(caught.value).startswith(message)
