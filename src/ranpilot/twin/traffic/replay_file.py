"""The replay format: the downlink of one phone, checked once and quick to load.

A compressed NumPy archive (.npz) with `header` (JSON: format, version, source, sha256 of the capture, phone,
duration_s), `time_s` float64 [P], not decreasing, in 0 to duration_s, and `bits` int64 [P]. Times are seconds, so one
file serves every slot length. Time that was cut out of the capture is not in it.
"""

from __future__ import annotations

import json
import math
import os
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ranpilot.errors import CheckpointError, InputError
from ranpilot.twin.traffic.capture import MIN_DURATION_S, PHONE, Capture, read_capture
from ranpilot.twin.traffic.protocol import FloatArray, Int64Array

__all__ = ["Replay", "ReplayReport", "load_replay", "replay_capture", "save_replay"]

_FORMAT, _VERSION = "ranpilot-replay", 1
# What zipfile and NumPy say of files that are none, are cut short, or ask for more memory than there is.
_UNREADABLE = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    AttributeError,
    TypeError,
    SyntaxError,
    NotImplementedError,
    RuntimeError,
    MemoryError,
    RecursionError,
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
)
_REMEDY = "make it with `ranpilot traffic replay CAPTURE --out FILE.npz`"


@dataclass(frozen=True, eq=False)
class Replay:
    """What a replay file holds."""

    source: str
    sha256: str
    """Of the capture that it was made from."""
    phone: str
    duration_s: float
    time_s: FloatArray
    """[P]."""
    bits: Int64Array
    """[P]."""


@dataclass(frozen=True)
class ReplayReport:
    """What a capture held and where its replay file is."""

    path: Path
    source: str
    packets: int
    duration_s: float
    cuts: int
    """Silences that were cut out."""
    mean_rate_bps: float

    def table(self) -> str:
        """The report as one line of text."""
        kbps = self.mean_rate_bps / 1e3
        return (
            f"{self.source}: {self.packets} downlink packets in {self.duration_s:.1f} s, {kbps:.1f} kbit/s, "
            f"{self.cuts} cuts -> {self.path}"
        )


def replay_capture(
    path: str | Path, out: str | Path, *, phone: str = PHONE, cut_idle_s: float | None = None
) -> ReplayReport:
    """Check a capture (pcap or CSV) and write its downlink as a replay file, complete or not at all.

    Raises: TraceError with file and line (or packet) for what cannot be read, InputError where `out` cannot be written.
    """
    out = Path(out)
    if out.suffix != ".npz":
        raise InputError(f"{out}: the name of a replay file must end with .npz.")
    if not out.parent.is_dir():
        raise InputError(f"{out}: cannot be written (no folder {out.parent}).")
    capture = read_capture(path, phone=phone, cut_idle_s=cut_idle_s)
    save_replay(capture, out, phone=phone)
    return ReplayReport(
        out,
        str(path),
        len(capture.time_s),
        capture.duration_s,
        len(capture.piece_start_s) - 1,
        capture.mean_rate_bps,
    )


def save_replay(capture: Capture, path: Path, *, phone: str = PHONE) -> None:
    """Write a capture as a replay file, complete or not at all."""
    header = {
        "format": _FORMAT,
        "version": _VERSION,
        "source": Path(capture.source).name,
        "sha256": capture.sha256,
        "phone": phone,
        "duration_s": capture.duration_s,
    }
    partial = path.with_name(path.name + ".tmp")
    try:
        with partial.open("wb") as file:
            np.savez_compressed(file, header=np.array(json.dumps(header)), time_s=capture.time_s, bits=capture.bits)
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise InputError(f"{path}: cannot be written ({error.strerror}).") from None


def load_replay(path: str | Path) -> Replay:
    """Read and check a replay file. Raises: InputError, CheckpointError."""
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file; {_REMEDY}.")
    try:
        with np.load(path, allow_pickle=False) as archive:
            header: Any = json.loads(str(archive["header"]))
            time_s, bits = archive["time_s"], archive["bits"]
    except _UNREADABLE:
        raise CheckpointError(str(path), "not a replay file", _REMEDY) from None
    if not isinstance(header, dict) or header.get("format") != _FORMAT or header.get("version") != _VERSION:
        raise CheckpointError(str(path), f"not a replay file of version {_VERSION}", _REMEDY)
    if not _is_sound(header, time_s, bits):
        raise CheckpointError(str(path), "a replay file with damaged packets", _REMEDY)
    return Replay(
        header["source"], header["sha256"], header["phone"], header["duration_s"], time_s, bits.astype(np.int64)
    )


def _is_sound(header: dict[str, Any], time_s: FloatArray, bits: Int64Array) -> bool:
    """Whether every packet lies within the duration, in order, with a size that a model can give."""
    duration_s = header.get("duration_s")
    if not isinstance(duration_s, float) or not MIN_DURATION_S <= duration_s < math.inf:
        return False
    if any(not isinstance(header.get(name), str) for name in ("source", "sha256", "phone")):
        return False
    if time_s.dtype != np.float64 or bits.dtype != np.int64 or time_s.ndim != 1 or time_s.shape != bits.shape:
        return False
    if len(time_s) == 0 or not np.isfinite(time_s).all() or (np.diff(time_s) < 0).any():
        return False
    sizes_fit = bits.min() > 0 and bits.max() < 2**31
    return bool(sizes_fit and time_s[0] >= 0.0 and time_s[-1] <= duration_s)
