"""Each control of a slice does what it says, alone, and refuses what cannot be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ranpilot.errors import ActionError
from ranpilot.twin import Networks, slice_columns, state
from ranpilot.twin.controls import (
    SLICE_DEADLINE_MS,
    SLICE_DEDICATED_RATIO,
    SLICE_MAX_RATIO,
    SLICE_MIN_RATIO,
    SLICE_SCHEDULER,
    SLICE_TARGET_BLER,
)
from ranpilot.twin.scenario import Scenario

MakeScenario = Callable[..., Scenario]
SITE = {"name": "a", "x_m": 0, "y_m": 0, "height_m": 25, "propagation": "UMa", "power_dbm": 8}
ROUND_ROBIN, PROPORTIONAL_FAIR, MAX_CQI = 0, 1, 2


def two_slices(make_scenario: MakeScenario, rate_bps: float = 4e6, **tenant: Any) -> Scenario:
    """One cell far from empty, shared by two slices of ten users each."""
    kind = {"name": "web", "kind": "poisson", "mean_rate_bps": rate_bps}
    tenants = [{"name": name, "share": 0.5, "traffic": ["web"], **tenant} for name in ("a", "b")]
    return make_scenario(
        {
            "layout": {"sites": [SITE], "area_m": [-500, -500, 500, 500]},
            "carrier": {"num_prbs": 52, "prbs_per_group": 4},
            "users": {"population": {"kind": "static", "ues_per_cell": 20}, "mobility": {"kind": "static"}},
            "radio": {"shadowing": False, "line_of_sight": "always", "fading": False},
            "traffic": {"mix": [kind]},
            "slices": {"tenants": tenants},
        }
    )


def pair(first: float, second: float, num: int = 1) -> np.ndarray:
    """[B, 1, 2]"""
    return np.tile(np.array([[[first, second]]]), (num, 1, 1))


def counted(networks: Networks, column: int, slots: int) -> np.ndarray:
    """[B, S] what was counted in one cell."""
    before = networks.counters().slices
    networks.advance(slots)
    return (networks.counters().slices - before)[:, 0, :, column]


@pytest.mark.parametrize(
    ("controls", "greater"),
    [
        ({SLICE_MIN_RATIO: pair(80, 0)}, True),
        ({SLICE_MAX_RATIO: pair(20, 100)}, False),
        ({SLICE_MIN_RATIO: pair(70, 0), SLICE_DEDICATED_RATIO: pair(70, 0)}, True),
    ],
    ids=["min", "max", "dedicated"],
)
def test_a_ratio_moves_the_bits_that_a_slice_gets(
    make_scenario: MakeScenario, controls: dict[Any, np.ndarray], greater: bool
) -> None:
    networks = Networks(two_slices(make_scenario), 1, seed=4)
    networks.advance(200)
    networks.apply(controls)
    bits = counted(networks, slice_columns.SLICE_BITS_OUT, 600)[0]
    assert (bits[0] > 1.5 * bits[1]) if greater else (bits[1] > 1.5 * bits[0])


def test_a_scheduler_of_its_own_serves_the_near_of_one_slice(make_scenario: MakeScenario) -> None:
    networks = Networks(two_slices(make_scenario, min_ratio=50, max_ratio=50), 1, seed=4)
    networks.advance(300)
    greedy = networks.fork(1)
    greedy.apply({SLICE_SCHEDULER: pair(MAX_CQI, PROPORTIONAL_FAIR)})
    start = networks.counters().ue[0, :, state.UE_BITS_OUT]
    for run in (networks, greedy):
        run.advance(700)
    served = [
        np.sort((run.counters().ue[0, :, state.UE_BITS_OUT] - start)[run.ues.seat[0] == 0])
        for run in (networks, greedy)
    ]
    assert served[1].sum() > 1.1 * served[0].sum()
    assert served[1][0] < 0.5 * served[0][0]


def test_a_lower_target_of_errors_takes_a_slice_to_lower_rates(make_scenario: MakeScenario) -> None:
    networks = Networks(two_slices(make_scenario, rate_bps=1e6), 4, seed=4)
    networks.apply({SLICE_TARGET_BLER: pair(0.001, 0.3, 4)})
    networks.advance(1500)
    offset_db = networks._state.ue_real[..., state.OFFSET_DB]
    seat = networks.ues.seat
    assert offset_db[seat == 0].mean() > offset_db[seat == 1].mean() + 0.5


def test_a_deadline_discards_what_waits_longer_also_what_waits_already(make_scenario: MakeScenario) -> None:
    networks = Networks(two_slices(make_scenario, rate_bps=8e6), 1, seed=4)
    networks.advance(500)
    before = networks.counters().slices[0, 0, :, slice_columns.SLICE_PACKETS_DROPPED]
    networks.apply({SLICE_DEADLINE_MS: pair(20.0, np.nan)})
    networks.advance(1)
    dropped = networks.counters().slices[0, 0, :, slice_columns.SLICE_PACKETS_DROPPED] - before
    assert dropped[0] > 10 * (dropped[1] + 1)
    assert (networks.ues.deadline_slots[networks.ues.seat == 0] == 20).all()
    assert (networks.ues.deadline_slots[networks.ues.seat == 1] > 20).all()


def test_nan_keeps_what_is_in_force(make_scenario: MakeScenario) -> None:
    networks = Networks(two_slices(make_scenario, min_ratio=20, max_ratio=70, dedicated_ratio=10), 1, seed=4)
    networks.apply({control: pair(np.nan, np.nan) for control in (SLICE_MIN_RATIO, SLICE_MAX_RATIO)})
    networks.apply({SLICE_MIN_RATIO: pair(30, np.nan)})
    np.testing.assert_allclose(networks.slices.min_ratio[0, 0], [30, 20])
    np.testing.assert_allclose(networks.slices.max_ratio[0, 0], [70, 70])


@pytest.mark.parametrize(
    ("controls", "sentence"),
    [
        (
            {SLICE_MIN_RATIO: pair(60, 50)},
            "SLICE_MIN_RATIO of a cell's slices together = 110.0, but must be at most 100 %.",
        ),
        ({SLICE_MIN_RATIO: pair(90, 0)}, "SLICE_MIN_RATIO = 90.0, but must be at most the slice's maximum."),
        (
            {SLICE_DEDICATED_RATIO: pair(30, 0)},
            "SLICE_DEDICATED_RATIO = 30.0, but must be at most the slice's minimum.",
        ),
        ({SLICE_MIN_RATIO: pair(-1, 0)}, "SLICE_MIN_RATIO = -1.0, but must be 0..100 %."),
        ({SLICE_SCHEDULER: pair(1.5, 0)}, "SLICE_SCHEDULER = 1.5, but must be 0..4 index."),
        ({SLICE_TARGET_BLER: pair(0.9, 0.1)}, "SLICE_TARGET_BLER = 0.9, but must be 1e-05..0.5 1."),
        ({SLICE_TARGET_BLER: np.zeros((1, 2))}, "SLICE_TARGET_BLER shape = (1, 2), but must be (1, 1, 2)."),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_nothing_comes_into_force(
    make_scenario: MakeScenario, controls: dict[Any, np.ndarray], sentence: str
) -> None:
    networks = Networks(two_slices(make_scenario, min_ratio=20, max_ratio=80), 1, seed=4)
    before = networks.fingerprint()
    with pytest.raises(ActionError) as refused:
        networks.apply({SLICE_DEADLINE_MS: pair(5, 5), **controls})
    assert str(refused.value) == f"action: {sentence}"
    assert networks.fingerprint() == before


def test_without_slices_ratios_are_refused_and_the_scheduler_is_everybodys(make_scenario: MakeScenario) -> None:
    networks = Networks(make_scenario(), 1, seed=1)
    with pytest.raises(ActionError, match="left out where the scenario has no slices"):
        networks.apply({SLICE_MIN_RATIO: np.zeros((1, 2, 1))})
    networks.apply({SLICE_SCHEDULER: np.full((1, 2, 1), ROUND_ROBIN), SLICE_DEADLINE_MS: np.full((1, 2, 1), 7.0)})
    networks.advance(20)
    assert (networks.ues.deadline_slots == 7).all()
    assert networks.slices.scheduler.ravel().tolist() == [ROUND_ROBIN, ROUND_ROBIN]
