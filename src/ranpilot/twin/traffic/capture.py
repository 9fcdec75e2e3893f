"""Packet captures: reads pcap, pcapng or a CSV in the format of TRACTOR, and keeps the downlink of one phone.

CSV: columns `App name,No.,Time,Source,Destination,Protocol,Length`, of which Time (s), Source, Destination and Length
(bytes with headers) are used; others may be there or not. `pcap_file.py` tells what is taken from a pcap. Downlink are
the rows whose destination is the phone. Rows of both directions say how long the capture is and where it was cut.

Cuts: where a capture is known to have had other traffic removed (`cut_idle_s` is given), every silence of both
directions that is longer is taken to be removed time, and the capture falls into pieces there. Nothing else is ever
skipped or repaired: a line that cannot be right is refused. Times may fall back by at most 1 microsecond, which is what
float printing does, and are then taken to be equal.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ranpilot.errors import ConfigError, InputError, TraceError
from ranpilot.twin.traffic.protocol import FloatArray, Int64Array

__all__ = [
    "MIN_DOWNLINK_PACKETS",
    "MIN_DURATION_S",
    "PHONE",
    "Capture",
    "data_folder",
    "parse_capture",
    "read_capture",
    "read_tractor",
]

PHONE = "172.30.1.1"
"""Address of the phone in the TRACTOR captures."""

MIN_DOWNLINK_PACKETS = 100
MIN_DURATION_S = 10.0
MAX_LENGTH_BYTES = 262_144
"""Larger than any packet that a network card merges before a capture sees it."""

_COLUMNS = ("Time", "Source", "Destination", "Length")
_EXAMPLE = "columns App name,No.,Time,Source,Destination,Protocol,Length"
_TIME_TOLERANCE_S = 1e-6
_PCAP_MAGIC = (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x0a\x0d\x0d\x0a")


@dataclass(frozen=True, eq=False)
class Capture:
    """The downlink packets of one phone, with time 0 at the first row of the capture and cut time removed."""

    source: str
    sha256: str
    """Of the bytes of the file."""
    time_s: FloatArray
    """[P], not decreasing."""
    bits: Int64Array
    """[P]."""
    piece_start_s: FloatArray
    """[Q], where each piece between cuts begins; the first is 0."""
    duration_s: float
    """From the first row to the last one of either direction, without what was cut out."""
    cut_idle_s: float | None = None
    """Silences above this were cut out; None = none was."""

    @property
    def mean_rate_bps(self) -> float:
        """Downlink bits over the duration."""
        return float(self.bits.sum()) / self.duration_s


def data_folder() -> Path:
    """Where third-party archives lie: $RANPILOT_DATA, else ./data."""
    return Path(os.environ.get("RANPILOT_DATA", "data"))


def read_capture(path: str | Path, *, phone: str = PHONE, cut_idle_s: float | None = None) -> Capture:
    """The downlink of `phone` in a capture. Raises: InputError, TraceError with file and line (or packet)."""
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file, but must be a capture as pcap, or as CSV with {_EXAMPLE}.")
    return parse_capture(path.read_bytes(), str(path), phone=phone, cut_idle_s=cut_idle_s)


def read_tractor(names: list[str], *, cut_idle_s: dict[str, float] | None = None) -> Iterator[Capture]:
    """The captures `raw/<name>` of the TRACTOR archive in the data folder, in the order of `names`."""
    archive = data_folder() / "tractor" / "tractor.tar.xz"
    if not archive.is_file():
        raise InputError(f"{archive}: no such file; set RANPILOT_DATA to the folder that holds tractor/tractor.tar.xz.")
    content: dict[str, bytes] = {}
    with tarfile.open(archive) as tar:
        for member in tar:
            name = member.name.rpartition("raw/")[2]
            if name in names and (file := tar.extractfile(member)) is not None:
                content[name] = file.read()
    for name in names:
        if name not in content:
            raise InputError(f"{archive}: holds no raw/{name}.")
        yield parse_capture(content[name], name, cut_idle_s=(cut_idle_s or {}).get(name))


def parse_capture(content: bytes, source: str, *, phone: str = PHONE, cut_idle_s: float | None = None) -> Capture:
    """The downlink of `phone` in the bytes of a capture; `source` names it in errors."""
    if cut_idle_s is not None and not 0.0 < cut_idle_s < math.inf:
        raise ConfigError("cut_idle_s", cut_idle_s, "a positive number of seconds")
    if content[:4] in _PCAP_MAGIC or source.endswith((".pcap", ".pcapng")):
        # dpkt takes a tenth of a second to load.
        from ranpilot.twin.traffic.pcap_file import parse_pcap

        time, is_down, length, seen = parse_pcap(content, source, phone)
        last_line = len(time)
    else:
        time, is_down, length, seen = _parse_rows(content, source, phone)
        last_line = len(time) + 1
    if not is_down.any():
        where = ", ".join(sorted(seen)[:5])
        raise TraceError(source, last_line, f"phone {phone} receives no packet", f"one of the destinations ({where})")
    if is_down.sum() < MIN_DOWNLINK_PACKETS:
        problem = f"too short: {is_down.sum()} packets to the phone {phone}"
        raise TraceError(source, last_line, problem, f"at least {MIN_DOWNLINK_PACKETS}")
    time, piece_start = _remove_cuts(time - time[0], cut_idle_s)
    if time[-1] < MIN_DURATION_S:
        raise TraceError(source, last_line, f"too short: {time[-1]:.3g} s", f"at least {MIN_DURATION_S:g} s")
    digest = hashlib.sha256(content).hexdigest()
    return Capture(source, digest, time[is_down], 8 * length[is_down], piece_start, float(time[-1]), cut_idle_s)


def _parse_rows(content: bytes, source: str, phone: str) -> tuple[FloatArray, np.ndarray, Int64Array, set[str]]:
    """Time [M], is-downlink [M], length in bytes [M] and the destinations of all rows."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise TraceError(source, line, "not text", f"CSV with {_EXAMPLE}") from None
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    times: list[float] = []
    is_down: list[bool] = []
    lengths: list[int] = []
    seen: set[str] = set()
    try:
        header = next(rows, None)
        at = _column_indices(header, source)
        width = len(header or ())
        for row in rows:
            if len(row) != width:
                raise TraceError(source, rows.line_num, f"{len(row)} fields", f"{width} as in the first line")
            times.append(_parse_time(row[at["Time"]], times[-1] if times else 0.0, source, rows.line_num))
            lengths.append(_parse_length(row[at["Length"]], source, rows.line_num))
            destination = row[at["Destination"]].strip()
            is_down.append(destination == phone)
            seen.add(destination)
    except csv.Error as error:
        raise TraceError(source, rows.line_num, f"not CSV ({error})", f"CSV with {_EXAMPLE}") from None
    if not times:
        raise TraceError(source, 1, "no packets after the first line", "at least one packet a line")
    return np.array(times), np.array(is_down), np.array(lengths, dtype=np.int64), seen


