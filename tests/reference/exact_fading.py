"""The slow, obvious fading channel: joint complex Gaussian draws with the covariance of theory, by Cholesky."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import j0


def draw_exact_fading(
    generator: np.random.Generator,
    num_draws: int,
    doppler_times: NDArray[np.float64],
    frequency_hz: NDArray[np.float64],
    delay_spread_s: float,
) -> NDArray[np.float64]:
    """Power gains [draw, time, group] of one branch, mean 1.

    doppler_times: [T] time times the largest Doppler frequency. Covariance of the complex gain: J0(2 pi f_d dt)
    (Clarke) times 1 / (1 + 2 pi i df tau_rms) (exponential power delay profile).
    """
    in_time = j0(2 * np.pi * np.subtract.outer(doppler_times, doppler_times))
    in_frequency = 1 / (1 + 2j * np.pi * np.subtract.outer(frequency_hz, frequency_hz) * delay_spread_s)
    covariance = np.kron(in_time, in_frequency)
    size = len(covariance)
    root = np.linalg.cholesky(covariance + 1e-9 * np.eye(size))
    noise = generator.standard_normal((num_draws, size)) + 1j * generator.standard_normal((num_draws, size))
    channel = noise @ root.T / np.sqrt(2)
    power: NDArray[np.float64] = np.abs(channel) ** 2
    return power.reshape(num_draws, len(doppler_times), len(frequency_hz))
