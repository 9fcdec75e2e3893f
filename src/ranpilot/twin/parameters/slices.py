"""The slices of a scenario as kernels see them."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranpilot.twin.description.slices import Slice
from ranpilot.twin.parameters.link import SCHEDULERS, outer_loop_steps_db
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.traffic.protocol import BLOCK_SLOTS

__all__ = [
    "NOT_THERE",
    "TENANT_BUDGET_SLOTS",
    "TENANT_DEADLINE_SLOTS",
    "TENANT_DEDICATED",
    "TENANT_FROM_SLOT",
    "TENANT_MAX",
    "TENANT_MEMBERS",
    "TENANT_MIN",
    "TENANT_SCHEDULER",
    "TENANT_SHARE_BELOW",
    "TENANT_STEP_DOWN_DB",
    "TENANT_STEP_UP_DB",
    "TENANT_UNTIL_SLOT",
    "SliceRules",
    "make_slices",
]

FloatArray = NDArray[np.float64]

NOT_THERE = -1
"""The tenant of a free seat."""

# Columns of SliceRules.tenant; times in slots, shares of groups, steps and deadlines 0 where the kind of traffic says.
TENANT_MEMBERS = 0
TENANT_SHARE_BELOW = 1
"""Cumulative share of users, for a population that comes and goes by itself."""
TENANT_MIN = 2
TENANT_MAX = 3
TENANT_DEDICATED = 4
TENANT_SCHEDULER = 5
TENANT_STEP_UP_DB = 6
TENANT_STEP_DOWN_DB = 7
TENANT_DEADLINE_SLOTS = 8
TENANT_BUDGET_SLOTS = 9
TENANT_FROM_SLOT = 10
TENANT_UNTIL_SLOT = 11


class SliceRules(NamedTuple):
    """Who the tenants are and how they come and go."""

    is_on: int
    """0 for a scenario without slices"""
    has_turnover: int
    tenant: FloatArray
    """[tenant, 12]"""
    kind_below: FloatArray
    """[tenant, kind] cumulative share of the kinds of traffic among a tenant's members"""
    least: int
    """tenants below which none leaves, under turnover"""
    first: tuple[int, int]
    """least and greatest number at the reset, under turnover"""
    stay_probability: float
    """that a tenant stays for a block of slots more, under turnover"""
    gap_probability: float
    """that a free seat stays free for a block of slots more"""


def make_slices(scenario: Scenario) -> SliceRules:
    """The tenants of a scenario; without slices one nameless tenant that everybody belongs to."""
    slices = scenario.slices
    if slices is None:
        nobody = np.zeros((1, 12))
        nobody[0, TENANT_MAX] = 1.0
        nobody[0, TENANT_SCHEDULER] = SCHEDULERS[scenario.link.scheduler]
        nobody[0, TENANT_BUDGET_SLOTS] = NOT_THERE
        return SliceRules(0, 0, nobody, np.ones((1, 1)), 0, (0, 0), 1.0, 1.0)
    tenant = np.array([_tenant(scenario, entry) for entry in slices.tenants])
    if slices.turnover is None:
        # What is rounded off one is the next one's, so that all places are somebody's where shares add up to 1.
        until = np.floor(np.cumsum(tenant[:, TENANT_SHARE_BELOW]) * scenario.num_places + 0.5)
        tenant[:, TENANT_MEMBERS] = np.diff(until, prepend=0.0)
    below = np.cumsum(tenant[:, TENANT_SHARE_BELOW])
    # Exactly 1 for the last, whatever rounding left.
    tenant[:, TENANT_SHARE_BELOW] = np.where(below == below[-1], 1.0, below / below[-1])
    turnover, block_s = slices.turnover, BLOCK_SLOTS * scenario.slot_s
    first = (0, 0)
    if turnover is not None:
        first = (turnover.least, turnover.most) if turnover.first is None else (turnover.first, turnover.first)
    return SliceRules(
        is_on=1,
        has_turnover=int(turnover is not None),
        tenant=tenant,
        kind_below=np.array([_kind_below(scenario, entry) for entry in slices.tenants]),
        least=0 if turnover is None else turnover.least,
        first=first,
        stay_probability=1.0 if turnover is None else math.exp(-block_s / turnover.mean_stay_s),
        gap_probability=1.0 if turnover is None else math.exp(-block_s / turnover.mean_gap_s),
    )


def _tenant(scenario: Scenario, entry: Slice) -> list[float]:
    steps_db = (0.0, 0.0) if entry.target_bler is None else outer_loop_steps_db(entry.target_bler)
    return [
        math.floor(entry.share * scenario.num_places + 0.5),
        entry.share,
        entry.min_ratio / 100.0,
        entry.max_ratio / 100.0,
        entry.dedicated_ratio / 100.0,
        SCHEDULERS[entry.scheduler or scenario.link.scheduler],
        *steps_db,
        _slots(scenario, entry.deadline_ms) or 0,
        _slots(scenario, entry.sla.delay_ms) or NOT_THERE,
        round(entry.from_s / scenario.slot_s),
        math.inf if entry.until_s is None else round(entry.until_s / scenario.slot_s),
    ]


def _slots(scenario: Scenario, time_ms: float | None) -> int | None:
    """Whole slots in a time, at least one."""
    return None if time_ms is None else max(1, int(time_ms * 1e-3 / scenario.slot_s + 1e-9))


def _kind_below(scenario: Scenario, entry: Slice) -> FloatArray:
    """[kind] cumulative share among the members, 1 from the last of its kinds on."""
    share = np.array([kind.share if kind.label in entry.traffic else 0.0 for kind in scenario.traffic.mix])
    below = np.cumsum(share)
    result: FloatArray = np.where(below == below[-1], 1.0, below / below[-1])
    return result
