"""Snapshots of networks as bytes, and one hash of the whole state for each network.

Layout: magic, length of a JSON header, header (version, names, types and shapes of the arrays, what the caller adds),
the arrays one after the other, CRC-32 of everything before it. Little-endian.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranpilot.errors import CheckpointError

__all__ = ["fingerprints", "pack", "unpack"]

MAGIC = b"RANPILOT-TWIN\n"
VERSION = 2
SOURCE = "snapshot"

Arrays = Mapping[str, NDArray[np.generic]]


def pack(header: Mapping[str, Any], arrays: Arrays) -> bytes:
    """Header and arrays as bytes."""
    described = {name: (array.dtype.str, array.shape) for name, array in arrays.items()}
    text = json.dumps({"version": VERSION, **header, "arrays": described}).encode()
    body = [MAGIC, struct.pack("<I", len(text)), text, *(np.ascontiguousarray(a).tobytes() for a in arrays.values())]
    data = b"".join(body)
    return data + struct.pack("<I", zlib.crc32(data))


def unpack(data: bytes, expected: Mapping[str, Any], like: Arrays) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and arrays of a snapshot of networks such as `expected` and `like` describe. Raises CheckpointError."""
    if not data.startswith(MAGIC):
        raise CheckpointError(SOURCE, "is not one of networks", "give bytes that Networks.snapshot() made")
    if len(data) < len(MAGIC) + 8 or zlib.crc32(data[:-4]) != struct.unpack("<I", data[-4:])[0]:
        raise CheckpointError(SOURCE, "is cut short or damaged", "go back to an earlier one")
    start = len(MAGIC) + 4
    (length,) = struct.unpack("<I", data[len(MAGIC) : start])
    header: dict[str, Any] = json.loads(data[start : start + length])
    _check(header, expected, like)
    arrays, offset = {}, start + length
    for name, (kind, shape) in header["arrays"].items():
        count = int(np.prod(shape))
        arrays[name] = np.frombuffer(data, dtype=np.dtype(kind), count=count, offset=offset).reshape(shape)
        offset += arrays[name].nbytes
    return header, arrays


def fingerprints(arrays: Arrays, *clocks: int) -> list[str]:
    """One hash over all arrays and clocks for each network (leading axis)."""
    num = len(next(iter(arrays.values())))
    result = []
    for b in range(num):
        digest = hashlib.blake2b(repr(clocks).encode(), digest_size=16)
        for array in arrays.values():
            digest.update(np.ascontiguousarray(array[b]).tobytes())
        result.append(digest.hexdigest())
    return result


def _check(header: Mapping[str, Any], expected: Mapping[str, Any], like: Arrays) -> None:
    if header.get("version") != VERSION:
        raise CheckpointError(SOURCE, f"has version {header.get('version')}", f"this ranpilot reads version {VERSION}")
    if header["scenario"] != expected["scenario"]:
        raise CheckpointError(SOURCE, f"is of another scenario ({header['scenario']})", "load it into its own scenario")
    if header["num"] != expected["num"]:
        raise CheckpointError(
            SOURCE, f"holds {header['num']} networks", f"load it into as many ({expected['num']} here)"
        )
    described = {name: [array.dtype.str, list(array.shape)] for name, array in like.items()}
    if header["arrays"] != described:
        raise CheckpointError(SOURCE, "holds other arrays than this version of ranpilot", "make it again")
