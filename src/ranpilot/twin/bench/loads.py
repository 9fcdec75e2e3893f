"""The offered load that gives a wanted PRB use: what scenarios say of their loads comes from here."""

from __future__ import annotations

import math

from ranpilot.errors import ConfigError
from ranpilot.twin import kpm
from ranpilot.twin.network import Networks
from ranpilot.twin.scenario import Scenario

__all__ = ["calibrate_load", "prb_use"]


def prb_use(scenario: Scenario, *, num: int = 16, seed: int = 0, seconds: float = 10.0, warm_s: float = 1.0) -> float:
    """Mean share of PRBs in use in percent, over cells, networks and time after `warm_s`."""
    networks = Networks(scenario, num, seed)
    networks.advance(round(warm_s / scenario.slot_s))
    networks.measure()
    networks.advance(round(seconds / scenario.slot_s))
    return float(networks.measure(only=[kpm.PRB_USE.name])[kpm.PRB_USE.name].mean())


def calibrate_load(
    scenario: Scenario, target_percent: float, *, num: int = 16, seed: int = 0, seconds: float = 10.0, tries: int = 8
) -> tuple[float, float]:
    """The `traffic.rate_scale` that gives a mean PRB use of `target_percent`, and the use that it gave.

    Steps are proportional at first, then by the secant of log use over log scale.
    """
    if not 0.0 < target_percent < 100.0:
        raise ConfigError("target_percent", target_percent, "above 0 and below 100")
    scale = scenario.traffic.rate_scale
    tried: list[tuple[float, float]] = []
    for _ in range(tries):
        use = prb_use(scenario.with_changes({"traffic": {"rate_scale": scale}}), num=num, seed=seed, seconds=seconds)
        tried.append((scale, use))
        if abs(use - target_percent) < 0.005 * target_percent:
            break
        scale = _next_scale(tried, target_percent)
    return min(tried, key=lambda pair: abs(pair[1] - target_percent))


def _next_scale(tried: list[tuple[float, float]], target: float) -> float:
    scale, use = tried[-1]
    slope = 1.0
    if len(tried) > 1 and tried[-1][0] != tried[-2][0]:
        rise = math.log(tried[-1][1] / tried[-2][1])
        slope = min(max(rise / math.log(tried[-1][0] / tried[-2][0]), 0.15), 2.0)
    step = math.log(target / use) / slope
    return scale * math.exp(min(max(step, -1.5), 1.5))
