"""What agents of `power-handover` see and may do: as in `aura-paper`, for the sites of a scenario."""

from __future__ import annotations

import numpy as np

from ranpilot.declare import Measurement
from ranpilot.envs.aura_paper.spec import (
    ACTIONS,
    CAPACITY,
    COVERAGE,
    DROPS,
    POWER,
    POWER_WORDS,
    STATE_NAMES,
)
from ranpilot.envs.aura_paper.state import COUNTERS, REWARD_TERMS
from ranpilot.envs.controller import Feature, FloatArray, TaskSpec
from ranpilot.envs.tasks._announced import announced_counters
from ranpilot.twin.scenario import Scenario

__all__ = ["ACTIONS", "DOWN", "KEEP", "MOVE", "UP", "make_spec", "power_grid"]

UP, DOWN, KEEP, MOVE = (ACTIONS.index(name) for name in ("up", "down", "keep", "move"))
NUM_NEIGHBOURS = 6
"""Agents whose features an adviser may see beside the agent's own: the first ring of a hexagonal layout."""

POWER_STEP_DB = 1.0
COVERAGE_LIMITS = (0.05, 0.15)
DROP_LIMITS = (1.0, 3.0)


def power_grid(scenario: Scenario) -> tuple[tuple[float, ...], ...]:
    """For each cell the powers it may use, in dBm: from its least in steps of 1 dB, and its greatest."""
    grids = []
    for cell in scenario.cells:
        low, high = cell.power_range_dbm
        steps = np.arange(0.0, high - low, POWER_STEP_DB)
        grids.append((*(low + float(s) for s in steps), high))
    return tuple(grids)


def make_spec(scenario: Scenario) -> TaskSpec:
    """The task on that scenario: one agent for each cell."""
    agents = tuple(cell.name for cell in scenario.cells)
    return TaskSpec(
        name="power-handover",
        scenario=scenario.name,
        agents=agents,
        features=(
            _power(power_grid(scenario)),
            _shared(COVERAGE, COVERAGE_LIMITS, ("good", "fair", "poor"), len(agents)),
            _shared(CAPACITY, (0.5,), ("free", "full"), len(agents)),
            _shared(DROPS, DROP_LIMITS, ("none", "few", "many"), len(agents)),
        ),
        state_names=tuple(f"{agent}.{name}" for agent in agents for name in STATE_NAMES),
        actions=ACTIONS,
        neutral_action=KEEP,
        reward_terms=REWARD_TERMS,
        counters=(*COUNTERS, *announced_counters(scenario)),
        step_s=scenario.control.step_ms * 1e-3,
        slots_per_step=scenario.slots_per_step,
        episode_steps=scenario.control.episode_steps,
        neighbours=_nearest(np.array([[cell.x_m, cell.y_m] for cell in scenario.cells])),
    )


def _power(grids: tuple[tuple[float, ...], ...]) -> Feature:
    return Feature(
        measurement=POWER,
        edges=tuple(grid[1:] for grid in grids),
        words=tuple(_power_words(grid) for grid in grids),
        low=tuple(grid[0] for grid in grids),
        # A cell whose power is fixed still needs bounds to normalise by.
        high=tuple(grid[-1] if len(grid) > 1 else grid[0] + POWER_STEP_DB for grid in grids),
    )


def _power_words(grid: tuple[float, ...]) -> tuple[str, ...]:
    """A word for each point of the grid, as in `aura-paper`: from both ends of the scale, else the power itself."""
    num, most = len(grid), len(POWER_WORDS)
    if num > most:
        return tuple(f"{power:g} dBm" for power in grid)
    lower = (num + 1) // 2
    return POWER_WORDS[:lower] + POWER_WORDS[most - (num - lower) :]


def _shared(measurement: Measurement, edges: tuple[float, ...], words: tuple[str, ...], num_agents: int) -> Feature:
    return Feature(
        measurement=measurement,
        edges=(edges,) * num_agents,
        words=(words,) * num_agents,
        low=(measurement.low,) * num_agents,
        high=(measurement.high,) * num_agents,
    )


def _nearest(position_m: FloatArray) -> tuple[tuple[int, ...], ...]:
    """For each cell the nearest others, [C, 2] positions; of equally near ones the lower index first."""
    distance_m = np.linalg.norm(position_m[:, None] - position_m[None], axis=2)
    np.fill_diagonal(distance_m, np.inf)
    order = np.argsort(distance_m, axis=1, kind="stable")[:, : min(NUM_NEIGHBOURS, len(position_m) - 1)]
    return tuple(tuple(int(cell) for cell in row) for row in order)
