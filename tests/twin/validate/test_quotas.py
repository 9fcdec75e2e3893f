"""Quotas are held slot by slot, and every way to break one is seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ranpilot.twin import Networks, slice_columns
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.validate.quotas import CellSlot, Share, count_broken, watch_quotas

IDLE = Share(least=0.0, most=8.0, dedicated=0.0, repeated=0, new=0, unmet=())
ALL = 0b1111_1111


def told(free: int, *shares: Share) -> dict[str, int]:
    return dict(+count_broken(CellSlot(free, shares)))


def test_a_maximum_is_one_of_new_blocks_and_of_whole_groups() -> None:
    capped = IDLE._replace(most=2.5)
    assert told(0, capped._replace(new=0b111)) == {}
    assert told(0, capped._replace(new=0b1111)) == {"maximum": 1}
    assert told(0, capped._replace(new=0b1, repeated=3)) == {"maximum": 1}
    assert told(0, capped._replace(repeated=6)) == {}, "retransmissions keep the groups that they had"


def test_a_minimum_is_broken_where_a_member_could_use_what_is_free_or_lent() -> None:
    short = IDLE._replace(least=3.9, new=0b11)
    assert told(0b1000, short) == {}, "nobody wants more"
    assert told(0b1000, short._replace(unmet=(0b0111,))) == {}, "who wants more is not reached on what is free"
    assert told(0b1000, short._replace(unmet=(0b0111, 0b1100))) == {"minimum": 1}
    assert told(0b1000, short._replace(new=0b111, unmet=(ALL,))) == {}, "3.9 groups are 3 or 4"
    lender = IDLE._replace(new=0b11_0000)
    assert told(0, short._replace(unmet=(ALL,)), lender) == {"minimum": 1}
    assert told(0, short._replace(unmet=(0b1_0000,)), lender) == {}, "what was lent may be the other group"
    assert told(0, short._replace(unmet=(ALL,)), lender._replace(least=1.5)) == {}, "what others have is their minimum"


def test_dedicated_groups_stay_free_unless_minima_need_them() -> None:
    kept = IDLE._replace(least=4.0, dedicated=2.0)
    greedy = IDLE._replace(new=0b11_1111)
    assert told(0b1100_0000, kept, greedy) == {}
    assert told(0b1000_0000, kept, greedy._replace(new=0b111_1111)) == {"dedicated": 1}
    assert told(0b1000_0000, kept._replace(repeated=1), greedy._replace(new=0b111_1111)) == {}
    assert told(0b1000_0000, kept, greedy._replace(new=0b111_1111, least=6.5)) == {}


def greedy(make_scenario: Callable[..., Scenario], **of_first: Any) -> Networks:
    tenants = [
        {"name": "a", "share": 0.5, "traffic": ["greedy"], **of_first},
        {"name": "b", "share": 0.5, "traffic": ["greedy"]},
    ]
    networks = Networks(
        make_scenario(
            {
                "users": {"population": {"kind": "static", "ues_per_cell": 4}},
                "radio": {"shadowing": False, "line_of_sight": "always", "fading": False},
                "traffic": {"mix": [{"name": "greedy", "kind": "full-buffer", "packet_bits": 3_000_000}]},
                "slices": {"tenants": tenants},
            }
        ),
        2,
        seed=1,
    )
    networks.advance(50)
    assert watch_quotas(networks, 30).total() == 0
    return networks


@pytest.mark.parametrize(
    ("column", "pretended", "rule"),
    [
        (slice_columns.MAX_SHARE, 0.1, "maximum"),
        (slice_columns.MIN_SHARE, 0.9, "minimum"),
    ],
)
def test_a_scheduler_that_does_not_know_a_quota_is_seen_to_break_it(
    make_scenario: Callable[..., Scenario], monkeypatch: pytest.MonkeyPatch, column: int, pretended: float, rule: str
) -> None:
    """The first slice is served by its true share; the watcher then reads another."""
    networks = greedy(make_scenario)
    share, plain = networks._state.cell_slice_real, Networks.advance
    true = share[..., 0, column].copy()

    def advance(self: Networks, slots: int) -> None:
        share[..., 0, column] = true
        plain(self, slots)
        share[..., 0, column] = pretended

    monkeypatch.setattr(Networks, "advance", advance)
    found = watch_quotas(networks, 20)
    assert found[rule] > 20 and set(found) == {rule}


def test_a_block_that_is_counted_for_another_slice_is_seen(
    make_scenario: Callable[..., Scenario], monkeypatch: pytest.MonkeyPatch
) -> None:
    networks = greedy(make_scenario)
    plain = Networks.advance

    def advance(self: Networks, slots: int) -> None:
        plain(self, slots)
        counted = self._state.slice_count[..., slice_columns.SLICE_PRBS]
        counted[...] = np.flip(counted, axis=-1)

    monkeypatch.setattr(Networks, "advance", advance)
    assert watch_quotas(networks, 5)["members"] > 0
