"""The check of slices: all claims hold, and a share of a group more or less would be seen."""

from __future__ import annotations

import dataclasses

from ranpilot.twin.validate.checks import slices


def test_all_claims_hold_and_are_sharp_enough_to_fail() -> None:
    lines = {line.name: line for line in slices.lines("quick")}
    assert {name: line.value for name, line in lines.items() if not line.holds} == {}
    assert len(lines) == 3 + 2 + 2 + 2 + 2 + 2 + 1
    for name in ("min-is-max/a", "min-and-lent/a", "beside-dedicated/a", "minima-beyond-all/b"):
        line = lines[f"slices/{name}"]
        assert not dataclasses.replace(line, value=line.value + 100 / 13 / 4).holds, name
    taken = lines["slices/turnover/taken"]
    assert not dataclasses.replace(taken, value=2 / 3).holds, "mean stay over mean stay and gap, without blocks"
