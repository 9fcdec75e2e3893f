"""The bins of the delay histogram, and a quantile far out in the tail of a queue."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ranpilot.twin import Networks
from ranpilot.twin.delay_bins import DELAY_BINS, LONGEST_DELAY_SLOTS, delay_edges_slots
from ranpilot.twin.parameters import make_parameters
from ranpilot.twin.phy import transport_block_bits
from ranpilot.twin.scenario import Scenario

MakeScenario = Callable[..., Scenario]
LOAD = 0.9


def test_bins_are_exact_at_first_and_then_a_seventeenth_wide() -> None:
    edges = delay_edges_slots()
    assert len(edges) == DELAY_BINS
    assert edges[:33].tolist() == [*range(1, 33), 34.0]
    assert edges[-1] == LONGEST_DELAY_SLOTS == 65_536
    assert (edges == np.round(edges)).all()
    assert (np.diff(edges) > 0).all()
    assert (np.diff(edges)[31:] / edges[32:]).max() <= 1 / 17
    assert (np.diff(edges)[31:] / edges[32:]).min() >= 1 / 32


def test_every_delay_falls_into_the_bin_that_ends_at_it_or_after_it(make_scenario: MakeScenario) -> None:
    edges, bin_of = delay_edges_slots(), make_parameters(make_scenario()).link.delay_bin
    delay = np.arange(1, LONGEST_DELAY_SLOTS + 1)
    assert (edges[bin_of[delay]] >= delay).all()
    lower = np.concatenate([[0.0], edges])[bin_of[delay]]
    assert (lower < delay).all()


def sojourn_quantile_slots(load: float, share: float) -> int:
    """The exact quantile of the sojourn in M/D/1 with a service of one slot, from the chain of queue lengths."""
    size = 600
    arrivals = np.exp(-load) * np.cumprod(np.concatenate([[1.0], load / np.arange(1, size)]))
    queue = np.zeros(size)
    queue[0] = 1.0
    for _ in range(4000):
        after = np.convolve(queue, arrivals)[:size]
        queue = np.concatenate([[after[0] + after[1]], after[2:], [0.0]])
    # A packet that finds k in the queue and j before it in its slot stays k + j + 1 slots; j: arrivals beyond it.
    place = np.cumsum(arrivals[::-1])[::-1][1:] / load
    sojourn = np.cumsum(np.convolve(queue, place)[:size])
    return int(np.searchsorted(sojourn, share)) + 1


def test_the_reference_has_the_mean_of_pollaczek_and_khinchine() -> None:
    quantiles = [sojourn_quantile_slots(LOAD, share) for share in np.arange(0.005, 1.0, 0.01)]
    assert np.mean(quantiles) == pytest.approx(1 + LOAD / (2 * (1 - LOAD)), rel=0.02)


def test_the_99_9_percent_delay_of_m_d_1_comes_out_within_a_bin(make_scenario: MakeScenario) -> None:
    packet_bits = transport_block_bits(24, 10)
    site = {"name": "a", "x_m": 0, "y_m": 0, "height_m": 25, "propagation": "UMa", "power_dbm": 46}
    scenario = make_scenario(
        {
            "layout": {"sites": [site], "area_m": [-50, -50, 50, 50]},
            "users": {"population": {"kind": "static", "ues_per_cell": 1}, "mobility": {"kind": "static"}},
            "radio": {"shadowing": False, "line_of_sight": "always", "fading": False},
            "link": {"fixed_mcs": 10},
            "traffic": {
                "mix": [{"kind": "poisson", "mean_rate_bps": LOAD * packet_bits / 1e-3, "packet_bits": packet_bits}],
                "buffer_packets": 512,
            },
        }
    )
    networks = Networks(scenario, 64, seed=7)
    networks.advance(2_000)
    networks.measure()
    networks.advance(30_000)
    edges_ms, packets = networks.delay_histogram()
    below = np.cumsum(packets.sum(axis=(0, 1))) / packets.sum()
    for share in (0.5, 0.99, 0.999):
        exact = sojourn_quantile_slots(LOAD, share)
        holding = np.searchsorted(edges_ms, exact)
        assert abs(int(np.searchsorted(below, share)) - holding) <= 1, (share, exact)
    assert packets.sum() > 1_700_000
