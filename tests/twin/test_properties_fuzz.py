"""No scenario, capture, replay file or profile makes a crash, a NaN or a silent change of what was asked for.

Whatever stands in a file, it is used as it stands and gives finite numbers, or is refused in one sentence.
"""

from __future__ import annotations

import copy
import io
import json
import math
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from ranpilot.errors import ConfigError, RanpilotError
from ranpilot.twin import Networks, state
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.scenario_file import read_scenario, scenario_names, validate_scenario
from ranpilot.twin.traffic.capture import parse_capture
from ranpilot.twin.traffic.profile import load_profile
from ranpilot.twin.traffic.replay_file import load_replay
from ranpilot.twin.validate.checks.conservation import count_violations

from .scenario_strategy import scenario_values

QUIET: Any = {"deadline": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}
FOLDER = Path(__import__("ranpilot.twin.scenarios").twin.scenarios.__file__).parent
SHIPPED = {name: (FOLDER / f"{name}.yaml").read_text(encoding="utf-8") for name in scenario_names()}

ODD: list[Any] = [
    None,
    True,
    "",
    "12",
    "poisson",
    [],
    {},
    [1, 2],
    {"kind": "static"},
    math.nan,
    math.inf,
    -math.inf,
    0,
    -1,
    1,
    0.5,
    1e-320,
    1e308,
    2**31,
    10**40,
    -1e-9,
    b"bytes",
    "²",
    "x" * 5000,
    "line\nbreak",
]

MOST_PLACES = 200
"""Larger networks are only described, not run, so that the test stays quick."""


