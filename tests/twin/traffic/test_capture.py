"""Reading captures: what is kept, what is cut, and every sentence that refuses one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ranpilot.errors import ConfigError, InputError, TraceError
from ranpilot.twin.traffic.capture import parse_capture, read_capture, read_tractor

HEADER = "App name,No.,Time,Source,Destination,Protocol,Length"
EXAMPLE = "CSV with columns App name,No.,Time,Source,Destination,Protocol,Length"


def line(time: object, length: object = 100, to: str = "172.30.1.1") -> str:
    return f"App,1,{time},10.0.0.1,{to},UDP,{length}"


def text_of(lines: list[str], header: str = HEADER) -> bytes:
    return ("\n".join([header, *lines]) + "\n").encode()


GOOD = [line(0.1 * number) for number in range(120)]


def test_the_packets_to_the_phone_are_kept_with_time_from_the_first_row() -> None:
    lines = [line(5.0, to="10.0.0.9"), *(line(6.0 + 0.1 * number, 200 + number) for number in range(120))]
    capture = parse_capture(text_of([*lines, line(20.0, to="10.0.0.9")]), "c.csv")
    assert len(capture.time_s) == 120
    assert capture.time_s[0] == pytest.approx(1.0)
    assert capture.duration_s == pytest.approx(15.0)
    assert capture.bits[:2].tolist() == [1600, 1608]
    assert capture.mean_rate_bps == pytest.approx(8 * sum(range(200, 320)) / 15.0)


def test_another_phone_has_other_packets() -> None:
    lines = [*GOOD, *(line(12.0 + 0.1 * number, to="10.0.0.9") for number in range(150))]
    assert len(parse_capture(text_of(lines), "c.csv", phone="10.0.0.9").time_s) == 150


def test_columns_may_come_in_any_order_and_others_may_be_missing() -> None:
    lines = [f"100,10.0.0.1,172.30.1.1,{0.1 * number}" for number in range(120)]
    assert len(parse_capture(text_of(lines, "Length,Source,Destination,Time"), "c.csv").time_s) == 120


def test_a_long_silence_of_both_directions_is_cut_where_a_limit_is_given() -> None:
    late = [line(100.0 + 0.1 * number) for number in range(120)]
    whole = parse_capture(text_of([*GOOD, *late]), "c.csv")
    assert whole.duration_s == pytest.approx(111.9) and len(whole.piece_start_s) == 1
    cut = parse_capture(text_of([*GOOD, *late]), "c.csv", cut_idle_s=60.0)
    assert cut.duration_s == pytest.approx(23.8)
    assert cut.piece_start_s == pytest.approx([0.0, 11.9])
    assert len(cut.time_s) == 240
    sent = [*GOOD, line(50.0, to="10.0.0.9"), *late]
    assert len(parse_capture(text_of(sent), "c.csv", cut_idle_s=60.0).piece_start_s) == 1


def test_times_that_fall_back_by_rounding_are_taken_as_equal() -> None:
    lines = [*GOOD, line(11.9 - 5e-7)]
    assert (np.diff(parse_capture(text_of(lines), "c.csv").time_s) >= 0).all()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", f"c.csv:1: empty file, but must be {EXAMPLE}."),
        (text_of([]), "c.csv:1: no packets after the first line, but must be at least one packet a line."),
        (
            text_of(GOOD, "App name,No.,When,Source,Destination,Protocol,Length"),
            "c.csv:1: no column 'Time' (columns: App name, No., When, Source, Destination, Protocol, Length),"
            " but must be columns App name,No.,Time,Source,Destination,Protocol,Length.",
        ),
        (text_of([*GOOD[:5], "App,1,0.7"]), "c.csv:7: 3 fields, but must be 7 as in the first line."),
        (text_of([*GOOD, ""]), "c.csv:122: 0 fields, but must be 7 as in the first line."),
        (text_of([*GOOD, line("soon")]), "c.csv:122: Time = 'soon', but must be a number of seconds."),
        (text_of([*GOOD, line("nan")]), "c.csv:122: Time = 'nan', but must be a number of seconds."),
        (text_of([*GOOD, line("inf")]), "c.csv:122: Time = 'inf', but must be a number of seconds."),
        (text_of([line(-0.5), *GOOD]), "c.csv:2: Time = -0.5, but must be at least 0."),
        (
            text_of([*GOOD, line(11.8)]),
            "c.csv:122: Time = 11.8, but must be at least that of the line before (11.9).",
        ),
        (
            text_of([*GOOD, line(12.0, "1e3")]),
            "c.csv:122: Length = '1e3', but must be a whole number of bytes from 1 to 262144.",
        ),
        (
            text_of([*GOOD, line(12.0, 0)]),
            "c.csv:122: Length = 0, but must be a whole number of bytes from 1 to 262144.",
        ),
        (
            text_of([line(0.1 * number, to="10.0.0.9") for number in range(120)]),
            "c.csv:121: phone 172.30.1.1 receives no packet, but must be one of the destinations (10.0.0.9).",
        ),
        (
            text_of(GOOD[:99]),
            "c.csv:100: too short: 99 packets to the phone 172.30.1.1, but must be at least 100.",
        ),
        (
            text_of([line(0.01 * number) for number in range(200)]),
            "c.csv:201: too short: 1.99 s, but must be at least 10 s.",
        ),
        (b"\xff\xfe\n\x00", f"c.csv:1: not text, but must be {EXAMPLE}."),
        (
            text_of([*GOOD, '"App,1,2']),
            f"c.csv:122: not CSV (unexpected end of data), but must be {EXAMPLE}.",
        ),
    ],
)
def test_a_broken_capture_is_refused_with_file_and_line(content: bytes, message: str) -> None:
    with pytest.raises(TraceError) as caught:
        parse_capture(content, "c.csv")
    assert str(caught.value) == message


def test_a_missing_file_and_a_wrong_limit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_capture(tmp_path / "no.csv")
    assert str(caught.value) == f"{tmp_path / 'no.csv'}: no such file, but must be a capture as pcap, or as {EXAMPLE}."
    with pytest.raises(ConfigError) as refused:
        parse_capture(text_of(GOOD), "c.csv", cut_idle_s=-1.0)
    assert str(refused.value) == "cut_idle_s = -1.0, but must be a positive number of seconds."


def test_without_the_archive_the_sentence_says_where_it_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANPILOT_DATA", str(tmp_path))
    with pytest.raises(InputError) as caught:
        list(read_tractor(["embb.csv"]))
    archive = tmp_path / "tractor" / "tractor.tar.xz"
    expected = f"{archive}: no such file; set RANPILOT_DATA to the folder that holds tractor/tractor.tar.xz."
    assert str(caught.value) == expected
