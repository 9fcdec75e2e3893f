"""Tables, targets of the outer loop, HARQ processes and buffers, as a scenario asks for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from ranpilot.twin import Networks, kpm, state
from ranpilot.twin.description.link import Link
from ranpilot.twin.parameters.link import outer_loop_steps_db
from ranpilot.twin.phy import load_phy_tables, transport_block_bits
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.validate.checks import olla

MakeScenario = Callable[..., Scenario]


def one_user(make_scenario: MakeScenario, power_dbm: float, link: dict[str, Any]) -> Networks:
    """One user who stands still 100 m away, without fading, with more to send than the cell carries."""
    site = {"name": "a", "x_m": 0, "y_m": 0, "height_m": 25, "propagation": "UMa", "power_dbm": power_dbm}
    changes = {
        "layout": {"sites": [site], "area_m": [100, 0, 110, 10]},
        "users": {"population": {"kind": "static", "ues_per_cell": 1}, "mobility": {"kind": "static"}},
        "radio": {"shadowing": False, "line_of_sight": "never", "fading": False},
        "traffic": {"mix": [{"kind": "full-buffer", "packet_bits": 1_000_000}]},
        "link": link,
    }
    return Networks(make_scenario(changes), 4, seed=0)


@pytest.mark.parametrize("table", [1, 2, 3])
def test_a_user_next_to_the_station_gets_the_highest_mcs_of_the_table(make_scenario: MakeScenario, table: int) -> None:
    networks = one_user(make_scenario, 46, {"mcs_table": table, "cqi_table": table})
    networks.advance(100)
    networks.measure()
    networks.advance(1000)
    highest = {1: 28, 2: 27, 3: 28}[table]
    bits = transport_block_bits(24, highest, table=table)
    assert networks.measure()[kpm.VOLUME.name] == pytest.approx(bits * 1000 / 1e6, rel=1e-9)


def test_the_tables_of_mcs_and_cqi_are_chosen_apart() -> None:
    both, mixed = load_phy_tables(3, 24), load_phy_tables(1, 24, cqi=3)
    np.testing.assert_array_equal(mixed.cqi_threshold_db, both.cqi_threshold_db)
    np.testing.assert_array_equal(mixed.tbs_bits, load_phy_tables(1, 24).tbs_bits)
    # The thresholds of both stand for the error rate that the CQI promises: 1e-5 needs more SINR than 0.1.
    assert (mixed.mcs_threshold_db[1:] > load_phy_tables(1, 24).mcs_threshold_db[1:] + 0.3).all()


def test_the_cqi_of_table_3_promises_far_fewer_errors(make_scenario: MakeScenario) -> None:
    """Without an outer loop the report alone decides; users at four powers stand in different places of an interval."""
    errors = {}
    for table in (1, 3):
        link = {"mcs_table": 3, "cqi_table": table, "max_offset_db": 0}
        measured = []
        for power_dbm in (8.0, 9.0, 10.0, 11.0):
            networks = one_user(make_scenario, power_dbm, link)
            networks.advance(1000)
            measured.append(networks.measure()[kpm.INITIAL_BLER.name].mean())
        errors[table] = np.mean(measured)
    assert errors[1] > 1.0
    assert errors[3] < errors[1] / 10


@pytest.mark.parametrize(("target", "up_db"), [(0.5, 0.5), (0.1, 0.5), (0.01, 0.75), (1e-3, 1.0), (1e-5, 1.5)])
def test_steps_of_the_outer_loop_balance_at_the_target(target: float, up_db: float) -> None:
    step_up_db, step_down_db = outer_loop_steps_db(target)
    assert step_up_db == pytest.approx(up_db)
    assert target * step_up_db == pytest.approx((1 - target) * step_down_db)


def test_the_outer_loop_holds_its_targets() -> None:
    lines = list(olla.lines("quick"))
    assert [line.name for line in lines] == ["olla/target-0.1/20000-blocks", "olla/target-0.001/100000-blocks"]
    assert [(line.name, line.value) for line in lines if not line.holds] == []


def test_the_target_belongs_to_the_kind_of_traffic(make_scenario: MakeScenario) -> None:
    kinds = [{"kind": "full-buffer", "packet_bits": 50_000, "share": 0.5, "target_bler": t} for t in (None, 1e-3)]
    networks = Networks(
        make_scenario({"traffic": {"mix": kinds}, "rrc": {"link_failure": {"qout_db": -30.0}}}), 4, seed=0
    )
    networks.advance(3000)
    kind = networks._state.ue[..., state.TRAFFIC_KIND]
    offset_db = networks._state.ue_real[..., state.OFFSET_DB]
    assert offset_db[kind == 1].mean() > offset_db[kind == 0].mean() + 1.0


def test_the_outer_loop_begins_and_stays_where_the_scenario_says(make_scenario: MakeScenario) -> None:
    traffic = {"mix": [{"kind": "full-buffer", "packet_bits": 50_000}]}
    link = {"initial_offset_db": 2.0, "max_offset_db": 2.5}
    networks = Networks(make_scenario({"link": link, "traffic": traffic}), 2, seed=0)
    offset_db = networks._state.ue_real[..., state.OFFSET_DB]
    assert (offset_db == 2.0).all()
    seen = set()
    for _ in range(10):
        networks.advance(100)
        assert (np.abs(offset_db) <= 2.5).all()
        seen |= set(np.abs(offset_db).ravel().tolist())
    assert 2.5 in seen
    networks.apply({"FORCED_HANDOVER": 1 - networks.ues.serving_cell})
    assert (networks._state.ue_real[..., state.OFFSET_DB] == 2.0).all()


def test_a_user_can_have_as_many_blocks_waiting_as_it_has_processes(make_scenario: MakeScenario) -> None:
    """Reports that promise too much: nearly every block fails, and processes fill up."""
    link = {"harq_processes": 3, "harq_round_trip_slots": 3, "initial_offset_db": -10.0, "max_offset_db": 10.0}
    traffic = {"mix": [{"kind": "full-buffer", "packet_bits": 50_000}]}
    networks = Networks(make_scenario({"link": link, "traffic": traffic}), 2, seed=0)
    assert networks._state.process.shape[2] == 3
    most = 0
    for _ in range(100):
        networks.advance(1)
        most = max(most, int(networks._state.ue[..., state.WAITING].max()))
    assert most == 3


def test_no_more_bits_wait_than_the_buffer_holds(make_scenario: MakeScenario) -> None:
    mix = [{"kind": "poisson", "mean_rate_bps": 2e7, "packet_bits": 12_000}]
    networks = Networks(make_scenario({"traffic": {"mix": mix, "buffer_bits": 50_000}}), 2, seed=0)
    most = 0
    for _ in range(50):
        networks.advance(10)
        most = max(most, int(networks.ues.backlog_bits.max()))
    assert 38_000 < most <= 50_000
    assert networks.counters().ue[..., state.UE_BITS_OVERFLOWED].min() > 0


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"harq_round_trip_slots": 9}, "harq_round_trip_slots = 9, but must be at most harq_processes (8)."),
        ({"fixed_mcs": 28, "mcs_table": 2}, "fixed_mcs = 28, but must be at most 27 with mcs_table 2."),
        (
            {"initial_offset_db": 5, "max_offset_db": 3},
            "initial_offset_db = 5.0, but must be within max_offset_db (3).",
        ),
        ({"cqi_delay_slots": 10}, "cqi_delay_slots = 10, but must be below cqi_period_slots (10)."),
        ({"scheduler": "m-lwfd"}, "Input should be 'round-robin', 'proportional-fair', 'max-cqi', 'm-lwdf' or 'edf'"),
        ({"target_bler": 1e-6}, "greater than or equal to 0.00001"),
    ],
)
def test_numbers_that_do_not_fit_together_are_refused(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Link.model_validate(values)
    assert sentence in str(caught.value)
