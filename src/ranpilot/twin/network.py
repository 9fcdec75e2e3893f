"""The public face of the twin: a batch of networks of one scenario that are run, steered, measured and copied.

Network `n` with seed `s` always evolves the same, whatever the batch, the number of threads, the split of `advance`
into calls, or a copy taken in between. Axes: B networks, C cells, U places for users.
"""

from __future__ import annotations

import functools
import itertools
import os
import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Literal, Self

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ranpilot.declare import Control
from ranpilot.errors import ConfigError
from ranpilot.twin import kernel, kpm, slice_columns, snapshots, state
from ranpilot.twin.applying import put_in_force
from ranpilot.twin.energy import cell_joules, make_cell_power
from ranpilot.twin.feed import Feed
from ranpilot.twin.kpm.window import of_serving_cell
from ranpilot.twin.mac.queue import PacketBlock
from ranpilot.twin.mac.scratch import Scratch, allocate_scratch
from ranpilot.twin.parameters import make_parameters
from ranpilot.twin.rrc.population import BEFORE_START
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.stays import Stays, Turned, look_at_stays, no_turns, note_turn, since_arrival, slots_there
from ranpilot.twin.views import CellView, Counters, EventView, Mark, SliceView, UserView
from ranpilot.units import linear_to_db

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Networks"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer]


