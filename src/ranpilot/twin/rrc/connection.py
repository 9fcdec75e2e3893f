"""What goes on with a user's connection in an RRC period: the next step of whatever procedure it is in.

The steps stand one after the other and each once, because kernels are woven into one: a link that is watched may fail,
a preparation may end in a command, an access may succeed or be given up, a user without a link searches.
"""

from __future__ import annotations

from ranpilot.kernels import woven_kernel
from ranpilot.twin import state as s
from ranpilot.twin.parameters import NO_REPORTING, Parameters
from ranpilot.twin.rrc.failure import begin_search, count_failure, search_cell, watch_link
from ranpilot.twin.rrc.handover import access_target, command_handover, prepare_handover
from ranpilot.twin.rrc.places import leave_place
from ranpilot.twin.rrc.triggers import reported_cell

__all__ = ["follow_connection"]


@woven_kernel
def follow_connection(net: s.Network, parameters: Parameters, ue: int, slot: int) -> None:
    """Watch the link, report, command, access or search, as measured at the end of `slot`."""
    first = slot + 1
    is_lost = False
    if net.ue[ue, s.CONNECTION] <= s.PREPARING:
        is_interrupted = first < net.ue[ue, s.INTERRUPTED_UNTIL]
        # Where accesses always succeed, monitoring goes on through interruptions.
        is_watched = not is_interrupted or parameters.rrc.t304_slots < 0
        is_lost = is_watched and watch_link(net, parameters, ue, first)
        if is_lost:
            count_failure(net, parameters, ue, first)
        elif _is_command_due(net, parameters, ue, first, is_interrupted):
            command_handover(net, parameters, ue, first)
    if net.ue[ue, s.CONNECTION] == s.ACCESSING:
        is_lost = access_target(net, parameters, ue, first)
    if is_lost:
        begin_search(net, parameters, ue, first)
    if net.ue[ue, s.CONNECTION] >= s.SEARCHING and search_cell(net, parameters, ue, first):
        leave_place(net, ue)


@woven_kernel
def _is_command_due(net: s.Network, parameters: Parameters, ue: int, first: int, is_interrupted: bool) -> bool:
    """Whether a preparation ends now, or begins with a report and takes no time."""
    rules = parameters.rrc
    if net.cell[net.ue[ue, s.SERVING_CELL], s.IS_ON_AIR] == 0:
        return False
    is_preparing = net.ue[ue, s.CONNECTION] == s.PREPARING
    is_due = bool(is_preparing and first >= net.ue[ue, s.PHASE_UNTIL])
    if not is_due and rules.event != NO_REPORTING and not is_interrupted:
        target = reported_cell(net, parameters, ue, first)
        if target >= 0 and not is_preparing:
            is_due = prepare_handover(net, ue, target, first, rules.preparation_slots)
    return is_due