def places_in(values: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of everything in nested mappings and lists."""
    found = [path] if path else []
    items = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    for key, value in items:
        found += places_in(value, (*path, key))
    return found


def damage(values: dict[str, Any], draw: Callable[[Any], Any]) -> dict[str, Any]:
    """A copy with one thing replaced, left out, doubled, misspelt or made much greater."""
    result = copy.deepcopy(values)
    path = draw(st.sampled_from(places_in(result)))
    holder = result
    for part in path[:-1]:
        holder = holder[part]
    key = path[-1]
    how = draw(st.sampled_from(["odd", "odd", "odd", "scale", "leave out", "misspell", "double"]))
    number = isinstance(holder[key], int | float) and not isinstance(holder[key], bool)
    if how == "scale" and number:
        holder[key] = holder[key] * draw(st.sampled_from([-1, 0, 1e-9, 1e3, 1e9, 0.999]))
    elif how == "leave out":
        del holder[key]
    elif how == "misspell" and isinstance(holder, dict):
        holder[f"{key}x"] = holder.pop(key)
    elif how == "double" and isinstance(holder, list):
        holder.append(copy.deepcopy(holder[key]))
    else:
        holder[key] = draw(st.sampled_from(ODD))
    return result


def check_sentence(error: RanpilotError) -> None:
    text = str(error)
    assert text.endswith(".") and "\n" not in text, text
    if isinstance(error, ConfigError):
        assert error.field and error.allowed and "pydantic" not in text


def run_briefly(scenario: Scenario) -> None:
    """50 slots whose numbers are all finite and conserved."""
    if scenario.num_places > MOST_PLACES:
        return
    networks = Networks(scenario, 1, seed=1)
    networks.advance(50)
    assert count_violations(networks).total() == 0
    for name, value in networks.measure().items():
        assert np.isfinite(value[~np.isnan(value)]).all(), name
        if not name.startswith("L1M."):
            assert not np.isnan(value).any(), name
    for name in ("gain", "ue_real", "cell_real", "activity", "process_sinr"):
        array = getattr(networks._state, name)
        if name == "cell_real":
            unlimited = (state.EVENT_POWER_DBM, state.BACKHAUL_RATE_BITS, state.BACKHAUL_ROOM_BITS)
            array = np.delete(array, unlimited, axis=-1)
        assert np.isfinite(array).all(), name


def as_scenario(values: dict[str, Any]) -> None:
    """Use the values or refuse them."""
    try:
        run_briefly(validate_scenario(values))
    except RanpilotError as error:
        check_sentence(error)


def plain(text: str) -> dict[str, Any]:
    return json.loads(json.dumps(YAML(typ="safe").load(text)))


@settings(max_examples=120, **QUIET)
@given(data=st.data())
def test_a_damaged_scenario_runs_or_is_refused(data: st.DataObject) -> None:
    values = plain(data.draw(st.sampled_from(list(SHIPPED.values()))))
    for _ in range(data.draw(st.integers(1, 3))):
        values = damage(values, data.draw)
    as_scenario(values)


@settings(max_examples=60, **QUIET)
@given(values=scenario_values(), data=st.data())
def test_a_damaged_random_scenario_runs_or_is_refused(values: dict[str, Any], data: st.DataObject) -> None:
    as_scenario(damage(values, data.draw))


@settings(max_examples=150, **QUIET)
@given(data=st.data())
def test_a_damaged_scenario_file_is_read_or_refused(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(list(SHIPPED.values())))
    for _ in range(data.draw(st.integers(1, 4))):
        at, length = data.draw(st.integers(0, len(text))), data.draw(st.sampled_from([0, 1, 5, 60]))
        put = data.draw(
            st.one_of(
                st.sampled_from(
                    ["\t", "&a [*a]", "!!python/name:x", "\x00", "\n- ", ": ", "2020-13-45", "0x", "{", "'"]
                ),
                st.text(max_size=4),
            )
        )
        text = text[:at] + put + text[at + length :]
    try:
        read_scenario(text, source="odd.yaml")
    except RanpilotError as error:
        check_sentence(error)
        assert "odd.yaml" in str(error) or not isinstance(error, ConfigError)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: &x [*x]", "odd.yaml"),
        ("name: 1\nname: 2\n", "odd.yaml:2: text"),
        ("&x {name: a, loads: *x}", "odd.yaml"),
        ("\x07", "odd.yaml:1: text"),
    ],
)
def test_yaml_that_is_odd_in_itself_is_told_by_its_file(text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_scenario(text, source="odd.yaml")
    check_sentence(caught.value)
    assert str(caught.value).startswith(told)


SITE = {"x_m": 0, "y_m": 0, "height_m": 25, "propagation": "UMa", "power_dbm": 38}
MANY_SITES = [{"name": name, **SITE} for name in "abc"]
CROWD = {"users": {"population": {"kind": "static", "ues_per_cell": 1000}}}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"traffic": {"rate_scale": 1e6}},
            "traffic.rate_scale = 1000000.0, but must be such that mean_rate_bps (1e+06) times it can be used",
        ),
        (
            {"traffic": {"mix": [{"kind": "poisson", "mean_rate_bps": 1e9, "packet_bits": 8}]}},
            "traffic.mix.0.packet_bits = 8, but must be at least 10000 at 1e+09 bit/s.",
        ),
        (
            {"traffic": {"mix": [{"kind": "poisson", "deadline_ms": 0.6}]}},
            "traffic.mix.deadline_ms = 0.6, but must be at least a slot (1 ms).",
        ),
        (
            {"traffic": {"buffer_packets": 65_536}, "layout": {"sites": MANY_SITES}, **CROWD},
            "traffic.buffer_packets = 65536, but must be at most 44739 for 3000 users",
        ),
        ({"traffic": {"mix": [{"model": 5}]}}, "traffic.mix.0 = 5, but must be a mapping."),
        ({"traffic": {"buffer_packets": True}}, "traffic.buffer_packets = True, but must be a number."),
        ({"users": {"noise_figure_db": True}}, "users.noise_figure_db = True, but must be a number."),
    ],
)
def test_what_cannot_be_simulated_as_it_is_asked_for_is_refused(
    make_scenario: Callable[..., Scenario], changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        make_scenario().with_changes(changes)
    assert str(caught.value).startswith(sentence)


def test_an_episode_ends_before_its_slots_run_out_of_bits(make_scenario: Callable[..., Scenario]) -> None:
    networks = Networks(make_scenario(), 2, seed=1)
    networks.slot = state.LAST_SLOT - 1500
    # The slots that are left out were empty ones.
    networks._state.cell_count[..., state.CELL_EMPTY_SLOTS] = networks.slot
    networks.advance(1500)
    assert count_violations(networks).total() == 0
    measured = networks.counters().ue
    assert measured[..., state.UE_PACKETS_OUT].min() > 10
    assert (measured[..., state.UE_DELAY_SLOTS] < 400 * measured[..., state.UE_PACKETS_OUT]).all()
    with pytest.raises(ConfigError, match=r"slots = 1, but must be a whole number in 0\.\.0"):
        networks.advance(1)


SITES = """\
name,x_m,y_m,height_m,propagation,power_dbm,capacity,azimuths_deg,elements,downtilt_deg
west,0,0,25,UMa,40,5,0 120 240,10,12
east,400,0,25,UMa,40,5,,,
"""


@settings(max_examples=100, **QUIET)
@given(data=st.data())
def test_a_damaged_list_of_sites_is_used_or_refused(
    data: st.DataObject, make_scenario: Callable[..., Scenario], tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = SITES.encode()
    for _ in range(data.draw(st.integers(0, 3))):
        at, length = data.draw(st.integers(0, len(content))), data.draw(st.sampled_from([0, 1, 3, 40]))
        odd = [b"", b"nan", b"-inf", b"1e400", b'"', b",", b"\n", b"\x00", b"\xff", b"9" * 30, b"-", b" 7", b"UMi"]
        put = data.draw(st.one_of(st.sampled_from(odd), st.binary(max_size=4)))
        content = content[:at] + put + content[at + length :]
    path = tmp_path_factory.mktemp("sites") / "odd.csv"
    path.write_bytes(content)
    layout = {"kind": "csv", "file": str(path), "area_m": [-300, -300, 700, 300]}
    try:
        run_briefly(validate_scenario({**make_scenario().model_dump(mode="json"), "layout": layout}))
    except RanpilotError as error:
        check_sentence(error)


ENDS = ("10.0.0.1", "172.30.1.1")
CAPTURE = "App name,No.,Time,Source,Destination,Protocol,Length\n" + "".join(
    f"app,{n},{0.1 * n:.6f},{ENDS[n % 5 == 0]},{ENDS[n % 5 > 0]},UDP,{100 + n}\n" for n in range(150)
)


def test_the_capture_that_is_damaged_below_is_sound() -> None:
    assert len(parse_capture(CAPTURE.encode(), "ok.csv").bits) == 120


@settings(max_examples=200, **QUIET)
@given(data=st.data())
def test_a_damaged_capture_is_read_or_refused(data: st.DataObject) -> None:
    content = CAPTURE.encode()
    for _ in range(data.draw(st.integers(1, 4))):
        at, length = data.draw(st.integers(0, len(content))), data.draw(st.sampled_from([0, 1, 3, 200]))
        odd = [b"", b"nan", b"inf", b"-1", b"1e400", b'"', b",", b"\n", b"\x00", b"\xff", b"9" * 30, b"0x10", b"1_0"]
        content = (
            content[:at] + data.draw(st.one_of(st.sampled_from(odd), st.binary(max_size=4))) + content[at + length :]
        )
    try:
        capture = parse_capture(content, "odd.csv")
    except RanpilotError as error:
        check_sentence(error)
        assert "odd.csv" in str(error)
        return
    assert (np.diff(capture.time_s) >= 0).all() and np.isfinite(capture.time_s).all()
    assert ((capture.bits > 0) & (capture.bits <= 8 * 262_144)).all()


HEADER = {"format": "ranpilot-replay", "version": 1, "source": "a", "sha256": "b", "phone": "c", "duration_s": 20.0}


def packed(header: Any, time_s: Any, bits: Any) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, header=np.array(json.dumps(header)), time_s=time_s, bits=bits)
    return file.getvalue()


@settings(max_examples=150, **QUIET)
@given(data=st.data())
def test_a_damaged_replay_file_is_read_or_refused(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    header: dict[str, Any] = dict(HEADER)
    arrays: list[Any] = [np.linspace(0.0, 19.0, 50), np.full(50, 800, np.int64)]
    how = data.draw(st.sampled_from(["header", "array", "bytes"]))
    if how == "header":
        header[data.draw(st.sampled_from(list(HEADER)))] = data.draw(st.sampled_from([x for x in ODD if x != b"bytes"]))
    elif how == "array":
        which = data.draw(st.integers(0, 1))
        value = data.draw(st.sampled_from([math.nan, math.inf, -1, 0, 2**40, 0.5, "a", 1e300]))
        odd = np.array([value] * 50) if data.draw(st.booleans()) else arrays[which].astype(object).copy()
        if odd.dtype == object:
            odd[data.draw(st.integers(0, 49))] = value
            odd = np.array(odd.tolist())
        arrays[which] = data.draw(st.sampled_from([odd, odd[:10], odd.reshape(5, 10), odd[:0]]))
    content = packed(header, *arrays)
    if how == "bytes":
        at = data.draw(st.integers(0, len(content) - 1))
        content = content[:at] + data.draw(st.binary(min_size=1, max_size=3)) + content[at + 1 :]
    path = tmp_path_factory.mktemp("replay") / "odd.npz"
    path.write_bytes(content)
    try:
        replay = load_replay(path)
    except RanpilotError as error:
        check_sentence(error)
        return
    assert (np.diff(replay.time_s) >= 0).all() and np.isfinite(replay.time_s).all()
    assert replay.time_s[-1] <= replay.duration_s and (replay.bits > 0).all()
    assert zipfile.is_zipfile(path)


@settings(max_examples=80, **QUIET)
@given(data=st.data())
def test_a_damaged_profile_is_played_or_refused(
    data: st.DataObject, make_scenario: Callable[..., Scenario], tmp_path_factory: pytest.TempPathFactory
) -> None:
    values = damage(load_profile("mmtc-heldout").model_dump(mode="json"), data.draw)
    path = tmp_path_factory.mktemp("profile") / "odd.json"
    path.write_text(json.dumps(values, default=str), encoding="utf-8")
    try:
        run_briefly(make_scenario({"traffic": {"mix": [{"kind": "fitted", "profile": str(path)}]}}))
    except RanpilotError as error:
        check_sentence(error)
