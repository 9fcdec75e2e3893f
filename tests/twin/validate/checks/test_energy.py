"""The check of energy: all claims hold, and the next value of the standard's tables would be seen."""

from __future__ import annotations

import dataclasses

from ranpilot.twin.validate.checks import energy


def test_all_claims_hold_and_are_sharp_enough_to_fail() -> None:
    lines = {line.name: line for line in energy.lines("quick")}
    assert {name: line.value for name, line in lines.items() if not line.holds} == {}
    assert len(lines) == 12 + 3 + 6 + 3
    idle, full = lines["energy/idle/category-1/set-1"], lines["energy/full-load/category-1/set-1"]
    assert not dataclasses.replace(idle, value=1000 * 50 / 280).holds
    assert not dataclasses.replace(full, value=full.value - 0.1).holds
    doze = lines["energy/doze/joules-of-1s"]
    assert not dataclasses.replace(doze, value=doze.value - 0.09).holds, "one transition less of a hundred slots"
    powers = [lines[f"energy/a-tenth-of-the-time/{name}"].value for name in ("all-prbs", "half-of-the-prbs")]
    assert powers[0] > powers[1] + 20
