"""Outdoor-to-indoor loss: what a building's outer wall and the way inside it take.

Loss of the wall: PL_tw = 5 - 10 log10(sum over materials of share x 10^(-L / 10)), f in GHz, with
    L_glass = 2 + 0.2 f, L_IRR-glass = 23 + 0.3 f, L_concrete = 5 + 4 f;
    low loss: 30 % glass, 70 % concrete; high loss: 70 % IRR glass, 30 % concrete.
Inside: 0.5 dB for each of d_2D-in metres. A user's own deviation: normal with sigma 4.4 dB (low) or 6.5 dB (high).
Source: TR 38.901 §7.4.3.1, Tables 7.4.3-1 and 7.4.3-2.
Simplifications: a building is one user's (neighbours under one roof do not share its wall); no loss of cars.
"""

from __future__ import annotations

import math

from ranpilot.kernels import kernel

__all__ = ["HIGH_LOSS_SIGMA_DB", "LOW_LOSS_SIGMA_DB", "indoor_loss_db", "wall_loss_db"]

LOW_LOSS_SIGMA_DB = 4.4
HIGH_LOSS_SIGMA_DB = 6.5
INDOOR_DB_PER_M = 0.5


@kernel
def wall_loss_db(carrier_hz: float, is_high_loss: bool) -> float:
    """PL_tw of a low-loss or a high-loss building. Source: TR 38.901 Table 7.4.3-2."""
    carrier_ghz = carrier_hz / 1e9
    concrete = 10.0 ** (-(5.0 + 4.0 * carrier_ghz) / 10.0)
    if is_high_loss:
        coated_glass = 10.0 ** (-(23.0 + 0.3 * carrier_ghz) / 10.0)
        return 5.0 - 10.0 * math.log10(0.7 * coated_glass + 0.3 * concrete)
    glass = 10.0 ** (-(2.0 + 0.2 * carrier_ghz) / 10.0)
    return 5.0 - 10.0 * math.log10(0.3 * glass + 0.7 * concrete)


@kernel
def indoor_loss_db(carrier_hz: float, is_high_loss: bool, indoor_m: float, normal: float) -> float:
    """What a user `indoor_m` behind the wall loses; `normal`: its own standard normal number."""
    sigma_db = HIGH_LOSS_SIGMA_DB if is_high_loss else LOW_LOSS_SIGMA_DB
    return wall_loss_db(carrier_hz, is_high_loss) + INDOOR_DB_PER_M * indoor_m + sigma_db * normal
