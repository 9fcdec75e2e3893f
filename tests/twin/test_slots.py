"""What happens in slots: queues, scheduling, decoding, power, handover, admission, failure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import poisson

from ranpilot.errors import ActionError, UnknownNameError
from ranpilot.twin import Networks, kpm, state
from ranpilot.twin.controls import ADMISSION_LIMIT, FORCED_HANDOVER, RELEASE, TX_POWER_DBM
from ranpilot.twin.description.link import Scheduler
from ranpilot.twin.phy import transport_block_bits
from ranpilot.twin.rrc.population import _poisson
from ranpilot.twin.scenario import Scenario

MakeScenario = Callable[..., Scenario]

FULL_BUFFER = {"traffic": {"mix": [{"kind": "full-buffer", "packet_bits": 50_000}]}}
QUIET_RADIO = {"shadowing": False, "line_of_sight": "always", "fading": False}


def single_queue(make_scenario: MakeScenario, load: float) -> Scenario:
    """One user next to one station, packets that fill exactly one slot, no errors."""
    packet_bits = transport_block_bits(24, 10)
    site = {"name": "a", "x_m": 0, "y_m": 0, "height_m": 25, "propagation": "UMa", "power_dbm": 46}
    return make_scenario(
        {
            "layout": {"sites": [site], "area_m": [-50, -50, 50, 50]},
            "users": {"population": {"kind": "static", "ues_per_cell": 1}, "mobility": {"kind": "static"}},
            "radio": QUIET_RADIO,
            "link": {"fixed_mcs": 10},
            "traffic": {
                "mix": [{"kind": "poisson", "mean_rate_bps": load * packet_bits / 1e-3, "packet_bits": packet_bits}],
                "buffer_packets": 512,
            },
        }
    )


@pytest.mark.parametrize("load", [0.3, 0.6, 0.9])
def test_poisson_packets_into_a_constant_server_wait_as_in_m_d_1(make_scenario: MakeScenario, load: float) -> None:
    """Mean sojourn 1 + load / (2 (1 - load)) slots (Pollaczek-Khinchine), the arrival slot counted."""
    networks = Networks(single_queue(make_scenario, load), 64, seed=7)
    networks.advance(2_000)
    networks.measure()
    networks.advance(20_000)
    measured = networks.measure()
    assert (measured[kpm.BLOCK_ERRORS.name] == 0).all()
    delay_slots = measured[kpm.PACKET_DELAY.name][:, 0] / 10.0
    expected = 1 + load / (2 * (1 - load))
    standard_error = delay_slots.std(ddof=1) / np.sqrt(len(delay_slots))
    assert abs(delay_slots.mean() - expected) < 4 * standard_error
    assert standard_error < 0.02 * expected


def check_conservation(networks: Networks) -> None:
    """Every packet and bit that came in left in one way, waits, or is in a block that waits."""
    ue = networks.counters().ue
    for incoming, outgoing in (
        (state.UE_PACKETS_IN, ("OUT", "EXPIRED", "OVERFLOWED", "LOST", "FLUSHED")),
        (state.UE_BITS_IN, ("OUT", "EXPIRED", "OVERFLOWED", "LOST", "FLUSHED")),
    ):
        kind = "PACKETS" if incoming == state.UE_PACKETS_IN else "BITS"
        gone = sum(ue[..., getattr(state, f"UE_{kind}_{way}")] for way in outgoing)
        inside = networks._state
        if kind == "PACKETS":
            queued = inside.ue[..., state.END] - inside.ue[..., state.SENDING]
            flying = inside.process[..., state.NUM_PACKETS] * (inside.process[..., state.BLOCK_BITS] > 0)
        else:
            queued = inside.ue[..., state.BACKLOG_BITS]
            flying = inside.process[..., state.PAYLOAD_BITS]
        np.testing.assert_array_equal(ue[..., incoming], gone + queued + flying.sum(axis=-1))
    waiting = (inside.process[..., state.BLOCK_BITS] > 0).sum(axis=-1)
    np.testing.assert_array_equal(inside.ue[..., state.WAITING], waiting)
    connected = [(inside.ue[..., state.SERVING_CELL] == cell).sum(axis=1) for cell in range(inside.cell.shape[1])]
    np.testing.assert_array_equal(inside.cell[..., state.CONNECTED_UES], np.stack(connected, axis=1))


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_packets_and_bits_are_conserved(make_scenario: MakeScenario, data: st.DataObject) -> None:
    scenario = make_scenario()
    capacity = data.draw(st.integers(2, 6), label="capacity")
    sites = [{**site.model_dump(), "capacity": capacity} for site in scenario.layout.sites]
    population = {
        "kind": "arrivals",
        "arrivals_per_s": data.draw(st.sampled_from([1.0, 20.0])),
        "mean_holding_s": data.draw(st.sampled_from([0.2, 2.0])),
    }
    changes: dict[str, Any] = {
        "layout": {"sites": sites},
        "users": {"population": population, "rx_antennas": data.draw(st.sampled_from([1, 2]))},
        "carrier": {
            "subcarrier_spacing_khz": data.draw(st.sampled_from([15, 30])),
            "prbs_per_group": data.draw(st.sampled_from([4, 5, 16])),
        },
        "link": {
            "scheduler": data.draw(st.sampled_from(get_args(Scheduler))),
            "harq_max_transmissions": data.draw(st.integers(1, 4)),
            "fixed_mcs": data.draw(st.sampled_from([None, 12])),
        },
        "traffic": {
            "mix": [
                {"kind": "poisson", "share": 0.5, "mean_rate_bps": 3e6, "packet_bits": 3000, "deadline_ms": 20},
                {"kind": "full-buffer", "share": 0.5, "packet_bits": 30_000},
            ],
            "buffer_packets": data.draw(st.sampled_from([4, 50])),
            "buffer_bits": data.draw(st.sampled_from([None, 20_000])),
        },
    }
    networks = Networks(make_scenario(changes), 3, seed=data.draw(st.integers(0, 1000)))
    for _ in range(4):
        networks.advance(data.draw(st.integers(1, 300)))
        serving = networks.ues.serving_cell
        networks.apply({FORCED_HANDOVER: np.where((serving == 0) & (np.arange(serving.shape[1]) % 3 == 0), 1, -1)})
        check_conservation(networks)
        networks.apply({RELEASE: (np.arange(serving.size).reshape(serving.shape) % 5 == 0).astype(int)})
        check_conservation(networks)
    assert (networks.measure()[kpm.PRB_USE.name] <= 100).all()


def saturated(make_scenario: MakeScenario, users: int, scheduler: str) -> Networks:
    """One cell, fading only, users at the same distance with more traffic than the cell carries."""
    site = {"name": "a", "x_m": 0, "y_m": 0, "height_m": 25, "propagation": "UMa", "power_dbm": 25}
    scenario = make_scenario(
        {
            "layout": {"sites": [site], "area_m": [300, 0, 310, 10]},
            "users": {
                "population": {"kind": "static", "ues_per_cell": users},
                "mobility": {"kind": "lines", "min_speed_kmh": 5, "max_speed_kmh": 5},
                "rx_antennas": 1,
            },
            "radio": {"shadowing": False, "line_of_sight": "never"},
            "link": {"scheduler": scheduler},
            "traffic": {"mix": [{"kind": "full-buffer", "packet_bits": 100_000}]},
        }
    )
    return Networks(scenario, 6, seed=1)


def cell_rate(networks: Networks) -> float:
    networks.advance(500)
    networks.measure()
    networks.advance(3000)
    return float(networks.measure()[kpm.VOLUME.name].mean())


def test_proportional_fair_gains_more_with_more_users(make_scenario: MakeScenario) -> None:
    gain = {}
    for users in (1, 4, 16):
        fair = cell_rate(saturated(make_scenario, users, "proportional-fair"))
        gain[users] = fair / cell_rate(saturated(make_scenario, users, "round-robin"))
    assert gain[1] == pytest.approx(1.0, abs=0.03)
    assert gain[1] + 0.08 < gain[4]
    assert gain[4] + 0.08 < gain[16]


@pytest.mark.parametrize("scheduler", ["round-robin", "proportional-fair"])
def test_users_at_the_same_distance_get_the_same_share(make_scenario: MakeScenario, scheduler: str) -> None:
    networks = saturated(make_scenario, 4, scheduler)
    networks.advance(5000)
    prbs = networks.measure()[kpm.UE_PRB_MEAN.name]
    np.testing.assert_allclose(prbs, 6.0, rtol=0.15)


def test_the_outer_loop_meets_the_target_error_rate(make_scenario: MakeScenario) -> None:
    networks = saturated(make_scenario, 4, "proportional-fair")
    networks.advance(2000)
    networks.measure()
    networks.advance(4000)
    assert networks.measure()[kpm.INITIAL_BLER.name].mean() == pytest.approx(10.0, abs=1.0)


def test_retransmissions_rescue_nearly_every_block(make_scenario: MakeScenario) -> None:
    networks = saturated(make_scenario, 4, "proportional-fair")
    networks.advance(4000)
    measured = networks.measure()
    assert measured[kpm.RESIDUAL_ERRORS.name].sum() < 0.03 * measured[kpm.BLOCK_ERRORS.name].sum()


def test_packets_leave_at_their_deadline(make_scenario: MakeScenario) -> None:
    scenario = make_scenario({"traffic": {"mix": [{"kind": "full-buffer", "packet_bits": 100_000, "deadline_ms": 20}]}})
    networks = Networks(scenario, 2, seed=0)
    networks.advance(1000)
    edges_ms, packets = networks.delay_histogram()
    # A packet may be caught by its deadline only before it is sent; its block may be repeated three times.
    assert packets[..., edges_ms > 20 + 3 * 8 + 30].sum() == 0
    assert (networks.measure()[kpm.PACKET_DROP_RATE.name] > 0).all()


def test_power_raises_ones_own_sinr_and_lowers_the_neighbours(make_scenario: MakeScenario) -> None:
    changes = {
        "layout": {"sites": [{**s, "min_power_dbm": 30, "max_power_dbm": 44} for s in _sites(make_scenario)]},
        "traffic": {"mix": [{"kind": "full-buffer", "packet_bits": 100_000}]},
        "rrc": {"link_failure": {"qout_db": -30.0}},
    }
    networks = Networks(make_scenario(changes), 8, seed=2)
    networks.advance(1000)
    louder = networks.fork(1)
    louder.apply({TX_POWER_DBM: np.tile([44.0, 38.0], (8, 1))})
    networks.advance(2000)
    louder.advance(2000)
    change_db = louder.ues.sinr_l3_db - networks.ues.sinr_l3_db
    serving = networks.ues.serving_cell
    np.testing.assert_array_equal(serving, louder.ues.serving_cell)
    assert np.mean(change_db[serving == 0, 0]) > 4.0
    assert np.mean(change_db[serving == 1, 1]) < -2.0
    np.testing.assert_array_equal(louder.measure()[kpm.TX_POWER.name], np.tile([44.0, 38.0], (8, 1)))


def test_a_forced_handover_moves_the_user_with_its_queue_after_an_interruption(make_scenario: MakeScenario) -> None:
    networks = Networks(make_scenario({**FULL_BUFFER, "rrc": {"handover": {"t304_ms": None}}}), 1, seed=0)
    networks.advance(400)
    networks.measure()
    before = networks.ues
    target = np.full(before.serving_cell.shape, -1)
    target[0, 0] = 1
    networks.apply({FORCED_HANDOVER: target})
    assert networks.ues.serving_cell[0].tolist() == [1, 0, 0, 1, 1, 1]
    assert networks.cells.connected_ues.tolist() == [[2, 4]]
    assert networks.ues.backlog_bits[0, 0] == before.backlog_bits[0, 0] > 0
    networks.advance(50)
    measured = networks.measure()
    assert not networks.ues.interrupted.any()
    assert measured[kpm.UE_PRB_MEAN.name][0, 0] == 0
    assert measured[kpm.HANDOVERS_OUT.name].tolist() == [[1, 0]]
    assert measured[kpm.HANDOVERS_IN.name].tolist() == [[0, 1]]
    networks.advance(200)
    assert networks.measure()[kpm.UE_PRB_MEAN.name][0, 0] > 0


def test_a_full_target_refuses_a_handover(make_scenario: MakeScenario) -> None:
    networks = Networks(make_scenario(), 2, seed=0)
    networks.apply({ADMISSION_LIMIT: np.array([[3, 4], [3, 3]])})
    target = np.where(networks.ues.serving_cell == 0, 1, -1)
    networks.apply({FORCED_HANDOVER: target})
    assert networks.cells.connected_ues.tolist() == [[2, 4], [3, 3]]
    measured = networks.measure()
    assert measured[kpm.HANDOVERS_ASKED.name].tolist() == [[3, 0], [3, 0]]
    assert measured[kpm.HANDOVERS_REFUSED.name].tolist() == [[2, 0], [3, 0]]
    assert measured[kpm.UE_HANDOVERS_REFUSED.name].tolist() == [[0, 1, 1, 0, 0, 0], [1, 1, 1, 0, 0, 0]]


def test_a_release_empties_the_place(make_scenario: MakeScenario) -> None:
    networks = Networks(make_scenario(), 1, seed=0)
    networks.advance(100)
    networks.apply({RELEASE: np.array([[1, 0, 0, 0, 0, 0]])})
    assert networks.ues.serving_cell[0].tolist() == [-1, 0, 0, 1, 1, 1]
    assert np.isnan(networks.ues.sinr_l3_db[0, 0]).all()
    assert networks.ues.backlog_bits[0, 0] == 0
    networks.advance(500)
    assert networks.ues.serving_cell[0, 0] == -1
    assert networks.measure()[kpm.RELEASES.name].tolist() == [[1, 0]]


def _sites(make_scenario: MakeScenario) -> list[dict[str, Any]]:
    return [site.model_dump(exclude={"min_power_dbm", "max_power_dbm"}) for site in make_scenario().layout.sites]


def arriving(make_scenario: MakeScenario, **population: float) -> Scenario:
    sites = [{**site, "capacity": capacity} for site, capacity in zip(_sites(make_scenario), (4, 8), strict=True)]
    values = {"kind": "arrivals", "mean_holding_s": 2.0, "initial_load": 0.0, **population}
    failure = {"then": "leave"}
    changes = {"layout": {"sites": sites}, "users": {"population": values}, "rrc": {"link_failure": failure}}
    return make_scenario(changes)


def test_arrivals_and_holding_are_as_the_scenario_says(make_scenario: MakeScenario) -> None:
    networks = Networks(arriving(make_scenario, arrivals_per_s=0.5, mean_holding_s=1.0), 40, seed=0)
    networks.advance(20_000)
    measured = networks.measure()
    arrived = measured[kpm.CONNECTION_ATTEMPTS.name]
    # Poisson with mean 10 in each of 80 cells: standard error 3.5 %.
    assert arrived.mean() == pytest.approx(10.0, abs=4 * np.sqrt(10.0 / 80))
    assert np.var(arrived) == pytest.approx(10.0, rel=0.5)
    left = measured[kpm.DEPARTURES.name] + measured[kpm.LINK_FAILURES.name]
    still = networks.cells.connected_ues
    np.testing.assert_array_equal(left + still + measured[kpm.REFUSED_CONNECTIONS.name], arrived)
    # Little's law, with users that a failing link cuts off and blocked ones allowed for.
    assert measured[kpm.CONNECTED_MEAN.name].mean() == pytest.approx(0.5, rel=0.15)


def test_a_full_cell_blocks_arrivals(make_scenario: MakeScenario) -> None:
    networks = Networks(arriving(make_scenario, arrivals_per_s=20.0), 4, seed=0)
    for _ in range(10):
        networks.advance(200)
        assert (networks.cells.connected_ues <= networks.capacity).all()
    assert networks.capacity.tolist() == [4, 8]
    assert (networks.measure()[kpm.REFUSED_CONNECTIONS.name] > 0).all()


def test_users_arrive_where_their_station_is_strongest(make_scenario: MakeScenario) -> None:
    networks = Networks(arriving(make_scenario, arrivals_per_s=20.0), 60, seed=0)
    networks.advance(10)
    before = networks.ues.call_id
    networks.advance(10)
    ues = networks.ues
    new = (ues.call_id > before) & (ues.serving_cell >= 0)
    assert new.sum() > 3
    for network, place in zip(*np.nonzero(new), strict=True):
        best = networks.best_server(ues.x_m[network, [place]], ues.y_m[network, [place]])
        assert best[network, 0, 0] == ues.serving_cell[network, place]


def test_a_lasting_bad_link_fails_after_its_time(make_scenario: MakeScenario) -> None:
    scenario = arriving(make_scenario, arrivals_per_s=5.0, mean_holding_s=1000.0).with_changes(
        {"rrc": {"link_failure": {"qout_db": 20.0, "qin_db": 20.0, "t310_ms": 500}}}
    )
    networks = Networks(scenario, 4, seed=0)
    for _ in range(45):
        networks.advance(10)
    assert networks.measure()[kpm.LINK_FAILURES.name].sum() == 0
    networks.advance(2000)
    failures = networks.measure()
    assert failures[kpm.LINK_FAILURES.name].sum() == failures[kpm.UE_LINK_FAILURES.name].sum() > 4
    assert networks.ues.failures.sum() == failures[kpm.UE_LINK_FAILURES.name].sum()


def test_where_nobody_leaves_a_failed_user_reconnects_to_the_strongest_cell(make_scenario: MakeScenario) -> None:
    networks = Networks(make_scenario({"rrc": {"handover": {"t304_ms": None}}}), 4, seed=0)
    target = 1 - networks.ues.serving_cell
    networks.apply({FORCED_HANDOVER: target})
    networks.advance(3000)
    measured = networks.measure()
    assert measured[kpm.LINK_FAILURES.name].sum() > 5
    assert measured[kpm.REESTABLISHMENTS.name].sum() > 5
    assert (networks.ues.serving_cell >= 0).all()
    assert (networks.ues.serving_cell != target).sum() > 5


def test_half_a_millisecond_slots_run_twice_as_many_a_second(make_scenario: MakeScenario) -> None:
    scenario = make_scenario({"carrier": {"subcarrier_spacing_khz": 30}})
    networks = Networks(scenario, 4, seed=0)
    networks.advance(4000)
    volume = networks.measure()[kpm.VOLUME.name]
    assert volume.mean() == pytest.approx(3 * 1.0 * 2.0, rel=0.1)


@pytest.mark.parametrize(
    ("control", "value", "sentence"),
    [
        ("TX_POWER_DBM", [[50.0, 38.0]], "action: TX_POWER_DBM[a] = 50.0, but must be 38..38 dBm."),
        ("TX_POWER_DBM", [[99.0, 38.0]], "action: TX_POWER_DBM = 99.0, but must be -10..60 dBm."),
        ("TX_POWER_DBM", [38.0, 38.0], "action: TX_POWER_DBM shape = (2,), but must be (1, 2)."),
        (
            "FORCED_HANDOVER",
            [[0, -1, -1, -1, -1, -1]],
            "action: FORCED_HANDOVER = 0, but must be a cell other than the ",
        ),
        (
            "FORCED_HANDOVER",
            [[2, -1, -1, -1, -1, -1]],
            "action: FORCED_HANDOVER = 2, but must be -1 or a cell in 0..1.",
        ),
        ("FORCED_HANDOVER", [[0.5, -1, -1, -1, -1, -1]], "action: FORCED_HANDOVER = 0.5, but must be -1..255 cell."),
        ("FORCED_HANDOVER", [["b"] * 6], "action: FORCED_HANDOVER = '<U1', but must be an array of numbers."),
        ("RELEASE", [[2, 0, 0, 0, 0, 0]], "action: RELEASE = 2.0, but must be 0..1 flag."),
        ("ADMISSION_LIMIT", [[-1, 0]], "action: ADMISSION_LIMIT = -1.0, but must be 0..1000 UE."),
        ("ADMISSION_LIMIT", [[np.nan, 0]], "action: ADMISSION_LIMIT = nan, but must be 0..1000 UE."),
    ],
)
def test_a_wrong_control_is_refused(make_scenario: MakeScenario, control: str, value: Any, sentence: str) -> None:
    networks = Networks(make_scenario(), 1, seed=0)
    before = networks.fingerprint()
    with pytest.raises(ActionError) as caught:
        networks.apply({control: value})
    assert str(caught.value).startswith(sentence)
    assert networks.fingerprint() == before


def test_an_unknown_control_and_an_empty_place_are_refused(make_scenario: MakeScenario) -> None:
    networks = Networks(make_scenario(), 1, seed=0)
    with pytest.raises(UnknownNameError, match="did you mean 'TX_POWER_DBM'"):
        networks.apply({"TX_POWER": [[38.0, 38.0]]})
    networks.apply({RELEASE: [[1, 0, 0, 0, 0, 0]]})
    with pytest.raises(ActionError, match="FORCED_HANDOVER = 1, but must be -1 for an empty place"):
        networks.apply({FORCED_HANDOVER: [[1, -1, -1, -1, -1, -1]]})
    before = networks.fingerprint()
    with pytest.raises(ActionError, match="FORCED_HANDOVER = 1, but must be -1 for a user that is released"):
        networks.apply({RELEASE: [[0, 1, 0, 0, 0, 0]], FORCED_HANDOVER: [[-1, 1, -1, -1, -1, -1]]})
    assert networks.fingerprint() == before


def many_cells(make_scenario: MakeScenario, individual: int) -> Networks:
    sites = [
        {"name": f"s{x}{y}", "x_m": 300 * x, "y_m": 300 * y, "height_m": 25, "propagation": "UMa", "power_dbm": 40}
        for x in range(3)
        for y in range(2)
    ]
    scenario = make_scenario(
        {
            "layout": {"sites": sites, "area_m": [-150, -150, 750, 450]},
            "radio": {"fading": False, "individual_interferers": individual},
            **FULL_BUFFER,
        }
    )
    return Networks(scenario, 2, seed=0)


def test_interferers_beyond_the_strongest_count_at_their_mean_power(make_scenario: MakeScenario) -> None:
    """Without fading it does not matter which ones stand alone."""
    one, all_five = many_cells(make_scenario, 1), many_cells(make_scenario, 5)
    for networks in (one, all_five):
        networks.advance(1500)
    ours, theirs = one.measure(), all_five.measure()
    np.testing.assert_allclose(ours[kpm.VOLUME.name], theirs[kpm.VOLUME.name], rtol=1e-3)
    np.testing.assert_allclose(ours[kpm.BLOCK_ERRORS.name], theirs[kpm.BLOCK_ERRORS.name], rtol=0.05)


@pytest.mark.parametrize("kind", ["lines", "waypoint"])
def test_users_keep_their_speed_and_stay_in_the_area(make_scenario: MakeScenario, kind: str) -> None:
    speed = {"kind": kind, "min_speed_kmh": 30, "max_speed_kmh": 60}
    networks = Networks(
        make_scenario({"users": {"mobility": speed}, "rrc": {"link_failure": {"qout_db": -30.0}}}), 6, seed=0
    )
    before, seen = networks.ues, []
    for _ in range(100):
        networks.advance(100)
        after = networks.ues
        moved_m = np.hypot(after.x_m - before.x_m, after.y_m - before.y_m)
        assert (moved_m <= 60 / 3.6 * 0.1 + 1e-6).all()
        assert ((after.x_m >= -300) & (after.x_m <= 700) & (abs(after.y_m) <= 300)).all()
        seen.append(moved_m)
        before = after
    # Between turns a user covers speed x time; turns are rare.
    speed_mps = np.median(seen, axis=0) * 10
    assert (speed_mps >= 30 / 3.6 - 1e-6).all()
    assert np.ptp(speed_mps) > 4.0


def test_a_link_above_the_highest_rate_piles_up_no_credit(make_scenario: MakeScenario) -> None:
    sites = [{**make_scenario().layout.sites[0].model_dump(), "power_dbm": 46}]
    networks = Networks(make_scenario({"layout": {"sites": sites, "area_m": [-60, -60, 60, 60]}}), 2, seed=1)
    networks.advance(3000)
    assert networks.measure()["L1M.SS-SINR.Mean"].min() > 30.0
    assert networks._state.ue_real[..., state.OFFSET_DB].min() > -3.0


def test_the_busiest_start_is_full_and_not_empty(make_scenario: MakeScenario) -> None:
    population = {"kind": "arrivals", "arrivals_per_s": 40.0, "mean_holding_s": 60.0}
    sites = [{**site.model_dump(), "capacity": 6} for site in make_scenario().layout.sites]
    scenario = make_scenario({"layout": {"sites": sites}, "users": {"population": population}})
    connected = Networks(scenario, 16, seed=1).cells.connected_ues
    assert (connected == 6).mean() > 0.9


@pytest.mark.parametrize("mean", [0.0, 0.3, 20.0, 500.0, 2000.0])
def test_the_poisson_quantile_is_scipys(mean: float) -> None:
    for uniform in (1e-6, 0.1, 0.5, 0.9, 1 - 1e-9):
        assert _poisson(mean, uniform) == int(poisson.ppf(uniform, mean))
