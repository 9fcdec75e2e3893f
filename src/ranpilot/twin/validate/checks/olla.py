"""The outer loop of link adaptation holds its target, with fading and with reports that are old when they are used.

One cell with users in Rayleigh fading at 5 km/h, always something to send, reports every 10 slots that are used 4
slots later; the share of first transmissions that fail, after a second in which the loop settles. The target belongs
to the users' kind of traffic. The bound is 20 % of the target; with quick effort two standard errors of as many
independent errors are added where they are few.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from ranpilot.twin import Networks, state
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.validate.line import Effort, Line, compared

__all__ = ["lines"]

TARGETS = (0.1, 1e-3)
BLOCKS = {"quick": (20_000, 100_000), "full": (100_000, 1_000_000)}
"""By effort: of both targets with quick effort the first and the last, with full effort both of both."""
SEED = 3
SETTLING_SLOTS = 1000
ENOUGH_ERRORS = 1000


def lines(effort: Effort) -> Iterator[Line]:
    """The error rate at each target, and where HARQ leaves it."""
    few, many = BLOCKS[effort]
    cases = [(0.1, few), (1e-3, many)] if effort == "quick" else [(t, n) for t in TARGETS for n in (few, many)]
    for target, num_blocks in cases:
        errors, blocks = _count(target, num_blocks)
        expected = target * blocks
        width = 0.2 + (0.0 if effort == "full" or expected >= ENOUGH_ERRORS else 2.0 / math.sqrt(expected))
        name = f"olla/target-{target:g}/{num_blocks}-blocks"
        yield compared(name, errors / blocks, target, width * target, "1", "by definition", n=blocks, seed=SEED)


def _scenario(target_bler: float) -> Scenario:
    site = {"name": "a", "x_m": 0, "y_m": 0, "height_m": 25, "propagation": "UMa", "power_dbm": 25}
    return Scenario.model_validate(
        {
            "name": "outer-loop",
            "carrier": {"frequency_ghz": 2.0, "num_prbs": 24, "prbs_per_group": 4},
            "layout": {"sites": [site], "area_m": [300, 0, 310, 10]},
            "users": {
                "population": {"kind": "static", "ues_per_cell": 4},
                "mobility": {"kind": "lines", "min_speed_kmh": 5, "max_speed_kmh": 5},
            },
            "radio": {"shadowing": False, "line_of_sight": "never"},
            "traffic": {"mix": [{"kind": "full-buffer", "packet_bits": 100_000, "target_bler": target_bler}]},
        }
    )


def _count(target_bler: float, num_blocks: int) -> tuple[int, int]:
    """Failed and all first transmissions, at least that many."""
    networks = Networks(_scenario(target_bler), 4, SEED)
    networks.advance(SETTLING_SLOTS)
    before = networks.counters().cell
    blocks = 0
    while blocks < num_blocks:
        networks.advance(1000)
        counted = (networks.counters().cell - before).sum(axis=(0, 1))
        blocks = int(counted[state.CELL_FIRST_BLOCKS])
    return int(counted[state.CELL_FIRST_ERRORS]), blocks
