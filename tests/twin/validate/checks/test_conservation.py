"""The check of conservation: nothing is violated, and every kind of damage is counted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ranpilot.twin import Networks, state
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.validate.checks import conservation
from ranpilot.twin.validate.checks.conservation import count_violations


def test_all_claims_hold() -> None:
    lines = list(conservation.lines("quick"))
    assert {line.name: line.value for line in lines if not line.holds} == {}
    assert len(lines) == 8


@pytest.fixture
def busy_networks(make_scenario: Callable[..., Scenario]) -> Networks:
    mix = [{"kind": "full-buffer", "packet_bits": 3_000_000}]
    networks = Networks(make_scenario({"traffic": {"mix": mix, "buffer_packets": 33}}), 2, seed=1)
    networks.advance(200)
    assert count_violations(networks).total() == 0
    return networks


DAMAGE = {
    "packets": ("ue_count", state.UE_PACKETS_OUT, 1),
    "bits": ("ue_count", state.UE_BITS_EXPIRED, 1),
    "sums": ("cell_count", state.CELL_DELAY_SLOTS, 1),
    "negative": ("ue", state.OLDEST, -10_000),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_what_is_damaged_is_counted(busy_networks: Networks, kind: str) -> None:
    networks = busy_networks
    name, column, change = DAMAGE[kind]
    getattr(networks._state, name)[1, 0, column] += change
    assert count_violations(networks)[kind] > 0


def test_a_damaged_packet_and_a_damaged_measurement_are_counted(busy_networks: Networks) -> None:
    networks = busy_networks
    waiting = networks._state.ue[0, :, state.END] - networks._state.ue[0, :, state.SENDING]
    user = int(np.argmax(waiting))
    place = networks._state.ue[0, user, state.SENDING] % networks._state.packet.shape[2]
    networks._state.packet[0, user, place, state.BITS_LEFT] += 8
    assert count_violations(networks)["bits"] == 1
    networks._state.cell_count[0, 0, state.CELL_PRBS] += 10**9
    networks._state.sinr_l3_db[0, 0, 0] = np.nan
    assert conservation._count_wrong_measurements(networks) >= 2
