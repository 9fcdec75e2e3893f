"""Carriers by bandwidth, groups by the standard's table, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from ranpilot.twin import Networks, kpm
from ranpilot.twin.description.carrier import Carrier
from ranpilot.twin.scenario import Scenario

MakeScenario = Callable[..., Scenario]


def carrier(**values: Any) -> Carrier:
    return Carrier.model_validate({"frequency_ghz": 3.5, **values})


@pytest.mark.parametrize(
    ("spacing_khz", "bandwidth_mhz", "num_prbs"),
    [
        (15, 5, 25),
        (15, 20, 106),
        (15, 50, 270),
        (30, 5, 11),
        (30, 20, 51),
        (30, 100, 273),
        (60, 10, 11),
        (60, 100, 135),
    ],
)
def test_a_bandwidth_has_the_resource_blocks_of_ts_38_101(spacing_khz: int, bandwidth_mhz: int, num_prbs: int) -> None:
    made = carrier(subcarrier_spacing_khz=spacing_khz, bandwidth_mhz=bandwidth_mhz)
    assert made.num_prbs == num_prbs
    # Guard bands: the blocks fill between 79 % (5 MHz at 30 kHz) and 99 % of the channel.
    assert 0.79 < made.num_prbs * made.prb_bandwidth_hz / (bandwidth_mhz * 1e6) < 0.99


@pytest.mark.parametrize(
    ("num_prbs", "sizes"),
    [(1, (2, 4)), (36, (2, 4)), (37, (4, 8)), (72, (4, 8)), (144, (8, 16)), (145, (16, 16)), (275, (16, 16))],
)
def test_groups_have_the_nominal_size_of_ts_38_214(num_prbs: int, sizes: tuple[int, int]) -> None:
    made = [carrier(num_prbs=num_prbs, group_configuration=configuration) for configuration in (1, 2)]
    assert tuple(one.prbs_per_group for one in made) == sizes
    assert max(one.num_groups for one in made) <= 18


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "num_prbs = None, but must be given, or bandwidth_mhz in its place."),
        ({"bandwidth_mhz": 22}, "bandwidth_mhz = 22, but must be one of 5, 10, 15, 20, 25, 30, 35, 40, 45, 50 at 1"),
        ({"bandwidth_mhz": 100}, "bandwidth_mhz = 100, but must be one of 5, 10, 15, 20, 25, 30, 35, 40, 45, 50 at 1"),
        (
            {"bandwidth_mhz": 5, "subcarrier_spacing_khz": 60},
            "bandwidth_mhz = 5, but must be one of 10, 15, 20, 25, 30, 35, 40, 45, 50, 60, 70, 80, 90, 100 at 60 kHz.",
        ),
        (
            {"bandwidth_mhz": 20, "num_prbs": 100},
            "num_prbs = 100, but must be 106 (20 MHz at 15 kHz), or one of the two left out.",
        ),
        ({"num_prbs": 270, "prbs_per_group": 4}, "prbs_per_group = 4, but must be at least 5 for 270 PRBs."),
    ],
)  # fmt: skip
def test_a_carrier_that_is_none_is_refused(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError) as caught:
        carrier(**values)
    assert sentence in str(caught.value)


def test_what_follows_from_the_bandwidth_follows_it(make_scenario: MakeScenario) -> None:
    """A change of the bandwidth changes the resource blocks and the groups; what was given stays."""
    by_bandwidth = {"num_prbs": None, "prbs_per_group": None, "bandwidth_mhz": 10}
    scenario = make_scenario({"carrier": by_bandwidth})
    assert (scenario.carrier.num_prbs, scenario.carrier.prbs_per_group) == (52, 4)
    wider = scenario.with_changes({"carrier": {"bandwidth_mhz": 50}})
    assert (wider.carrier.num_prbs, wider.carrier.prbs_per_group) == (270, 16)
    assert wider.hash() != scenario.hash()
    assert wider.with_changes({}).hash() == wider.hash()
    kept = make_scenario({"carrier": {**by_bandwidth, "prbs_per_group": 2}})
    assert kept.with_changes({"carrier": {"bandwidth_mhz": 20}}).carrier.prbs_per_group == 2


@pytest.mark.parametrize(
    ("spacing_khz", "bandwidth_mhz", "num_prbs"), [(15, 5, 25), (30, 100, 273), (60, 100, 135), (60, 10, 11)]
)
def test_every_numerology_runs_from_the_narrowest_to_the_widest(
    make_scenario: MakeScenario, spacing_khz: int, bandwidth_mhz: int, num_prbs: int
) -> None:
    """At light load every user gets what it asks for, whatever the slot lasts and however wide the carrier is."""
    changes = {"num_prbs": None, "prbs_per_group": None, "bandwidth_mhz": bandwidth_mhz}
    sites = [{**site.model_dump(), "power_dbm": 46} for site in make_scenario().layout.sites]
    scenario = make_scenario(
        {
            "carrier": {**changes, "subcarrier_spacing_khz": spacing_khz},
            "layout": {"sites": sites},
            "traffic": {"mix": [{"kind": "poisson", "mean_rate_bps": 3e5, "packet_bits": 4000}]},
        }
    )
    networks = Networks(scenario, 4, seed=1)
    networks.advance(round(2.0 / scenario.slot_s))
    measured = networks.measure()
    # 3 users x 300 kbit/s x 2 s a cell; Poisson with mean 450 packets.
    assert measured[kpm.VOLUME.name].mean() == pytest.approx(1.8, rel=0.1)
    assert (measured[kpm.PRB_MEAN.name] <= num_prbs).all()
    assert measured[kpm.PRB_MEAN.name].max() > 0
    assert np.isfinite(networks.ues.sinr_l3_db).all()
