"""FTP model 3 against the Poisson process that it is, and its files against their size."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ranpilot.errors import ConfigError
from ranpilot.twin.traffic import parse_config
from ranpilot.twin.traffic.models.ftp_3 import Ftp3

from .drawing import draw_users


def test_a_file_is_there_as_a_whole_in_one_slot_and_its_last_packet_has_the_rest() -> None:
    config = Ftp3.Config(mean_rate_bps=1e6, file_bits=50_000, packet_bits=12_000)
    assert config.burst_packets == 5
    for pairs in draw_users(Ftp3(config, 1e-3), 20, 5):
        assert len(pairs) % 5 == 0 and len(pairs) > 0
        files = pairs.reshape(-1, 5, 2)
        assert (files[:, :, 0] == files[:, :1, 0]).all()
        assert (files[:, :, 1] == [12_000, 12_000, 12_000, 12_000, 2_000]).all()


def test_gaps_between_files_are_exponential_also_across_blocks() -> None:
    """Slots of 10 us, so that a gap of 6000 slots on average is hardly rounded; a block holds a sixth of one."""
    model = Ftp3(Ftp3.Config(mean_rate_bps=1e6, file_bits=60_000, packet_bits=60_000), 1e-5)
    gaps = np.concatenate([np.diff(pairs[:, 0]) for pairs in draw_users(model, 60, 1200)])
    assert len(gaps) > 10_000
    # Uniform within a slot, as rounding has taken it away.
    exact = (
        gaps + np.random.default_rng(1).uniform(0.0, 1.0, len(gaps)) - np.random.default_rng(2).uniform(size=len(gaps))
    )
    assert stats.kstest(exact, stats.expon(scale=6000.0).cdf).pvalue > 1e-3
    assert stats.kstest(exact, stats.expon(scale=6300.0).cdf).pvalue < 1e-3


def test_the_number_of_files_has_a_variance_equal_to_its_mean() -> None:
    model = Ftp3(Ftp3.Config(), 1e-3)
    assert model.mean_rate_bps == 20e6
    files = np.array([len(pairs) / 334 for pairs in draw_users(model, 400, 10)])
    dispersion = (files - 50.0) ** 2 / 50.0
    assert abs(dispersion.mean() - 1.0) < 4 * dispersion.std(ddof=1) / np.sqrt(400)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"file_bits": 4e9}, "traffic.file_bits = 4000000000.0, but must be at most 2e+09."),
        ({"packet_bits": 100}, "traffic.packet_bits = 100, but must be at least 200 at 2e+07 bit/s."),
    ],
)
def test_wrong_values_are_told_in_one_sentence(values: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config({"kind": "ftp-3", **values})
    assert str(caught.value) == message
