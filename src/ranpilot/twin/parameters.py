"""What kernels read and never write: a scenario as plain numbers and arrays."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranpilot.twin import state
from ranpilot.twin.phy import PhyTables, load_phy_tables
from ranpilot.twin.radio import make_fading_bank, make_shadowing_bank
from ranpilot.twin.radio.propagation import model_id
from ranpilot.twin.scenario import Arrivals, Mobility, Scenario, Static
from ranpilot.units import dbm_to_mw, noise_dbm

__all__ = [
    "ALWAYS_IN_SIGHT",
    "NEVER_IN_SIGHT",
    "PROPORTIONAL_FAIR",
    "RANDOM_SIGHT",
    "ROUND_ROBIN",
    "STANDING",
    "STRAIGHT_LINES",
    "TICK_S",
    "WAYPOINTS",
    "Air",
    "BlockTables",
    "EventRules",
    "Grid",
    "LinkRules",
    "Parameters",
    "PopulationRules",
    "RrcRules",
    "make_parameters",
]

TICK_S = 0.01
"""Period of mobility, measurements and RRC."""

ACTIVITY_TIME_S = 0.05
"""Time constant of the running mean of a neighbour's use of a group, which a user's CQI counts on."""

OUTER_LOOP_STEP_DB = 0.5
"""What a failed first transmission adds to the outer loop's offset."""

RE_PER_PRB = 144
"""Resource elements for data in a PRB and slot: 14 symbols less 2 for overhead."""

ROUND_ROBIN, PROPORTIONAL_FAIR = 0, 1
STANDING, STRAIGHT_LINES, WAYPOINTS = 0, 1, 2
RANDOM_SIGHT, ALWAYS_IN_SIGHT, NEVER_IN_SIGHT = 0, 1, 2

# Columns of Air.site.
SITE_X_M, SITE_Y_M, SITE_HEIGHT_M, SITE_POWER_DBM = 0, 1, 2, 3

# Rows of LinkRules.cqi: linear SINR from which a CQI is reported, SINR in dB that it stands for (the middle of its
# interval), and bits of one PRB.
CQI_THRESHOLD, CQI_SINR_DB, GROUP_BITS = 0, 1, 2

# Columns of BlockTables.block.
TRANSPORT_BITS, NUM_CODE_BLOCKS, SIZE_CLASS = 0, 1, 2

# Columns of PopulationRules.kind: cumulative share, deadline in slots.
SHARE_BELOW, DEADLINE_SLOTS = 0, 1

# Columns of EventRules.kind.
WEIGHT_BELOW, ARRIVALS_TIMES, DEPARTURES_TIMES, TOLD_SHARE = 0, 1, 2, 3

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]
Int32Array = NDArray[np.int32]


class Grid(NamedTuple):
    """Time and frequency."""

    group_prbs: Int32Array
    """[R] PRBs of each group"""
    num_prbs: int
    tick_slots: int
    slot_s: float


class Air(NamedTuple):
    """The radio channel."""

    site: FloatArray
    """[C, 4]"""
    propagation: Int32Array
    """[C] id of the propagation model"""
    carrier_hz: float
    ue_height_m: float
    noise_mw: float
    """of one PRB, with the receiver's noise figure"""
    rx_antennas: int
    sight: int
    has_shadowing: int
    fading: Float32Array
    """[trace, step, rbg] power gain of one branch"""
    wideband_fading: Float32Array
    """[trace, step] mean of `fading` over the groups"""
    steps_per_metre: float
    """steps of a fading trace that a user walks in a metre"""
    fields: Float32Array
    """[field, row, column] of shadowing and line of sight"""


class LinkRules(NamedTuple):
    """Scheduling and link adaptation."""

    scheduler: int
    fairness_weight: float
    """of a slot in proportional fair's mean rate"""
    activity_weight: float
    cqi_period: int
    cqi_delay: int
    cqi: FloatArray
    """[3, 16] by CQI"""
    step_up_db: float
    step_down_db: float
    fixed_mcs: int
    """-1 where the MCS is adapted"""
    round_trip_slots: int
    max_transmissions: int
    delay_bin: Int32Array
    """[delay in slots] bin of the delay histogram; longer delays fall into the last"""


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
    """[mcs] effective SINR at which a block has an error rate of 0.1"""


class RrcRules(NamedTuple):
    """Measurements, radio link failure, handover."""

    l3_weight: float
    """of a new measurement in the L3 filter"""
    failure_sinr_db: float
    failure_ticks: int
    interruption_slots: int


class PopulationRules(NamedTuple):
    """Who comes, moves and goes."""

    is_static: int
    ues_per_cell: int
    arrivals_per_tick: float
    departure_probability: float
    """of one user in one tick"""
    initial_mean: float
    """users a cell at the reset where the load's random factor is 1"""
    mobility: int
    min_speed_mps: float
    max_speed_mps: float
    area_m: tuple[float, float, float, float]
    """left, bottom, right, top"""
    capacity: Int32Array
    """[C]"""
    kind: FloatArray
    """[kind, 2] of the traffic mix"""


