"""The fit: its intervals against closed forms, and the known parameters of networks within them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ranpilot.errors import ConfigError, IdentificationError, UnknownNameError
from ranpilot.twin import kpm
from ranpilot.twin.calibrate import Calibration, Effort, KpmFile, Series, calibrate
from ranpilot.twin.calibrate.fit import deviations
from ranpilot.twin.calibrate.parameters import PARAMETERS, make_axes, pick_parameters
from ranpilot.twin.calibrate.search import clear_slopes
from ranpilot.twin.calibrate.series import run_series
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.scenario_file import load_scenario

NETWORK = Path(__file__).parents[3] / "examples" / "own_network" / "network.yaml"
TRUTH = {"load": 1.6, "path-loss": 8.0, "shadowing": 0.6, "speed": 60.0}
"""What its load `truth` says."""
SMALL = Effort(networks=10, seconds=4.0, warm_up_s=0.5, seed=5)


def own(**changes: Any) -> Scenario:
    return load_scenario(NETWORK).with_changes(changes)


def changed(scenario: Scenario, values: dict[str, float]) -> Scenario:
    for parameter in pick_parameters(list(values)):
        scenario = scenario.with_changes(parameter.changes(scenario, values[parameter.name]))
    return scenario


def measured(scenario: Scenario, names: list[str], *, periods: int = 24, seed: int = 1) -> KpmFile:
    """What networks of a scenario would leave in a file, half a second a period."""
    series = run_series(
        scenario, names, seed=seed, num_networks=1, warm_slots=500, period_slots=500, periods=periods
    )  # fmt: skip
    return KpmFile("kpm.csv", series, periods)


EVERYTHING = [m.name for m in kpm.MEASUREMENTS if m.scope in ("cell", "ue")]


@pytest.fixture(scope="module")
def found() -> Calibration:
    file = measured(own().with_load("truth"), EVERYTHING, periods=80)
    return calibrate(own(), file, effort=SMALL)


def test_the_load_that_is_called_truth_is_what_the_test_says() -> None:
    truth = own().with_load("truth")
    assert {p.name: p.read(truth) for p in pick_parameters(list(TRUTH))} == pytest.approx(TRUTH)


def test_the_parameters_of_a_known_network_are_within_the_intervals(found: Calibration) -> None:
    for estimate in found.estimates:
        truth = TRUTH[estimate.axis.parameter.name]
        assert estimate.low <= truth <= estimate.high, estimate
    # Sharp enough to fail: what was given lies outside the intervals of load and path loss.
    by_name = {estimate.axis.parameter.name: estimate for estimate in found.estimates}
    assert by_name["load"].low > by_name["load"].before
    assert by_name["path-loss"].low > by_name["path-loss"].before


def test_the_fit_is_nearer_to_periods_that_it_never_saw(found: Calibration) -> None:
    assert found.error_after < 0.85 * found.error_before
    assert found.error_after < 1.5
    assert found.periods == (60, 20)


def test_every_record_says_value_unit_reference_and_how_it_was_made(found: Calibration) -> None:
    records = {record["name"]: record for record in found.to_json()}
    keys = {"name", "value", "unit", "reference", "difference", "n", "seed", "threads"}
    assert all(record.keys() >= keys for record in records.values())
    load = records["calibrate/own/load"]
    assert load["low"] < load["value"] < load["high"]
    assert load["reference"] == 1.0
    assert records["calibrate/own/held-out/error"]["reference"] == pytest.approx(found.error_before, rel=1e-4)
    assert records["calibrate/own/held-out/DRB.PdcpSduVolumeDL"]["unit"] == "Mbit/s"
    assert [lines[0][0] for lines in found.tables().values()] == ["parameter", "KPM"]


def test_a_file_without_the_kpms_that_tell_a_parameter_is_refused() -> None:
    file = measured(own(), [kpm.PRB_USE.name, kpm.VOLUME.name], periods=8)
    with pytest.raises(IdentificationError) as caught:
        calibrate(own(), file, names=["load", "speed"], effort=SMALL)
    assert str(caught.value) == (
        "kpm.csv cannot tell speed: it holds no KPM that does; it would have to hold L1M.SS-RSRP.UE, L1M.SS-SINR.UE, "
        "L1M.SS-SINR.Mean, CARR.WBCQIDist.Mean, MM.HoExeInterSucc, RP.HandoversIn, MM.HoExeInterReq or "
        "MM.HoExeInterSucc.UE, more of it, or the fit leave it out (--fit load)."
    )


def test_a_parameter_that_the_file_does_not_pin_down_is_refused() -> None:
    """Mean CQI of twenty-four users over four seconds: their places alone explain any speed."""
    file = measured(own(), [kpm.PRB_USE.name, kpm.CQI_MEAN.name], periods=8)
    with pytest.raises(IdentificationError, match=r"^kpm\.csv cannot tell speed: (anything from|what it holds does)"):
        calibrate(own(), file, names=["load", "speed"], effort=Effort(networks=4, seconds=2.0))


def test_deviations_of_a_linear_model_are_those_of_least_squares() -> None:
    """f = J theta + noise with equal weights: var(theta) = s^2 (1/N + 1/B) (J'J)^-1."""
    generator = np.random.default_rng(1)
    slopes, networks = generator.normal(size=(40, 2)), 4000
    outcome, as_long = 0.5 * generator.normal(size=(networks, 40)), 0.3 * generator.normal(size=(networks, 40))
    none = np.zeros((0, 40))
    alone = np.sqrt(np.diag(np.linalg.inv(slopes.T @ slopes)))
    found = deviations(slopes, np.ones(40), outcome, as_long, none, 2)
    np.testing.assert_allclose(found, alone * np.sqrt(0.3**2 / 2 + 0.5**2 / networks), rtol=0.05)
    few = deviations(slopes, np.ones(40), outcome[:4], as_long, none, 2)
    assert (few > 1.2 * found).any()
    # The file itself scatters more from block to block than networks do.
    blocks = 0.9 * np.sqrt(networks) * generator.normal(size=(networks, 40))
    wider = deviations(slopes, np.ones(40), outcome, as_long, blocks, 2)
    np.testing.assert_allclose(wider, 0.9 * alone, rtol=0.05)


def test_slopes_that_are_not_clear_of_scatter_count_as_none() -> None:
    generator = np.random.default_rng(2)
    noise = generator.normal(size=(12, 300, 2))
    assert (clear_slopes(noise) != 0.0).mean() < 0.01
    clear = clear_slopes(noise + np.array([10.0, 0.0]))
    assert (clear[:, 0] > 5.0).all()
    assert (clear[:, 1] == 0.0).mean() > 0.99


@pytest.mark.parametrize(
    ("changes", "names", "sentence"),
    [
        ({}, ["lxad"], "No parameter is called 'lxad'; did you mean 'load' (known: load, users, path-loss, shadowing, "
         "speed)."),
        ({}, ["load", "load"], "fit = 'load,load', but must be some of load, users, path-loss, shadowing, speed, each "
         "once."),
        ({}, ["users"], "users.population.kind = 'static', but must be arrivals where users are fitted; of static "
         "users set ues_per_cell to the file's RRC.ConnMean."),
        ({"radio": {"shadowing": False}}, ["shadowing"], "radio.shadowing = False, but must be true where shadowing is "
         "fitted."),
        ({"traffic": {"mix": [{"kind": "full-buffer"}]}}, ["load"], "traffic.rate_scale = 0.1, but must be 1 where a "
         "kind of traffic is 'full-buffer'."),
        ({"rrc": {"measure_rsrp": False, "handover": {"event": "none"}}}, ["load"], "rrc.measure_rsrp = False, but "
         "must be true where the file has L1M.SS-RSRP.UE."),
    ],
)  # fmt: skip
def test_what_cannot_be_fitted_in_a_scenario_is_one_sentence(
    changes: dict[str, Any], names: list[str], sentence: str
) -> None:
    series = Series(
        0.5, 0.5 * np.arange(1, 11), {kpm.PRB_USE.name: np.ones((10, 1, 3))}, {kpm.UE_RSRP.name: -np.ones((10, 1, 2))}
    )
    with pytest.raises((ConfigError, UnknownNameError)) as caught:
        calibrate(own(**changes), KpmFile("kpm.csv", series, 30), names=names)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"held_out": 0.9}, "held_out = 0.9, but must be 0.05 to 0.75."),
        ({"effort": Effort(networks=2)}, "networks = 2, but must be 3 to 10000."),
        ({"effort": Effort(seconds=0.0)}, "seconds = 0.0, but must be 0.1 to 10000 s."),
        ({}, "kpm.csv: periods = 7, but must be at least 8 to fit to some and hold out others."),
    ],
)
def test_a_short_file_or_a_wrong_option_is_one_sentence(options: dict[str, Any], sentence: str) -> None:
    series = Series(0.5, 0.5 * np.arange(1, 8), {kpm.PRB_USE.name: np.ones((7, 1, 3))}, {})
    with pytest.raises(ConfigError) as caught:
        calibrate(own(), KpmFile("kpm.csv", series, 21), names=["load"], **options)
    assert str(caught.value) == sentence


def test_places_and_values_of_every_parameter_go_over_into_each_other() -> None:
    arrivals = {"users": {"population": {"kind": "arrivals", "arrivals_per_s": 2.0, "mean_holding_s": 5.0}}}
    scenario = own(**arrivals)
    for axis in make_axes(PARAMETERS, scenario):
        for place in (0.0, 0.3, 1.0):
            assert axis.place(axis.value(place)) == pytest.approx(place)
        value = axis.value(0.7)
        assert axis.parameter.read(changed(scenario, {axis.parameter.name: value})) == pytest.approx(value)
    faster = changed(scenario, {"speed": 40.0}).users.mobility
    assert (faster.min_speed_kmh, faster.max_speed_kmh) == (pytest.approx(30.0), pytest.approx(50.0))
