"""One slot of one network in plain scalar code, and the loops over slots and networks.

The order of a slot: (1) packets arrive, expired ones leave, a limited backhaul brings some; (2) CQI reports that are
due; (3) every cell schedules from the CQI it has; (4) interference from the groups just scheduled; (5) SINR, decoding,
retransmission; (6) queues and counters; (7) every 10 ms mobility, measurements, RRC. Phases 3 and 4 do not mix, so the
order of cells does not matter.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ranpilot.kernels import unlocked_kernel, woven_kernel
from ranpilot.twin import state as s
from ranpilot.twin.mac.backhaul import bring_packets
from ranpilot.twin.mac.queue import PacketBlock, expire_packets, take_arrivals
from ranpilot.twin.mac.reports import report_cqi
from ranpilot.twin.mac.scheduling import list_candidates, schedule
from ranpilot.twin.mac.scratch import Scratch, scratch_view
from ranpilot.twin.mac.transmission import send_blocks, update_mean_rates
from ranpilot.twin.map import outdoor_spot, strongest_cell, wrap_place
from ranpilot.twin.parameters import CELL_DOWNTILT_DEG, CELL_POWER_DBM, SHARE_BELOW, Parameters
from ranpilot.twin.radio.shadowing import fill_field_views
from ranpilot.twin.rng import (
    STREAM_EPISODE,
    STREAM_FORK,
    STREAM_LOS,
    STREAM_SHADOWING,
    STREAM_TRAFFIC_KIND,
    draw_uniform,
    fold_seed,
)
from ranpilot.twin.rrc.connection import follow_connection
from ranpilot.twin.rrc.events import NOTHING_KNOWN, draw_events, put_events_in_force
from ranpilot.twin.rrc.handover import force_handover
from ranpilot.twin.rrc.measurements import GAIN_STEP_M, measure_user, rank_interferers, update_gains
from ranpilot.twin.rrc.mobility import move_user
from ranpilot.twin.rrc.on_air import settle_cell
from ranpilot.twin.rrc.places import leave_place, renew_fading, set_deadline
from ranpilot.twin.rrc.population import arrive_and_depart, populate
from ranpilot.twin.rrc.sleep import wake_cells
from ranpilot.twin.rrc.tenancy import begin_slices, turn_slices

__all__ = [
    "advance",
    "fill_best_server",
    "hand_over_users",
    "release_users",
    "renew_future",
    "reset",
    "run_slot",
    "set_deadlines",
    "turn_all_slices",
]

Int32Array = NDArray[np.int32]
Int64Array = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@unlocked_kernel
def advance(
    batch: s.Network,
    parameters: Parameters,
    packets: PacketBlock,
    working: Scratch,
    networks: tuple[int, int],
    slots: tuple[int, int],
) -> None:
    """Run the networks `networks` (first, stop) of a batch through the slots `slots` (first, stop).

    All slots belong to the block of `packets`. Networks do not know of each other, so threads may share them out.
    """
    for b in range(networks[0], networks[1]):
        _run_network(batch, parameters, packets, working, b, slots)


@woven_kernel
def _run_network(
    batch: s.Network, parameters: Parameters, packets: PacketBlock, working: Scratch, b: int, slots: tuple[int, int]
) -> None:
    net = s.network_view(batch, b)
    own_packets = PacketBlock(packets.start[b], packets.stop[b], packets.slot, packets.bits, packets.level)
    scratch = scratch_view(working, b)
    for slot in range(slots[0], slots[1]):
        run_slot(net, parameters, own_packets, scratch, slot)


@woven_kernel
def run_slot(net: s.Network, parameters: Parameters, packets: PacketBlock, scratch: Scratch, slot: int) -> None:
    """One slot of one network."""
    for ue in range(len(scratch.ue)):
        if net.ue[ue, s.NEXT_ARRIVAL_SLOT] <= slot:
            take_arrivals(net, packets, ue, slot, parameters.link.buffer_bits)
        if net.ue[ue, s.BACKLOG_BITS] > 0:
            expire_packets(net, ue, slot)
    if parameters.events.limits_backhaul == 1:
        bring_packets(net, slot)
    report_cqi(net, parameters, scratch, slot)
    list_candidates(net, parameters, scratch, slot)
    schedule(net, parameters, scratch, slot)
    send_blocks(net, parameters, scratch, slot)
    update_mean_rates(net, parameters, scratch)
    if (slot + 1) % parameters.grid.tick_slots == 0:
        _tick(net, parameters, slot)


@woven_kernel
def _tick(net: s.Network, parameters: Parameters, slot: int) -> None:
    """Mobility, measurements and RRC."""
    wake_cells(net, parameters, slot + 1)
    for ue in range(len(net.ue)):
        if net.ue[ue, s.SERVING_CELL] >= 0:
            move_user(net, parameters, ue, slot)
            update_gains(net, parameters, ue, GAIN_STEP_M)
            rank_interferers(net, ue)
            measure_user(net, parameters, ue, slot)
            follow_connection(net, parameters, ue, slot)
    if parameters.population.is_static == 0:
        arrive_and_depart(net, parameters, slot)
    if len(net.event) > 0:
        put_events_in_force(net, parameters, slot + 1)


@unlocked_kernel
def reset(
    batch: s.Network, parameters: Parameters, seed: int, episode: int, ids: Int64Array, offset: int, slot: int
) -> None:
    """Put freshly allocated networks into the state at slot 0 of an episode.

    offset: tells splits apart; slot: the one under which the start is drawn.
    """
    for b in range(len(ids)):
        _reset_network(batch, parameters, seed, episode, ids[b], offset, slot, b)


@woven_kernel
def _reset_network(
    batch: s.Network, parameters: Parameters, seed: int, episode: int, network: int, offset: int, slot: int, b: int
) -> None:
    net = s.network_view(batch, b)
    own_seed = fold_seed(seed, network, episode, offset, STREAM_EPISODE)
    net.identity[s.SEED] = own_seed
    net.identity[s.NETWORK] = network
    num_fields, size, _ = parameters.air.fields.shape
    fill_field_views(own_seed, network, STREAM_LOS, num_fields, size, net.field_view[s.LOS_VIEW])
    fill_field_views(own_seed, network, STREAM_SHADOWING, num_fields, size, net.field_view[s.SHADOWING_VIEW])
    for cell in range(len(net.cell)):
        power_dbm = parameters.air.cell[cell, CELL_POWER_DBM]
        net.cell_real[cell, s.TX_POWER_DBM] = power_dbm
        net.cell_real[cell, s.SET_POWER_DBM] = power_dbm
        net.cell_real[cell, s.EVENT_POWER_DBM] = math.inf
        net.cell_real[cell, s.INDIVIDUAL_OFFSET_DB] = parameters.rrc.individual_offset_db[cell]
        net.cell_real[cell, s.ON_AIR_PRB_POWER_MW] = 10.0 ** (power_dbm / 10.0) / parameters.grid.num_prbs
        net.cell_real[cell, s.DOWNTILT_DEG] = parameters.air.cell[cell, CELL_DOWNTILT_DEG]
        net.cell_real[cell, s.ARRIVAL_FACTOR] = net.cell_real[cell, s.DEPARTURE_FACTOR] = 1.0
        net.cell_real[cell, s.TRAFFIC_FACTOR] = 1.0
        net.cell_real[cell, s.BACKHAUL_RATE_BITS] = net.cell_real[cell, s.BACKHAUL_ROOM_BITS] = math.inf
        net.cell[cell, s.SET_ADMISSION_LIMIT] = parameters.population.capacity[cell]
        net.cell[cell, s.EVENT_ADMISSION_LIMIT] = net.cell[cell, s.AWAKE_SLOT] = s.NEVER
        settle_cell(net, parameters, cell)
    for ue in range(len(net.ue)):
        uniform = draw_uniform(own_seed, network, ue, 0, STREAM_TRAFFIC_KIND)
        kind = 0
        while uniform >= parameters.population.kind[kind, SHARE_BELOW]:
            kind += 1
        net.ue[ue, s.TRAFFIC_KIND] = kind
    begin_slices(net, parameters, slot)
    if parameters.slices.is_on == 0 or parameters.population.is_static == 0:
        populate(net, parameters, slot)
    if len(net.event) > 0:
        draw_events(net, parameters, NOTHING_KNOWN)
        put_events_in_force(net, parameters, 0)


@unlocked_kernel
def release_users(batch: s.Network, release: Int32Array) -> None:
    """Disconnect the users whose flag [B, U] is 1; empty places stay empty."""
    for b in range(release.shape[0]):
        net = s.network_view(batch, b)
        for ue in range(release.shape[1]):
            if release[b, ue] == 1 and net.ue[ue, s.SERVING_CELL] >= 0:
                net.cell_count[net.ue[ue, s.SERVING_CELL], s.CELL_RELEASES] += 1
                leave_place(net, ue)


@unlocked_kernel
def hand_over_users(batch: s.Network, parameters: Parameters, target: Int32Array, slot: int) -> None:
    """Force the handovers [B, U] (-1 = none), in the order of places."""
    for b in range(target.shape[0]):
        net = s.network_view(batch, b)
        for ue in range(target.shape[1]):
            if target[b, ue] >= 0:
                force_handover(net, parameters, ue, target[b, ue], slot)


@unlocked_kernel
def turn_all_slices(batch: s.Network, parameters: Parameters, slot: int) -> None:
    """Let the slices of every network leave and arrive where a block of traffic begins at `slot`."""
    for b in range(len(batch.slice)):
        turn_slices(s.network_view(batch, b), parameters, slot)


@unlocked_kernel
def set_deadlines(batch: s.Network, parameters: Parameters) -> None:
    """Give every user the deadline that is in force for it."""
    for b in range(len(batch.ue)):
        net = s.network_view(batch, b)
        for ue in range(len(net.ue)):
            if net.ue[ue, s.SERVING_CELL] >= 0:
                set_deadline(net, parameters, ue)


@unlocked_kernel
def renew_future(batch: s.Network, parameters: Parameters, draw: Int64Array, slot: int) -> None:
    """Give every network a future of its own, drawn from (network, slot, draw [B]); what is there stays.

    Fading has no memory beyond its trace, so links get new traces. Events stay as they are once they are announced.
    """
    for b in range(len(draw)):
        net = s.network_view(batch, b)
        net.identity[s.SEED] = fold_seed(net.identity[s.SEED], net.identity[s.NETWORK], draw[b], slot, STREAM_FORK)
        for ue in range(len(net.ue)):
            if net.ue[ue, s.SERVING_CELL] >= 0:
                renew_fading(net, parameters, ue, net.ue[ue, s.CALL_ID])
        if len(net.event) > 0:
            draw_events(net, parameters, slot)


@unlocked_kernel
def fill_best_server(
    batch: s.Network, parameters: Parameters, x_m: FloatArray, y_m: FloatArray, best: NDArray[np.int32]
) -> None:
    """Write the strongest cell at every point of a grid, [B, Y, X]."""
    for b in range(best.shape[0]):
        net = s.network_view(batch, b)
        for row in range(len(y_m)):
            for column in range(len(x_m)):
                place_x_m, place_y_m = wrap_place(parameters.air, x_m[column], y_m[row])
                spot = outdoor_spot(parameters.air, place_x_m, place_y_m)
                best[b, row, column] = strongest_cell(net, parameters.air, spot)
