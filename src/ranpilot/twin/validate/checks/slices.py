"""Shares of a cell under RRMPolicyRatio, delay of a dedicated share, and slices that come and go, in closed form.

One cell of 13 equal groups, in reach of everybody, no block lost. Slices that always want more (full buffers):
- minimum and maximum alike (35, 40, 25 %): each has its own share;
- a maximum of 5.5 groups, alone: 5.5 / 13;
- beside a silent slice with a minimum of 60 % of which 4 groups are dedicated: 9 / 13, as the rest is lent;
- minima of 60 and 20 %, both with as many members: 60 + 10 and 20 + 10 %, as what is left is lent by members;
- minima of 100 and 40 % (the second came later): 100 / 140 and 40 / 140, both scaled down alike.
A slice with dedicated groups for its packets sends each in the slot of its arrival, whatever full buffers beside it do.
A seat that is taken stays so for a block of traffic with probability a = exp(-block / mean stay), one that is free with
b = exp(-block / mean gap); in the long run it is taken in (1 - b) / (2 - a - b) of the blocks.
Source of the ratios: TS 28.541 §4.3.36.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ranpilot.twin import kpm
from ranpilot.twin.controls import SLICE_MIN_RATIO
from ranpilot.twin.network import Networks
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.validate.line import Effort, Line, compared

__all__ = ["lines"]

SEED = 3
NUM_GROUPS = 13
SLOTS = {"quick": 1000, "full": 20_000}
NETWORKS, BLOCKS = {"quick": 10, "full": 100}, 40
STAY_S, GAP_S, SEATS = 2.0, 1.0, 4

RATIOS = "TS 28.541 §4.3.36"
LENDING = "what is left by members (generalised processor sharing)"

GREEDY = {"name": "greedy", "kind": "full-buffer"}
SILENT = {"name": "silent", "kind": "poisson", "mean_rate_bps": 0.0}
COMMANDS = {"name": "commands", "kind": "periodic", "period_s": 0.01, "packet_bits": 400}


def lines(effort: Effort) -> Iterator[Line]:
    """Shares, then delay, then how often a seat is taken."""
    yield from _shares(SLOTS[effort])
    yield from _dedicated(SLOTS[effort])
    yield _seats(NETWORKS[effort])


def _shares(slots: int) -> Iterator[Line]:
    hard = [_tenant(name, 1 / 3, min_ratio=own, max_ratio=own) for name, own in zip("abc", (35, 40, 25), strict=True)]
    yield from _share_lines("min-is-max", _after(hard), slots, (35.0, 40.0, 25.0), RATIOS)
    alone = [_tenant("a", 0.5, max_ratio=100 * 5.5 / NUM_GROUPS), _tenant("b", 0.5, "silent")]
    yield from _share_lines("max-alone", _after(alone), slots, (100 * 5.5 / NUM_GROUPS, 0.0), RATIOS)
    kept = {"min_ratio": 60, "dedicated_ratio": 100 * 4 / NUM_GROUPS}
    beside = [_tenant("a", 0.5), _tenant("b", 0.5, "silent", **kept)]
    yield from _share_lines("beside-dedicated", _after(beside), slots, (100 * 9 / NUM_GROUPS, 0.0), RATIOS)
    lent = [_tenant("a", 0.5, min_ratio=60), _tenant("b", 0.5, min_ratio=20)]
    yield from _share_lines("min-and-lent", _after(lent), slots, (70.0, 30.0), LENDING)
    late = [_tenant("a", 0.5, min_ratio=60), _tenant("b", 0.5, min_ratio=40, from_s=1.0)]
    networks = Networks(_scenario(late), 1, SEED)
    networks.advance(50)
    networks.apply({SLICE_MIN_RATIO: [[[100.0, 0.0]]]})
    networks.advance(1000)
    yield from _share_lines("minima-beyond-all", networks, slots, (100 / 1.4, 40 / 1.4), RATIOS)


def _after(tenants: list[dict[str, Any]]) -> Networks:
    """A network whose users have reported."""
    networks = Networks(_scenario(tenants), 1, SEED)
    networks.advance(50)
    return networks


def _share_lines(name: str, networks: Networks, slots: int, expected: tuple[float, ...], source: str) -> Iterator[Line]:
    """PRBs of each slice over `slots`; whole groups meet a share within two of them over any time."""
    networks.measure()
    networks.advance(slots)
    found = networks.measure()[kpm.SLICE_PRB_USE.name][0, 0]
    tolerance = 100 * 2 / slots if source == RATIOS else 1.0
    for label, value, own in zip("abc", found, expected, strict=False):
        yield compared(f"slices/{name}/{label}", value, own, tolerance, "%", source, n=slots, seed=SEED)


def _dedicated(slots: int) -> Iterator[Line]:
    """Three members with a packet of 400 bits each 10 ms, and room for all in a slot."""
    kept = {"min_ratio": 100 * 3 / NUM_GROUPS, "dedicated_ratio": 100 * 3 / NUM_GROUPS}
    tenants = [_tenant("a", 0.3, "commands", sla={"delay_ms": 1.0}, **kept), _tenant("b", 0.7)]
    networks = _after(tenants)
    networks.measure()
    networks.advance(slots)
    found = networks.measure()
    source = "a packet waits for nobody"
    for name, each, expected in (("on-time", kpm.SLICE_ON_TIME, 100.0), ("delay", kpm.SLICE_DELAY, 10.0)):
        value = found[each.name][0, 0, 0]
        yield compared(
            f"slices/dedicated/{name}", value, expected, 1e-6, each.unit, source, n=3 * slots // 10, seed=SEED
        )


def _seats(num: int) -> Line:
    tenants = [_tenant(f"tenant {index}", 0.1, "silent") for index in range(2 * SEATS)]
    turnover = {"least": 0, "most": SEATS, "mean_stay_s": STAY_S, "mean_gap_s": GAP_S}
    networks = Networks(_scenario(tenants, turnover), num, SEED)
    stays, frees = math.exp(-1.0 / STAY_S), math.exp(-1.0 / GAP_S)
    expected = (1 - frees) / (2 - stays - frees)
    networks.advance(5000)
    taken = []
    for _ in range(BLOCKS):
        networks.advance(1000)
        taken.append(networks.slices.tenant >= 0)
    # The blocks of a seat are a Markov chain whose correlation falls as (a + b - 1)^k.
    factor = (1 + stays + frees - 1) / (1 - (stays + frees - 1))
    samples = np.size(taken)
    error = math.sqrt(expected * (1 - expected) * factor / samples)
    found, source = float(np.mean(taken)), "stationary two-state Markov chain"
    return compared("slices/turnover/taken", found, expected, 4 * error, "1", source, n=samples, seed=SEED)


def _tenant(name: str, share: float, kind: str = "greedy", **values: Any) -> dict[str, Any]:
    return {"name": name, "share": share, "traffic": [kind], **values}


def _scenario(tenants: list[dict[str, Any]], turnover: dict[str, Any] | None = None) -> Scenario:
    site = {"name": "mast", "x_m": 0, "y_m": 0, "height_m": 25, "propagation": "UMa", "power_dbm": 50}
    return Scenario.model_validate(
        {
            "name": "shares",
            "carrier": {"frequency_ghz": 2.0, "num_prbs": 4 * NUM_GROUPS, "prbs_per_group": 4},
            "layout": {"sites": [site], "area_m": [-60, -60, 60, 60]},
            "users": {"population": {"kind": "static", "ues_per_cell": 10}, "mobility": {"kind": "static"}},
            "traffic": {"mix": [GREEDY, SILENT, COMMANDS]},
            "radio": {"shadowing": False, "line_of_sight": "always", "fading": False},
            "link": {"fixed_mcs": 10},
            "slices": {"tenants": tenants, "turnover": turnover},
        }
    )
