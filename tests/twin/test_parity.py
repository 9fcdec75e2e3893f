"""The compiled queues and schedulers do what their slow, obvious twin does, to the bit."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from ranpilot.twin import Networks, state
from ranpilot.twin.parameters import RE_PER_PRB
from ranpilot.twin.phy import load_phy_tables
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.traffic import make_model

MCS = 12
NUM_UES = 7
DEADLINE_MS = 40


def load_reference() -> ModuleType:
    path = Path(__file__).parent.parent / "reference" / "one_cell_reference.py"
    spec = importlib.util.spec_from_file_location("one_cell_reference", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def one_cell(make_scenario: Callable[..., Scenario], scheduler: str, rate_bps: float) -> Scenario:
    site = {"name": "a", "x_m": 0, "y_m": 0, "height_m": 25, "propagation": "UMa", "power_dbm": 50}
    mix = [{"kind": "poisson", "mean_rate_bps": rate_bps, "packet_bits": 4000, "deadline_ms": DEADLINE_MS}]
    return make_scenario(
        {
            "layout": {"sites": [site], "area_m": [-60, -60, 60, 60]},
            "carrier": {"num_prbs": 26},
            "users": {
                "population": {"kind": "static", "ues_per_cell": NUM_UES},
                "mobility": {"kind": "static"},
            },
            "radio": {"shadowing": False, "line_of_sight": "always", "fading": False},
            "link": {"fixed_mcs": MCS, "scheduler": scheduler},
            "traffic": {"mix": mix, "buffer_packets": 12},
        }
    )


@pytest.mark.parametrize("scheduler", ["round-robin", "proportional-fair"])
@pytest.mark.parametrize("rate_bps", [3e5, 1.2e6, 2e6])
def test_queues_and_schedulers_do_what_their_slow_twin_does(
    make_scenario: Callable[..., Scenario], scheduler: str, rate_bps: float
) -> None:
    reference = load_reference()
    scenario = one_cell(make_scenario, scheduler, rate_bps)
    networks = Networks(scenario, 1, seed=4)
    networks.advance(2500)

    tables = load_phy_tables(1, scenario.carrier.num_prbs, RE_PER_PRB)
    rules = reference.Rules(
        group_prbs=[4, 4, 4, 4, 4, 4, 2],
        prb_bits=float(tables.spectral_efficiency[MCS]) * RE_PER_PRB,
        block_bits=tables.tbs_bits[MCS].tolist(),
        buffer_packets=12,
        deadline_slots=DEADLINE_MS,
        fairness_weight=reference.fairness_weight(scenario.slot_s, scenario.link.fairness_time_ms),
        is_fair=scheduler == "proportional-fair",
        cqi_period=10,
        cqi_delay=4,
    )
    twin = reference.OneCell(rules, NUM_UES)
    model = make_model(scenario.traffic.models()[0], scenario.slot_s)
    seeds = np.repeat(networks._state.identity[0, state.SEED], NUM_UES)
    places = np.arange(NUM_UES)
    for block in range(3):
        packets = model.draw_block(seeds, np.zeros(NUM_UES, np.int64), places, block, np.zeros((NUM_UES, 0)))
        for slot in range(block * 1000, min(2500, (block + 1) * 1000)):
            now = np.nonzero(packets.slot == slot - block * 1000)[0]
            twin.run_slot(slot, [(int(packets.row[p]), int(packets.bits[p])) for p in now])

    counted = networks.counters().ue[0]
    for column, name in (
        (state.UE_PRBS, "prbs"),
        (state.UE_PACKETS_OUT, "packets_out"),
        (state.UE_BITS_OUT, "bits_out"),
        (state.UE_DELAY_SLOTS, "delay_slots"),
        (state.UE_PACKETS_EXPIRED, "expired"),
        (state.UE_PACKETS_OVERFLOWED, "overflowed"),
    ):
        assert counted[:, column].tolist() == [getattr(user, name) for user in twin.users], name
    assert counted[:, state.UE_PACKETS_OUT].min() > 50
    if rate_bps == 2e6:
        assert counted[:, state.UE_PACKETS_EXPIRED].sum() > 0
        assert counted[:, state.UE_PACKETS_OVERFLOWED].sum() > 0