class EventRules(NamedTuple):
    """When events come and what they do; times in RRC periods."""

    share: float
    """Probability that a window has an event."""
    first_tick: int
    window_ticks: int
    lead_ticks: tuple[int, int]
    """least and greatest"""
    duration_ticks: tuple[int, int]
    """least and greatest"""
    kind: FloatArray
    """[kind, 4] cumulative weight, factor of arrivals, factor of departures, share that is announced"""
    places: Int32Array
    """[kind, C] connected users at most, NEVER = no limit"""
    power_dbm: FloatArray
    """[kind, C] radiated at most, infinite = no limit"""


class Parameters(NamedTuple):
    """Everything that kernels read."""

    grid: Grid
    air: Air
    phy: BlockTables
    link: LinkRules
    rrc: RrcRules
    population: PopulationRules
    events: EventRules


def make_parameters(scenario: Scenario) -> Parameters:
    """The numbers of a scenario, with its fading bank, shadowing fields and link tables."""
    phy = load_phy_tables(1, scenario.carrier.num_prbs, RE_PER_PRB)
    return Parameters(
        _grid(scenario),
        _air(scenario),
        _blocks(phy),
        _link(scenario, phy),
        _rrc(scenario),
        _population(scenario),
        _events(scenario),
    )


def _grid(scenario: Scenario) -> Grid:
    carrier = scenario.carrier
    first = np.arange(carrier.num_groups) * carrier.prbs_per_group
    group_prbs = np.minimum(carrier.prbs_per_group, carrier.num_prbs - first).astype(np.int32)
    return Grid(group_prbs, carrier.num_prbs, round(TICK_S / scenario.slot_s), scenario.slot_s)


def _air(scenario: Scenario) -> Air:
    sites, carrier, users = scenario.layout.sites, scenario.carrier, scenario.users
    carrier_hz = carrier.frequency_ghz * 1e9
    # The bank's own speed only names its unit of time; a link walks it at the speed of its user.
    bank = make_fading_bank(
        carrier.num_groups,
        carrier.prbs_per_group * carrier.prb_bandwidth_hz,
        carrier_hz,
        1.0,
        scenario.radio.delay_spread_ns * 1e-9,
    )
    fading = bank.gain if scenario.radio.fading else _no_fading(carrier.num_groups)
    sight = {"random": RANDOM_SIGHT, "always": ALWAYS_IN_SIGHT, "never": NEVER_IN_SIGHT}[scenario.radio.line_of_sight]
    return Air(
        site=np.array([(site.x_m, site.y_m, site.height_m, site.power_dbm) for site in sites], dtype=np.float64),
        propagation=np.array([model_id(site.propagation) for site in sites], dtype=np.int32),
        carrier_hz=carrier_hz,
        ue_height_m=users.height_m,
        noise_mw=dbm_to_mw(noise_dbm(carrier.prb_bandwidth_hz, users.noise_figure_db)),
        rx_antennas=users.rx_antennas,
        sight=sight,
        has_shadowing=int(scenario.radio.shadowing),
        fading=fading,
        wideband_fading=fading.mean(axis=2, dtype=np.float64).astype(np.float32),
        steps_per_metre=1.0 / bank.step_s,
        fields=make_shadowing_bank().field,
    )


def _blocks(phy: PhyTables) -> BlockTables:
    block = np.stack([phy.tbs_bits, phy.num_code_blocks, phy.size_class], axis=-1)
    return BlockTables(block, phy.size_weight, phy.probit, phy.eesm_beta, phy.mcs_threshold_db)


def _no_fading(num_groups: int) -> Float32Array:
    # Read-only as the bank is: for numba that is part of the type.
    ones = np.ones((2, 16, num_groups), np.float32)
    ones.setflags(write=False)
    return ones


def _link(scenario: Scenario, phy: PhyTables) -> LinkRules:
    link = scenario.link
    threshold_db = phy.cqi_threshold_db.astype(np.float64)
    middle_db = threshold_db.copy()
    middle_db[0] = threshold_db[1]
    middle_db[1:-1] = (threshold_db[1:-1] + threshold_db[2:]) / 2.0
    efficiency = phy.cqi_efficiency.astype(np.float64)
    if link.fixed_mcs is not None:
        efficiency = np.where(efficiency > 0.0, float(phy.spectral_efficiency[link.fixed_mcs]), 0.0)
    delay = np.arange(5000)
    edges = np.ceil(np.exp2((np.arange(state.DELAY_BINS) + 1) / 6.0) - 1.0 - 1e-9)
    return LinkRules(
        scheduler={"round-robin": ROUND_ROBIN, "proportional-fair": PROPORTIONAL_FAIR}[link.scheduler],
        fairness_weight=-math.expm1(-scenario.slot_s / (link.fairness_time_ms * 1e-3)),
        activity_weight=-math.expm1(-scenario.slot_s / ACTIVITY_TIME_S),
        cqi_period=link.cqi_period_slots,
        cqi_delay=link.cqi_delay_slots,
        cqi=np.stack([np.power(10.0, threshold_db / 10.0), middle_db, efficiency * RE_PER_PRB]),
        step_up_db=OUTER_LOOP_STEP_DB,
        step_down_db=OUTER_LOOP_STEP_DB * link.target_bler / (1.0 - link.target_bler),
        fixed_mcs=-1 if link.fixed_mcs is None else link.fixed_mcs,
        round_trip_slots=link.harq_round_trip_slots,
        max_transmissions=link.harq_max_transmissions,
        delay_bin=np.minimum(np.searchsorted(edges, delay), state.DELAY_BINS - 1).astype(np.int32),
    )


