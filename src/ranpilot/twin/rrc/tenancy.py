"""Slices arrive and leave, with their members; what a seat's tenant brings along comes into force in every cell.

It happens where a block of traffic begins (every 1000 slots), so that what members ask for is known for whole blocks.
A slice that arrives takes empty places for its members, spread over the network; members that find no place, or a full
cell, stay away. One that leaves takes its members along: what they had queued is lost.
"""

from __future__ import annotations

from ranpilot.kernels import inner_kernel, shared_kernel
from ranpilot.twin import slice_columns as seats
from ranpilot.twin import state as s
from ranpilot.twin.parameters import (
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
    Parameters,
)
from ranpilot.twin.rng import STREAM_SLICE, STREAM_SLICE_MEMBER, STREAM_TRAFFIC_KIND, draw_uniform, draw_uniform4
from ranpilot.twin.rrc.placement import draw_place
from ranpilot.twin.rrc.places import leave_place, take_place

__all__ = ["begin_slices", "turn_slices"]

TENANT_DRAWS = 64


@shared_kernel
def begin_slices(net: s.Network, parameters: Parameters, slot: int) -> None:
    """Give out the seats at the reset, drawn under `slot`, and say of each place whose it is where users come and go.

    A static population gets its members here, and other populations the slices of their places.
    """
    rules = parameters.slices
    for seat in range(len(net.slice)):
        net.slice[seat, seats.TENANT] = NOT_THERE
    if rules.has_turnover == 1:
        least, most = rules.first
        uniform = draw_uniform(net.identity[s.SEED], net.identity[s.NETWORK], 0, slot, STREAM_SLICE)
        for seat in range(least + int(uniform * (most - least + 1))):
            _take_seat(net, parameters, seat, _draw_tenant(net, parameters, seat, slot), 0)
    else:
        for seat in range(len(net.slice)):
            if rules.tenant[seat, TENANT_FROM_SLOT] == 0:
                _take_seat(net, parameters, seat, seat, 0)
    if rules.is_on == 0:
        return
    for ue in range(len(net.ue)):
        net.ue[ue, s.SLICE] = net.ue[ue, s.TRAFFIC_KIND] = -1
        if parameters.population.is_static == 0:
            uniform = draw_uniform(net.identity[s.SEED], net.identity[s.NETWORK], ue, 0, STREAM_SLICE_MEMBER)
            seat = 0
            while uniform >= rules.tenant[seat, TENANT_SHARE_BELOW]:
                seat += 1
            _join(net, parameters, ue, seat, 0)
    if parameters.population.is_static == 1:
        for seat in range(len(net.slice)):
            if net.slice[seat, seats.TENANT] != NOT_THERE:
                _bring_members(net, parameters, seat, slot, 0)


@shared_kernel
def turn_slices(net: s.Network, parameters: Parameters, slot: int) -> None:
    """Let slices leave whose time is over, then others arrive in free seats; `slot` is the first of a block."""
    num_there = 0
    for seat in range(len(net.slice)):
        num_there += net.slice[seat, seats.TENANT] != NOT_THERE
    for seat in range(len(net.slice)):
        tenant = net.slice[seat, seats.TENANT]
        if tenant != NOT_THERE and _is_leaving(net, parameters, seat, num_there, slot):
            num_there -= 1
            _leave_seat(net, seat)
            net.slice[seat, seats.SINCE_SLOT] = slot
    # All have left before the first arrives, so that there are places for its members.
    for seat in range(len(net.slice)):
        if net.slice[seat, seats.TENANT] == NOT_THERE and net.slice[seat, seats.SINCE_SLOT] < slot:
            arriving = _draw_arrival(net, parameters, seat, slot)
            if arriving != NOT_THERE:
                _take_seat(net, parameters, seat, arriving, slot)
                _bring_members(net, parameters, seat, slot, slot)


@inner_kernel
def _is_leaving(net: s.Network, parameters: Parameters, seat: int, num_there: int, slot: int) -> bool:
    rules = parameters.slices
    if rules.has_turnover == 0:
        return bool(slot >= rules.tenant[seat, TENANT_UNTIL_SLOT])
    uniform = draw_uniform(net.identity[s.SEED], net.identity[s.NETWORK], 1 + seat, slot, STREAM_SLICE)
    return bool(num_there > rules.least and uniform >= rules.stay_probability)


@inner_kernel
def _draw_arrival(net: s.Network, parameters: Parameters, seat: int, slot: int) -> int:
    """The tenant that takes a free seat now, or NOT_THERE."""
    rules = parameters.slices
    if rules.has_turnover == 0:
        is_due = rules.tenant[seat, TENANT_FROM_SLOT] <= slot < rules.tenant[seat, TENANT_UNTIL_SLOT]
        return seat if is_due else NOT_THERE
    uniform = draw_uniform(net.identity[s.SEED], net.identity[s.NETWORK], 1 + seat, slot, STREAM_SLICE)
    if uniform < rules.gap_probability:
        return NOT_THERE
    return _draw_tenant(net, parameters, seat, slot)


