"""Lines of the validation: what passes, what is written, and what of many lines is shown."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from ranpilot.twin.validate.line import Line, compared, reported, within
from ranpilot.twin.validate.summary import allowed, summarise


@pytest.mark.parametrize(
    ("line", "holds", "strain", "words"),
    [
        (compared("a", 100.02, 100.0, 0.05, "dB", "s"), True, 0.4, "100 ± 0.05"),
        (compared("a", 99.94, 100.0, 0.05, "dB", "s"), False, math.inf, "100 ± 0.05"),
        (compared("a", 1352.0, 1352.0, 0.0, "bit", "s"), True, 0.0, "1352"),
        (compared("a", 1353.0, 1352.0, 0.0, "bit", "s"), False, math.inf, "1352"),
        (compared("a", math.nan, 1.0, 9.0, "1", "s"), False, math.inf, "1 ± 9"),
        (within("a", 3.0, 1.0, 4.0, "1", "s"), True, 1 / 3, "1 to 4"),
        (within("a", 0.011, 0.008, 0.012, "1", "s", reference=0.009), True, 2 / 3, "0.009, 0.008 to 0.012"),
        (within("a", 0.5, None, 1.0, "1", "s"), True, 0.0, "≤ 1"),
        (within("a", 0.5, 1.0, None, "1", "s"), False, math.inf, "≥ 1"),
        (reported("a", 7.0, "dB", "s"), True, 0.0, "a number"),
        (reported("a", math.nan, "dB", "s"), False, math.inf, "a number"),
    ],
)
def test_a_line_holds_inside_its_bounds_and_says_how_near_it_is(
    line: Line, holds: bool, strain: float, words: str
) -> None:
    assert line.holds is holds
    assert line.strain == pytest.approx(strain)
    assert allowed(line) == words


@pytest.mark.parametrize(
    "line",
    [
        compared("a/b", 1.5, 1.0, 1.0, "dB", "TR 38.901", n=7, seed=3),
        within("a", 1.5, None, 2.0, "1", "x"),
        reported("c", 2.0, "s", "y"),
        within("d", np.float32(1.5), np.float64(1), None, "1", "x", reference=np.float64(2), n=np.int64(4)),
    ],
)
def test_a_line_comes_back_from_its_json(line: Line) -> None:
    record = json.loads(json.dumps(line.to_json(), allow_nan=False))
    assert Line.from_json(record) == line
    assert record["holds"] is (True if line.is_claim else None)


def test_no_number_is_null_in_json_and_fails_there_too() -> None:
    record = json.loads(json.dumps(compared("a", math.nan, 1.0, 1.0, "1", "s").to_json(), allow_nan=False))
    assert (record["value"], record["difference"], record["holds"]) == (None, None, False)
    assert not Line.from_json(record).holds


def test_lines_of_a_kind_are_summed_up_with_the_one_that_is_nearest_to_failing() -> None:
    near, far = compared("loss/b", 1.04, 1.0, 0.05, "dB", "s"), compared("loss/a", 2.01, 2.0, 0.05, "dB", "s")
    broken = compared("loss/c", 3.0, 2.0, 0.05, "dB", "s")
    curve, share = reported("cdf/5", 1.0, "dB", "s"), compared("loss/d", 1, 1, 0, "1", "")
    first, third, second = summarise([far, near, curve, share])
    assert (first.kind, first.unit, first.worst, len(first.claims), first.failing) == ("loss", "dB", near, 2, ())
    assert (second.kind, second.worst, second.claims) == ("cdf", None, ())
    assert (third.kind, third.unit) == ("loss", "1")
    (part,) = summarise([far, broken, near])
    assert part.worst == broken
    assert part.failing == (broken,)


def test_a_second_word_divides_a_kind_unless_that_gives_too_many() -> None:
    few = [compared(f"loss/{model}/{d}m", 1, 1, 0, "dB", "s") for d in (1, 2) for model in ("UMa", "UMi")]
    many = [compared(f"tbs/{prb}/mcs-1", 1, 1, 0, "bit", "s") for prb in range(9)]
    found = summarise([*few, *many, compared("loss/all", 1, 1, 0, "dB", "s")])
    assert [(part.kind, len(part.lines)) for part in found] == [
        ("loss/UMa", 2),
        ("loss/UMi", 2),
        ("loss", 1),
        ("tbs", 9),
    ]
    assert [part.place(part.lines[0]) for part in found] == ["1m", "1m", "all", "0/mcs-1"]