def _column_indices(header: list[str] | None, source: str) -> dict[str, int]:
    if not header:
        raise TraceError(source, 1, "empty file", f"CSV with {_EXAMPLE}")
    names = [name.strip() for name in header]
    missing = [name for name in _COLUMNS if name not in names]
    if missing:
        raise TraceError(source, 1, f"no column {missing[0]!r} (columns: {', '.join(names)})", _EXAMPLE)
    return {name: names.index(name) for name in _COLUMNS}


def _parse_time(text: str, previous_s: float, source: str, line: int) -> float:
    try:
        time_s = float(text)
    except ValueError:
        time_s = math.nan
    if not math.isfinite(time_s):
        raise TraceError(source, line, f"Time = {text!r}", "a number of seconds")
    if time_s < 0.0:
        raise TraceError(source, line, f"Time = {text}", "at least 0")
    if time_s < previous_s - _TIME_TOLERANCE_S:
        raise TraceError(source, line, f"Time = {text}", f"at least that of the line before ({previous_s:g})")
    return max(time_s, previous_s)


def _parse_length(text: str, source: str, line: int) -> int:
    allowed = f"a whole number of bytes from 1 to {MAX_LENGTH_BYTES}"
    try:
        length = int(text)
    except ValueError:
        raise TraceError(source, line, f"Length = {text!r}", allowed) from None
    if not 1 <= length <= MAX_LENGTH_BYTES:
        raise TraceError(source, line, f"Length = {text}", allowed)
    return length


def _remove_cuts(time: FloatArray, cut_idle_s: float | None) -> tuple[FloatArray, FloatArray]:
    """Times without the silences above the limit, and where pieces begin."""
    gap = np.diff(time)
    if cut_idle_s is None or not (gap > cut_idle_s).any():
        return time, np.zeros(1)
    cuts = np.flatnonzero(gap > cut_idle_s)
    gap = np.where(gap > cut_idle_s, 0.0, gap)
    closed = np.concatenate([[0.0], np.cumsum(gap)])
    return closed, np.concatenate([[0.0], closed[cuts + 1]])
