"""The check of path loss: enough distances, all claims hold, and a wrong formula would be seen."""

from __future__ import annotations

from collections import Counter

import pytest

from ranpilot.twin.validate.checks import path_loss
from ranpilot.twin.validate.table import read_table


def test_all_claims_hold() -> None:
    assert [line.name for line in path_loss.lines("quick") if not line.holds] == []


@pytest.mark.parametrize("model", ["RMa", "UMa", "UMi", "InH", "InH-open"])
def test_every_model_and_state_is_held_at_twenty_distances_in_every_setting(model: str) -> None:
    rows = [row for row in read_table("path_loss") if row["model"] == model]
    settings = Counter(
        tuple(
            row[key]
            for key in ("quantity", "state", "bs_height_m", "ut_height_m", "environment_height_m", "carrier_ghz")
        )
        for row in rows
    )
    # RMa without line of sight ends at 5 km, so two of its twenty distances fall away.
    least = {("path_loss_db", "nlos"): 18 if model == "RMa" else 20}
    assert {key[1] for key in settings} >= ({""} if model == "InH-open" else {"los", "nlos", ""})
    for key, count in settings.items():
        assert count >= least.get(key[:2], 20), key


def test_a_slope_that_is_a_tenth_too_steep_would_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    right = path_loss.path_loss_db
    monkeypatch.setattr(path_loss, "path_loss_db", lambda model, d, *rest: right(model, d, *rest) * 1.001)
    failing = [line for line in path_loss.lines("quick") if not line.holds]
    assert len(failing) > 400
