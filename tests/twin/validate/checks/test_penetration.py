"""The check of users in buildings: all claims hold, and a wrong wall would be seen."""

from __future__ import annotations

import dataclasses

from ranpilot.twin.validate.checks import penetration


def test_all_claims_hold_and_are_sharp_enough_to_fail() -> None:
    lines = {line.name: line for line in penetration.lines("quick")}
    assert {name: line.value for name, line in lines.items() if not line.holds} == {}
    for kind in ("low", "high"):
        line = lines[f"penetration/{kind}-loss/mean"]
        assert not dataclasses.replace(line, value=line.value + 0.8).holds
        line = lines[f"penetration/{kind}-loss/deviation"]
        assert not dataclasses.replace(line, value=1.1 * line.value).holds
