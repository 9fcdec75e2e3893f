"""The measurements of slices are those of their members, and sum to the cell's."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ranpilot.twin import Networks, kpm
from ranpilot.twin.scenario import Scenario


def sliced(make_scenario: Callable[..., Scenario]) -> Scenario:
    mix = [
        {"name": "web", "kind": "poisson", "mean_rate_bps": 1e6, "deadline_ms": 100},
        {"name": "control", "kind": "poisson", "mean_rate_bps": 1e5, "packet_bits": 800},
    ]
    tenants = [
        {"name": "web", "share": 0.5, "traffic": ["web"], "max_ratio": 30},
        {"name": "control", "share": 0.3, "traffic": ["control"], "sla": {"delay_ms": 2.5}},
        {"name": "late", "share": 0.2, "traffic": ["web"], "from_s": 5},
    ]
    return make_scenario(
        {
            "users": {"population": {"kind": "static", "ues_per_cell": 10}},
            "radio": {"shadowing": False, "line_of_sight": "always", "fading": False},
            "traffic": {"mix": mix},
            "slices": {"tenants": tenants},
        }
    )


def test_slices_sum_to_their_cells(make_scenario: Callable[..., Scenario]) -> None:
    networks = Networks(sliced(make_scenario), 2, seed=1)
    networks.advance(900)
    values = networks.measure()
    for of_slice, of_cell in (
        (kpm.SLICE_PRB_USE, kpm.PRB_USE),
        (kpm.SLICE_PRB_MEAN, kpm.PRB_MEAN),
        (kpm.SLICE_VOLUME, kpm.VOLUME),
        (kpm.SLICE_CONNECTED_MEAN, kpm.CONNECTED_MEAN),
        (kpm.SLICE_ACTIVE_MEAN, kpm.ACTIVE_MEAN),
    ):
        np.testing.assert_allclose(values[of_slice.name].sum(axis=-1), values[of_cell.name])
    assert (values[kpm.SLICE_VOLUME.name][..., 2] == 0).all()
    assert (values[kpm.SLICE_VOLUME.name][..., :2] > 0).all()


def test_rates_delays_and_shares_are_those_of_the_members(make_scenario: Callable[..., Scenario]) -> None:
    networks = Networks(sliced(make_scenario), 1, seed=1)
    networks.advance(900)
    serving, seat = networks.ues.serving_cell[0], networks.ues.seat[0]
    values = networks.measure()
    volume, rate = values[kpm.UE_VOLUME.name][0], values[kpm.UE_THROUGHPUT.name][0]
    for cell in range(2):
        for index in range(2):
            mine = (serving == cell) & (seat == index)
            assert mine.sum() > 1
            np.testing.assert_allclose(values[kpm.SLICE_VOLUME.name][0, cell, index], volume[mine].sum())
            assert values[kpm.SLICE_THROUGHPUT_P5.name][0, cell, index] == rate[mine].min()
            offered = values[kpm.SLICE_OFFERED.name][0, cell, index]
            served = values[kpm.SLICE_SERVED.name][0, cell, index]
            np.testing.assert_allclose(served, min(100.0, 100.0 * volume[mine].sum() / offered))
    waiting = networks.ues.backlog_bits[0] / 1e6
    backlog = [[waiting[(serving == cell) & (seat == index)].sum() for index in range(3)] for cell in range(2)]
    np.testing.assert_allclose(values[kpm.SLICE_BACKLOG.name][0], backlog)
    assert values[kpm.SLICE_BACKLOG.name][0, :, 0].min() > 0.0
    on_time = values[kpm.SLICE_ON_TIME.name][0]
    assert (on_time[:, 1] > 50).all() and (on_time[:, 0] == 0).all()
    delay = values[kpm.SLICE_DELAY.name][0]
    assert (delay[:, 0] > delay[:, 1]).all()
    assert (values[kpm.SLICE_DELAY_P95.name][0, :, 1] >= delay[:, 1]).all()


def test_a_network_without_slices_has_no_rows_of_slices(make_scenario: Callable[..., Scenario]) -> None:
    networks = Networks(make_scenario({"radio": {"fading": False}}), 1, seed=1)
    networks.advance(20)
    frame = networks.measure_frame()
    assert networks.measure()[kpm.SLICE_VOLUME.name].shape == (1, 2, 0)
    assert "slice" not in set(frame["scope"])
