"""What kernels read and never write: a scenario as plain numbers and arrays."""

from __future__ import annotations

from typing import NamedTuple

from ranpilot.twin.parameters.air import (
    ALWAYS_IN_SIGHT,
    CELL_AZIMUTH_DEG,
    CELL_DOWNTILT_DEG,
    CELL_ELEMENTS,
    CELL_POWER_DBM,
    CELL_SPACING,
    NEVER_IN_SIGHT,
    RANDOM_SIGHT,
    SITE_HEIGHT_M,
    SITE_X_M,
    SITE_Y_M,
    Air,
    make_air,
)
from ranpilot.twin.parameters.energy import EnergyRules, make_energy
from ranpilot.twin.parameters.events import (
    ARRIVALS_TIMES,
    BACKHAUL_RATE,
    BACKHAUL_ROOM,
    BACKHAUL_TIME,
    DEPARTURES_TIMES,
    IS_OFF_AIR,
    TOLD_SHARE,
    TRAFFIC_TIMES,
    WEIGHT_BELOW,
    EventRules,
    make_events,
)
from ranpilot.twin.parameters.grid import RE_PER_PRB, TICK_S, Grid, make_grid
from ranpilot.twin.parameters.link import (
    CQI_SINR_DB,
    CQI_THRESHOLD,
    EARLIEST_DEADLINE,
    GROUP_BITS,
    LOSS_EXPONENT,
    M_LWDF,
    MAX_CQI,
    NUM_CODE_BLOCKS,
    PROPORTIONAL_FAIR,
    ROUND_ROBIN,
    SIZE_CLASS,
    STEP_DOWN_DB,
    STEP_UP_DB,
    TRANSPORT_BITS,
    BlockTables,
    LinkRules,
    make_blocks,
    make_link,
)
from ranpilot.twin.parameters.population import (
    DEADLINE_SLOTS,
    HIGH_LOSS_SHARE,
    INDOOR_SHARE,
    MAX_DEPTH_M,
    MAX_FLOORS,
    MIN_FLOORS,
    SHARE_BELOW,
    STANDING,
    STRAIGHT_LINES,
    TRACES,
    WAYPOINTS,
    PopulationRules,
    UserWays,
    make_population,
)
from ranpilot.twin.parameters.rrc import EVENT_A3, EVENT_A5, NO_REPORTING, RrcRules, make_rrc
from ranpilot.twin.parameters.slices import (
    NOT_THERE,
    TENANT_BUDGET_SLOTS,
    TENANT_DEADLINE_SLOTS,
    TENANT_DEDICATED,
    TENANT_FROM_SLOT,
    TENANT_MAX,
    TENANT_MEMBERS,
    TENANT_MIN,
    TENANT_SCHEDULER,
    TENANT_SHARE_BELOW,
    TENANT_STEP_DOWN_DB,
    TENANT_STEP_UP_DB,
    TENANT_UNTIL_SLOT,
    SliceRules,
    make_slices,
)
from ranpilot.twin.phy import load_phy_tables
from ranpilot.twin.scenario import Scenario

__all__ = [
    "ALWAYS_IN_SIGHT",
    "ARRIVALS_TIMES",
    "BACKHAUL_RATE",
    "BACKHAUL_ROOM",
    "BACKHAUL_TIME",
    "CELL_AZIMUTH_DEG",
    "CELL_DOWNTILT_DEG",
    "CELL_ELEMENTS",
    "CELL_POWER_DBM",
    "CELL_SPACING",
    "CQI_SINR_DB",
    "CQI_THRESHOLD",
    "DEADLINE_SLOTS",
    "DEPARTURES_TIMES",
    "EARLIEST_DEADLINE",
    "EVENT_A3",
    "EVENT_A5",
    "GROUP_BITS",
    "HIGH_LOSS_SHARE",
    "INDOOR_SHARE",
    "IS_OFF_AIR",
    "LOSS_EXPONENT",
    "MAX_CQI",
    "MAX_DEPTH_M",
    "MAX_FLOORS",
    "MIN_FLOORS",
    "M_LWDF",
    "NEVER_IN_SIGHT",
    "NOT_THERE",
    "NO_REPORTING",
    "NUM_CODE_BLOCKS",
    "PROPORTIONAL_FAIR",
    "RANDOM_SIGHT",
    "RE_PER_PRB",
    "ROUND_ROBIN",
    "SHARE_BELOW",
    "SITE_HEIGHT_M",
    "SITE_X_M",
    "SITE_Y_M",
    "SIZE_CLASS",
    "STANDING",
    "STEP_DOWN_DB",
    "STEP_UP_DB",
    "STRAIGHT_LINES",
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
    "TICK_S",
    "TOLD_SHARE",
    "TRACES",
    "TRAFFIC_TIMES",
    "TRANSPORT_BITS",
    "WAYPOINTS",
    "WEIGHT_BELOW",
    "Air",
    "BlockTables",
    "EnergyRules",
    "EventRules",
    "Grid",
    "LinkRules",
    "Parameters",
    "PopulationRules",
    "RrcRules",
    "SliceRules",
    "UserWays",
    "make_parameters",
]


class Parameters(NamedTuple):
    """Everything that kernels read."""

    grid: Grid
    air: Air
    phy: BlockTables
    link: LinkRules
    rrc: RrcRules
    population: PopulationRules
    events: EventRules
    slices: SliceRules
    energy: EnergyRules


def make_parameters(scenario: Scenario) -> Parameters:
    """The numbers of a scenario, with its fading bank, shadowing fields and link tables."""
    link = scenario.link
    phy = load_phy_tables(link.mcs_table, scenario.carrier.num_prbs, RE_PER_PRB, cqi=link.cqi_table)
    return Parameters(
        make_grid(scenario),
        make_air(scenario),
        make_blocks(phy),
        make_link(scenario, phy),
        make_rrc(scenario),
        make_population(scenario),
        make_events(scenario),
        make_slices(scenario),
        make_energy(scenario),
    )
