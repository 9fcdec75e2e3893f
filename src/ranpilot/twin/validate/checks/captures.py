"""Captures played through the twin in the emulator's network, against the emulator's KPM logs.

A phone's downlink (TRACTOR) was played over srsRAN on the Colosseum emulator, one user, and logged every 250 ms. Here
the same packets go through one cell with what the logs show of that network: 15 kHz, 18 of the carrier's 50 PRBs (the
slice's share: no 250 ms hold more than 4518 granted PRBs), groups of 3 PRBs (LTE's at 50 PRBs), a queue of 128 packets
(the logged buffer ends at 128 packets of 1324 or 1500 bytes), no errors (none are logged), and the highest MCS of table
1 within the efficiency of the logged CQI. Packets that the capture had merged are cut into 1500 bytes, as a network
carries them. Compared: bits sent (`sent`) and lost to the full queue (`overflow`), PRBs used for them (`prbs`), mean
length of bursts (runs of 250 ms in which more than 1 kbit was sent; `burst`), how the two series of 250 ms go together
(`correlation`), and, row by row without running anything, bits a PRB against the efficiency of the logged CQI with 144
resource elements (`bits-per-prb`).
What the emulator did differently: LTE's tables in place of NR's (12 x (14 - 3 control symbols) - 6 reference signals =
126 resource elements a PRB where the twin has 144, but an MCS above what that leaves of the CQI's efficiency), link
adaptation at work (the logged CQI moves by half a step within a window), headers of a few per cent that the capture
counts and the emulator did not send, and clocks that drift (the lag is found by correlation and holds within the window
that is used). Neither is a closed loop: packets come as they came, whatever was lost.
The tolerances are what these leave: 12 % in sums, 0.05 in shares, 15 % in bursts, whose ends lie within one row.
Source: KPM logs of TRACTOR, see data/capture_logs.csv and scripts/make_capture_tables.py.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranpilot.twin import state as s
from ranpilot.twin.network import Networks
from ranpilot.twin.parameters import RE_PER_PRB
from ranpilot.twin.phy import load_phy_tables
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.scenario_file import validate_scenario
from ranpilot.twin.traffic.capture import Capture
from ranpilot.twin.traffic.replay_file import save_replay
from ranpilot.twin.validate.line import Effort, Line, compared, reported, within
from ranpilot.twin.validate.table import DATA, read_table

__all__ = ["Log", "lines", "mean_burst", "read_log"]

FloatArray = NDArray[np.float64]

CLASSES = ("embb", "mmtc", "urllc")
PERIOD_SLOTS = 250
NUM_PRBS, GROUP_PRBS, QUEUE_PACKETS = 18, 3, 128
MOST_PACKET_BYTES = 1500
BURST_BITS = 1_000.0
SUMS, SHARES, BURSTS = 0.12, 0.05, 0.15
"""How far twin and emulator may be apart: relative, absolute, relative."""

LTE_SHARE = 126 / 144
"""Resource elements of a PRB in LTE with three control symbols, of those in the twin."""

LOGS = "TRACTOR, KPM logs of the emulator"


class Log(NamedTuple):
    """What the emulator wrote down in each period of a window, zeros where it sent nothing; [P] each."""

    sent_bits: FloatArray
    granted_prbs: FloatArray
    cqi: FloatArray


def lines(effort: Effort) -> Iterator[Line]:
    """Each class; the effort changes nothing, there is one log of each."""
    efficiency = load_phy_tables(1, NUM_PRBS, RE_PER_PRB).cqi_efficiency.astype(np.float64)
    for name in CLASSES:
        capture, log = _read_capture(name), read_log(name)
        yield from _line_by_line(name, log, efficiency)
        yield from _played(name, capture, log, efficiency)


def read_log(name: str) -> Log:
    """The log of a class over its window."""
    rows = [row for row in read_table("capture_logs") if row["class"] == name]
    num_periods = round(_read_capture(name).duration_s * 1e3 / PERIOD_SLOTS)
    columns = [np.zeros(num_periods) for _ in Log._fields]
    for row in rows:
        for column, field in zip(columns, Log._fields, strict=True):
            column[int(row["period"])] = float(row[field])
    return Log(*columns)


def mean_burst(sent_bits: FloatArray) -> float:
    """Mean number of periods in a row in which something was sent."""
    is_on = np.concatenate([[False], sent_bits > BURST_BITS, [False]])
    starts = int((is_on[1:] & ~is_on[:-1]).sum())
    return float(is_on.sum()) / max(1, starts)


def _line_by_line(name: str, log: Log, efficiency: FloatArray) -> Iterator[Line]:
    """Bits that a granted PRB carried, of those that the logged CQI promises."""
    promised = np.interp(log.cqi, np.arange(len(efficiency)), efficiency) * RE_PER_PRB
    ratio = float(log.sent_bits.sum() / (promised * log.granted_prbs).sum())
    rows = int((log.sent_bits > 0).sum())
    path = f"captures/{name}/bits-per-prb"
    # Less than LTE's share by what blocks are padded with; at most what NR carries.
    yield within(path, ratio, LTE_SHARE - 0.05, 1.0, "1", f"{LOGS}; LTE's elements a PRB", reference=LTE_SHARE, n=rows)


def _played(name: str, capture: Capture, log: Log, efficiency: FloatArray) -> Iterator[Line]:
    """What the twin makes of the same packets."""
    cqi = float((log.cqi * log.sent_bits).sum() / log.sent_bits.sum())
    mcs = _mcs_within(float(np.interp(cqi, np.arange(len(efficiency)), efficiency)))
    sent_bits, prbs, overflowed_bits = _play(capture, mcs)
    offered, n = float(capture.bits.sum()), len(log.sent_bits)
    path, source = f"captures/{name}", f"{LOGS}; mean CQI {cqi:.2f}, so MCS {mcs}"
    kbps = 1e-3 / capture.duration_s
    theirs = float(log.sent_bits.sum())
    yield reported(f"{path}/offered-rate", offered * kbps, "kbit/s", "TRACTOR, the capture", n=len(capture.bits))
    yield compared(f"{path}/sent", sent_bits.sum() * kbps, theirs * kbps, SUMS * theirs * kbps, "kbit/s", source, n=n)
    yield compared(f"{path}/overflow", overflowed_bits / offered, 1.0 - theirs / offered, SHARES, "1", source, n=n)
    used = float(log.granted_prbs.sum())
    yield compared(f"{path}/prbs", prbs.sum() / n, used / n, SUMS * used / n, "PRB", source, n=n)
    burst = mean_burst(log.sent_bits)
    yield compared(f"{path}/burst", mean_burst(sent_bits) / 4, burst / 4, BURSTS * burst / 4, "s", source, n=n)
    together = float(np.corrcoef(np.log1p(sent_bits), np.log1p(log.sent_bits))[0, 1])
    yield within(f"{path}/correlation", together, 0.75, None, "1", source, reference=1.0, n=n)


def _play(capture: Capture, mcs: int) -> tuple[FloatArray, FloatArray, float]:
    """Bits sent and PRBs used in each period of the capture [P], and bits that found no room."""
    num_periods = round(capture.duration_s * 1e3 / PERIOD_SLOTS)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "capture.npz"
        save_replay(capture, path)
        networks = Networks(_one_phone(path, mcs), 1, seed=1)
    # A replay starts at a moment of its own: what it plays first is that long after the capture's beginning.
    index, wait_slots = networks._feed.arrays()["feed.before"][0, 0]
    start_slot = capture.time_s[int(index)] * 1e3 - wait_slots
    counted = np.zeros((num_periods, 2))
    before = networks.counters().ue[0, 0]
    for period in range(num_periods):
        networks.advance(PERIOD_SLOTS)
        now = networks.counters().ue[0, 0]
        counted[period] = (now - before)[[s.UE_BITS_OUT, s.UE_PRBS]]
        before = now
    turned = np.roll(counted, round(start_slot / PERIOD_SLOTS), axis=0)
    return turned[:, 0], turned[:, 1], float(before[s.UE_BITS_OVERFLOWED])


def _mcs_within(efficiency: float) -> int:
    """The highest MCS of table 1 that asks for no more than this efficiency."""
    table = load_phy_tables(1, NUM_PRBS, RE_PER_PRB).spectral_efficiency
    return int(np.flatnonzero(table <= efficiency)[-1])


def _read_capture(name: str) -> Capture:
    """The packets of a window, none larger than a network carries."""
    with np.load(DATA / "capture_packets.npz") as archive:
        time_s = np.cumsum(archive[f"{name}_time_us"]) * 1e-6
        size, duration_s = archive[f"{name}_bytes"], float(archive[f"{name}_duration_s"])
    pieces = -(-size // MOST_PACKET_BYTES)
    last = np.cumsum(pieces) - 1
    length = np.full(int(pieces.sum()), MOST_PACKET_BYTES, np.int64)
    length[last] = size - (pieces - 1) * MOST_PACKET_BYTES
    return Capture(f"{name} of TRACTOR", "", np.repeat(time_s, pieces), 8 * length, np.zeros(1), duration_s)


def _one_phone(path: Path, mcs: int) -> Scenario:
    """One user next to a station, as many PRBs as the emulator's slice had."""
    site = {"name": "a", "x_m": 0, "y_m": 0, "height_m": 25, "propagation": "UMa", "power_dbm": 46}
    return validate_scenario(
        {
            "name": "emulator",
            "carrier": {"frequency_ghz": 2.0, "num_prbs": NUM_PRBS, "prbs_per_group": GROUP_PRBS},
            "layout": {"area_m": [-50, -50, 50, 50], "sites": [site]},
            "users": {"population": {"kind": "static", "ues_per_cell": 1}, "mobility": {"kind": "static"}},
            "traffic": {"mix": [{"kind": "replay", "file": str(path)}], "buffer_packets": QUEUE_PACKETS},
            "radio": {"shadowing": False, "line_of_sight": "always", "fading": False},
            "link": {"fixed_mcs": mcs, "scheduler": "round-robin"},
        }
    )
