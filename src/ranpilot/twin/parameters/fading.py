"""Small-scale fading as kernels see it: blocks of traces, one a Rice factor and delay spread, and who has which."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranpilot.twin.radio.fading import STEPS_PER_CYCLE, make_fading_bank, step_s
from ranpilot.twin.radio.rays import DELAY_SPREAD_S, RICE_FACTOR
from ranpilot.twin.radio.small_scale import median_delay_spread_s, model_rice_factor_db, scattered_delay_spread_s
from ranpilot.twin.scenario import Scenario

__all__ = ["Fading", "make_fading"]

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]
Int32Array = NDArray[np.int32]

Profile = tuple[float | None, float]
"""Rice factor in dB (None = Rayleigh) and rms delay spread in s."""

_TRACES = 16
_STEPS = 4096


class Fading(NamedTuple):
    """Small-scale fading."""

    gain: Float32Array
    """[trace, step, rbg] power gain of one branch, block after block"""
    wideband_gain: Float32Array
    """[trace, step] mean of `gain` over the groups"""
    traces: int
    """Traces of a block."""
    block: Int32Array
    """[C, 2] block of a cell's links out of sight and in sight"""
    profile: FloatArray
    """[block, 2] RICE_FACTOR and DELAY_SPREAD_S of `rays.py`"""
    is_exact: int
    """1 where links have rays of their own: `gain` is all ones then, and only the block counts."""
    group_hz: float
    """From the middle of a group to that of the next."""
    steps_per_metre: float
    """Steps of a trace that a user walks in a metre."""


def make_fading(scenario: Scenario) -> Fading:
    """The fading of a scenario, with its bank of traces."""
    carrier = scenario.carrier
    profiles, block = _profiles(scenario)
    group_hz = carrier.prbs_per_group * carrier.prb_bandwidth_hz
    carrier_hz = carrier.frequency_ghz * 1e9
    if scenario.radio.fading == "bank":
        # The bank's own speed only names its unit of time; a link walks it at the speed of its user.
        banks = [
            make_fading_bank(
                carrier.num_groups, group_hz, carrier_hz, 1.0, spread_s, rice_factor_db=rice, shape=(_TRACES, _STEPS)
            ).gain
            for rice, spread_s in profiles
        ]
        gain, traces = (banks[0] if len(banks) == 1 else np.concatenate(banks)), _TRACES
    else:
        gain, traces = np.ones((2 * len(profiles), STEPS_PER_CYCLE, carrier.num_groups), np.float32), 2
    # Read-only as the bank is: for numba that is part of the type.
    gain.setflags(write=False)
    return Fading(
        gain=gain,
        wideband_gain=gain.mean(axis=2, dtype=np.float64).astype(np.float32),
        traces=traces,
        block=block,
        profile=np.array([_ray_profile(*profile) for profile in profiles]),
        is_exact=int(scenario.radio.fading == "exact"),
        group_hz=group_hz,
        steps_per_metre=1.0 / step_s(1.0, carrier_hz),
    )


def _profiles(scenario: Scenario) -> tuple[list[Profile], Int32Array]:
    """The different profiles of all links, and which one a cell's links have [C, 2]."""
    radio, carrier_hz = scenario.radio, scenario.carrier.frequency_ghz * 1e9
    profiles: list[Profile] = []
    block = np.zeros((scenario.num_cells, 2), np.int32)
    if radio.fading is None:
        return [(None, 0.0)], block
    # All states out of sight come first: where every link is Rayleigh, there is one block.
    for is_los in (False, True):
        for cell, placed in enumerate(scenario.cells):
            site = scenario.layout.sites[placed.site]
            rice = model_rice_factor_db(site.propagation) if radio.rice_factor == "model" else radio.rice_factor
            spread_s = (
                median_delay_spread_s(site.propagation, carrier_hz, is_los)
                if radio.delay_spread_ns == "model"
                else radio.delay_spread_ns * 1e-9
            )
            profile = (rice if is_los else None, spread_s)
            if profile not in profiles:
                profiles.append(profile)
            block[cell, int(is_los)] = profiles.index(profile)
    return profiles, block


def _ray_profile(rice_factor_db: float | None, delay_spread_s: float) -> FloatArray:
    row = np.zeros(2)
    row[RICE_FACTOR] = 0.0 if rice_factor_db is None else 10.0 ** (rice_factor_db / 10.0)
    row[DELAY_SPREAD_S] = scattered_delay_spread_s(delay_spread_s, row[RICE_FACTOR])
    return row