def _rrc(scenario: Scenario) -> RrcRules:
    rrc = scenario.rrc
    return RrcRules(
        l3_weight=-math.expm1(-TICK_S / (rrc.l3_time_constant_ms * 1e-3)),
        failure_sinr_db=rrc.failure_sinr_db,
        failure_ticks=max(1, round(rrc.failure_time_ms * 1e-3 / TICK_S)),
        interruption_slots=round(rrc.handover_interruption_ms * 1e-3 / scenario.slot_s),
    )


def _population(scenario: Scenario) -> PopulationRules:
    population, mobility = scenario.users.population, scenario.users.mobility
    mix = scenario.traffic.mix
    deadlines = [
        state.NEVER if entry.deadline_ms is None else max(1, round(entry.deadline_ms * 1e-3 / scenario.slot_s))
        for entry in mix
    ]
    arriving = isinstance(population, Arrivals)
    arrivals_per_s = population.arrivals_per_s if isinstance(population, Arrivals) else 0.0
    holding_s = population.mean_holding_s if isinstance(population, Arrivals) else math.inf
    initial = population.initial_load * arrivals_per_s * holding_s if isinstance(population, Arrivals) else 0.0
    share_below = np.cumsum([entry.share for entry in mix])
    share_below[-1] = 1.0
    return PopulationRules(
        is_static=int(not arriving),
        ues_per_cell=population.ues_per_cell if isinstance(population, Static) else 0,
        arrivals_per_tick=arrivals_per_s * TICK_S,
        departure_probability=-math.expm1(-TICK_S / holding_s),
        initial_mean=initial,
        mobility=_mobility(mobility),
        min_speed_mps=mobility.min_speed_kmh / 3.6,
        max_speed_mps=mobility.max_speed_kmh / 3.6,
        area_m=scenario.layout.area_m,
        capacity=_capacity(scenario),
        kind=np.stack([share_below, np.array(deadlines, dtype=np.float64)], axis=1),
    )


def _capacity(scenario: Scenario) -> Int32Array:
    """[C] places of each cell."""
    return np.array([site.capacity or scenario.num_places for site in scenario.layout.sites], dtype=np.int32)


def _events(scenario: Scenario) -> EventRules:
    events, num_cells = scenario.events, scenario.num_cells
    if events is None:
        none = np.zeros((0, num_cells))
        return EventRules(0.0, 0, 1, (0, 0), (0, 0), np.zeros((0, 4)), none.astype(np.int32), none)
    weight_below = np.cumsum([kind.weight for kind in events.kinds])
    # Exactly 1 from the last kind that can be drawn on, whatever rounding left.
    weight_below = np.where(weight_below == weight_below[-1], 1.0, weight_below / weight_below[-1])
    factors = [(kind.arrival_factor, kind.departure_factor, kind.announced_share) for kind in events.kinds]
    share = np.array([kind.places_share for kind in events.kinds])[:, None]
    places = np.where(share < 1.0, np.floor(share * _capacity(scenario) + 1e-9), state.NEVER)
    least_dbm = np.array([site.power_range_dbm[0] for site in scenario.layout.sites])
    cut_db = np.array([-math.inf if kind.power_cut_db is None else kind.power_cut_db for kind in events.kinds])
    return EventRules(
        share=events.share,
        first_tick=round(events.first_s / TICK_S),
        window_ticks=round(events.every_s / TICK_S),
        lead_ticks=_ticks(events.lead_s),
        duration_ticks=_ticks(events.duration_s),
        kind=np.column_stack([weight_below, np.array(factors)]),
        places=places.astype(np.int32),
        power_dbm=least_dbm - cut_db[:, None],
    )


def _ticks(range_s: tuple[float, float]) -> tuple[int, int]:
    return round(range_s[0] / TICK_S), round(range_s[1] / TICK_S)


def _mobility(mobility: Mobility) -> int:
    if mobility.max_speed_kmh == 0.0:
        return STANDING
    return {"static": STANDING, "lines": STRAIGHT_LINES, "waypoint": WAYPOINTS}[mobility.kind]
