"""The compiled queues and schedulers do what their slow, obvious twin does, to the bit."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from ranpilot.twin import Networks, state
from ranpilot.twin.controls import SCHEDULING_WEIGHT
from ranpilot.twin.parameters import RE_PER_PRB
from ranpilot.twin.phy import load_phy_tables
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.traffic import make_model

MCS = 12
NUM_UES = 7
NUM_SLOTS = 2500
DEADLINES_MS = (40, 15, None)
WEIGHTS = [1.0, 3.0, 0.5, 1.0, 0.3, 2.0, 0.0]
SCHEDULERS = ["round-robin", "proportional-fair", "max-cqi", "m-lwdf", "edf"]


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
    packets = {"kind": "poisson", "mean_rate_bps": rate_bps, "packet_bits": 4000, "share": 1 / 3, "reliability": 0.95}
    mix = [{**packets, "deadline_ms": deadline_ms} for deadline_ms in DEADLINES_MS]
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
            "traffic": {"mix": mix, "buffer_packets": 12, "buffer_bits": 40_000},
        }
    )


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("weights", [[1.0] * NUM_UES, WEIGHTS], ids=["alike", "weighted"])
@pytest.mark.parametrize("rate_bps", [3e5, 1.2e6, 2e6])
def test_queues_and_schedulers_do_what_their_slow_twin_does(
    make_scenario: Callable[..., Scenario], scheduler: str, weights: list[float], rate_bps: float
) -> None:
    reference = load_reference()
    scenario = one_cell(make_scenario, scheduler, rate_bps)
    networks = Networks(scenario, 1, seed=10)
    kinds = networks._state.ue[0, :, state.TRAFFIC_KIND]
    assert sorted(set(kinds.tolist())) == [0, 1, 2]
    networks.apply({SCHEDULING_WEIGHT: np.array([weights])})
    networks.advance(NUM_SLOTS)

    tables = load_phy_tables(1, scenario.carrier.num_prbs, RE_PER_PRB)
    rules = reference.Rules(
        group_prbs=[4, 4, 4, 4, 4, 4, 2],
        prb_bits=float(tables.spectral_efficiency[MCS]) * RE_PER_PRB,
        block_bits=tables.tbs_bits[MCS].tolist(),
        buffer_packets=12,
        buffer_bits=40_000,
        fairness_weight=reference.fairness_weight(scenario.slot_s, scenario.link.fairness_time_ms),
        scheduler=scheduler,
        loss=1.0 - 0.95,
        cqi_period=10,
        cqi_delay=4,
    )
    users = [reference.User(DEADLINES_MS[kind], weight) for kind, weight in zip(kinds, weights, strict=True)]
    twin = reference.OneCell(rules, users)
    models = [make_model(config, scenario.slot_s) for config in scenario.traffic.models()]
    seed = networks._state.identity[:, state.SEED]
    for slot, arrivals in drawn_packets(models, kinds, seed):
        twin.run_slot(slot, arrivals)

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
    served = np.array(weights) > 0
    assert (counted[:, state.UE_PACKETS_OUT][~served] == 0).all()
    if scheduler in ("round-robin", "proportional-fair") and served.all():
        assert counted[:, state.UE_PACKETS_OUT][served].min() > NUM_SLOTS / 200
    if rate_bps == 2e6:
        assert counted[:, state.UE_PACKETS_EXPIRED].sum() > 0
        assert counted[:, state.UE_PACKETS_OVERFLOWED].sum() > 0


def drawn_packets(
    models: list[Any], kinds: np.ndarray, seed: np.ndarray
) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """For every slot, (user, bits) of the packets that arrive in it, by place."""
    for block in range(-(-NUM_SLOTS // 1000)):
        arrivals: list[list[tuple[int, int]]] = [[] for _ in range(1000)]
        for ue, kind in enumerate(kinds):
            packets = models[kind].draw_block(seed, np.zeros(1, np.int64), np.array([ue]), block, np.zeros((1, 0)))
            for slot, bits in zip(packets.slot, packets.bits, strict=True):
                arrivals[slot].append((ue, int(bits)))
        for slot in range(block * 1000, min(NUM_SLOTS, (block + 1) * 1000)):
            yield slot, arrivals[slot - block * 1000]
