"""What can be set in a running network, with range, unit and the O-RAN interface that carries it."""

from __future__ import annotations

from ranpilot.declare import Control

__all__ = [
    "ADMISSION_LIMIT",
    "CELL_INDIVIDUAL_OFFSET_DB",
    "CELL_SLEEP",
    "CONTROLS",
    "DOWNTILT_DEG",
    "FORCED_HANDOVER",
    "RELEASE",
    "SCHEDULING_WEIGHT",
    "SLICE_DEADLINE_MS",
    "SLICE_DEDICATED_RATIO",
    "SLICE_MAX_RATIO",
    "SLICE_MIN_RATIO",
    "SLICE_SCHEDULER",
    "SLICE_TARGET_BLER",
    "TX_POWER_DBM",
]

TX_POWER_DBM = Control(
    name="TX_POWER_DBM",
    scope="cell",
    kind="continuous",
    low=-10.0,
    high=60.0,
    unit="dBm",
    interface="O1 NRSectorCarrier.configuredMaxTxPower",
    description="Transmit power of the cell over its whole carrier, in force from the next slot. Each cell has its own "
    "narrower range; an event that limits the power holds it below what is set, until it ends.",
)
FORCED_HANDOVER = Control(
    name="FORCED_HANDOVER",
    scope="ue",
    kind="integer",
    low=-1,
    high=255,
    unit="cell",
    interface="E2SM-RC style 3 (handover control)",
    description="Target cell of a user, -1 for none. The user is interrupted for the handover's time; a full target "
    "refuses and the user stays where it is, as does one that is on its way to a cell already.",
)
RELEASE = Control(
    name="RELEASE",
    scope="ue",
    kind="flag",
    low=0,
    high=1,
    unit="flag",
    interface="E2SM-RC style 4 (radio access control: RRC connection release)",
    description="1 ends the user's connection at once; its queue is lost and its place becomes free.",
)
ADMISSION_LIMIT = Control(
    name="ADMISSION_LIMIT",
    scope="cell",
    kind="integer",
    low=0,
    high=1000,
    unit="UE",
    interface="O1 NRCellDU admission (RRM policy)",
    description="Connected users at most, or fewer while an event limits them; users above a lowered limit stay.",
)
CELL_INDIVIDUAL_OFFSET_DB = Control(
    name="CELL_INDIVIDUAL_OFFSET_DB",
    scope="cell",
    kind="continuous",
    low=-24.0,
    high=24.0,
    unit="dB",
    interface="O1 NRCellRelation.cellIndividualOffset",
    description="Added to the cell's RSRP where users compare cells (A3, A5): its range grows at the cost of its "
    "neighbours. The same towards every neighbour, i.e. set in every relation that leads to the cell (Ocn) and for the "
    "cell itself where it serves (Ocp).",
)
SCHEDULING_WEIGHT = Control(
    name="SCHEDULING_WEIGHT",
    scope="ue",
    kind="continuous",
    low=0.0,
    high=100.0,
    unit="1",
    interface="nearest: E2SM-RC style 1 (radio bearer control: DRB QoS configuration, priority level)",
    description="Multiplies the user's metric in every scheduler from the next slot, in round robin its turns; 0 gives "
    "it no new blocks. It goes along in a handover; a new user has 1.",
)
DOWNTILT_DEG = Control(
    name="DOWNTILT_DEG",
    scope="cell",
    kind="continuous",
    low=-90.0,
    high=90.0,
    unit="degree",
    interface="O1 CommonBeamformingFunction.digitalTilt (0.1 degree)",
    description="Electrical tilt of the cell's antenna below the horizon, in force from the next slot; NaN for a cell "
    "without an antenna.",
)
CELL_SLEEP = Control(
    name="CELL_SLEEP",
    scope="cell",
    kind="integer",
    low=0,
    high=3,
    unit="level",
    interface="O1 CESManagementFunction.energySavingControl; the levels are those of TR 38.864",
    description="0 awake, 1 micro, 2 light, 3 deep sleep. From the next slot a sleeping cell is off the air: it sends "
    "nothing, cannot be measured, admits nobody, and its users lose the link; hand them over before. Told less than "
    "its sleep it wakes, at the end of the RRC period (10 ms) in which the wake-up time of its level is over.",
)
SLICE_MIN_RATIO = Control(
    name="SLICE_MIN_RATIO",
    scope="slice",
    kind="continuous",
    low=0.0,
    high=100.0,
    unit="%",
    interface="O1 RRMPolicyRatio.rRMPolicyMinRatio; E2SM-RC style 2 (slice-level PRB quota)",
    description="Share of the cell's groups that the slice gets whenever it wants it; what it does not want beyond its "
    "dedicated part is lent. The slices of a cell ask for 100 at most together. A slice that arrives brings its own "
    "ratios; if all then ask for more than 100, they are scaled down alike until set anew.",
)
SLICE_MAX_RATIO = Control(
    name="SLICE_MAX_RATIO",
    scope="slice",
    kind="continuous",
    low=0.0,
    high=100.0,
    unit="%",
    interface="O1 RRMPolicyRatio.rRMPolicyMaxRatio; E2SM-RC style 2 (slice-level PRB quota)",
    description="Share of the cell's groups that the slice never exceeds with new blocks; at least its minimum.",
)
SLICE_DEDICATED_RATIO = Control(
    name="SLICE_DEDICATED_RATIO",
    scope="slice",
    kind="continuous",
    low=0.0,
    high=100.0,
    unit="%",
    interface="O1 RRMPolicyRatio.rRMPolicyDedicatedRatio; E2SM-RC style 2 (slice-level PRB quota)",
    description="Part of the minimum that is kept free for the slice while it does not want it; at most its minimum.",
)
SLICE_SCHEDULER = Control(
    name="SLICE_SCHEDULER",
    scope="slice",
    kind="integer",
    low=0,
    high=4,
    unit="index",
    interface="none standardised (vendor's O1 parameter)",
    description="Scheduler among the members of the slice in the cell: 0 round robin, 1 proportional fair, 2 max C/I, "
    "3 M-LWDF, 4 earliest deadline first. A network without slices has one, of everybody.",
)
SLICE_TARGET_BLER = Control(
    name="SLICE_TARGET_BLER",
    scope="slice",
    kind="continuous",
    low=1e-5,
    high=0.5,
    unit="1",
    interface="nearest: E2SM-RC style 1 (radio bearer control: DRB QoS configuration)",
    description="Share of first transmissions that may fail; the outer loop of link adaptation follows it.",
)
SLICE_DEADLINE_MS = Control(
    name="SLICE_DEADLINE_MS",
    scope="slice",
    kind="continuous",
    low=0.5,
    high=60000.0,
    unit="ms",
    interface="nearest: E2SM-RC style 1 (radio bearer control: PDCP discardTimer)",
    description="Time after which a packet that still waits is discarded, in whole slots (at least one); it holds for "
    "packets that wait already.",
)
CONTROLS = (
    TX_POWER_DBM,
    DOWNTILT_DEG,
    CELL_INDIVIDUAL_OFFSET_DB,
    ADMISSION_LIMIT,
    SCHEDULING_WEIGHT,
    SLICE_MIN_RATIO,
    SLICE_MAX_RATIO,
    SLICE_DEDICATED_RATIO,
    SLICE_SCHEDULER,
    SLICE_TARGET_BLER,
    SLICE_DEADLINE_MS,
    RELEASE,
    FORCED_HANDOVER,
    CELL_SLEEP,
)
"""Every control, in the order in which `Networks.apply` puts them into force."""
