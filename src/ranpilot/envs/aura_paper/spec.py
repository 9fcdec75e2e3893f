"""What the agents of `aura-paper` see and may do."""

from __future__ import annotations

from ranpilot.declare import Measurement
from ranpilot.envs.aura_paper.config import AuraPaperConfig, Station
from ranpilot.envs.aura_paper.state import COUNTERS, REWARD_TERMS
from ranpilot.envs.controller import Feature, TaskSpec

__all__ = ["ACTIONS", "CAPACITY", "COVERAGE", "DROPS", "POWER", "STATE_NAMES", "make_spec"]

ACTIONS = ("up", "down", "keep", "move")
STATE_NAMES = ("eligible_requests", "oldest_due", "free_places", "bad_share")
"""For each station: open requests and free places (counted to 3, what one action moves), a last step, bad links."""

POWER = Measurement("power", "dBm", "cell", 0.0, 80.0, "lower", "Transmit power.")
COVERAGE = Measurement("coverage", "1", "cell", 0.0, 1.0, "lower", "Share of the station's calls whose link is bad.")
CAPACITY = Measurement("capacity", "1", "cell", 0.0, 1.0, "lower", "Whether every place of the station is taken.")
DROPS = Measurement(
    "drops", "1", "cell", 0.0, 3.0, "lower", "Hand-off requests dropped in the last step; more than 3 count as 3."
)

POWER_WORDS = ("lowest", "lower", "low", "lowish", "highish", "high", "higher", "highest")


def make_spec(config: AuraPaperConfig) -> TaskSpec:
    """The task of two stations."""
    names = tuple(station.name for station in config.stations)
    return TaskSpec(
        name="power-handover",
        scenario="aura-paper",
        agents=names,
        features=(
            _power(config.stations),
            _shared(COVERAGE, (0.05, 0.15), ("good", "fair", "poor")),
            _shared(CAPACITY, (0.5,), ("free", "full")),
            _shared(DROPS, (1.0, 3.0), ("none", "few", "many")),
        ),
        state_names=tuple(f"{agent}.{name}" for agent in names for name in STATE_NAMES),
        actions=ACTIONS,
        neutral_action=ACTIONS.index("keep"),
        reward_terms=REWARD_TERMS,
        counters=COUNTERS,
        step_s=1.0,
        slots_per_step=1,
        episode_steps=config.episode_steps,
        neighbours=((1,), (0,)),
    )


def _power(stations: tuple[Station, Station]) -> Feature:
    return Feature(
        measurement=POWER,
        edges=tuple(tuple(s.power_low_dbm + 1.0 + k for k in range(s.num_powers - 1)) for s in stations),
        words=tuple(_power_words(s) for s in stations),
        low=tuple(float(s.power_low_dbm) for s in stations),
        high=tuple(float(s.power_high_dbm) for s in stations),
    )


def _power_words(station: Station) -> tuple[str, ...]:
    """A word for each point of the grid: distinct on grids of up to eight points, else the power itself."""
    num, most = station.num_powers, len(POWER_WORDS)
    if num > most:
        return tuple(f"{station.power_low_dbm + k} dBm" for k in range(num))
    lower = (num + 1) // 2
    return POWER_WORDS[:lower] + POWER_WORDS[most - (num - lower) :]


def _shared(measurement: Measurement, edges: tuple[float, ...], words: tuple[str, ...]) -> Feature:
    return Feature(measurement, (edges,) * 2, (words,) * 2, (measurement.low,) * 2, (measurement.high,) * 2)
