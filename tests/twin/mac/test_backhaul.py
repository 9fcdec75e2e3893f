"""A limited backhaul against closed forms, its order, its room, and where packets go when users do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ranpilot.twin import Networks, kpm, state
from ranpilot.twin.controls import FORCED_HANDOVER, RELEASE
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.validate.checks.conservation import count_violations

MakeScenario = Callable[..., Scenario]

PACKET_BITS = 4000


def limited(make_scenario: MakeScenario, load: float, seconds: float = 60.0, **kind: Any) -> Scenario:
    """Cell a's backhaul is limited from 0 s on; at 1 Mbit/s and load 1 it is just fed. Users stand near their sites."""
    return make_scenario(
        {
            "layout": {"area_m": [-100, -50, 500, 50]},
            "users": {"population": {"ues_per_cell": 4}, "mobility": {"kind": "static"}},
            "radio": {"shadowing": False},
            "traffic": {
                "mix": [{"kind": "poisson", "mean_rate_bps": load * 1e6 / 4, "packet_bits": PACKET_BITS}],
                "buffer_packets": 4096,
            },
            "events": {
                "kinds": [{"name": "thin", **kind}],
                "schedule": [{"kind": "thin", "cell": "a", "start_s": 0, "duration_s": seconds}],
            },
        }
    )


def brought(networks: Networks) -> tuple[np.ndarray, np.ndarray]:
    """[B] packets that the backhaul of cell a brought, and the slots that they were on their way."""
    counted = networks.counters().cell[:, 0]
    return counted[:, state.CELL_BACKHAUL_PACKETS], counted[:, state.CELL_BACKHAUL_SLOTS]


@pytest.mark.parametrize("load", [0.3, 0.6, 0.85])
def test_poisson_packets_wait_for_a_server_of_four_slots_as_in_a_slotted_m_d_1(
    make_scenario: MakeScenario, load: float
) -> None:
    """Sojourn D + r / 2 + r (D - 1 + r) / (2 (1 - r)) slots, of which the first is that of the arrival.

    Work ahead before a slot, V' = max(V + X - 1, 0) with X the slot's work, has mean (Var X - r (1 - r)) / (2 (1 - r));
    ahead of a packet in its own slot stands r / 2 more.
    """
    networks = Networks(limited(make_scenario, load, backhaul_mbps=1.0), 48, seed=3)
    networks.advance(3000)
    packets, slots = brought(networks)
    networks.advance(25_000)
    packets, slots = brought(networks)[0] - packets, brought(networks)[1] - slots
    wait_slots = slots / packets
    service = 4
    expected = service - 1 + load / 2 + load * (service - 1 + load) / (2 * (1 - load))
    standard_error = wait_slots.std(ddof=1) / np.sqrt(len(wait_slots))
    assert abs(wait_slots.mean() - expected) < 4 * standard_error
    assert standard_error < 0.05 * expected
    assert count_violations(networks).total() == 0


