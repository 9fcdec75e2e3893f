"""How kernels read fading: the blocks of a link's line of sight, and the SINR from traces and from exact rays."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from ranpilot.errors import ConfigError
from ranpilot.twin import Networks, state
from ranpilot.twin.mac.scratch import ACTIVE, Scratch, allocate_scratch
from ranpilot.twin.mac.sinr import fill_expected_sinr, fill_sinr, mean_fading
from ranpilot.twin.map import outdoor_spot, site_in_sight
from ranpilot.twin.parameters.fading import make_fading
from ranpilot.twin.scenario import Scenario

MakeScenario = Callable[..., Scenario]

SITE = {"height_m": 10, "propagation": "UMi", "power_dbm": 38}
MIXED = {
    "layout": {
        "sites": [
            {"name": "rural", "x_m": 0, "y_m": 0, "height_m": 35, "propagation": "RMa", "power_dbm": 38},
            {"name": "b", "x_m": 400, "y_m": 0, **SITE},
            {"name": "c", "x_m": 200, "y_m": 250, **SITE},
            {"name": "d", "x_m": 200, "y_m": -250, **SITE},
        ]
    }
}


def load_reference() -> ModuleType:
    path = Path(__file__).parent.parent / "reference" / "fading_reference.py"
    spec = importlib.util.spec_from_file_location("fading_reference", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def radio(**changes: Any) -> dict[str, Any]:
    return {**MIXED, "radio": changes}


def view(networks: Networks) -> tuple[state.Network, Scratch]:
    """Network 0 and its working arrays."""
    net = state.Network(*(array[0] for array in networks._state))
    scenario = networks.scenario
    scratch = allocate_scratch(1, scenario.num_cells, scenario.num_places, scenario.carrier.num_groups, 1)
    return net, Scratch(*(array[0] for array in scratch))


@pytest.mark.parametrize("fading", ["bank", "exact"])
def test_the_sinr_is_that_of_the_slow_twin(make_scenario: MakeScenario, fading: str) -> None:
    """Four cells, two of three interferers one by one, links in and out of sight."""
    reference = load_reference()
    networks = Networks(make_scenario(radio(fading=fading, individual_interferers=2)), 1, seed=8)
    networks.advance(120)
    net, scratch = view(networks)
    air = networks._parameters.air
    masks = [0b111111, 0b101010, 0b010111, 0b000000]
    load = np.array([[(mask >> group) & 1 for group in range(6)] for mask in masks], dtype=np.float64)
    blocks = set()
    for ue in range(len(net.ue)):
        blocks |= set((net.trace[ue, :, state.TRACE] // air.fading.traces).tolist())
        for cell, mask in enumerate(masks):
            scratch.cell[cell, ACTIVE] = mask
        serving = net.ue[ue, state.SERVING_CELL]
        assert fill_sinr(net, air, scratch, ue, 0b110101, 117) == 4
        expected = reference.sinr(networks, ue, 117, load, 2)[[0, 2, 4, 5]]
        np.testing.assert_allclose(scratch.sinr[:4], expected, rtol=2e-6)
        fill_expected_sinr(net, air, scratch, ue, 118)
        expected = reference.sinr(networks, ue, 118, net.activity.astype(np.float64), 3)
        np.testing.assert_allclose(scratch.sinr, expected, rtol=2e-6)
        for cell in (serving, (serving + 1) % 4):
            wideband = mean_fading(net, air, ue, cell, 118)
            assert wideband == pytest.approx(reference.mean_fading(networks, ue, cell, 118), rel=2e-6)
    assert len(blocks) > 1


def test_links_in_sight_have_the_block_of_their_model(make_scenario: MakeScenario) -> None:
    """Whatever way users went, and after futures are drawn anew; blocks change on the way."""
    scenario = make_scenario(radio())
    fading = make_fading(scenario)
    # Rayleigh, 7 dB of RMa, 9 dB of UMi.
    assert fading.block.tolist() == [[0, 1], [0, 2], [0, 2], [0, 2]]
    assert 10 * np.log10(fading.profile[1:, 0]) == pytest.approx([7.0, 9.0])
    networks = Networks(scenario, 1, seed=8)
    seen: list[Any] = []
    for _ in range(6):
        networks.advance(400)
        for each in (networks, networks.fork(1, future="fresh")):
            net, _ = view(each)
            blocks = net.trace[..., state.TRACE] // fading.traces
            for ue, row in enumerate(blocks):
                x_m, y_m = net.ue_real[ue, state.GAIN_X_M], net.ue_real[ue, state.GAIN_Y_M]
                air = each._parameters.air
                sight = [int(site_in_sight(net, air, site, outdoor_spot(air, x_m, y_m))) for site in range(4)]
                assert row.tolist() == [fading.block[cell, is_los] for cell, is_los in enumerate(sight)]
        seen.append(blocks)
    assert (seen[0] != seen[-1]).any()


def test_a_change_of_sight_keeps_the_place_in_the_trace(make_scenario: MakeScenario) -> None:
    networks = Networks(make_scenario(radio()), 1, seed=8)
    before = networks._state.trace.copy()
    networks.advance(2400)
    after, traces = networks._state.trace, networks._parameters.air.fading.traces
    assert (after[..., state.TRACE] != before[..., state.TRACE]).any()
    np.testing.assert_array_equal(after[..., state.TRACE] % traces, before[..., state.TRACE] % traces)
    np.testing.assert_array_equal(after[..., state.TRACE_START], before[..., state.TRACE_START])


def test_medians_of_the_table_make_a_block_for_each_model_and_state(make_scenario: MakeScenario) -> None:
    fading = make_fading(make_scenario(radio(delay_spread_ns="model")))
    assert fading.block.tolist() == [[0, 2], [1, 3], [1, 3], [1, 3]]
    # RMa out of sight 37.15 ns; UMi out of sight 10^(-6.83 - 0.24 lg 3) = 113.6 ns at 2 GHz.
    assert fading.profile[:2, 1] * 1e9 == pytest.approx([37.15, 113.6], rel=1e-3)
    assert fading.gain.shape == (4 * 16, 4096, 6)


def test_without_a_rice_factor_there_is_one_block(make_scenario: MakeScenario) -> None:
    for rice_factor in (None, "none"):
        assert make_fading(make_scenario(radio(rice_factor=rice_factor))).gain.shape[0] == 16
    assert make_fading(make_scenario(radio(rice_factor=3))).profile[1, 0] == pytest.approx(10**0.3)


def test_files_may_say_true_and_false(make_scenario: MakeScenario) -> None:
    assert make_scenario({"radio": {"fading": True}}).radio.fading == "bank"
    assert make_scenario({"radio": {"fading": False}}).radio.fading is None
    scenario = make_scenario(radio(fading="exact", rice_factor=None, delay_spread_ns="model"))
    assert scenario.with_changes({}).radio == scenario.radio


def test_without_fading_every_gain_is_one(make_scenario: MakeScenario) -> None:
    networks = Networks(make_scenario(radio(fading=None)), 1, seed=8)
    networks.advance(30)
    net, _ = view(networks)
    assert mean_fading(net, networks._parameters.air, 0, 1, 30) == 1.0


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"fading": "fast"}, "radio.fading = 'fast', but must be one of bank, exact, null."),
        ({"rice_factor": "rician"}, "radio.rice_factor = 'rician', but must be -20 to 40 dB, model or null."),
        ({"rice_factor": 60}, "radio.rice_factor = 60, but must be -20 to 40 dB, model or null."),
        ({"rice_factor": True}, "radio.rice_factor = True, but must be -20 to 40 dB, model or null."),
        ({"delay_spread_ns": 0.5}, "radio.delay_spread_ns = 0.5, but must be 1 to 5000 ns, or model."),
        ({"delay_spread_ns": None}, "radio.delay_spread_ns = None, but must be 1 to 5000 ns, or model."),
    ],
)
def test_a_wrong_value_is_refused_with_one_sentence(
    make_scenario: MakeScenario, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        make_scenario().with_changes({"radio": changes})
    assert str(caught.value).endswith(sentence)


@pytest.mark.parametrize("changes", [{"fading": "exact"}, {"fading": "bank", "delay_spread_ns": "model"}])
def test_batch_chunks_forks_and_snapshots_change_nothing(make_scenario: MakeScenario, changes: dict[str, Any]) -> None:
    scenario = make_scenario({**radio(**changes), "users": {"population": {"kind": "static", "ues_per_cell": 1}}})
    batch = Networks(scenario, 2, seed=3)
    batch.advance(250)
    fork, data = batch.fork(1, networks=[1]), batch.snapshot()
    fresh = batch.fork(1, networks=[1], future="fresh")
    batch.advance(150)
    final = batch.fingerprint()
    chunks = Networks(scenario, 1, seed=3, first_network=1)
    for slots in (1, 249, 7, 143):
        chunks.advance(slots)
    resumed = Networks(scenario, 2, seed=9)
    resumed.restore(data)
    for each in (resumed, fork, fresh):
        each.advance(150)
    assert final[1] == chunks.fingerprint()[0] == fork.fingerprint()[0]
    assert resumed.fingerprint() == final
    assert fresh.fingerprint()[0] != final[1]
