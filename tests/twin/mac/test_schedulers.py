"""What schedulers are known to do, and the weights that users are given."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import numpy as np
import pytest

from ranpilot.errors import ActionError
from ranpilot.twin import Networks, kpm, state
from ranpilot.twin.controls import FORCED_HANDOVER, SCHEDULING_WEIGHT
from ranpilot.twin.description.link import Scheduler
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.validate.checks import schedulers

MakeScenario = Callable[..., Scenario]


def test_every_scheduler_does_what_it_is_known_for() -> None:
    lines = list(schedulers.lines("quick"))
    assert [(line.name, line.value, line.low, line.high) for line in lines if not line.holds] == []
    assert len(lines) == 14


def loaded(make_scenario: MakeScenario, scheduler: str) -> Networks:
    """One cell with four users alike, deadlines, fading, and more traffic than it carries."""
    site = {"name": "a", "x_m": 0, "y_m": 0, "height_m": 25, "propagation": "UMa", "power_dbm": 28}
    mix = [{"kind": "poisson", "mean_rate_bps": 1e7, "packet_bits": 4000, "deadline_ms": 60}]
    scenario = make_scenario(
        {
            "layout": {"sites": [site], "area_m": [300, 0, 310, 10]},
            "users": {
                "population": {"kind": "static", "ues_per_cell": 4},
                "mobility": {"kind": "lines", "min_speed_kmh": 5, "max_speed_kmh": 5},
            },
            "radio": {"shadowing": False, "line_of_sight": "never"},
            "link": {"scheduler": scheduler},
            "traffic": {"mix": mix, "buffer_packets": 2048},
        }
    )
    return Networks(scenario, 4, seed=2)


@pytest.mark.parametrize("scheduler", get_args(Scheduler))
def test_a_greater_weight_gets_a_greater_share_of_the_throughput(make_scenario: MakeScenario, scheduler: str) -> None:
    shares = []
    for weight in (0.0, 0.5, 1.0, 2.0, 4.0):
        networks = loaded(make_scenario, scheduler)
        networks.apply({SCHEDULING_WEIGHT: np.tile([weight, 1.0, 1.0, 1.0], (4, 1))})
        networks.advance(3000)
        volume = networks.measure()[kpm.UE_VOLUME.name].sum(axis=0)
        shares.append(volume[0] / volume.sum())
    assert shares[0] == 0.0
    assert (np.diff(shares) > 0.001).all(), shares
    assert shares[3] - shares[1] > 0.1, shares
    if scheduler in ("round-robin", "proportional-fair"):
        np.testing.assert_allclose(shares, [0.0, 1 / 7, 1 / 4, 2 / 5, 4 / 7], atol=0.06)


def test_a_weight_goes_along_in_copies_and_handovers_and_ends_with_its_user(make_scenario: MakeScenario) -> None:
    population = {"kind": "arrivals", "arrivals_per_s": 20.0, "mean_holding_s": 0.5}
    sites = [{**site.model_dump(), "capacity": 6} for site in make_scenario().layout.sites]
    networks = Networks(make_scenario({"layout": {"sites": sites}, "users": {"population": population}}), 2, seed=0)
    networks.advance(100)
    before = networks.ues
    assert (before.scheduling_weight[before.serving_cell >= 0] == 1.0).all()
    networks.apply({SCHEDULING_WEIGHT: np.full(before.serving_cell.shape, 7.0)})
    networks.apply({SCHEDULING_WEIGHT: np.full(before.serving_cell.shape, np.nan)})
    assert (networks.ues.scheduling_weight == np.where(before.serving_cell >= 0, 7.0, before.scheduling_weight)).all()
    data, fork = networks.snapshot(), networks.fork(1)
    target = np.full(before.serving_cell.shape, -1)
    mover = int(np.flatnonzero(before.serving_cell[0] == 0)[0])
    target[0, mover] = 1
    networks.apply({FORCED_HANDOVER: target})
    assert networks.ues.scheduling_weight[0, mover] == 7.0
    networks.advance(2000)
    after = networks.ues
    stayed = (after.call_id == before.call_id) & (after.serving_cell >= 0) & (before.serving_cell >= 0)
    assert (after.scheduling_weight[stayed] == 7.0).all()
    renewed = (after.call_id > before.call_id) & (after.serving_cell >= 0)
    assert renewed.sum() > 3
    assert (after.scheduling_weight[renewed] == 1.0).all()
    fork.advance(50)
    networks.restore(data)
    networks.advance(50)
    assert networks.fingerprint() == fork.fingerprint()


@pytest.mark.parametrize("weight", [-0.1, 100.5, np.inf])
def test_a_weight_outside_its_range_is_refused(make_scenario: MakeScenario, weight: float) -> None:
    networks = Networks(make_scenario(), 1, seed=0)
    with pytest.raises(ActionError, match=r"SCHEDULING_WEIGHT = .*, but must be 0\.\.100 1\."):
        networks.apply({SCHEDULING_WEIGHT: np.full((1, 6), weight)})
    assert (networks._state.ue_real[..., state.SCHEDULING_WEIGHT] == 1.0).all()