class Networks:
    """A batch of `num` networks with ids `first_network`, `first_network` + 1, ...; `slot` counts from the reset.

    threads: threads of `advance`; None = what numba is set to. It changes the speed and nothing else.
    """

    def __init__(
        self, scenario: Scenario, num: int, seed: int, *, first_network: int = 0, threads: int | None = None
    ) -> None:
        _check_count("num", num, 1, 1_000_000)
        _check_count("seed", seed, 0, 2**62)
        _check_count("first_network", first_network, 0, 2**31)
        if threads is not None:
            _check_count("threads", threads, 1, int(numba.config.NUMBA_NUM_THREADS))
        self.scenario, self.seed, self.threads = scenario, seed, threads
        self.episode = 0
        self.slot = 0
        self.run_s = 0.0
        """Wall seconds that `advance` has taken so far."""
        self._parameters = make_parameters(scenario)
        self._cell_power = make_cell_power(scenario)
        self._ids = np.arange(first_network, first_network + num, dtype=np.int64)
        self._allocate(num)
        self.reset()

    @property
    def num(self) -> int:
        """B, how many networks there are."""
        return len(self._ids)

    @property
    def network_ids(self) -> IntArray:
        """[B] the id of each network."""
        return self._ids.copy()

    @property
    def state_bytes(self) -> int:
        """How much one network of the batch holds that changes: the size of a copy."""
        return sum(array.nbytes for array in self._state) // self.num

    @property
    def cells(self) -> CellView:
        """What can be read of cells."""
        cell, cell_real = self._state.cell, self._state.cell_real
        return CellView(
            tx_power_dbm=cell_real[..., state.TX_POWER_DBM].copy(),
            connected_ues=cell[..., state.CONNECTED_UES].copy(),
            admission_limit=cell[..., state.ADMISSION_LIMIT].copy(),
            set_power_dbm=cell_real[..., state.SET_POWER_DBM].copy(),
            individual_offset_db=cell_real[..., state.INDIVIDUAL_OFFSET_DB].copy(),
            downtilt_deg=cell_real[..., state.DOWNTILT_DEG].copy(),
            is_on_air=cell[..., state.IS_ON_AIR] == 1,
            sleep_level=cell[..., state.SLEEP_LEVEL].copy(),
        )

    @property
    def ues(self) -> UserView:
        """What can be read of users."""
        ue, ue_real = self._state.ue, self._state.ue_real
        return UserView(
            serving_cell=ue[..., state.SERVING_CELL].copy(),
            call_id=ue[..., state.CALL_ID].copy(),
            sinr_l3_db=self._state.sinr_l3_db.copy(),
            rsrp_l3_dbm=self._state.rsrp_l3_dbm.copy(),
            failures=self._state.ue_count[..., state.UE_FAILURES].copy(),
            interrupted=ue[..., state.INTERRUPTED_UNTIL] > self.slot,
            x_m=ue_real[..., state.X_M].copy(),
            y_m=ue_real[..., state.Y_M].copy(),
            backlog_bits=ue[..., state.BACKLOG_BITS].copy(),
            head_delay_slots=self._head_delay_slots(),
            cqi=self._state.cqi.mean(axis=2, dtype=np.float64),
            height_m=ue_real[..., state.HEIGHT_M].copy(),
            indoor_m=ue_real[..., state.INDOOR_M].copy(),
            penetration_db=ue_real[..., state.PENETRATION_DB].copy(),
            scheduling_weight=ue_real[..., state.SCHEDULING_WEIGHT].copy(),
            seat=ue[..., state.SLICE].copy(),
            traffic_kind=ue[..., state.TRAFFIC_KIND].copy(),
            deadline_slots=ue[..., state.DEADLINE_SLOTS].copy(),
        )

    @property
    def slices(self) -> SliceView:
        """What can be read of slices: who has which seat, and what is in force in which cell."""
        who, real = self._state.slice, self._state.cell_slice_real
        return SliceView(
            tenant=who[..., slice_columns.TENANT].copy(),
            since_slot=who[..., slice_columns.SINCE_SLOT].copy(),
            num_members=who[..., slice_columns.NUM_MEMBERS].copy(),
            min_ratio=real[..., slice_columns.MIN_SHARE] * 100.0,
            max_ratio=real[..., slice_columns.MAX_SHARE] * 100.0,
            dedicated_ratio=real[..., slice_columns.DEDICATED_SHARE] * 100.0,
            scheduler=self._state.cell_slice[..., slice_columns.SCHEDULER].copy(),
        )

    @property
    def capacity(self) -> IntArray:
        """[C] connected users at most, as the scenario says (every place where it sets no limit)."""
        return self._parameters.population.capacity.copy()

    def events(self) -> EventView:
        """Past, present and coming events since the reset; those to come are nobody's to know before they are told."""
        return EventView(*(self._state.event[..., column].copy() for column in range(state.NUM_EVENT_COLUMNS)))

    def reset(self, episode: int = 0) -> None:
        """Begin `episode`: new places of users and objects, empty queues, slot 0. The same episode repeats exactly."""
        _check_count("episode", episode, 0, 2**31)
        self.episode, self.slot = episode, 0
        self._allocate(self.num)
        offset = self.scenario.placement_seed_offset
        kernel.reset(self._state, self._parameters, self.seed, episode, self._ids, offset, BEFORE_START)
        self._feed = Feed(self.scenario, self._state)
        self._begin_window()

    def advance(self, slots: int) -> None:
        """Run every network for that many slots."""
        _check_count("slots", slots, 0, state.LAST_SLOT - self.slot)
        begin = time.perf_counter()
        left = slots
        while left > 0:
            if self._slices_turn and self._feed.is_at_turn(self.slot) and self.slot > 0:
                kernel.turn_all_slices(self._state, self._parameters, self.slot)
                note_turn(self._turned, self._state, self._now(), self.slot)
            packets = self._feed.block(self._state, self.slot)
            run = min(left, self._feed.slots_left(self.slot))
            self._run(packets, (self.slot, self.slot + run))
            self.slot += run
            left -= run
        self.run_s += time.perf_counter() - begin

    def apply(self, controls: Mapping[Control | str, ArrayLike]) -> None:
        """Put controls into force: of cells [B, C], of slices [B, C, S], of users [B, U].

        In the order of `CONTROLS`: powers, tilts and offsets, limits, weights, what slices have, releases, handovers in
        the order of places, sleep. NaN keeps what is, of continuous controls; the weight of an empty place and what is
        set for a free seat are nobody's.
        Raises: ActionError for a wrong shape or value, UnknownNameError for an unknown control.
        """
        put_in_force(self._state, self._parameters, self.scenario, self.slot, controls)

    def measure(self, since: Mark | None = None, *, only: Collection[str] | None = None) -> dict[str, FloatArray]:
        """Every KPM since the last `measure` (or the reset), by name: [B, C], [B, C, S], [B, U] or [B, U, C] by scope.

        A seat's are its present tenant's, since it came (`stays`), and 0 where it is free.
        since: a `mark` of these networks to measure from instead, which leaves the last `measure` where it was.
        only: names of those that are wanted, which is faster. Raises UnknownNameError.
        """
        if since is not None:
            return kpm.compute(self.window(since), only)
        result = kpm.compute(self.window(Mark(self._baseline, self._window_start)), only)
        self._begin_window()
        return result

    def stays(self, since: Mark | None = None) -> Stays:
        """Whose the values are that `measure` would give for each seat now, and over which time."""
        return look_at_stays(self.scenario, self._state, self.slot, since or Mark(self._baseline, self._window_start))

    def mark(self) -> Mark:
        """The moment of now, to `measure` from later."""
        return Mark(self.counters(), self.slot)

    def window(self, since: Mark) -> kpm.Window:
        """What has been counted since a `mark`, and how things stand: what every KPM is computed from."""
        now = self._now()
        ue, cell, delay, quality = (a - b for a, b in zip(now[:4], since.counters[:4], strict=True))
        slices, slice_delay, member = since_arrival(self._turned, self._state, now, since)
        serving, sinr_db = self._state.ue[..., state.SERVING_CELL], self._state.sinr_l3_db.copy()
        own_db = of_serving_cell(sinr_db, serving)
        return kpm.Window(
            ue=ue.astype(np.float64),
            cell=cell.astype(np.float64),
            delay=delay,
            quality=quality,
            slices=slices.astype(np.float64),
            slice_delay=slice_delay,
            slice_slots=slots_there(self._state, slices.shape[2], self.slot, since),
            member=member.astype(np.float64),
            seat=self._state.ue[..., state.SLICE],
            serving_cell=serving,
            backlog_bits=self._state.ue[..., state.BACKLOG_BITS],
            ue_sinr_db=own_db,
            link_sinr_db=sinr_db,
            link_rsrp_dbm=self._state.rsrp_l3_dbm.copy(),
            tx_power_dbm=self._state.cell_real[..., state.TX_POWER_DBM].copy(),
            energy_j=cell_joules(cell, self._cell_power),
            num_slots=self.slot - since.slot,
            slot_s=self.scenario.slot_s,
            num_prbs=self.scenario.carrier.num_prbs,
        )

    def measure_frame(self) -> pd.DataFrame:
        """As `measure`, as a tidy table of the columns `frames.COLUMNS`; free seats have no rows."""
        from ranpilot.twin.frames import tidy

        stays, start_s = self.stays(), self._window_start * self.scenario.slot_s
        return tidy(self.measure(), self._ids, (start_s, self.slot * self.scenario.slot_s), stays)

    def histograms(self, since: Mark | None = None) -> dict[str, FloatArray]:
        """What fell into each bin since the last `measure`, or since a mark: [B, C, bins], by name."""
        return kpm.count_bins(self.window(since or Mark(self._baseline, self._window_start)))

    def delay_histogram(self) -> tuple[FloatArray, IntArray]:
        """Upper edges of bins in ms [D], and delivered packets in each since the last `measure` [B, C, D]."""
        packets = self._state.delay_count - self._baseline.delay
        return kpm.delay_edges_ms(self.scenario.slot_s), packets

    def counters(self) -> Counters:
        """All counters since the reset; columns are named in `twin/state.py`. Copies."""
        return Counters(*(array.copy() for array in self._now()))

    def fork(
        self,
        k: int,
        *,
        networks: ArrayLike | None = None,
        future: Literal["same", "fresh"] = "same",
        draw: int | Sequence[int] | IntArray = 0,
        without_events: bool = False,
    ) -> Networks:
        """Copies of the running networks: a `Networks` of len(networks) * k, network-major; originals stay as they are.

        networks: indices into the batch, all where None. future: "same" repeats the randomness to come, "fresh" draws
        it anew from (network, slot, `draw`): copies with the same draw share it, and it is never the true future.
        draw: one index for all k copies of a network, or one for each ([k]). Events that were announced stay as they
        are in either future; without_events: those that have not started, announced or not, are called off for good.
        """
        _check_count("k", k, 1, 1_000_000)
        if future not in ("same", "fresh"):
            raise ConfigError("future", future, "one of same, fresh")
        picked = np.arange(self.num) if networks is None else _indices(networks, self.num)
        rows = np.repeat(picked, k)
        forks = self._copy(rows)
        if future == "fresh":
            draws = np.asarray(draw, dtype=np.int64)
            if draws.shape not in ((), (k,)) or (draws < 0).any():
                raise ConfigError("draw", draw, f"an index of at least 0, or {k} of them")
            each = np.tile(np.broadcast_to(draws, (k,)), len(picked))
            kernel.renew_future(forks._state, forks._parameters, each, self.slot)
            forks._feed.renew(forks._state, self.slot)
        if without_events:
            table = forks._state.event
            table[table[..., state.START_SLOT] > self.slot] = state.no_event()
            forks._state.identity[:, state.EVENTS_OFF] = 1
        return forks

    def snapshot(self) -> bytes:
        """Everything needed to go on exactly, as bytes with a version and a checksum."""
        return snapshots.pack(self._header(), self._arrays())

    def restore(self, data: bytes) -> None:
        """Go on from a snapshot of this scenario with as many networks, and become them. Raises CheckpointError."""
        header, arrays = snapshots.unpack(data, self._header(), self._arrays())
        for target, source in zip(self._arrays().values(), arrays.values(), strict=True):
            target[...] = source
        self.slot, self.episode, self.seed = int(header["slot"]), int(header["episode"]), int(header["seed"])
        self._window_start = int(header["window_start"])
        self._ids = self._state.identity[:, state.NETWORK].copy()
        self._feed.reload(self._state, self.slot)

    def fingerprint(self) -> list[str]:
        """One hash of the whole state for each network; equal exactly where the networks are."""
        return snapshots.fingerprints(self._arrays(), self.slot, self._window_start)

    @property
    def _slices_turn(self) -> bool:
        return self.scenario.slices is not None and self.scenario.slices.comes_and_goes

    def _run(self, packets: PacketBlock, slots: tuple[int, int]) -> None:
        """Share the networks out over threads; one part runs in the calling thread."""
        threads = min(self.threads or int(numba.config.NUMBA_NUM_THREADS), self.num)
        parts = list(itertools.pairwise(self.num * part // threads for part in range(threads + 1)))
        waiting = [
            _pool().submit(kernel.advance, self._state, self._parameters, packets, self._scratch, part, slots)
            for part in parts[1:]
        ]
        kernel.advance(self._state, self._parameters, packets, self._scratch, parts[0], slots)
        for part in waiting:
            part.result()

    def best_server(self, x_m: FloatArray, y_m: FloatArray) -> NDArray[np.int32]:
        """The cell received strongest at each point of a grid (columns x, rows y), at the powers of now: [B, Y, X].

        -1 where no cell is on the air.
        """
        best = np.empty((self.num, len(y_m), len(x_m)), dtype=np.int32)
        columns, rows = np.ascontiguousarray(x_m, np.float64), np.ascontiguousarray(y_m, np.float64)
        kernel.fill_best_server(self._state, self._parameters, columns, rows, best)
        return best

    def coupling_gain_db(self) -> FloatArray:
        """Gain from each cell to each user without fading, antennas and walls included: [B, U, C]; NaN if empty."""
        is_taken = self._state.ue[..., state.SERVING_CELL, None] >= 0
        return np.asarray(linear_to_db(np.where(is_taken, self._state.gain, np.nan)), dtype=np.float64)

    def _head_delay_slots(self) -> IntArray:
        """[B, U] see `UserView`."""
        ue, packet = self._state.ue, self._state.packet
        place = ue[..., state.SENDING] % packet.shape[2]
        arrival = np.take_along_axis(packet[..., state.ARRIVAL_SLOT], place[..., None], axis=2)[..., 0]
        waits = ue[..., state.SENDING] < ue[..., state.END]
        return np.where(waits, self.slot - arrival, 0)

    def _allocate(self, num: int) -> None:
        self._state = state.allocate(self.scenario, num)
        self._scratch = self._allocate_scratch(num)
        self._baseline = self.counters()
        self._turned = no_turns(self.scenario, self._baseline)
        self._window_start = 0

    def _allocate_scratch(self, num: int) -> Scratch:
        now = self._state
        num_cells, num_groups = now.activity.shape[1:]
        return allocate_scratch(num, num_cells, now.ue.shape[1], num_groups, now.slice.shape[1])

    def _now(self) -> Counters:
        now = self._state
        counted = (now.ue_count, now.cell_count, now.delay_count, now.quality_count)
        return Counters(*counted, now.slice_count, now.slice_delay)

    def _begin_window(self) -> None:
        for kept, now in zip(self._baseline, self._now(), strict=True):
            kept[...] = now
        self._window_start = self.slot

    def _copy(self, rows: IntArray) -> Self:
        copy = object.__new__(type(self))
        copy.scenario, copy.seed, copy.threads = self.scenario, self.seed, self.threads
        copy.episode, copy.slot, copy._window_start = self.episode, self.slot, self._window_start
        copy.run_s = 0.0
        copy._parameters, copy._cell_power = self._parameters, self._cell_power
        copy._ids = self._ids[rows]
        copy._state = state.Network._make(array.take(rows, axis=0) for array in self._state)
        copy._baseline = Counters(*(array[rows] for array in self._baseline))
        copy._turned = Turned(*(array[rows] for array in self._turned))
        copy._scratch = self._allocate_scratch(len(rows))
        copy._feed = self._feed.copy(rows)
        return copy

    def _header(self) -> dict[str, int | str]:
        return {
            "scenario": self.scenario.hash(),
            "num": self.num,
            "seed": self.seed,
            "episode": self.episode,
            "slot": self.slot,
            "window_start": self._window_start,
        }

    def _arrays(self) -> dict[str, NDArray[np.generic]]:
        """Every array that changes, by name, all with the leading axis B."""
        arrays: dict[str, NDArray[np.generic]] = dict(zip(self._state._fields, self._state, strict=True))
        for kept, counted in (("baseline", self._baseline), ("turned", self._turned)):
            arrays |= {f"{kept}.{name}": array for name, array in counted._asdict().items()}
        return arrays | self._feed.arrays()


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(int(numba.config.NUMBA_NUM_THREADS), thread_name_prefix="ranpilot-twin")


# A child process has none of its parent's threads.
os.register_at_fork(after_in_child=_pool.cache_clear)


def _indices(value: ArrayLike, num: int) -> IntArray:
    index = np.asarray(value)
    if index.ndim != 1 or index.dtype.kind not in "iu" or len(index) == 0 or (index < 0).any() or (index >= num).any():
        raise ConfigError("networks", value, f"a list of indices in 0..{num - 1}")
    return index


def _check_count(field: str, value: int, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise ConfigError(field, value, f"a whole number in {low}..{high}")
