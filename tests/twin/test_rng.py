"""Random numbers: Philox against its published vectors, and the laws that the draws follow."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ranpilot.twin import rng
from ranpilot.twin.rng import (
    STREAM_BLER,
    STREAM_FADING,
    draw_normal2,
    draw_uniform,
    draw_uniform4,
    fold_seed,
    philox4x32,
)

# Known answers of philox4x32-10 as Random123 publishes them (kat_vectors): counter, key, output.
KNOWN_ANSWERS = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    (
        (0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF),
        (0xFFFFFFFF, 0xFFFFFFFF),
        (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
    ),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN_ANSWERS)
def test_philox_gives_the_published_words(
    counter: tuple[int, int, int, int], key: tuple[int, int], words: tuple[int, int, int, int]
) -> None:
    seed = np.uint64(key[0]) | (np.uint64(key[1]) << np.uint64(32))
    assert tuple(int(word) for word in philox4x32(seed, *counter)) == words


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN_ANSWERS)
def test_philox_is_the_same_uncompiled(
    counter: tuple[int, int, int, int], key: tuple[int, int], words: tuple[int, int, int, int]
) -> None:
    seed = np.uint64(key[0]) | (np.uint64(key[1]) << np.uint64(32))
    plain = getattr(philox4x32, "py_func", philox4x32)
    assert tuple(int(word) for word in plain(seed, *counter)) == words


def test_uniform_draws_are_uniform_and_strictly_inside_0_and_1() -> None:
    draws = np.array([draw_uniform4(7, network, 3, slot, STREAM_BLER) for network in range(50) for slot in range(200)])
    assert draws.min() > 0.0
    assert draws.max() < 1.0
    for column in range(4):
        assert stats.kstest(draws[:, column], "uniform").pvalue > 1e-3
    correlation = np.corrcoef(draws.T) - np.eye(4)
    assert np.abs(correlation).max() < 4 / np.sqrt(len(draws))
    # Sharp enough to fail: a mean that is off by 2 % would be refused.
    assert stats.kstest(draws[:, 0] ** 1.05, "uniform").pvalue < 1e-3


@pytest.mark.parametrize("position", range(4))
def test_neighbouring_counters_are_uncorrelated(position: int) -> None:
    """Counting up one of network, entity, slot, stream gives independent numbers."""

    def at(index: int) -> float:
        counter = [5, 6, 7, STREAM_FADING]
        counter[position] = index
        return draw_uniform(11, *counter)

    draws = np.array([at(index) for index in range(5000)])
    assert stats.kstest(draws, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(draws[:-1], draws[1:])[0, 1]) < 4 / np.sqrt(len(draws))


def test_normal_draws_are_standard_normal_and_independent() -> None:
    draws = np.array([draw_normal2(1, network, 2, 3, STREAM_FADING) for network in range(10_000)])
    assert stats.kstest(draws[:, 0], "norm").pvalue > 1e-3
    assert stats.kstest(draws[:, 1], "norm").pvalue > 1e-3
    assert abs(np.corrcoef(draws.T)[0, 1]) < 4 / np.sqrt(len(draws))


def test_folded_seeds_are_distinct_and_not_negative() -> None:
    seeds = {fold_seed(3, network, 0, slot, STREAM_FADING) for network in range(40) for slot in range(50)}
    assert len(seeds) == 2000
    assert min(seeds) >= 0


def test_the_upper_half_of_the_seed_counts() -> None:
    assert draw_uniform(1, 0, 0, 0, 1) != draw_uniform(1 + (1 << 32), 0, 0, 0, 1)


def test_no_two_streams_share_a_number() -> None:
    streams = {name: value for name, value in vars(rng).items() if name.startswith("STREAM_")}
    assert len(streams) > 10
    assert len(set(streams.values())) == len(streams)
