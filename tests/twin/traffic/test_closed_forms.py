"""Poisson, periodic and full-buffer traffic against what is known of them."""

from __future__ import annotations

import numpy as np
import pytest

from ranpilot.errors import ConfigError, UnknownNameError
from ranpilot.twin.traffic import make_model, parse_config
from ranpilot.twin.traffic.models.full_buffer import FullBuffer
from ranpilot.twin.traffic.models.periodic import Periodic
from ranpilot.twin.traffic.models.poisson import Poisson
from ranpilot.twin.traffic.protocol import BLOCK_SLOTS, TrafficModel

SLOT_S = 1e-3


def counts_per_slot(model: TrafficModel, num_ues: int, num_blocks: int) -> np.ndarray:
    """[N, slots] packets."""
    networks, ues = np.zeros(num_ues, dtype=np.int64), np.arange(num_ues)
    state = model.initial_state(11, networks, ues)
    counts = []
    for block in range(num_blocks):
        packets = model.draw_block(11, networks, ues, block, state)
        place = packets.row.astype(np.int64) * BLOCK_SLOTS + packets.slot
        counts.append(np.bincount(place, minlength=num_ues * BLOCK_SLOTS).reshape(num_ues, BLOCK_SLOTS))
    return np.concatenate(counts, axis=1)


@pytest.mark.parametrize("window_slots", [1, 10, 100, 1000])
def test_poisson_counts_have_a_variance_equal_to_their_mean(window_slots: int) -> None:
    """Also across blocks; the standard error comes from 200 independent UEs."""
    model = Poisson(Poisson.Config(mean_rate_bps=2.4e6), SLOT_S)
    counts = counts_per_slot(model, 200, 10)
    sums = counts.reshape(200, -1, window_slots).sum(axis=2)
    mean = 0.2 * window_slots
    dispersion = ((sums - mean) ** 2).mean(axis=1) / mean
    standard_error = dispersion.std(ddof=1) / np.sqrt(200)
    assert abs(dispersion.mean() - 1.0) < 4 * standard_error
    assert standard_error < 0.04


def test_poisson_counts_of_neighbouring_slots_and_blocks_are_uncorrelated() -> None:
    counts = counts_per_slot(Poisson(Poisson.Config(mean_rate_bps=2.4e6), SLOT_S), 200, 10)
    for left, right in ((counts[:, :-1], counts[:, 1:]), (counts[:, :BLOCK_SLOTS], counts[:, BLOCK_SLOTS:][:, :1000])):
        correlation = np.corrcoef(left.ravel(), right.ravel())[0, 1]
        assert abs(correlation) < 4 / np.sqrt(left.size)


def test_poisson_counts_are_distributed_as_poisson() -> None:
    counts = counts_per_slot(Poisson(Poisson.Config(mean_rate_bps=12e6), SLOT_S), 100, 5).ravel()
    for number, probability in enumerate(np.exp(-1.0) / np.array([1, 1, 2, 6, 24, 120])):
        share = (counts == number).mean()
        assert abs(share - probability) < 4 * np.sqrt(probability * (1 - probability) / counts.size)


def test_a_rate_of_zero_gives_no_packets() -> None:
    assert counts_per_slot(Poisson(Poisson.Config(mean_rate_bps=0.0), SLOT_S), 5, 2).sum() == 0


def test_periodic_packets_without_jitter_are_a_period_apart() -> None:
    counts = counts_per_slot(Periodic(Periodic.Config(period_s=0.016), SLOT_S), 64, 8)
    for row in counts:
        slots = np.flatnonzero(row)
        assert set(np.diff(slots)) == {16}
        assert slots[0] < 16


def test_phases_of_periodic_ues_are_spread_over_the_period() -> None:
    counts = counts_per_slot(Periodic(Periodic.Config(period_s=0.5), SLOT_S), 4000, 1)
    first = np.argmax(counts > 0, axis=1)
    share_early = (first < 125).mean()
    assert abs(share_early - 0.25) < 4 * np.sqrt(0.25 * 0.75 / 4000)


def test_jitter_is_uniform_and_does_not_add_up() -> None:
    """Packets of 8 ms jitter every 40 ms: arrival modulo the period covers 8 ms for each UE, for ever."""
    model = Periodic(Periodic.Config(period_s=0.04, jitter_s=0.008), SLOT_S)
    counts = counts_per_slot(model, 50, 40)
    for row in counts:
        slots = np.flatnonzero(row)
        assert row.max() == 1 and abs(len(slots) - 1000) <= 1
        residue = (slots - slots[0] + 20) % 40 - 20
        assert residue.max() - residue.min() in (7, 8)
        assert set(np.unique(np.diff(slots))) <= set(range(32, 49))


def test_full_buffer_offers_a_packet_at_the_same_slots_to_everybody() -> None:
    counts = counts_per_slot(FullBuffer(FullBuffer.Config(interval_slots=7), SLOT_S), 3, 3)
    assert np.array_equal(np.flatnonzero(counts[0]), np.arange(0, 3000, 7))
    assert (counts == counts[0]).all()


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        (
            {"kind": "poison"},
            UnknownNameError,
            "No traffic model is called 'poison'; did you mean 'poisson'"
            " (known: fitted, ftp-3, full-buffer, mmtc-bursts, periodic, poisson, replay, urllc, video, xr-frames).",
        ),
        (
            {},
            ConfigError,
            "traffic.kind = None, but must be one of fitted, ftp-3, full-buffer, mmtc-bursts, periodic, poisson,"
            " replay, urllc, video, xr-frames.",
        ),
        (
            {"kind": "poisson", "rate": 1.0},
            ConfigError,
            "traffic.rate = 1.0, but must be left out (no such key; known: kind, mean_rate_bps, packet_bits).",
        ),
        (
            {"kind": "poisson", "mean_rate_bps": -1.0},
            ConfigError,
            "traffic.mean_rate_bps = -1.0, but must be at least 0.",
        ),
        (
            {"kind": "poisson", "mean_rate_bps": float("nan")},
            ConfigError,
            "traffic.mean_rate_bps = nan, but must be a finite number.",
        ),
        (
            {"kind": "periodic", "period_s": 0.02, "jitter_s": 0.03},
            ConfigError,
            "traffic.jitter_s = 0.03, but must be at most period_s (0.02 s).",
        ),
        ({"kind": "fitted"}, ConfigError, "traffic.profile = None, but must be given."),
    ],
)
def test_a_wrong_config_is_refused_in_one_sentence(
    values: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        parse_config(values)
    assert str(caught.value) == message


def test_an_error_names_the_file_that_the_config_came_from() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config({"kind": "poisson", "packet_bits": 0}, field="ues.traffic", source="city.yaml:7")
    assert str(caught.value) == "city.yaml:7: ues.traffic.packet_bits = 0, but must be at least 8."


def test_make_model_gives_the_model_of_the_config() -> None:
    assert isinstance(make_model(parse_config({"kind": "full-buffer"}), SLOT_S), FullBuffer)
