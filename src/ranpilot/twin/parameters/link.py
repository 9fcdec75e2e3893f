"""Scheduling, link adaptation and block errors as kernels see them."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranpilot.twin.delay_bins import LONGEST_DELAY_SLOTS, delay_edges_slots
from ranpilot.twin.description.traffic import TrafficShare
from ranpilot.twin.parameters.grid import RE_PER_PRB
from ranpilot.twin.phy import PhyTables
from ranpilot.twin.scenario import Scenario

__all__ = [
    "CQI_SINR_DB",
    "CQI_THRESHOLD",
    "EARLIEST_DEADLINE",
    "GROUP_BITS",
    "LOSS_EXPONENT",
    "MAX_CQI",
    "M_LWDF",
    "NUM_CODE_BLOCKS",
    "PROPORTIONAL_FAIR",
    "ROUND_ROBIN",
    "SCHEDULERS",
    "SIZE_CLASS",
    "STEP_DOWN_DB",
    "STEP_UP_DB",
    "TRANSPORT_BITS",
    "BlockTables",
    "LinkRules",
    "make_blocks",
    "make_link",
    "outer_loop_steps_db",
]

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]
Int32Array = NDArray[np.int32]

ACTIVITY_TIME_S = 0.05
"""Time constant of the running mean of a neighbour's use of a group, which a user's CQI counts on."""

OUTER_LOOP_STEP_DB = 0.5
"""What a failed first transmission adds to the outer loop's offset at a target of 0.1 or more."""

NO_LIMIT = 2**62

ROUND_ROBIN, PROPORTIONAL_FAIR, MAX_CQI, M_LWDF, EARLIEST_DEADLINE = 0, 1, 2, 3, 4
SCHEDULERS = {
    "round-robin": ROUND_ROBIN,
    "proportional-fair": PROPORTIONAL_FAIR,
    "max-cqi": MAX_CQI,
    "m-lwdf": M_LWDF,
    "edf": EARLIEST_DEADLINE,
}

# Rows of LinkRules.cqi: linear SINR from which a CQI is reported, SINR in dB that it stands for (the middle of its
# interval), and bits of one PRB.
CQI_THRESHOLD, CQI_SINR_DB, GROUP_BITS = 0, 1, 2

# Columns of LinkRules.kind: steps of the outer loop on a failed and on a decoded first transmission (both above 0),
# -ln of the share of packets that may miss the deadline.
STEP_UP_DB, STEP_DOWN_DB, LOSS_EXPONENT = 0, 1, 2

# Columns of BlockTables.block.
TRANSPORT_BITS, NUM_CODE_BLOCKS, SIZE_CLASS = 0, 1, 2


class LinkRules(NamedTuple):
    """Scheduling and link adaptation."""

    fairness_weight: float
    """of a slot in proportional fair's mean rate"""
    activity_weight: float
    cqi_period: int
    cqi_delay: int
    cqi: FloatArray
    """[3, 16] by CQI"""
    kind: FloatArray
    """[kind, 3] of the traffic mix"""
    initial_offset_db: float
    most_offset_db: float
    """bound of the outer loop, either way"""
    fixed_mcs: int
    """-1 where the MCS is adapted"""
    round_trip_slots: int
    max_transmissions: int
    delay_bin: Int32Array
    """[delay in slots] bin of the delay histogram; longer delays fall into the last"""
    buffer_bits: int
    """that may wait of one user"""


class BlockTables(NamedTuple):
    """What decides whether a transport block is decoded; index prb is a number of PRBs."""

    block: Int32Array
    """[mcs, prb, 3]"""
    size_weight: Float32Array
    """[mcs, prb] weight of the next class of code block sizes"""
    probit: Float32Array
    """[mcs, class, bin] of the code block error rate"""
    eesm_beta: Float32Array
    """[mcs]"""
    mcs_threshold_db: Float32Array
    """[mcs] effective SINR at which a block has the error rate that a CQI promises"""


def make_blocks(phy: PhyTables) -> BlockTables:
    """What of the link tables kernels look up."""
    block = np.stack([phy.tbs_bits, phy.num_code_blocks, phy.size_class], axis=-1)
    return BlockTables(block, phy.size_weight, phy.probit, phy.eesm_beta, phy.mcs_threshold_db)


def make_link(scenario: Scenario, phy: PhyTables) -> LinkRules:
    """The rules of a scenario's scheduling and link adaptation."""
    link = scenario.link
    threshold_db = phy.cqi_threshold_db.astype(np.float64)
    middle_db = threshold_db.copy()
    middle_db[0] = threshold_db[1]
    middle_db[1:-1] = (threshold_db[1:-1] + threshold_db[2:]) / 2.0
    efficiency = phy.cqi_efficiency.astype(np.float64)
    if link.fixed_mcs is not None:
        efficiency = np.where(efficiency > 0.0, float(phy.spectral_efficiency[link.fixed_mcs]), 0.0)
    delay_slots = np.arange(LONGEST_DELAY_SLOTS + 1)
    return LinkRules(
        fairness_weight=-math.expm1(-scenario.slot_s / (link.fairness_time_ms * 1e-3)),
        activity_weight=-math.expm1(-scenario.slot_s / ACTIVITY_TIME_S),
        cqi_period=link.cqi_period_slots,
        cqi_delay=link.cqi_delay_slots,
        cqi=np.stack([np.power(10.0, threshold_db / 10.0), middle_db, efficiency * RE_PER_PRB]),
        kind=np.array([_kind(share, link.target_bler) for share in scenario.traffic.mix]),
        initial_offset_db=link.initial_offset_db,
        most_offset_db=link.max_offset_db,
        fixed_mcs=-1 if link.fixed_mcs is None else link.fixed_mcs,
        round_trip_slots=link.harq_round_trip_slots,
        max_transmissions=link.harq_max_transmissions,
        delay_bin=np.searchsorted(delay_edges_slots(), delay_slots).astype(np.int32),
        buffer_bits=NO_LIMIT if scenario.traffic.buffer_bits is None else scenario.traffic.buffer_bits,
    )


def outer_loop_steps_db(target_bler: float) -> tuple[float, float]:
    """What a failed first transmission adds to the offset and what a decoded one takes off, in dB.

    In balance where the share of failures is the target. A step up of 0.5 dB, and half of that more for each decade
    that the target is below 0.1: the loop forgets a wrong offset after about 1 / (step x target) blocks, which at 1e-3
    and 0.5 dB would be 2000.
    """
    up_db = OUTER_LOOP_STEP_DB * (1.0 + 0.5 * max(0.0, math.log10(0.1 / target_bler)))
    return up_db, up_db * target_bler / (1.0 - target_bler)


def _kind(share: TrafficShare, target_bler: float) -> tuple[float, float, float]:
    steps_db = outer_loop_steps_db(target_bler if share.target_bler is None else share.target_bler)
    return (*steps_db, -math.log(1.0 - share.reliability))