@inner_kernel
def _draw_tenant(net: s.Network, parameters: Parameters, seat: int, slot: int) -> int:
    """One of the tenants that are not there, each alike (after many draws of ones that are: the next that is not)."""
    num_tenants = len(parameters.slices.tenant)
    tenant = 0
    for attempt in range(TENANT_DRAWS):
        entity = (1 + seat) * TENANT_DRAWS + attempt
        _, uniform, _, _ = draw_uniform4(
            net.identity[s.SEED], net.identity[s.NETWORK], entity, slot, STREAM_SLICE_MEMBER
        )
        tenant = int(uniform * num_tenants)
        if not _is_there(net, tenant):
            return tenant
    while _is_there(net, tenant):
        tenant = (tenant + 1) % num_tenants
    return tenant


@inner_kernel
def _is_there(net: s.Network, tenant: int) -> bool:
    is_there = False
    for seat in range(len(net.slice)):
        is_there = is_there or net.slice[seat, seats.TENANT] == tenant
    return is_there


@inner_kernel
def _take_seat(net: s.Network, parameters: Parameters, seat: int, tenant: int, slot: int) -> None:
    """Put a tenant and its ratios, scheduler, targets and deadline into force."""
    own = parameters.slices.tenant[tenant]
    net.slice[seat, seats.TENANT] = tenant
    net.slice[seat, seats.SINCE_SLOT] = slot
    net.slice[seat, seats.NUM_MEMBERS] = 0
    net.slice[seat, seats.BUDGET_SLOTS] = int(own[TENANT_BUDGET_SLOTS])
    for cell in range(len(net.cell)):
        net.cell_slice[cell, seat, seats.SCHEDULER] = int(own[TENANT_SCHEDULER])
        net.cell_slice[cell, seat, seats.NEXT_UE] = 0
        net.cell_slice[cell, seat, seats.SLICE_DEADLINE_SLOTS] = int(own[TENANT_DEADLINE_SLOTS])
        net.cell_slice_real[cell, seat, seats.MIN_SHARE] = own[TENANT_MIN]
        net.cell_slice_real[cell, seat, seats.MAX_SHARE] = own[TENANT_MAX]
        net.cell_slice_real[cell, seat, seats.DEDICATED_SHARE] = own[TENANT_DEDICATED]
        net.cell_slice_real[cell, seat, seats.SLICE_STEP_UP_DB] = own[TENANT_STEP_UP_DB]
        net.cell_slice_real[cell, seat, seats.SLICE_STEP_DOWN_DB] = own[TENANT_STEP_DOWN_DB]


@inner_kernel
def _leave_seat(net: s.Network, seat: int) -> None:
    net.slice[seat, seats.TENANT] = NOT_THERE
    for ue in range(len(net.ue)):
        if net.ue[ue, s.SLICE] == seat:
            cell = net.ue[ue, s.SERVING_CELL]
            if cell >= 0:
                net.cell_count[cell, s.CELL_DEPARTURES] += 1
                leave_place(net, ue)
            net.ue[ue, s.SLICE] = net.ue[ue, s.TRAFFIC_KIND] = -1


@inner_kernel
def _bring_members(net: s.Network, parameters: Parameters, seat: int, drawn_slot: int, slot: int) -> None:
    """Connect the members of a new tenant; drawn_slot: under which they are drawn."""
    tenant = net.slice[seat, seats.TENANT]
    for member in range(int(parameters.slices.tenant[tenant, TENANT_MEMBERS])):
        ue = _free_place(net, seat * len(net.ue) + member, drawn_slot)
        if ue < 0:
            return
        cell = ue // parameters.population.ues_per_cell
        serving = draw_place(net, parameters, ue, cell, ue, drawn_slot)
        if slot > 0:
            net.cell_count[serving, s.CELL_ARRIVALS] += 1
        # At the reset everybody is there, as without slices.
        if slot > 0 and net.cell[serving, s.CONNECTED_UES] >= net.cell[serving, s.ADMISSION_LIMIT]:
            net.cell_count[serving, s.CELL_BLOCKED] += 1
            continue
        _join(net, parameters, ue, seat, drawn_slot)
        take_place(net, parameters, ue, serving, slot)
        net.slice[seat, seats.NUM_MEMBERS] += 1


@inner_kernel
def _join(net: s.Network, parameters: Parameters, ue: int, seat: int, drawn_slot: int) -> None:
    """Make a place one of a slice, with one of its kinds of traffic."""
    below = parameters.slices.kind_below[net.slice[seat, seats.TENANT]]
    uniform = draw_uniform(net.identity[s.SEED], net.identity[s.NETWORK], ue, drawn_slot, STREAM_TRAFFIC_KIND)
    kind = 0
    while uniform >= below[kind]:
        kind += 1
    net.ue[ue, s.SLICE] = seat
    net.ue[ue, s.TRAFFIC_KIND] = kind


@inner_kernel
def _free_place(net: s.Network, entity: int, drawn_slot: int) -> int:
    """The first place without a slice from a drawn one on; -1 where there is none."""
    num_ues = len(net.ue)
    uniform = draw_uniform(net.identity[s.SEED], net.identity[s.NETWORK], entity, drawn_slot, STREAM_SLICE_MEMBER)
    first = int(uniform * num_ues)
    for step in range(num_ues):
        ue = (first + step) % num_ues
        if net.ue[ue, s.SLICE] < 0:
            return ue
    return -1
