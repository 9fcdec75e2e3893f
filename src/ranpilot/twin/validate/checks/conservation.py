"""Nothing is lost or made: packets, bits, PRBs and counters of networks at random, under random controls.

Held against the identities themselves, so every reference is 0 violations:
- every packet and bit that came in was delivered, expired, found no room (in the queue or on the way to the cell), was
  lost in the air, was flushed, waits, is on its way to the cell, or is in a block that waits for its retransmission,
  for every user (TS 28.552 counts the same fates of SDUs);
- a cell uses at most the PRBs of its carrier, and users together as many as cells;
- quotas of slices hold to the group in every slot (`validate/quotas.py`);
- counters of cells add up to those of users, and the delay histogram to the delivered packets;
- every slot of a cell is counted with one power state or as one with transmission; a cell radiates on the air only;
- nothing is negative, no measurement is NaN (but SINR and RSRP of an empty place or of a cell off the air), all are
  inside their declared bounds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ranpilot.twin import slice_columns as seats
from ranpilot.twin import state as s
from ranpilot.twin.kpm import MEASUREMENTS
from ranpilot.twin.network import Networks
from ranpilot.twin.scenario_file import validate_scenario
from ranpilot.twin.validate.line import Effort, Line, within
from ranpilot.twin.validate.quotas import watch_quotas
from ranpilot.twin.validate.random_scenario import Choose, SeededChoice, random_controls, random_values

__all__ = ["count_violations", "lines", "run_at_random"]

NUM_SCENARIOS = {"quick": 12, "full": 300}
SOURCE = "identity; random scenarios of validate/random_scenario.py"

SUMS = {
    "packets in": ((s.CELL_PACKETS_IN,), (s.UE_PACKETS_IN,)),
    "packets out": ((s.CELL_PACKETS_OUT,), (s.UE_PACKETS_OUT,)),
    "packets dropped": ((s.CELL_PACKETS_DROPPED,), (s.UE_PACKETS_EXPIRED, s.UE_PACKETS_OVERFLOWED)),
    "packets lost": ((s.CELL_PACKETS_LOST,), (s.UE_PACKETS_LOST,)),
    "bits out": ((s.CELL_BITS_OUT,), (s.UE_BITS_OUT,)),
    "delay": ((s.CELL_DELAY_SLOTS,), (s.UE_DELAY_SLOTS,)),
    "busy slots": ((s.CELL_BUSY_SLOTS,), (s.UE_BUSY_SLOTS,)),
    "PRBs": ((s.CELL_PRBS,), (s.UE_PRBS,)),
    "link failures": ((s.CELL_FAILURES,), (s.UE_FAILURES,)),
    "handovers out": ((s.CELL_HANDOVERS_OUT,), (s.UE_HANDOVERS,)),
    "handovers in": ((s.CELL_HANDOVERS_IN,), (s.UE_HANDOVERS,)),
    "handovers started": ((s.CELL_HANDOVERS_STARTED,), (s.UE_HANDOVERS_STARTED,)),
    "handovers failed": ((s.CELL_HANDOVERS_FAILED,), (s.UE_HANDOVERS_FAILED,)),
    "ping-pongs": ((s.CELL_PING_PONGS,), (s.UE_PING_PONGS,)),
    "re-establishments": ((s.CELL_REESTABLISHMENTS,), (s.UE_REESTABLISHMENTS,)),
    "packets lost on the way": ((s.CELL_BACKHAUL_LOST,), (s.UE_PACKETS_BACKHAUL_LOST,)),
    "handovers refused": ((s.CELL_HANDOVERS_REFUSED,), (s.UE_HANDOVERS_REFUSED,)),
}
"""Counters of cells and of users that have the same sum over a network."""

SLICE_SUMS = {
    s.CELL_PACKETS_IN: seats.SLICE_PACKETS_IN,
    s.CELL_PACKETS_OUT: seats.SLICE_PACKETS_OUT,
    s.CELL_PACKETS_DROPPED: seats.SLICE_PACKETS_DROPPED,
    s.CELL_PACKETS_LOST: seats.SLICE_PACKETS_LOST,
    s.CELL_BITS_OUT: seats.SLICE_BITS_OUT,
    s.CELL_DELAY_SLOTS: seats.SLICE_DELAY_SLOTS,
    s.CELL_BUSY_SLOTS: seats.SLICE_BUSY_SLOTS,
    s.CELL_PRBS: seats.SLICE_PRBS,
    s.CELL_CONNECTED_SUM: seats.SLICE_CONNECTED_SUM,
}
"""Counters of a cell and of its slices that have the same sum."""

FATES = ("OUT", "EXPIRED", "OVERFLOWED", "LOST", "FLUSHED", "BACKHAUL_LOST")


def lines(effort: Effort) -> Iterator[Line]:
    """Violations of each identity over all scenarios."""
    found: Counter[str] = Counter()
    looks = 0
    num = NUM_SCENARIOS[effort]
    for seed in range(num):
        for violations in run_at_random(SeededChoice(seed)):
            looks += 1
            found.update(violations)
    for name in ("packets", "bits", "sums", "prbs", "quotas", "negative", "admission", "measurements"):
        yield within(f"conservation/{name}", found[name], 0, 0, "violations", SOURCE, reference=0, n=looks, seed=0)


def run_at_random(choose: Choose) -> Iterator[Counter[str]]:
    """Run three networks of a random scenario under random controls; yield what is violated after each stretch."""
    networks = Networks(validate_scenario(random_values(choose)), 3, seed=choose.whole(0, 2**31))
    before = networks.counters().cell
    for _ in range(3):
        slots = choose.whole(1, 450)
        connected = networks.cells.connected_ues
        networks.advance(slots)
        violations = count_violations(networks)
        used = networks.counters().cell[..., s.CELL_PRBS] - before[..., s.CELL_PRBS]
        violations["prbs"] += int((used > slots * networks.scenario.carrier.num_prbs).sum())
        # Who was there before a limit was lowered stays; an event only lowers what controls have set.
        most = np.maximum(connected, networks._state.cell[..., s.SET_ADMISSION_LIMIT])
        violations["admission"] += int((networks.cells.connected_ues > most).sum())
        if networks.scenario.slices is not None:
            violations["quotas"] += watch_quotas(networks, choose.whole(1, 30)).total()
        violations["measurements"] += _count_wrong_measurements(networks)
        networks.apply(random_controls(choose, networks))
        yield violations + count_violations(networks)
        before = networks.counters().cell


def count_violations(networks: Networks) -> Counter[str]:
    """How many users, cells or networks break each identity now; those that none breaks are left out."""
    ue, inside = networks.counters().ue, networks._state
    is_waiting = inside.process[..., s.BLOCK_BITS] > 0
    in_the_air = {
        "PACKETS": (inside.process[..., s.NUM_PACKETS] * is_waiting).sum(axis=-1),
        "BITS": (inside.process[..., s.PAYLOAD_BITS] * is_waiting).sum(axis=-1),
    }
    queued = {
        "PACKETS": inside.ue[..., s.END] - inside.ue[..., s.SENDING] + inside.ue[..., s.ON_THE_WAY],
        "BITS": inside.ue[..., s.BACKLOG_BITS] + inside.ue[..., s.ON_THE_WAY_BITS],
    }
    found: Counter[str] = Counter()
    for kind in ("PACKETS", "BITS"):
        gone = sum(ue[..., getattr(s, f"UE_{kind}_{fate}")] for fate in FATES)
        arrived = ue[..., getattr(s, f"UE_{kind}_IN")]
        found[kind.lower()] = int((arrived != gone + queued[kind] + in_the_air[kind]).sum())
    found["sums"] = _count_wrong_sums(networks) + int((inside.ue[..., s.WAITING] != is_waiting.sum(axis=-1)).sum())
    end = inside.ue[..., s.END]
    in_queue = _bits_in_ring(inside, inside.ue[..., s.SENDING], end)
    on_the_way = _bits_in_ring(inside, end, end + inside.ue[..., s.ON_THE_WAY])
    found["bits"] += int((inside.ue[..., s.BACKLOG_BITS] != in_queue).sum())
    found["bits"] += int((inside.ue[..., s.ON_THE_WAY_BITS] != on_the_way).sum())
    found["negative"] = _count_negative(inside)
    found["sums"] += _count_wrong_states(networks)
    return found


def _count_wrong_states(networks: Networks) -> int:
    """Cells whose slots by power state are not all slots, or that are on the air and should not be."""
    count, cell = networks.counters().cell, networks._state.cell
    states = count[..., s.CELL_EMPTY_SLOTS : s.CELL_EMPTY_SLOTS + s.NUM_POWER_STATES].sum(axis=-1)
    wrong = int((states + count[..., s.CELL_SENDING_SLOTS] != networks.slot).sum())
    is_on_air = (cell[..., s.SLEEP_LEVEL] == s.AWAKE) & (cell[..., s.EVENT_OFF] == 0)
    wrong += int((is_on_air != networks.cells.is_on_air).sum())
    power_mw = networks._state.cell_real[..., s.PRB_POWER_MW]
    return wrong + int(((power_mw > 0.0) != is_on_air).sum())


def _count_wrong_sums(networks: Networks) -> int:
    """Sums over cells that are not those over users, by network; connected users that are not there, by cell."""
    counters, inside = networks.counters(), networks._state
    wrong = 0
    for of_cells, of_users in SUMS.values():
        cells = counters.cell[..., of_cells].sum(axis=(1, 2))
        wrong += int((cells != counters.ue[..., of_users].sum(axis=(1, 2))).sum())
    wrong += int((counters.delay.sum(axis=-1) != counters.cell[..., s.CELL_PACKETS_OUT]).sum())
    if networks.scenario.slices is not None:
        for of_cell, of_slice in SLICE_SUMS.items():
            wrong += int((counters.slices[..., of_slice].sum(axis=2) != counters.cell[..., of_cell]).sum())
        wrong += int((counters.slice_delay.sum(axis=2) != counters.delay).sum())
    serving = inside.ue[..., s.SERVING_CELL]
    is_served_by = serving[..., None] == np.arange(inside.cell.shape[1])  # [B, U, C]
    wrong += int((inside.cell[..., s.CONNECTED_UES] != is_served_by.sum(axis=1)).sum())
    on_the_way = (is_served_by * inside.ue[..., s.ON_THE_WAY_BITS, None]).sum(axis=1)
    return wrong + int((inside.cell[..., s.BACKHAUL_BITS] != on_the_way).sum())


def _bits_in_ring(inside: s.Network, first: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.int64]:
    """[B, U] bits left of the packets from number `first` to before `end`."""
    capacity = inside.packet.shape[2]
    begin = first[..., None]
    number = begin + (np.arange(capacity) - begin) % capacity  # [B, U, Q] the packet that a place of the ring may hold
    is_one = number < end[..., None]
    bits: NDArray[np.int64] = np.where(is_one, inside.packet[..., s.BITS_LEFT], 0).sum(axis=-1, dtype=np.int64)
    return bits


def _count_negative(inside: s.Network) -> int:
    """Numbers below zero where there can be none, and rings that hold more than they have room for."""
    counts = (inside.ue_count, inside.cell_count, inside.delay_count, inside.quality_count, inside.slice_count)
    wrong = sum(int((array < 0).sum()) for array in counts)
    columns = (s.BACKLOG_BITS, s.WAITING, s.OLDEST, s.TAKEN, s.ON_THE_WAY, s.ON_THE_WAY_BITS)
    wrong += sum(int((inside.ue[..., column] < 0).sum()) for column in columns)
    wrong += int((inside.cell[..., (s.CONNECTED_UES, s.BACKHAUL_BITS)] < 0).sum())
    oldest, sending, end = (inside.ue[..., column] for column in (s.OLDEST, s.SENDING, s.END))
    held = end - oldest + inside.ue[..., s.ON_THE_WAY]
    return wrong + int(((oldest > sending) | (sending > end) | (held > inside.packet.shape[2])).sum())


def _count_wrong_measurements(networks: Networks) -> int:
    """Measurements since the last look that are NaN or outside the bounds that they declare."""
    serving = networks.ues.serving_cell
    was_on_air = ~_was_off_the_air(networks)
    has_link = (serving >= 0)[..., None] & was_on_air[:, None, :]
    has_user = (serving >= 0) & np.take_along_axis(was_on_air, np.maximum(serving, 0), axis=1)
    looked_at = {"ue": has_user, "link": has_link}
    wrong = 0
    for name, value in networks.measure().items():
        measurement = next(each for each in MEASUREMENTS if each.name == name)
        checked = value[looked_at[measurement.scope]] if measurement.scope in looked_at else value
        wrong += int((~((checked >= measurement.low) & (checked <= measurement.high))).sum())
    return wrong


def _was_off_the_air(networks: Networks) -> NDArray[np.bool_]:
    """[B, C] whether a cell is or ever was off the air, so that links to it may not have been measured."""
    states = (s.MICRO_SLEEP, s.LIGHT_SLEEP, s.DEEP_SLEEP, s.SWITCHED_OFF)
    slots = networks.counters().cell[..., [s.CELL_EMPTY_SLOTS + each for each in states]]
    was_off: NDArray[np.bool_] = slots.any(axis=-1) | ~networks.cells.is_on_air
    return was_off
