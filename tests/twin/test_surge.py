"""Events that multiply the traffic of a cell: by what factor, for which models, and that nothing else changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ranpilot.twin import Networks, state
from ranpilot.twin.controls import FORCED_HANDOVER
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.traffic import make_model, parse_config

MakeScenario = Callable[..., Scenario]

MODELS = [
    {"kind": "poisson", "mean_rate_bps": 2e5, "packet_bits": 2000},
    {"kind": "periodic", "period_s": 0.013, "packet_bits": 2600, "jitter_s": 0.004},
    {"kind": "fitted", "profile": "urllc", "scale": 4.0},
]


def surging(make_scenario: MakeScenario, model: dict[str, Any], factor: float, **event: Any) -> Scenario:
    """Cell a's traffic is multiplied from 0.5 s on. Users stand near their sites and never change the cell."""
    one = {"kind": "surge", "cell": "a", "start_s": 0.5, "duration_s": 60, **event}
    return make_scenario(
        {
            "layout": {"area_m": [-100, -50, 500, 50]},
            "users": {"population": {"ues_per_cell": 4}, "mobility": {"kind": "static"}},
            "radio": {"shadowing": False},
            "traffic": {"mix": [model], "buffer_packets": 4096},
            "events": {"kinds": [{"name": "surge", "traffic_factor": factor}], "schedule": [one]},
        }
    )


def offered(networks: Networks, column: int = state.UE_BITS_IN) -> np.ndarray:
    """[B, C] bits (or packets) that came for the users that are there now."""
    here = networks.ues.serving_cell[..., None] == np.arange(2)
    counted: np.ndarray = (networks.counters().ue[..., column, None] * here).sum(axis=1)
    return counted


@pytest.mark.parametrize("factor", [0.0, 0.3, 1.6, 4.0])
@pytest.mark.parametrize("model", MODELS, ids=lambda model: str(model["kind"]))
def test_the_cell_is_offered_as_many_times_its_traffic(
    make_scenario: MakeScenario, model: dict[str, Any], factor: float
) -> None:
    networks = Networks(surging(make_scenario, model, factor), 60, seed=2)
    networks.advance(500)
    before = offered(networks)
    networks.advance(4000)
    bits = offered(networks) - before
    rate_bps = make_model(parse_config(model), 1e-3).mean_rate_bps
    for cell, times in ((0, factor), (1, 1.0)):
        expected, standard_error = times * 4 * 4.0 * rate_bps, bits[:, cell].std(ddof=1) / np.sqrt(60)
        assert abs(bits[:, cell].mean() - expected) <= 4 * standard_error
        assert standard_error <= 0.06 * max(expected, 1e-9)


def test_extra_packets_are_as_random_as_the_models_own(make_scenario: MakeScenario) -> None:
    """Poisson packets thinned or added are Poisson: in every slot as many on average as their variance."""
    for factor in (0.4, 2.5):
        scenario = surging(make_scenario, MODELS[0], factor, start_s=0.0)
        networks = Networks(scenario, 200, seed=2)
        counts = []
        for _ in range(40):
            before = offered(networks, state.UE_PACKETS_IN)[:, 0]
            networks.advance(50)
            counts.append(offered(networks, state.UE_PACKETS_IN)[:, 0] - before)
        of_period = np.array(counts)
        mean = factor * 4 * 0.1 * 50
        assert of_period.mean() == pytest.approx(mean, abs=4 * np.sqrt(mean / of_period.size))
        dispersion = of_period.var(ddof=1) / of_period.mean()
        assert dispersion == pytest.approx(1.0, abs=4 * np.sqrt(2 / of_period.size))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: str(model["kind"]))
def test_nothing_changes_before_the_event_and_in_other_cells(
    make_scenario: MakeScenario, model: dict[str, Any]
) -> None:
    with_surge = Networks(surging(make_scenario, model, 3.0), 3, seed=2)
    without = Networks(surging(make_scenario, model, 3.0).with_changes({"events": None}), 3, seed=2)
    for networks in (with_surge, without):
        networks.advance(500)
    for ours, theirs in zip(with_surge.counters(), without.counters(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for networks in (with_surge, without):
        networks.advance(1700)
    assert (offered(with_surge)[:, 0] > offered(without)[:, 0]).all()
    np.testing.assert_array_equal(offered(with_surge)[:, 1], offered(without)[:, 1])


def test_who_goes_to_another_cell_is_offered_what_is_usual_there(make_scenario: MakeScenario) -> None:
    networks = Networks(surging(make_scenario, MODELS[0], 0.0, start_s=0.0), 2, seed=2)
    networks.advance(300)
    assert (offered(networks)[:, 0] == 0).all()
    here = networks.ues.serving_cell == 0
    networks.apply({FORCED_HANDOVER: np.where(here, 1, -1)})
    networks.advance(1000)
    assert (networks.counters().ue[..., state.UE_PACKETS_IN][here] > 50).all()


def test_overlapping_surges_multiply_up_to_the_greatest_of_any_kind(make_scenario: MakeScenario) -> None:
    scenario = surging(make_scenario, MODELS[0], 3.0)
    kinds = [{"name": "surge", "traffic_factor": 3.0}, {"name": "lull", "traffic_factor": 0.5}]
    event = {"cell": "a", "start_s": 0, "duration_s": 9}
    for names, factor in ((["surge", "lull"], 1.5), (["surge", "surge"], 3.0), (["lull", "lull"], 0.25)):
        events = {"kinds": kinds, "schedule": [{"kind": name, **event} for name in names]}
        networks = Networks(scenario.with_changes({"events": events}), 20, seed=2)
        networks.advance(2000)
        packets = offered(networks, state.UE_PACKETS_IN)[:, 0]
        expected = factor * 4 * 0.1 * 2000
        assert packets.mean() == pytest.approx(expected, abs=4 * np.sqrt(expected / 20))


def test_a_fresh_future_draws_the_extra_packets_anew_too(make_scenario: MakeScenario) -> None:
    networks = Networks(surging(make_scenario, MODELS[0], 3.0, start_s=0.1, announced_s=0.05), 1, seed=2)
    networks.advance(250)
    forks = networks.fork(6, future="fresh", draw=[0, 1, 2, 3, 4, 4])
    before = offered(networks)
    forks.advance(600)
    came = (offered(forks, state.UE_BITS_IN) - before)[:, 0].tolist()
    assert len(set(came)) == 5 and came[4] == came[5]