def test_an_overloaded_backhaul_carries_its_rate_and_no_more(make_scenario: MakeScenario) -> None:
    networks = Networks(limited(make_scenario, 3.0, backhaul_mbps=1.0), 4, seed=3)
    networks.advance(1000)
    packets, _ = brought(networks)
    networks.advance(2000)
    np.testing.assert_array_equal(brought(networks)[0] - packets, 2000 // 4)
    measured = networks.measure()
    np.testing.assert_allclose(measured[kpm.VOLUME.name][:, 0], 3.0, rtol=0.05)
    assert (measured[kpm.VOLUME.name][:, 1] > 8.0).all()


def test_a_fixed_time_on_the_way_is_spent_by_every_packet_and_not_counted_as_delay_in_the_cell(
    make_scenario: MakeScenario,
) -> None:
    late = Networks(limited(make_scenario, 1.0, backhaul_delay_ms=7.0), 4, seed=3)
    late.advance(3000)
    packets, slots = brought(late)
    assert (packets > 500).all()
    np.testing.assert_array_equal(slots, 7 * packets)
    measured = late.measure()
    np.testing.assert_allclose(measured[kpm.BACKHAUL_DELAY.name], [[70.0, 0.0]] * 4)
    assert (measured[kpm.PACKET_DELAY.name] < 30.0).all()


def test_packets_are_brought_in_the_order_in_which_they_came_whoever_they_are_for(make_scenario: MakeScenario) -> None:
    networks = Networks(limited(make_scenario, 2.0, backhaul_mbps=1.0), 3, seed=3)
    networks.advance(900)
    block, ue = networks._feed._packets, networks._state.ue
    for b in range(3):
        came = sorted(
            (int(block.slot[at]), u)
            for u in np.flatnonzero(ue[b, :, state.SERVING_CELL] == 0).tolist()
            for at in range(block.start[b, u], block.stop[b, u])
            if block.slot[at] < 900
        )
        first = [u for _, u in came[: int(brought(networks)[0][b])]]
        assert 200 < len(first) < 300
        for u in range(ue.shape[1]):
            if ue[b, u, state.SERVING_CELL] == 0:
                has_come = networks.counters().ue[b, u, state.UE_PACKETS_IN] - ue[b, u, state.ON_THE_WAY]
                assert first.count(u) == has_come


def test_what_waits_comes_at_once_when_the_event_is_over(make_scenario: MakeScenario) -> None:
    networks = Networks(limited(make_scenario, 3.0, seconds=1.0, backhaul_mbps=1.0, backhaul_delay_ms=20), 4, seed=3)
    networks.advance(1000)
    assert (networks._state.cell[:, 0, state.BACKHAUL_BITS] > 1e6).all()
    networks.advance(1)
    assert (networks._state.cell[..., state.BACKHAUL_BITS] == 0).all()
    packets, _ = brought(networks)
    networks.advance(500)
    np.testing.assert_array_equal(brought(networks)[0], packets)
    assert count_violations(networks).total() == 0


def test_what_finds_no_room_on_the_way_is_lost_and_counted(make_scenario: MakeScenario) -> None:
    scenario = limited(make_scenario, 3.0, backhaul_mbps=1.0, backhaul_buffer_mbit=0.02)
    networks = Networks(scenario, 4, seed=3)
    most = 0
    for _ in range(200):
        networks.advance(10)
        most = max(most, int(networks._state.cell[:, 0, state.BACKHAUL_BITS].max()))
    assert most == 20_000
    lost = networks.counters().cell[..., state.CELL_BACKHAUL_LOST]
    # Two of three packets, less the five that wait.
    np.testing.assert_allclose(lost[:, 0], 2000 * 2 / 4, rtol=0.15)
    assert (lost[:, 1] == 0).all()
    np.testing.assert_array_equal(networks.measure()[kpm.BACKHAUL_LOSS.name], lost)
    assert count_violations(networks).total() == 0
    own = Networks(scenario.with_changes({"traffic": {"buffer_packets": 4}}), 2, seed=3)
    own.advance(500)
    assert (own._state.ue[..., state.ON_THE_WAY] <= 4).all()
    assert (own.counters().cell[:, 0, state.CELL_BACKHAUL_LOST] > 50).all()


def test_what_is_on_its_way_follows_a_handover_and_goes_with_who_leaves(make_scenario: MakeScenario) -> None:
    networks = Networks(limited(make_scenario, 3.0, backhaul_mbps=0.1), 2, seed=3)
    networks.advance(500)
    ue = networks._state.ue
    here = ue[..., state.SERVING_CELL] == 0
    first, second = (np.argmax(here, axis=1), here.shape[1] - 1 - np.argmax(here[:, ::-1], axis=1))
    rows = np.arange(2)
    waits, flushed = ue[rows, first, state.ON_THE_WAY], ue[rows, second, state.ON_THE_WAY]
    assert (waits > 20).all() and (flushed > 20).all()
    target, release = np.full(here.shape, -1), np.zeros(here.shape, int)
    target[rows, first], release[rows, second] = 1, 1
    networks.apply({FORCED_HANDOVER: target, RELEASE: release})
    assert count_violations(networks).total() == 0
    counted = networks.counters().ue
    assert (counted[rows, second, state.UE_PACKETS_FLUSHED] >= flushed).all()
    networks.advance(100)
    assert (ue[rows, first, state.SERVING_CELL] == 1).all()
    assert (ue[rows, first, state.ON_THE_WAY] == 0).all()
    # One that comes in the slot in which they are brought goes with them.
    counted = networks.counters().cell[:, 1, state.CELL_BACKHAUL_PACKETS]
    assert ((counted >= waits) & (counted <= waits + 1)).all()
    assert count_violations(networks).total() == 0
